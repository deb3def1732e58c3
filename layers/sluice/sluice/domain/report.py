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

    type: Literal["markdown"] = Field(description="`markdown`: text.")
    text: Annotated[str, Field(min_length=1, max_length=50_000)] = Field(
        description="The text, in CommonMark with tables; HTML is shown as text."
    )


class TableSection(Document):
    """The rows of a query."""

    type: Literal["table"] = Field(description="`table`: rows as a table.")
    title: _Text | None = Field(None, description="The heading above the table. Null: none.")
    sql: QueryText = Field(description="One SELECT over the project's tables, whose rows are shown.")


class _Chart(Document):
    title: _Text | None = Field(None, description="The heading above the chart. Null: none.")
    sql: QueryText = Field(description="One SELECT over the project's tables, whose rows are drawn.")
    x: ColumnName | None = Field(None, description="The column of the horizontal axis. Null: the first column.")


class LineSection(_Chart):
    """A line for each column in `y` over `x`."""

    type: Literal["line"] = Field(description="`line`: a line chart.")
    y: list[ColumnName] | None = Field(
        None, description="The columns of the vertical axis. Null: all other numeric columns."
    )


class BarSection(_Chart):
    """A bar for each row; several columns in `y` are drawn side by side."""

    type: Literal["bar"] = Field(description="`bar`: a bar chart.")
    y: list[ColumnName] | None = Field(
        None, description="The columns of the vertical axis. Null: all other numeric columns."
    )


class ScatterSection(_Chart):
    """A point for each row."""

    type: Literal["scatter"] = Field(description="`scatter`: a chart of points.")
    y: list[ColumnName] | None = Field(
        None, description="The columns of the vertical axis. Null: all other numeric columns."
    )


class HistogramSection(_Chart):
    """The distribution of `x` over `bins` intervals of equal width."""

    type: Literal["histogram"] = Field(description="`histogram`: a chart of how often values occur.")
    bins: Annotated[int, Field(ge=1, le=200)] = Field(20, description="The number of intervals.")


Chart = LineSection | BarSection | ScatterSection | HistogramSection
Section = Annotated[
    MarkdownSection | TableSection | LineSection | BarSection | ScatterSection | HistogramSection,
    Field(discriminator="type"),
]


class Report(Document):
    """A report as a user writes it."""

    title: Annotated[str, Field(min_length=1, max_length=200)] = Field(description="The heading of the page.")
    description: Annotated[str, Field(max_length=10_000)] | None = Field(
        None, description="Text below the heading. Null: none."
    )
    sections: Annotated[list[Section], Field(min_length=1, max_length=50)] = Field(
        description="The parts of the page, from top to bottom."
    )
