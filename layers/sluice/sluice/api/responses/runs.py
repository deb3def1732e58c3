"""Responses about runs and their pages."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.api.responses.base import Response, list_model, record_model
from sluice.domain.run import HIDDEN_RUN_FIELDS, PageReceipt, Run, RunEvent, RunKind


class Fault(Response):
    """An invalid part of a request or document."""

    pointer: str
    message: str


class RunProblem(Response):
    """Why a run failed: problem details without `instance`."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] = Field([], description="Absent if no single part is invalid.")


RunView: Any = record_model(
    "RunView", Run, HIDDEN_RUN_FIELDS, about="One run.", kind=(RunKind, ...), error=(RunProblem | None, ...)
)
RunViewList: Any = list_model(RunView)
RunEventView: Any = record_model("RunEventView", RunEvent)
RunEventViewList: Any = list_model(RunEventView)


class FailedRequest(Response):
    """A failed attempt to request a page."""

    at: str
    attempt: int
    status: int | None = Field(description="Null if there was no response.")
    reason: str
    hash: str | None = Field(description="The hash of the response's body, for `GET /pages/{hash}`.")


PageReceiptView: Any = record_model(
    "PageReceiptView", PageReceipt, {"resume", "records_hash", "repeated"}, failures=(list[FailedRequest], ...)
)
PageReceiptViewList: Any = list_model(PageReceiptView)
