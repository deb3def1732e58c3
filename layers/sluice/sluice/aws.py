"""What all adapters share: the errors of AWS turned into ours, and sending requests without a client."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from botocore.session import Session

from sluice.errors import Unavailable

# Sends a prepared request, as botocore's HTTP session does.
Send = Callable[[Any], Any]

_THROTTLES = frozenset({"ProvisionedThroughputExceededException", "SlowDown", "TooManyRequestsException"})


@contextmanager
def translated() -> Iterator[None]:
    """Within this context, what is worth trying again becomes `Unavailable`.

    Raises:
        Unavailable: a service throttled, failed, or cannot be reached.
    """
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if status >= 500 or "Throttl" in code or code in _THROTTLES:
            raise Unavailable(f"An AWS service did not answer ({code}); try again.") from error
        raise
    except BotoCoreError as error:
        raise Unavailable("An AWS service cannot be reached; try again.") from error


def sender(config: Any, session: Session, address: str) -> Send:
    """What sends signed requests over a pool of connections.

    Args:
        config: a client's configuration, whose time-outs are used.
        session: the source of the certificates.
        address: a URL of the service.
    """
    from botocore.httpsession import URLLib3Session
    from botocore.utils import get_environ_proxies

    # The type stubs of botocore lack these attributes and arguments.
    options: dict[str, Any] = {
        "verify": session.get_config_variable("ca_bundle") or True,
        "proxies": get_environ_proxies(address),
        "timeout": (config.connect_timeout, config.read_timeout),
        "max_pool_connections": config.max_pool_connections,
        # With Nagle's algorithm the body of a request waits 40 ms for the acknowledgement of its headers.
        "socket_options": [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
    }
    return URLLib3Session(**options).send
