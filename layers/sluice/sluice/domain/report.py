"""Reports of a project: text, tables and charts of its data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from sluice.domain.base import Document
from sluice.domain.datasource import ColumnName
from sluice.domain.sql_query import QueryText
from sluice.patterns import PRINTABLE

_Text = Annotated[str, Field(max_length=200)]


class MarkdownSection(Document):
    """Text in Markdown; HTML in it is escaped."""

    type: Literal["markdown"] = Field(description="`markdown`: text.")
    text: Annotated[str, Field(min_length=1, max_length=50_000)] = Field(
        description="The text, in CommonMark with tables; HTML is shown as text."
    )


class ColumnFormat(Document):
    """How a report shows the values of a column. The section's CSV has them as they are."""

    unit: Annotated[str, Field(min_length=1, max_length=20), PRINTABLE] | None = Field(
        None, description="Shown beside the column's name, such as `EUR`."
    )
    decimals: Annotated[int, Field(ge=0, le=12)] | None = Field(
        None,
        description="Digits after the decimal point; 5 is rounded up. Null: all digits of whole and decimal numbers, "
        "and at least 4 significant digits of doubles.",
    )
    grouping: bool | None = Field(
        None, description="Whether thousands are separated; null: unless the column's name ends in id, year or code."
    )


class _QuerySection(Document):
    title: _Text | None = Field(None, description="The heading of the section. Null: none.")
    sql: QueryText = Field(description="One SELECT over the project's tables, whose rows are shown.")
    format: Annotated[dict[ColumnName, ColumnFormat], Field(max_length=500)] = Field(
        default_factory=dict, description="How to show the values of columns, by their names."
    )

    def named_columns(self) -> list[tuple[tuple[str | int, ...], str]]:
        """The columns that the section names: the path of each within the section, and the name."""
        return [(("format", name), name) for name in self.format]


class TableSection(_QuerySection):
    """The rows of a query."""

    type: Literal["table"] = Field(description="`table`: rows as a table.")


class _Chart(_QuerySection):
    x: ColumnName | None = Field(None, description="The column of the horizontal axis. Null: the first column.")

    def named_columns(self) -> list[tuple[tuple[str | int, ...], str]]:
        """The columns that the section names: the path of each within the section, and the name."""
        return [*([(("x",), self.x)] if self.x else []), *super().named_columns()]


class _Plot(_Chart):
    y: list[ColumnName] | None = Field(
        None, description="The columns of the vertical axis. Null: all other numeric columns."
    )

    def named_columns(self) -> list[tuple[tuple[str | int, ...], str]]:
        """The columns that the section names: the path of each within the section, and the name."""
        return [*super().named_columns(), *((("y", index), name) for index, name in enumerate(self.y or []))]


class LineSection(_Plot):
    """A line for each column in `y` over `x`."""

    type: Literal["line"] = Field(description="`line`: a line chart.")


class BarSection(_Plot):
    """A bar for each row; several columns in `y` are drawn side by side."""

    type: Literal["bar"] = Field(description="`bar`: a bar chart.")


class ScatterSection(_Plot):
    """A point for each row."""

    type: Literal["scatter"] = Field(description="`scatter`: a chart of points.")


class HistogramSection(_Chart):
    """The distribution of `x` over `bins` intervals of equal width."""

    type: Literal["histogram"] = Field(description="`histogram`: a chart of how often values occur.")
    bins: Annotated[int, Field(ge=1, le=200)] = Field(20, description="The number of intervals.")


class NetworkSection(_QuerySection):
    """Nodes at their coordinates, and the links between them: a row for each link.

    A row without a destination is a node. Lines show the load by their colour and width.
    """

    type: Literal["network"] = Field(description="`network`: a map of nodes and links.")
    source: ColumnName = Field("source", description="The column with the name of the node at one end.")
    source_lat: ColumnName = Field("source_lat", description="The column with its latitude in degrees.")
    source_lng: ColumnName = Field("source_lng", description="The column with its longitude in degrees.")
    destination: ColumnName = Field("destination", description="The column with the name of the node at the other end.")
    destination_lat: ColumnName = Field("destination_lat", description="The column with its latitude in degrees.")
    destination_lng: ColumnName = Field("destination_lng", description="The column with its longitude in degrees.")
    load: ColumnName | None = Field(
        "load", description="The column with the load of the link. Null: all links look alike."
    )
    max: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = Field(
        None,
        description="The load of a full link, where the scale ends; 1 for shares, which are shown in percent. Null: 1 "
        "if no load is greater, otherwise a round number above the greatest load.",
    )
    source_type: ColumnName | None = Field(
        None, description="The column with the type of the node at one end. Types have different shapes."
    )
    destination_type: ColumnName | None = Field(
        None, description="The column with the type of the node at the other end."
    )

    def named_columns(self) -> list[tuple[tuple[str | int, ...], str]]:
        """The columns that the section names: the path of each within the section, and the name."""
        ends = [f"{end}{part}" for end in ("source", "destination") for part in ("", "_lat", "_lng", "_type")]
        named: list[tuple[tuple[str | int, ...], str]] = [
            ((field,), name) for field in [*ends, "load"] if (name := getattr(self, field)) is not None
        ]
        return [*named, *super().named_columns()]


Chart = LineSection | BarSection | ScatterSection | HistogramSection | NetworkSection
QuerySection = TableSection | Chart
Section = Annotated[
    MarkdownSection | TableSection | LineSection | BarSection | ScatterSection | HistogramSection | NetworkSection,
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
