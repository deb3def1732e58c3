"""Which function draws which type of section."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.domain.report import Chart
from sluice.reports.canvas import Drawing
from sluice.reports.charts import draw_histogram, draw_plot
from sluice.reports.network import draw_network
from sluice.reports.values import Rows

_DRAWN_BY: dict[str, Callable[[Any, Rows, str], Drawing]] = {
    "line": draw_plot,
    "bar": draw_plot,
    "scatter": draw_plot,
    "histogram": draw_histogram,
    "network": draw_network,
}


def draw_chart(chart: Chart, rows: Rows, name: str) -> Drawing:
    """Draw a chart of a query's rows.

    Args:
        chart: the section.
        rows: the query's result.
        name: begins the ids in the drawing; unique within the page.

    Raises:
        ModelFailed: the chart names a column that the query does not have, or one without numbers.
        EmptyChartError: all values are null.
        ValueError, ArithmeticError, IndexError, RuntimeError: the values cannot be drawn.
    """
    return _DRAWN_BY[chart.type](chart, rows, name)
