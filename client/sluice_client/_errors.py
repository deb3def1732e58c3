"""The errors that the client raises.

    SluiceError
    ├── ConfigurationError           the address or the key is missing, or cannot be used
    ├── InvalidName                  a slug, name or id is empty, or means another folder
    ├── Unreachable                  the API did not answer: refused, timed out, or cut off
    ├── InvalidResponse              the answer is not Sluice's: a web page, truncated JSON, a redirect loop
    ├── ApiError                     the API refused the request or failed
    │   ├── AuthenticationError      401
    │   ├── PermissionDenied         403
    │   ├── NotFound                 404
    │   ├── Conflict                 409
    │   ├── PreconditionFailed       412
    │   ├── PayloadTooLarge          413
    │   ├── ValidationError          422
    │   ├── RateLimited              429
    │   └── ServerError              5xx
    ├── RunError
    │   ├── RunFailed                a run failed or was cancelled
    │   └── RunTimeout               a run has not ended within the timeout
    ├── PushInterrupted              some batches of a push are stored, and a later one is not
    └── MissingDependency            a method needs a package that is not installed

No error contains the API key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from sluice_client.types import RunView


class Fault(TypedDict):
    """An invalid part of a request.

    Args:
        pointer: a JSON Pointer into the document, or `?name` for a query parameter.
        message: what is wrong with it.
    """

    pointer: str
    message: str


class SluiceError(Exception):
    """The root of the tree."""


class ConfigurationError(SluiceError):
    """The address or the key is missing, or cannot be used."""


class InvalidName(SluiceError, ValueError):
    """A slug, name or id cannot be a part of a path: it is empty, or means another folder."""


class Unreachable(SluiceError):
    """The API did not answer."""


class InvalidResponse(SluiceError):
    """The answer is not one that Sluice sends."""


class ApiError(SluiceError):
    """The API answered with a problem (RFC 9457). The subclass follows from the status.

    Args:
        method: of the request, such as `GET`.
        path: of the request, below `/v1`.
        status: the HTTP status.
        problem: the problem's fields as the API sent them; empty if the answer was not a problem.
        retry_after: the seconds after which the API accepts another request, if it said so.
    """

    def __init__(
        self, method: str, path: str, status: int, problem: dict[str, Any], retry_after: float | None = None
    ) -> None:
        # All arguments, so that the error can be pickled.
        super().__init__(method, path, status, problem, retry_after)
        self.method = method
        self.path = path
        self.status = status
        self.type = str(problem.get("type", "about:blank"))
        self.title = str(problem.get("title", ""))
        self.detail = str(problem.get("detail") or self.title or "The answer has no details.")
        self.errors = _faults(problem.get("errors"))
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.method} {self.path} answered {self.status}: {_with_faults(self.detail, self.errors)}"


class AuthenticationError(ApiError):
    """401: the key is missing, wrong or expired."""

    def __str__(self) -> str:
        return f"{super().__str__()} Check the key: SLUICE_API_KEY, or `key`."


class PermissionDenied(ApiError):
    """403: the key's role does not allow this."""


class NotFound(ApiError):
    """404: the resource does not exist, or the key may not see it."""


class Conflict(ApiError):
    """409: the request conflicts with what is stored."""


class PreconditionFailed(ApiError):
    """412: the resource has changed since its `ETag` was read."""


class PayloadTooLarge(ApiError):
    """413: the request is too large."""


class ValidationError(ApiError):
    """422: the request is not valid; `errors` says where."""


class RateLimited(ApiError):
    """429: too many requests, also after several attempts; `retry_after` says when to try again."""


class ServerError(ApiError):
    """5xx: the API, or something between it and the client, failed."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: AuthenticationError,
    403: PermissionDenied,
    404: NotFound,
    409: Conflict,
    412: PreconditionFailed,
    413: PayloadTooLarge,
    422: ValidationError,
    429: RateLimited,
}


def error_class(status: int) -> type[ApiError]:
    """The class of errors with an HTTP status; `ApiError` itself if there is none."""
    return _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)


class RunError(SluiceError):
    """A run did not end as it should.

    Args:
        run: the run's document, as the API last sent it.
        timeout: for `RunTimeout`: the seconds that the client waited.
    """

    def __init__(self, run: RunView, timeout: float | None = None) -> None:
        super().__init__(run, timeout)
        self.run = run
        self.timeout = timeout

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.run["id"]


class RunFailed(RunError):
    """The run failed or was cancelled."""

    @property
    def problem(self) -> dict[str, Any] | None:
        """The run's `error`: `type`, `title`, `status`, `detail`, perhaps `errors`; None if it was cancelled."""
        error = self.run["error"]
        return None if error is None else {**error}

    def __str__(self) -> str:
        if self.run["error"] is None:
            return f"The run {self.run_id} was {self.run['status']}."
        detail = _with_faults(self.run["error"]["detail"], _faults(self.run["error"].get("errors")))
        return f"The run {self.run_id} failed: {detail}"


class RunTimeout(RunError):
    """The run has not ended within the timeout; it continues, and `sluice.run(id).wait()` waits again."""

    def __str__(self) -> str:
        return f"The run {self.run_id} has not ended after {self.timeout:g} s; its status is {self.run['status']}."


class PushInterrupted(SluiceError):
    """Some batches of a push are stored, and a later one is not; `__cause__` says why.

    Args:
        accepted: how many records are stored.
        runs: the ids of the runs that publish them.
        reason: the text of the cause.
        sent: how many records, counted from the first one, were received, refused ones included; as many as
            `accepted` unless it is given.
    """

    def __init__(self, accepted: int, runs: Sequence[str], reason: str, sent: int | None = None) -> None:
        super().__init__(accepted, runs, reason, sent)
        self.accepted = accepted
        self.sent = accepted if sent is None else sent
        self.runs = tuple(runs)
        self.reason = reason

    def __str__(self) -> str:
        whole = self.sent == self.accepted
        stored = "are stored" if whole else f"were received, and {self.accepted} of them are stored"
        return f"The first {self.sent} records {stored}; the batch after them is not: {self.reason}"


class MissingDependency(SluiceError, ImportError):
    """A method needs a package that is not installed."""


def _faults(value: Any) -> list[Fault]:
    """The faults of a problem; a malformed list is left out, since the problem itself matters more."""
    if not isinstance(value, list):
        return []
    return [
        Fault(pointer=str(item.get("pointer", "")), message=str(item.get("message", "")))
        for item in value
        if isinstance(item, dict)
    ]


def _with_faults(detail: str, faults: Sequence[Fault]) -> str:
    """What is wrong, with a line for each fault; of a fault that `detail` describes already, only the place."""
    places = [fault["pointer"] for fault in faults if fault["message"] == detail and fault["pointer"]]
    lines = [f"\n    {fault['pointer']}: {fault['message']}" for fault in faults if fault["message"] != detail]
    return detail + (f" ({', '.join(places)})" if places else "") + "".join(lines)
