"""Responses with data, and with its provenance."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, RootModel

from sluice.api.responses.arrivals import ColumnView
from sluice.api.responses.base import (
    CompletenessReasons,
    DataAsOf,
    DataCompleteness,
    NextCursor,
    Response,
    RunId,
    StaleInputs,
    record_model,
)
from sluice.domain.dataset import InputVersion, Tombstone
from sluice.domain.override import Override

Rows = list[dict[str, JsonValue]]


class DataPage(Response):
    """A page of a version's rows; for a merge of documents, the document is the only item."""

    items: list[JsonValue] = Field(
        description="The rows, as objects by column name; for a merge of documents, the document is the only item."
    )
    next: NextCursor
    version: int = Field(description="The number of the version that the rows are from.")
    run: RunId
    completeness: DataCompleteness
    stale: StaleInputs
    data_as_of: DataAsOf


class MergedRecord(RootModel[dict[str, JsonValue]]):
    """One merged record: its values by column."""


class CitedPage(Response):
    """A page as it was received."""

    hash: str | None = Field(
        description="The SHA-256 of the page, for `GET /pages/{page_hash}`. Null: the caller may not read pages."
    )
    url: str = Field(description="Where the page came from: an HTTP URL, or a form such as `drop:{key}`.")
    number: int = Field(description="The number of the page in its run, from 1.")
    run: RunId
    removed: bool = Field(
        False, description="True if the page was removed by the datasource's `retention`. Absent otherwise."
    )


class Citation(Response):
    """Where a value was received."""

    page: CitedPage | None = Field(
        description="The page in which the value was received. Null: the version has no pages."
    )
    pointer: str = Field(
        description="Where the value stands in the page: a JSON Pointer; `/3` for a line of CSV or JSON Lines, "
        "`/Sheet/3/B` for XLSX, XPath for XML."
    )
    exact: bool = Field(
        description="True: the pointer leads to the value itself. False: it leads to the record, and the value is "
        "`expression` applied to it."
    )
    expression: str | None = Field(description="The JMESPath or SQL expression that computed the value. Null: none.")


class SourceValue(Citation):
    """The value in one datasource, and where it was received."""

    value: JsonValue = Field(description="The value in this datasource, before the merge.")
    datasource: str = Field(description="The slug of the datasource.")
    version: int = Field(description="The number of the datasource's version that was merged.")


class ReceivedValue(Citation):
    """A value of a datasource's row, and where it was received."""

    value: JsonValue = Field(description="The value in the version, with the column's type.")
    missing: bool = Field(description="True: the record does not have this field, so its value is null.")


class RowExplanation(Response):
    """Where each value of a datasource's row was received."""

    version: int = Field(description="The number of the explained version.")
    row: int = Field(description="The number of the row in the version, from 0.")
    fields: dict[str, ReceivedValue] = Field(description="The values of the row, by column.")


ExplainedOverride: Any = record_model("ExplainedOverride", Override, {"field"})


class ExplainedField(Response):
    """The sources of a merged value."""

    value: JsonValue = Field(description="The merged value.")
    rule: str = Field(
        description="The rule that chose the value, such as `priority` or `newest`; `override` for a manual one."
    )
    winners: list[SourceValue] = Field(description="The values that the merged value is made of.")
    losers: list[SourceValue] = Field(description="The values that competed and were not used.")
    expression: str | None = Field(description="The SQL expression of the merge that computed the value. Null: none.")
    override: ExplainedOverride = Field(None, description="Absent unless a manual override sets the value.")


class RecordExplanation(Response):
    """The sources of each value of a merged record."""

    key: list[JsonValue] = Field(description="The values of the key columns, in their order.")
    version: int = Field(description="The number of the explained version.")
    fields: dict[str, ExplainedField] = Field(
        description="The explanation of each field, by its name. Empty: the record was erased."
    )
    erased: list[Tombstone] = Field([], description="The erasures of records of this key. Absent if there were none.")


class DocumentExplanation(Response):
    """The sources of a part of a merged document."""

    pointer: str = Field(description="The JSON Pointer to the part of the merged document.")
    version: int = Field(description="The number of the explained version.")
    value: JsonValue = Field(description="The merged value at the pointer.")
    rule: str = Field(description="The strategy of the merge: `recursive` or `concatenation`.")
    winners: list[SourceValue] = Field(description="The values that the merged value is made of.")
    losers: list[SourceValue] = Field(description="The values that competed and were not used.")
    expression: str | None = Field(description="Always null: documents are merged without expressions.")
    erased: list[Tombstone] = Field(
        [], description="The erasures of records of the merged documents. Absent if there were none."
    )


class Explanation(RootModel[RecordExplanation | DocumentExplanation]):
    """The sources of merged values."""


class RowChange(Response):
    """How a record changed, with the old and the new value of each changed field."""

    key: list[JsonValue] = Field(description="The values of the key columns, in their order.")
    change: Literal["added", "removed", "changed"] = Field(
        description="Whether the record was added, removed or changed."
    )
    fields: dict[str, Annotated[list[JsonValue], Field(min_length=2, max_length=2)]] = Field(
        description="The old and the new value of each changed field, by its name; null stands for the missing side."
    )


class DocumentChange(Response):
    """How a part of a merged document changed: its old and its new value."""

    pointer: str = Field(description="The JSON Pointer to the changed part.")
    change: Literal["added", "removed", "changed"] = Field(
        description="Whether the part was added, removed or changed."
    )
    value: Annotated[list[JsonValue], Field(min_length=2, max_length=2)] = Field(
        description="The old and the new value; null stands for the missing side."
    )


class ChangeCounts(Response):
    """The number of changed records, or parts of a document."""

    added: int = Field(description="How many exist only in the newer version.")
    removed: int = Field(description="How many exist only in the older version.")
    changed: int = Field(description="How many differ.")


class Diff(Response):
    """One page of the changes between two versions."""

    items: list[RowChange | DocumentChange] = Field(description="The changes, by key or by JSON Pointer.")
    next: NextCursor
    from_: int = Field(alias="from", description="The number of the older version.")
    to: int = Field(description="The number of the newer version.")
    counts: ChangeCounts = Field(description="The number of all changes, on every page.")


class MergePreview(Response):
    """The result of a merge that is tried: its first rows, or the document."""

    items: list[JsonValue] = Field(
        description="The first rows of the result; for a merge of documents, the document is the only item."
    )
    schema_: list[ColumnView] = Field(alias="schema", description="The columns of the result, in their order.")
    rows: int = Field(description="How many rows the whole result has; 1 for a document.")
    size: int = Field(0, description="The number of a document's elements. Absent for rows.")
    warnings: list[str] = Field(description="What to look at before the merge is saved, as sentences.")
    completeness: DataCompleteness
    completeness_reasons: CompletenessReasons
    stale: StaleInputs
    inputs: list[InputVersion] = Field(description="The versions that were merged.")


class FetchedData(Response):
    """The merged data."""

    size: int = Field(description="The number of rows, or of a document's elements.")
    data: JsonValue = Field(description="The rows as a list, or the document. Null: every datasource failed.")


class MissingDatasource(Response):
    """A datasource whose data is missing or too old."""

    datasource: str = Field(description="The slug of the datasource.")
    error: str = Field(description="Why its data is missing or old, as a sentence.")


class MissingDatasources(Response):
    """The datasources whose data is missing or too old."""

    size: int = Field(description="How many datasources failed.")
    data: list[MissingDatasource] = Field(description="The datasources that failed, best ranked first.")


class ProjectFetch(Response):
    """The merged data of a project, and the datasources that are missing from it."""

    result: FetchedData = Field(description="The merged data of every datasource that has some.")
    errors: MissingDatasources | None = Field(description="The datasources that failed. Null: none failed.")


class ResultColumn(Response):
    """A column of a query's result."""

    name: str = Field(description="The name of the column.")
    type: str = Field(description="Its type in the result, such as `bigint` or `string`.")


class QueryResult(Response):
    """The rows of a query."""

    items: Rows = Field(description="The rows, as objects by column name.")
    columns: list[ResultColumn] = Field(description="The columns, in the order of the SELECT.")
    truncated: bool = Field(description="Whether rows were cut off at the limit of an answer.")
    versions: dict[str, int] = Field(description="The versions that were read, by dataset.")
    completeness: DataCompleteness
    stale: StaleInputs


class EndpointFreshness(Response):
    """How old the data of an endpoint with `max_age_seconds` is."""

    max_age_seconds: int = Field(description="The age that the endpoint promises at most.")
    refreshed_at: str | None = Field(description="When the oldest of the data was last refreshed.")
    older_than_promised: bool = Field(
        description="Whether the data is older than that, since it could not be refreshed within the wait."
    )


class EndpointResult(QueryResult):
    """The rows of a published endpoint."""

    version: int | None = Field(
        description="The number of the project's version that was read. Null: the query does not read `merged`."
    )
    data_as_of: str | None = Field(
        description="When the oldest data that was read was fetched or found unchanged, RFC 3339 in UTC. Null: unknown."
    )
    freshness: EndpointFreshness | None = Field(
        None, description="Absent from endpoints without `max_age_seconds`, and from answers as of a time."
    )


class LinkedData(RootModel[DataPage | EndpointResult]):
    """The data that a link opens."""
