"""The errors that Sluice raises deliberately.

    SluiceError
    ├── RequestError                 the client can correct it: 4xx, never retried
    │   ├── MalformedRequest         400
    │   ├── Unauthenticated          401
    │   ├── Forbidden                403
    │   ├── NotFound                 404
    │   │   └── NotPublished         404
    │   ├── MethodNotAllowed         405
    │   ├── Conflict                 409
    │   │   ├── AlreadyExists        409
    │   │   └── RequestRunning       409
    │   ├── Gone                     410
    │   ├── PreconditionFailed       412
    │   ├── PayloadTooLarge          413
    │   ├── Invalid                  422
    │   │   ├── QueryLimit           422
    │   │   └── WorkbookInvalid      422
    │   └── TooManyRequests          429
    ├── RunError                     ends a run: shown as its `error`, never retried
    │   ├── SourceRefused            the upstream refused the request
    │   ├── SourceUnreachable        no connection after every retry
    │   ├── SourceBusy               throttled or failing after every retry
    │   ├── AddressForbidden         datasources may not call the address
    │   ├── SecretMissing            a named secret has no value
    │   ├── SecretForbidden          a datasource may not use the secret that it names
    │   ├── SecretUnusable           a secret's value cannot be used in its place
    │   ├── UnreadableData           the bytes do not have the format that the datasource says
    │   │   ├── EmptyData
    │   │   ├── DataTooLarge
    │   │   └── RecordsNotFound
    │   ├── NothingToMerge           no datasource of the project has a version
    │   ├── Overtaken                another version was published while a replay ran
    │   ├── MergeFailed              the merge specification does not fit the data
    │   ├── ModelFailed              a model's or report's SQL does not fit the data
    │   ├── TestsFailed              a test of severity error has failed
    │   ├── CannotErase              a record cannot be removed from a page by itself
    │   ├── AlgorithmFailed          an algorithm cannot work on its inputs, or has failed
    │   └── RunStopped               timed out, aborted, or lost with its machine
    └── TransientError               retried by the workflow, 503 to a client
        ├── Unavailable              an AWS service throttled or failed
        └── VersionConflict          another version was published while a merge ran

A class has a `code` (the last part of a problem's `type`), an HTTP `status` and a `title`. The workflows
retry the transient errors by class name; a test compares the names.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import orjson

PROBLEM_TYPE_PREFIX = "urn:sluice:problem:"
# DuckDB and upstreams produce very long texts; a run's problem is stored in its item.
_MAX_DETAIL_CHARACTERS = 2000


class SluiceError(Exception):
    """The root of the tree.

    Args:
        detail: for the user: what is wrong and what to do.
        errors: `{"pointer", "message"}` for each invalid part of a document; the pointer is a JSON
            Pointer, or `?name` for a query parameter. Of a CSV file also `row` and `column`, of a workbook also
            `sheet`, `cell` and `code`.
    """

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors or []

    def problem(self, instance: str | None = None) -> dict[str, Any]:
        """The error as RFC 9457 problem details.

        Args:
            instance: the path of the request; null for the error of a run.
        """
        problem: dict[str, Any] = {
            "type": PROBLEM_TYPE_PREFIX + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail
            if len(self.detail) <= _MAX_DETAIL_CHARACTERS
            else self.detail[:_MAX_DETAIL_CHARACTERS] + "…",
        }
        if instance is not None:
            problem["instance"] = instance
        if self.errors:
            problem["errors"] = self.errors
        return problem


class RequestError(SluiceError):
    code, status, title = "bad-request", 400, "Bad request"


class MalformedRequest(RequestError):
    code, status, title = "malformed-request", 400, "The request cannot be read"


class Unauthenticated(RequestError):
    code, status, title = "unauthenticated", 401, "Credentials are missing or not valid"


class Forbidden(RequestError):
    code, status, title = "forbidden", 403, "The action is not allowed"


class NotFound(RequestError):
    code, status, title = "not-found", 404, "The resource does not exist"


class NotPublished(NotFound):
    code, status, title = "not-published", 404, "Nothing has been published yet"


class MethodNotAllowed(RequestError):
    code, status, title = "method-not-allowed", 405, "The resource has no such method"


class Conflict(RequestError):
    code, status, title = "conflict", 409, "The request conflicts with what is stored"


class AlreadyExists(Conflict):
    code, title = "already-exists", "A resource of this name already exists"


class RequestRunning(Conflict):
    code, title = "request-running", "The first request with this Idempotency-Key is still running"


class Gone(RequestError):
    code, status, title = "gone", 410, "Removed"


class PreconditionFailed(RequestError):
    code, status, title = "precondition-failed", 412, "The resource has changed"


class PayloadTooLarge(RequestError):
    code, status, title = "payload-too-large", 413, "The request is too large"


class Invalid(RequestError):
    code, status, title = "invalid", 422, "The request is not valid"


class QueryLimit(Invalid):
    code, status, title = "query-limit", 422, "The query exceeds a limit"


class WorkbookInvalid(Invalid):
    """A workbook cannot be imported.

    Args:
        detail: for the user: what is wrong and what to do.
        errors: the bad cells.
        document: the parsed document, with an error beside each bad value; None: it is not shown.
        max_bytes: the largest document that the problem shows.
    """

    code, title = "workbook-invalid", "The workbook is not valid"

    def __init__(
        self, detail: str, errors: list[dict[str, Any]] | None = None, document: Any = None, max_bytes: int = 0
    ) -> None:
        super().__init__(detail, errors)
        self.document = document
        self._max_bytes = max_bytes

    def problem(self, instance: str | None = None) -> dict[str, Any]:
        """The error as problem details, with the document unless it is too large."""
        problem = super().problem(instance)
        if self.document is not None and len(orjson.dumps(self.document)) <= self._max_bytes:
            problem["document"] = self.document
        return problem


class TooManyRequests(RequestError):
    """A rate limit is exceeded.

    Args:
        retry_after: the seconds until another request can succeed.
    """

    code, status, title = "too-many-requests", 429, "Too many requests"

    def __init__(self, detail: str, retry_after: float = 60) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class RunError(SluiceError):
    code, status, title = "run-failed", 422, "The run failed"


class SourceRefused(RunError):
    code, status, title = "source-refused", 422, "The upstream refused the request"


class SourceUnreachable(RunError):
    code, status, title = "source-unreachable", 422, "The upstream cannot be reached"


class SourceBusy(RunError):
    code, status, title = "source-busy", 422, "The upstream failed in every attempt"


class AddressForbidden(RunError):
    code, status, title = "address-forbidden", 422, "Datasources may not call the address"


class SecretMissing(RunError):
    code, status, title = "secret-missing", 422, "A secret has no value"


class SecretForbidden(RunError):
    code, status, title = "secret-forbidden", 422, "The datasource may not use the secret"


class SecretUnusable(RunError):
    code, status, title = "secret-unusable", 422, "The secret's value cannot be used there"


class UnreadableData(RunError):
    code, status, title = "unreadable-data", 422, "The data cannot be read"


class EmptyData(UnreadableData):
    code, title = "empty-data", "The data is empty"


class CannotErase(RunError):
    code, title = "cannot-erase", "The record cannot be erased by itself"


class DataTooLarge(UnreadableData):
    code, title = "data-too-large", "The data is too large"


class RecordsNotFound(UnreadableData):
    code, title = "records-not-found", "`records` selects nothing"


class NothingToMerge(RunError):
    code, title = "nothing-to-merge", "No datasource has data to merge"


class Overtaken(RunError):
    code, title = "overtaken", "Another version was published during the run"


class MergeFailed(RunError):
    code, title = "merge-failed", "The merge specification does not fit the data"


class ModelFailed(RunError):
    code, title = "model-failed", "A model's or report's SQL does not fit the data"


class TestsFailed(RunError):
    code, title = "tests-failed", "A test has failed"
    __test__ = False  # pytest would collect the class by its name


class AlgorithmFailed(RunError):
    code, title = "algorithm-failed", "The algorithm failed"


class RunStopped(RunError):
    code, status, title = "run-stopped", 500, "The run was stopped"


class TransientError(SluiceError):
    code, status, title = "unavailable", 503, "Please try again"


class Unavailable(TransientError):
    code, title = "unavailable", "A service did not answer"


class VersionConflict(TransientError):
    code, title = "version-conflict", "Another version was published meanwhile"


def all_errors(root: type[SluiceError] = SluiceError) -> Iterator[type[SluiceError]]:
    """Each class of the tree below `root`, and `root` itself; parents before children."""
    yield root
    for child in root.__subclasses__():
        yield from all_errors(child)


def transient_names() -> set[str]:
    """The names of the error classes that the workflows retry."""
    return {error.__name__ for error in all_errors(TransientError)} - {"TransientError"}
