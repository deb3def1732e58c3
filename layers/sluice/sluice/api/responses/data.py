"""Responses with data, and with its provenance."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, RootModel

from sluice.api.responses.arrivals import ColumnView
from sluice.api.responses.base import Response, record_model
from sluice.domain.dataset import InputVersion
from sluice.domain.override import Override
from sluice.domain.run import Completeness
from sluice.domain.stale_input import StaleInput

STALE = "The earlier versions that stand in for datasources that could not be fetched; empty if there are none."
Rows = list[dict[str, JsonValue]]


class DataPage(Response):
    """A page of a version's rows; for a merge of documents, the document is the only item."""

    items: list[JsonValue]
    next: str | None
    version: int
    run: str
    completeness: Completeness
    stale: list[StaleInput] = Field(description=STALE)
    data_as_of: str


class MergedRecord(RootModel[dict[str, JsonValue]]):
    """One merged record: its values by column."""


class CitedPage(Response):
    """A page as it was received."""

    hash: str | None
    url: str
    number: int
    run: str


class SourceValue(Response):
    """The value in one datasource, and where it was received."""

    value: JsonValue
    datasource: str
    version: int
    page: CitedPage | None
    pointer: str
    exact: bool = Field(
        description="False: the pointer leads to the record, and the value is `expression` applied to it."
    )
    expression: str | None


ExplainedOverride: Any = record_model("ExplainedOverride", Override, {"field"})


class ExplainedField(Response):
    """The sources of a merged value."""

    value: JsonValue
    rule: str
    winners: list[SourceValue]
    losers: list[SourceValue]
    expression: str | None
    override: ExplainedOverride = Field(None, description="Absent unless a manual override sets the value.")


class RecordExplanation(Response):
    """The sources of each value of a merged record."""

    key: list[JsonValue]
    version: int
    fields: dict[str, ExplainedField]


class DocumentExplanation(Response):
    """The sources of a part of a merged document."""

    pointer: str
    version: int
    value: JsonValue
    rule: str
    winners: list[SourceValue]
    losers: list[SourceValue]
    expression: str | None


class Explanation(RootModel[RecordExplanation | DocumentExplanation]):
    """The sources of merged values."""


class RowChange(Response):
    """How a record changed, with the old and the new value of each changed field."""

    key: list[JsonValue]
    change: Literal["added", "removed", "changed"]
    fields: dict[str, Annotated[list[JsonValue], Field(min_length=2, max_length=2)]]


class DocumentChange(Response):
    """How a part of a merged document changed: its old and its new value."""

    pointer: str
    change: Literal["added", "removed", "changed"]
    value: Annotated[list[JsonValue], Field(min_length=2, max_length=2)]


class ChangeCounts(Response):
    """The number of changed records, or parts of a document."""

    added: int
    removed: int
    changed: int


class Diff(Response):
    """One page of the changes between two versions."""

    items: list[RowChange | DocumentChange]
    next: str | None
    from_: int = Field(alias="from")
    to: int
    counts: ChangeCounts


class MergePreview(Response):
    """The result of a merge that is tried: its first rows, or the document."""

    items: list[JsonValue]
    schema_: list[ColumnView] = Field(alias="schema")
    rows: int
    size: int = Field(0, description="The number of a document's elements. Absent for rows.")
    warnings: list[str]
    completeness: Completeness
    completeness_reasons: list[str]
    stale: list[StaleInput] = Field(description=STALE)
    inputs: list[InputVersion]


class FetchedData(Response):
    """The merged data."""

    size: int
    data: JsonValue


class MissingDatasource(Response):
    """A datasource whose data is missing or too old."""

    datasource: str
    error: str


class MissingDatasources(Response):
    """The datasources whose data is missing or too old."""

    size: int
    data: list[MissingDatasource]


class ProjectFetch(Response):
    """The merged data of a project, and the datasources that are missing from it."""

    result: FetchedData
    errors: MissingDatasources | None


class ResultColumn(Response):
    """A column of a query's result."""

    name: str
    type: str


class QueryResult(Response):
    """The rows of a query."""

    items: Rows
    columns: list[ResultColumn]
    truncated: bool = Field(description="Whether rows were cut off at the limit of an answer.")
    versions: dict[str, int] = Field(description="The versions that were read, by dataset.")


class EndpointResult(QueryResult):
    """The rows of a published endpoint."""

    version: int | None = Field(description="The version of the merged data; null if the query does not read it.")
    completeness: Completeness
    stale: list[StaleInput] = Field(description=STALE)
    data_as_of: str | None


class LinkedData(RootModel[DataPage | EndpointResult]):
    """The data that a link opens."""
