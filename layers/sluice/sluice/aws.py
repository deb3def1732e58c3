"""What all adapters share: the errors of AWS turned into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from sluice.errors import Unavailable

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
