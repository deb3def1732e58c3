"""Reports of a project: text, tables and charts made of its data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sluice.domain.base import Document
from sluice.domain.datasource import ColumnName
from sluice.domain.sql_query import QueryText

_Text = Annotated[str, Field(max_length=200)]


class MarkdownSection(Document):
    """Text in Markdown; HTML in it is shown, not obeyed."""

    type: Literal["markdown"]
    text: Annotated[str, Field(min_length=1, max_length=50_000)]


class TableSection(Document):
    """The rows of a query."""

    type: Literal["table"]
    title: _Text | None = None
    sql: QueryText


class _Chart(Document):
    title: _Text | None = None
    sql: QueryText
    x: ColumnName | None = Field(None, description="The column along the bottom; null: the first.")


class LineSection(_Chart):
    """A line for each column of `y`, over `x`."""

    type: Literal["line"]
    y: list[ColumnName] | None = Field(None, description="Null: every other column of numbers.")


class BarSection(_Chart):
    """A bar for each row, side by side for several columns of `y`."""

    type: Literal["bar"]
    y: list[ColumnName] | None = Field(None, description="Null: every other column of numbers.")


class ScatterSection(_Chart):
    """A point for each row."""

    type: Literal["scatter"]
    y: list[ColumnName] | None = Field(None, description="Null: every other column of numbers.")


class HistogramSection(_Chart):
    """How often values of `x` lie in each of so many equal parts."""

    type: Literal["histogram"]
    bins: Annotated[int, Field(ge=1, le=200)] = 20


Chart = LineSection | BarSection | ScatterSection | HistogramSection
Section = Annotated[
    MarkdownSection | TableSection | LineSection | BarSection | ScatterSection | HistogramSection,
    Field(discriminator="type"),
]


class Report(Document):
    """A report as a user writes it."""

    title: Annotated[str, Field(min_length=1, max_length=200)]
    description: Annotated[str, Field(max_length=10_000)] | None = None
    sections: Annotated[list[Section], Field(min_length=1, max_length=50)]
