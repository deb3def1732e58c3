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

    type: Literal["not_null"] = Field(description="`not_null`: the column has no nulls.")
    column: ColumnName = Field(description="The column that must have a value in each row.")


class Unique(_Test):
    """No two rows have the same values in these columns; nulls are ignored."""

    type: Literal["unique"] = Field(description="`unique`: no two rows are equal in these columns.")
    columns: _Columns = Field(description="The columns whose values must differ, taken together.")


class AcceptedValues(_Test):
    """Each value is one of `values`; nulls are ignored."""

    type: Literal["accepted_values"] = Field(description="`accepted_values`: the column has only listed values.")
    column: ColumnName = Field(description="The column to check.")
    values: Annotated[list[str | int | float | bool], Field(min_length=1, max_length=1000)] = Field(
        description="The allowed values."
    )


class Relationships(_Test):
    """Each value is in another table's column; nulls are ignored."""

    type: Literal["relationships"] = Field(description="`relationships`: the column's values exist in another table.")
    column: ColumnName = Field(description="The column to check.")
    to: SqlName = Field(description="Another table of the project; may be `merged`.")
    field: ColumnName = Field(description="The column of that table in which each value must exist.")


class Range(_Test):
    """Each value is between `min` and `max`, bounds included; nulls are ignored."""

    type: Literal["range"] = Field(description="`range`: the column's values are within bounds.")
    column: ColumnName = Field(description="The column to check: of numbers, dates or times.")
    min: int | float | str | None = Field(
        None, description="The lowest allowed value; dates and times as ISO 8601 text. Null: no lower bound."
    )
    max: int | float | str | None = Field(
        None, description="The highest allowed value; dates and times as ISO 8601 text. Null: no upper bound."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("a range needs min or max")
        return self


class RowCount(_Test):
    """The number of rows is between `min` and `max`."""

    type: Literal["row_count"] = Field(description="`row_count`: the number of rows is within bounds.")
    min: Annotated[int, Field(ge=0)] | None = Field(None, description="The fewest allowed rows. Null: no lower bound.")
    max: Annotated[int, Field(ge=0)] | None = Field(None, description="The most allowed rows. Null: no upper bound.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.min is None and self.max is None:
            raise ValueError("a row_count needs min or max")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is greater than max")
        return self


class Freshness(_Test):
    """The data, or the newest time in a column, is at most this old when the run starts."""

    type: Literal["freshness"] = Field(description="`freshness`: the data is not too old.")
    max_age_seconds: Annotated[int, Field(ge=0)] = Field(description="The highest allowed age, in seconds.")
    column: ColumnName | None = Field(
        None,
        description="The date or timestamp column whose newest value counts. Null: the time at which the data was "
        "fetched.",
    )


class SqlTest(_Test):
    """A query that returns the rows that are wrong; the test passes if there are none."""

    type: Literal["sql"] = Field(description="`sql`: a query finds the rows that are wrong.")
    sql: QueryText = Field(description="One SELECT over the project's tables that returns the wrong rows.")


TableTest = Annotated[
    NotNull | Unique | AcceptedValues | Relationships | Range | RowCount | Freshness | SqlTest,
    Field(discriminator="type"),
]
TableTests = Annotated[list[TableTest], Field(max_length=100)]


class Model(Document):
    """A table defined by SQL."""

    sql: QueryText = Field(
        description="One SELECT over the project's tables: `merged`, its datasources by alias, and other models by "
        "name."
    )
    description: Description | None = Field(
        None, description="Notes for people, as plain text: what a row is, and what the model is for."
    )
    tests: TableTests = Field(
        default_factory=list,
        description="Checks of the model's rows after each computation; a failed one of severity `error` stops "
        "publication.",
    )
    materialize: bool = Field(
        True, description="Whether each refresh stores it as Parquet; if not, it is a view that is computed when read."
    )


class TestResult(Record):
    """The result of a test.

    `failures` counts the rows that fail; for tests of a whole table it is 1.
    """

    __test__ = False

    test: dict[str, JsonValue] = Field(description="The test as the document has it.")
    severity: Severity = Field(description="`error`: a failure stopped publication; `warn`: it only added a warning.")
    status: Literal["passed", "failed"] = Field(description="Whether the test `passed` or `failed`.")
    failures: int = Field(description="How many rows fail; 1 or 0 for a test of the whole table.")
    message: str = Field(description="What failed, as a sentence; empty if the test passed.")
