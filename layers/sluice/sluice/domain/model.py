"""SQL models of a project, and the tests of its tables."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, model_validator

from sluice.domain.base import Document, Record
from sluice.domain.datasource import ColumnName, Description
from sluice.domain.names import SqlName
from sluice.domain.sql_query import QueryText

Severity = Literal["warn", "error"]
_Columns = Annotated[list[ColumnName], Field(min_length=1)]


class _Test(Document):
    severity: Severity = Field("error", description="An error stops publication; a warning is told.")


class NotNull(_Test):
    """No row has null there."""

    type: Literal["not_null"]
    column: ColumnName


class Unique(_Test):
    """No two rows have the same values there; null is no value."""

    type: Literal["unique"]
    columns: _Columns


class AcceptedValues(_Test):
    """Every value is one of these; null is none."""

    type: Literal["accepted_values"]
    column: ColumnName
    values: Annotated[list[str | int | float | bool], Field(min_length=1, max_length=1000)]


class Relationships(_Test):
    """Every value is one of another table's column; null is none."""

    type: Literal["relationships"]
    column: ColumnName
    to: SqlName = Field(description="Another table of the project, `merged` among them.")
    field: ColumnName


class Range(_Test):
    """Every value lies between these, which belong to it; null does not count."""

    type: Literal["range"]
    column: ColumnName
    min: int | float | str | None = None
    max: int | float | str | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("a range needs min or max")
        return self


class RowCount(_Test):
    """There are so many rows."""

    type: Literal["row_count"]
    min: Annotated[int, Field(ge=0)] | None = None
    max: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("a row_count needs min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is greater than max")
        return self


class Freshness(_Test):
    """The data, or its newest time in a column, is not older than this when the run began."""

    type: Literal["freshness"]
    max_age_seconds: Annotated[int, Field(ge=0)]
    column: ColumnName | None = Field(None, description="Null: the age of the data itself.")


class SqlTest(_Test):
    """A query that gives no rows when all is well."""

    type: Literal["sql"]
    sql: QueryText


TableTest = Annotated[
    NotNull | Unique | AcceptedValues | Relationships | Range | RowCount | Freshness | SqlTest,
    Field(discriminator="type"),
]
TableTests = Annotated[list[TableTest], Field(max_length=100)]


class Model(Document):
    """A table made by SQL."""

    sql: QueryText
    description: Description | None = None
    tests: TableTests = Field(default_factory=list)
    materialize: bool = Field(
        True, description="Kept as Parquet by each refresh; else a view, computed when it is read."
    )


class TestResult(Record):
    """How a test has ended.

    `failures` counts the rows that are wrong; of the tests of a whole table, 1.
    """

    __test__ = False

    test: dict[str, JsonValue]
    severity: Severity
    status: Literal["passed", "failed"]
    failures: int
    message: str
