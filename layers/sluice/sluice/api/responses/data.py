"""Answers with data, and about where it comes from."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, RootModel

from sluice.api.responses.arrivals import ColumnView
from sluice.api.responses.base import Response, record_model
from sluice.domain.dataset import InputVersion
from sluice.domain.override import Override
from sluice.domain.run import Completeness

Rows = list[dict[str, JsonValue]]


class DataPage(Response):
    """A page of a version's rows; of a merge of whole documents, the document as its one item."""

    items: list[JsonValue]
    next: str | None
    version: int
    run: str
    completeness: Completeness
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
    """What one datasource says, and where it says it."""

    value: JsonValue
    datasource: str
    version: int
    page: CitedPage | None
    pointer: str
    exact: bool = Field(description="False: the pointer leads to the record, to which `expression` was applied.")
    expression: str | None


ExplainedOverride: Any = record_model("ExplainedOverride", Override, {"field"})


class ExplainedField(Response):
    """Where a merged value comes from."""

    value: JsonValue
    rule: str
    winners: list[SourceValue]
    losers: list[SourceValue]
    expression: str | None
    override: ExplainedOverride = Field(None, description="Absent unless a manual override stands here.")


class RecordExplanation(Response):
    """Where each value of a merged record comes from."""

    key: list[JsonValue]
    version: int
    fields: dict[str, ExplainedField]


class DocumentExplanation(Response):
    """Where a part of a merged document comes from."""

    pointer: str
    version: int
    value: JsonValue
    rule: str
    winners: list[SourceValue]
    losers: list[SourceValue]
    expression: str | None


class Explanation(RootModel[RecordExplanation | DocumentExplanation]):
    """Where merged values come from."""


class RowChange(Response):
    """What happened to the record of a key; old and new value of each changed field."""

    key: list[JsonValue]
    change: Literal["added", "removed", "changed"]
    fields: dict[str, Annotated[list[JsonValue], Field(min_length=2, max_length=2)]]


class DocumentChange(Response):
    """What happened to a part of a merged document: its old and new value."""

    pointer: str
    change: Literal["added", "removed", "changed"]
    value: Annotated[list[JsonValue], Field(min_length=2, max_length=2)]


class ChangeCounts(Response):
    """How many records, or parts of a document, have changed."""

    added: int
    removed: int
    changed: int


class Diff(Response):
    """One page of what changed between two versions."""

    items: list[RowChange | DocumentChange]
    next: str | None
    from_: int = Field(alias="from")
    to: int
    counts: ChangeCounts


class MergePreview(Response):
    """What a merge would make: its first rows, or the document."""

    items: list[JsonValue]
    schema_: list[ColumnView] = Field(alias="schema")
    rows: int
    size: int = Field(0, description="Of a document: its elements. Absent for rows.")
    warnings: list[str]
    completeness: Completeness
    completeness_reasons: list[str]
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
    """The merged data of a project, and what is missing from it."""

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
    truncated: bool = Field(description="Whether there are more rows than an answer may have.")
    versions: dict[str, int] = Field(description="The versions that were read, by dataset.")


class EndpointResult(QueryResult):
    """The rows of a published endpoint."""

    version: int | None = Field(description="Of the merged data; null where it is not read.")
    completeness: Completeness
    data_as_of: str | None


class LinkedData(RootModel[DataPage | EndpointResult]):
    """The data that a link leads to."""
