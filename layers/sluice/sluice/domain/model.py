"""SQL models of a project, and tests of its tables."""

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
    severity: Severity = Field("error", description="`error` stops publication; `warn` only adds a warning.")


class NotNull(_Test):
    """The column has no nulls."""

    type: Literal["not_null"]
    column: ColumnName


class Unique(_Test):
    """No two rows have the same values in these columns; nulls are ignored."""

    type: Literal["unique"]
    columns: _Columns


class AcceptedValues(_Test):
    """Each value is one of `values`; nulls are ignored."""

    type: Literal["accepted_values"]
    column: ColumnName
    values: Annotated[list[str | int | float | bool], Field(min_length=1, max_length=1000)]


class Relationships(_Test):
    """Each value is in another table's column; nulls are ignored."""

    type: Literal["relationships"]
    column: ColumnName
    to: SqlName = Field(description="Another table of the project; may be `merged`.")
    field: ColumnName


class Range(_Test):
    """Each value is between `min` and `max`, bounds included; nulls are ignored."""

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
    """The number of rows is between `min` and `max`."""

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
    """The data, or the newest time in a column, is at most this old when the run starts."""

    type: Literal["freshness"]
    max_age_seconds: Annotated[int, Field(ge=0)]
    column: ColumnName | None = Field(None, description="Null: the age of the data itself.")


class SqlTest(_Test):
    """A query that returns the rows that are wrong; the test passes if there are none."""

    type: Literal["sql"]
    sql: QueryText


TableTest = Annotated[
    NotNull | Unique | AcceptedValues | Relationships | Range | RowCount | Freshness | SqlTest,
    Field(discriminator="type"),
]
TableTests = Annotated[list[TableTest], Field(max_length=100)]


class Model(Document):
    """A table defined by SQL."""

    sql: QueryText
    description: Description | None = None
    tests: TableTests = Field(default_factory=list)
    materialize: bool = Field(
        True, description="Whether each refresh stores it as Parquet; if not, it is a view that is computed when read."
    )


class TestResult(Record):
    """The result of a test.

    `failures` counts the rows that fail; for tests of a whole table it is 1.
    """

    __test__ = False

    test: dict[str, JsonValue]
    severity: Severity
    status: Literal["passed", "failed"]
    failures: int
    message: str
