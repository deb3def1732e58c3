"""Responses about arriving data, and about trying a datasource."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.api.responses.base import Response


class PushReceipt(Response):
    """Records that were stored."""

    accepted: int
    run: str | None = Field(description="The run that makes the records readable; null if there are none.")


class UploadForm(Response):
    """A form to upload one file with, which is its last field, `file`."""

    url: str
    fields: dict[str, str]


class CheckResult(Response):
    """The result of one request to the upstream."""

    ok: bool
    status: int | None = Field(description="The status of the upstream's response; null without one.")
    elapsed_ms: int
    records: int | None
    reason: str | None


class ColumnView(Response):
    """A column of rows that are not stored."""

    name: str
    type: str
    nullable: bool


class Preview(Response):
    """The first records of a datasource."""

    records: list[dict[str, Any]]
    schema_: list[ColumnView] = Field(alias="schema")
    pages: int
    warnings: list[str]
