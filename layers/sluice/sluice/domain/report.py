"""Reports of a project: text, tables and charts of its data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sluice.domain.base import Document
from sluice.domain.datasource import ColumnName
from sluice.domain.sql_query import QueryText

_Text = Annotated[str, Field(max_length=200)]


class MarkdownSection(Document):
    """Text in Markdown; HTML in it is escaped."""

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
    x: ColumnName | None = Field(None, description="The column of the horizontal axis; null: the first.")


class LineSection(_Chart):
    """A line for each column in `y` over `x`."""

    type: Literal["line"]
    y: list[ColumnName] | None = Field(None, description="Null: all other numeric columns.")


class BarSection(_Chart):
    """A bar for each row; several columns in `y` are drawn side by side."""

    type: Literal["bar"]
    y: list[ColumnName] | None = Field(None, description="Null: all other numeric columns.")


class ScatterSection(_Chart):
    """A point for each row."""

    type: Literal["scatter"]
    y: list[ColumnName] | None = Field(None, description="Null: all other numeric columns.")


class HistogramSection(_Chart):
    """The distribution of `x` over `bins` intervals of equal width."""

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
