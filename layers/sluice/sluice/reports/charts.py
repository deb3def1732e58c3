"""Charts as inline SVG, drawn by matplotlib; the report's style sheet sets their colours."""

from __future__ import annotations

import io
import re
from datetime import date, datetime
from typing import Any

import matplotlib

matplotlib.use("svg")  # before the imports below, which would choose a backend for a display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sluice.domain.report import BarSection, Chart, HistogramSection, ScatterSection
from sluice.errors import ModelFailed

_NUMBERS = ("bigint", "double")
# Placeholder colours: matplotlib cannot draw in CSS variables, so these are replaced in the SVG. The page's own
# colours follow light and dark mode.
_INK, _GRID = "#010203", "#040506"
_SERIES = [f"#0a0b0{digit}" for digit in range(8)]
_MOST_LABELS = 24

matplotlib.rcParams.update(
    {
        "svg.fonttype": "none",  # text stays text: small, selectable, in the page's font
        "svg.hashsalt": "sluice",  # the same chart is the same bytes
        "text.parse_math": False,  # a dollar sign is one
        "axes.edgecolor": _INK,
        "axes.labelcolor": _INK,
        "text.color": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "grid.color": _GRID,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "font.size": 11,
    }
)

Column = dict[str, str]
Row = dict[str, Any]


def chart_svg(chart: Chart, columns: list[Column], rows: list[Row]) -> str:
    """Draw a chart of a query's rows.

    Args:
        chart: the section.
        columns: the query's columns: `{"name", "type"}`.
        rows: the rows, by column name.

    Returns:
        An `<svg>` element.

    Raises:
        ModelFailed: the chart names a column that the query does not have, or one without numbers.
    """
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.add_subplot()
    x = _column(columns, chart.x, chart) if chart.x else columns[0]
    if isinstance(chart, HistogramSection):
        _require_number(x, chart)
        axes.hist([float(row[x["name"]]) for row in rows if row[x["name"]] is not None], chart.bins, color=_SERIES[0])
        axes.set_xlabel(x["name"])
    else:
        series = _series(chart, columns, x)
        _draw(axes, chart, x, series, rows)
        if len(series) > 1:
            axes.legend([column["name"] for column in series], frameon=False)
        else:
            axes.set_ylabel(series[0]["name"])
        axes.set_xlabel(x["name"])
    return _svg(figure, chart.title or "")


def _draw(axes: Axes, chart: Chart, x: Column, series: list[Column], rows: list[Row]) -> None:
    places, labels = _places(x, rows, by_name=isinstance(chart, BarSection))
    for index, column in enumerate(series):
        values = [float("nan") if row[column["name"]] is None else float(row[column["name"]]) for row in rows]
        color = _SERIES[index % len(_SERIES)]
        if isinstance(chart, BarSection):
            width = 0.8 / len(series)
            axes.bar([place - 0.4 + width * (index + 0.5) for place in places], values, width, color=color)
        elif isinstance(chart, ScatterSection):
            axes.scatter(places, values, s=18, color=color)
        else:
            axes.plot(places, values, color=color, linewidth=2, marker="o" if len(rows) < 40 else None, markersize=4)
    if labels:
        step = -(-len(labels) // _MOST_LABELS)
        slanted = len(labels) > 6 or max(map(len, labels)) > 12
        axes.set_xticks(
            places[::step], labels[::step], rotation=30 if slanted else 0, ha="right" if slanted else "center"
        )


def _places(x: Column, rows: list[Row], *, by_name: bool) -> tuple[list[Any], list[str]]:
    """Return the positions of the rows on the x axis, and their labels if they are neither numbers nor times."""
    values = [row[x["name"]] for row in rows]
    if not by_name and None not in values:
        if _is_number(x):
            return [float(value) for value in values], []
        if x["type"] == "timestamp":
            return [datetime.fromisoformat(value) for value in values], []
        if x["type"] == "date":
            return [date.fromisoformat(value) for value in values], []
    return [float(index) for index in range(len(rows))], ["–" if value is None else str(value) for value in values]


def _series(chart: Any, columns: list[Column], x: Column) -> list[Column]:
    if chart.y:
        series = [_column(columns, name, chart) for name in chart.y]
        for column in series:
            _require_number(column, chart)
        return series
    series = [column for column in columns if column is not x and _is_number(column)]
    if not series:
        raise ModelFailed(f"The {chart.type} chart needs a column of numbers besides {x['name']!r}.")
    return series


def _column(columns: list[Column], name: str, chart: Chart) -> Column:
    for column in columns:
        if column["name"] == name:
            return column
    known = ", ".join(column["name"] for column in columns)
    raise ModelFailed(f"The {chart.type} chart names the column {name!r}; its query gives {known}.")


def _is_number(column: Column) -> bool:
    return column["type"] in _NUMBERS or column["type"].startswith("decimal")


def _require_number(column: Column, chart: Chart) -> None:
    if not _is_number(column):
        raise ModelFailed(f"The {chart.type} chart needs numbers; {column['name']!r} is {column['type']}.")


def _svg(figure: Figure, title: str) -> str:
    """Return the SVG element, without an XML declaration and a fixed size, in the page's colours."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None, "Title": title})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'(<svg[^>]*?) width="[^"]*pt"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*pt"', r'\1 role="img"', text, count=1)
    return re.sub(r'style="([^"]*)"', lambda match: f'style="{_page_style(match[1])}"', text)


def _page_style(style: str) -> str:
    """Replace matplotlib's colours and font in a style by the page's."""
    style = style.replace(_INK, "var(--ink)").replace(_GRID, "var(--grid)")
    for index, color in enumerate(_SERIES):
        style = style.replace(color, f"var(--series-{index})")
    return re.sub(r"font: ([\d.]+)px [^;]*", r"font-size: \1px", style)
