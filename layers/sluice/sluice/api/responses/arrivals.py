"""Responses about arriving data, and about trying a datasource."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sluice.api.responses.base import Response
from sluice.domain.datasource import Datasource


class PushReceipt(Response):
    """Records that were stored."""

    accepted: int = Field(description="How many records were stored.")
    run: str | None = Field(
        description="The id of the run that makes the records readable. Null: there were no records."
    )


class UploadForm(Response):
    """A form to upload one file with, which is its last field, `file`."""

    url: str = Field(
        description="The address to send the form to, by POST as `multipart/form-data`; valid for a limited time."
    )
    fields: dict[str, str] = Field(
        description="The fields of the form, to be sent unchanged before the field `file` with the content."
    )


class CheckResult(Response):
    """The result of one request to the upstream."""

    ok: bool = Field(description="Whether the upstream answered and the records could be read.")
    status: int | None = Field(
        description="The HTTP status of the upstream's response. Null: no response, or no HTTP source."
    )
    elapsed_ms: int = Field(description="How long the request took, in milliseconds.")
    records: int | None = Field(description="How many records the response has. Null: they could not be read.")
    reason: str | None = Field(
        description="Why the check failed, as a sentence that says what to do. Null: it did not."
    )


class ColumnView(Response):
    """A column of rows that are not stored."""

    name: str = Field(description="The name of the column.")
    type: str = Field(description="Its type, such as `bigint`, `double` or `json`.")
    nullable: bool = Field(description="Whether it has nulls in these rows.")


class Preview(Response):
    """The first records of a datasource."""

    records: list[dict[str, Any]] = Field(description="The first records as rows, at most 100.")
    schema_: list[ColumnView] = Field(alias="schema", description="The columns of these rows, in their order.")
    pages: int = Field(description="How many pages were requested.")
    warnings: list[str] = Field(description="What to look at before the datasource is saved, as sentences.")


class DetectionReason(Response):
    """Why a field of the proposed document has its value."""

    pointer: str = Field(description="A JSON Pointer to the field; the field may be absent, as `/schedule` is.")
    reason: str = Field(description="The evidence, as a sentence.")
    confidence: Literal["verified", "likely", "guess"] = Field(
        description="`verified`: requests to the upstream have confirmed it; `likely`: the response suggests it; "
        "`guess`: check it."
    )


class Detection(Response):
    """A proposal for the document of a datasource; nothing is stored."""

    document: Datasource = Field(description="The document, which `POST /datasources` accepts as it is.")
    reasons: list[DetectionReason] = Field(description="Why its fields have their values.")
    warnings: list[str] = Field(description="What to check or to do before the document is saved.")
    sample: Preview | None = Field(
        description="The first records of the first page as the document reads them; null if it cannot read them."
    )
    requests: int = Field(description="The number of requests that the upstream received; each redirect is one.")
