"""Responses about runs and their pages."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.api.responses.base import Response, list_model, record_model
from sluice.domain.algorithm_run import HIDDEN_INPUT_FIELDS, AlgorithmRequest, InputUse
from sluice.domain.run import HIDDEN_RUN_FIELDS, PageReceipt, Run, RunEvent, RunKind


class Fault(Response):
    """An invalid part of a request or document."""

    pointer: str = Field(description="A JSON Pointer to the invalid part, or `?name` for a query parameter.")
    message: str = Field(description="What is wrong with it, as a sentence.")


class RunProblem(Response):
    """Why a run failed: problem details without `instance`."""

    type: str = Field(description="The URN of the error, such as `urn:sluice:problem:records-not-found`.")
    title: str = Field(description="The error in a few words; the same for every run with this error.")
    status: int = Field(description="The HTTP status that a request with this error would get.")
    detail: str = Field(description="What happened in this run, and what to do.")
    errors: list[Fault] = Field([], description="Absent if no single part is invalid.")


InputUseView: Any = record_model("InputUseView", InputUse, HIDDEN_INPUT_FIELDS)
AlgorithmRequestView: Any = record_model(
    "AlgorithmRequestView", AlgorithmRequest, inputs=(dict[str, InputUseView], ...)
)
RunView: Any = record_model(
    "RunView",
    Run,
    HIDDEN_RUN_FIELDS,
    about="One run.",
    kind=(RunKind, ...),
    error=(RunProblem | None, ...),
    request=(AlgorithmRequestView | None, ...),
)
RunViewList: Any = list_model(RunView)
RunEventView: Any = record_model("RunEventView", RunEvent)
RunEventViewList: Any = list_model(RunEventView)


class FailedRequest(Response):
    """A failed attempt to request a page."""

    at: str = Field(description="When the attempt failed, RFC 3339 in UTC.")
    attempt: int = Field(description="The attempt of the run, from 1.")
    status: int | None = Field(description="The HTTP status of the response. Null: there was no response.")
    reason: str = Field(description="Why the attempt failed, as a phrase.")
    hash: str | None = Field(
        description="The hash of the response's body, for `GET /pages/{page_hash}`. Null: no body was kept."
    )


PageReceiptView: Any = record_model(
    "PageReceiptView", PageReceipt, {"resume", "records_hash", "repeated", "gaps"}, failures=(list[FailedRequest], ...)
)
PageReceiptViewList: Any = list_model(PageReceiptView)
