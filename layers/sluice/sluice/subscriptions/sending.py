"""Sending one request to a webhook: to allowed addresses only, without redirects, in bounded time."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import httpx

from sluice import __version__
from sluice.domain.subscription import Delivery, signature
from sluice.errors import AddressForbidden


@dataclass(frozen=True)
class Outcome:
    """How an attempt has ended.

    Args:
        status: the HTTP status; None without a response.
        error: why it has failed, as a sentence; None if it has succeeded.
    """

    status: int | None
    error: str | None


def send(transport: httpx.AsyncBaseTransport, webhook: str, secret: str, delivery: Delivery, seconds: float) -> Outcome:
    """Send a delivery's body to its webhook.

    Only the status of the response counts. Its body is not read, so it may have any size.

    Args:
        transport: connects to allowed addresses only; it is closed.
        webhook: the URL.
        secret: signs the body together with the time of the request.
        seconds: the longest time, for the connection and the response.
    """
    return asyncio.run(_send(transport, webhook, secret, delivery, seconds))


async def _send(
    transport: httpx.AsyncBaseTransport, webhook: str, secret: str, delivery: Delivery, seconds: float
) -> Outcome:
    body = delivery.body.encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Sluice/{__version__}",
        "Sluice-Event": delivery.event,
        "Sluice-Delivery": delivery.id,
        "Sluice-Signature": signature(secret, int(time.time()), body),
    }
    try:
        request = httpx.Request(
            "POST",
            webhook,
            headers=headers,
            content=body,
            extensions={"timeout": httpx.Timeout(seconds).as_dict()},
        )
        async with transport, asyncio.timeout(seconds):
            response = await transport.handle_async_request(request)
            status = response.status_code
            await response.aclose()
    except AddressForbidden:
        return Outcome(None, "The address belongs to this stack or to a private network, which webhooks may not call.")
    except (TimeoutError, httpx.TimeoutException):
        return Outcome(None, f"There was no response within {seconds:g} seconds.")
    except httpx.InvalidURL:
        return Outcome(None, "The URL is not valid.")
    except httpx.TransportError as error:
        # The message of the transport has no URL, whose query may contain a credential.
        return Outcome(None, f"There was no response: {type(error).__name__}.")
    if 200 <= status < 300:
        return Outcome(status, None)
    redirect = "; redirects are not followed" if 300 <= status < 400 else ""
    return Outcome(status, f"The webhook has answered {status}{redirect}.")
