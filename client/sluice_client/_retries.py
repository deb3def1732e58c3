"""When a request is sent again, and after which pause."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

logger = logging.getLogger("sluice_client")
_BUSY_STATUSES = (429, 503)
_RUNNING = b'"urn:sluice:problem:request-running"'
# Requests that httpx itself refuses.
_NEVER_SENT = (httpx.UnsupportedProtocol, httpx.LocalProtocolError)


@dataclass(frozen=True)
class Retries:
    """The policy of one client.

    A request is sent again, whatever its method, while the API is busy (429, 503) or still works on an earlier
    attempt, and if the connection broke before the answer. Repetitions are harmless: each POST has an
    `Idempotency-Key`, with which the API answers again what it answered before.

    Args:
        busy_seconds: the answer of a busy API is final if the next attempt would begin after this long.
        lost_attempts: how often a request without an answer is sent in all.
        first_pause: seconds before the first repetition, at most; later pauses double.
        longest_pause: the most seconds, except where the API asks for more by `Retry-After`.
        sleep: waits some seconds.
        clock: the present time in seconds.
        jitter: a number from 0 to 1, so that clients refused at the same moment do not return at the same moment.
    """

    busy_seconds: float = 120.0
    lost_attempts: int = 3
    first_pause: float = 0.3
    longest_pause: float = 5.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = random.random

    def send(self, send: Callable[[], httpx.Response]) -> httpx.Response:
        """Send a request until the answer is final.

        Args:
            send: sends the request once, and reads the whole answer.

        Returns:
            The first answer of an API that is not busy, or the last one.

        Raises:
            httpx.TransportError: no attempt had an answer.
        """
        deadline = self.clock() + self.busy_seconds
        pause, lost = self.first_pause, 0
        while True:
            # At least half the pause, so that the pauses grow.
            wait = pause / 2 + pause / 2 * self.jitter()
            try:
                answer = send()
            except httpx.TransportError as error:
                lost += 1
                if lost >= self.lost_attempts or isinstance(error, _NEVER_SENT):
                    raise
                reason = type(error).__name__
            else:
                # API Gateway throttles without Retry-After.
                requested = retry_after(answer)
                wait = wait if requested is None else requested + pause / 2 * self.jitter()
                if not _is_busy(answer) or self.clock() + wait > deadline:
                    return answer
                reason = f"status {answer.status_code}"
            logger.debug("Sending a request again in %.1f s (%s).", wait, reason)
            self.sleep(wait)
            pause = min(2 * pause, self.longest_pause)


def retry_after(answer: httpx.Response) -> float | None:
    """The seconds of `Retry-After`, which is a number or a date; None without one that can be read."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _is_busy(answer: httpx.Response) -> bool:
    if answer.status_code in _BUSY_STATUSES:
        return True
    # The API still works on an earlier attempt of this request, whose connection broke.
    return answer.status_code == 409 and _RUNNING in answer.content
