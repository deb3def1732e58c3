"""Answers about runs and their pages."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.api.responses.base import Response, list_model, record_model
from sluice.domain.run import HIDDEN_RUN_FIELDS, PageReceipt, Run, RunEvent, RunKind


class Fault(Response):
    """One part of a request or document that cannot be accepted."""

    pointer: str
    message: str


class RunProblem(Response):
    """Why a run failed: a problem without an address."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] = Field([], description="Absent where no part is to blame.")


RunView: Any = record_model("RunView", Run, HIDDEN_RUN_FIELDS, kind=(RunKind, ...), error=(RunProblem | None, ...))
RunViewList: Any = list_model(RunView)
RunEventView: Any = record_model("RunEventView", RunEvent)
RunEventViewList: Any = list_model(RunEventView)


class FailedRequest(Response):
    """A request for a page that failed and was repeated, or was the last one."""

    at: str
    attempt: int
    status: int | None = Field(description="Null where no answer came.")
    reason: str
    hash: str | None = Field(description="Of the answer's body: `GET /pages/{hash}` gives it.")


PageReceiptView: Any = record_model(
    "PageReceiptView", PageReceipt, {"resume", "records_hash", "repeated"}, failures=(list[FailedRequest], ...)
)
PageReceiptViewList: Any = list_model(PageReceiptView)
