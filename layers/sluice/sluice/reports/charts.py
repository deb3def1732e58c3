"""Charts of series over an axis, and histograms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from sluice.domain.report import BarSection, HistogramSection, LineSection, ScatterSection
from sluice.errors import ModelFailed
from sluice.reports.alt_text import chart_alt, histogram_alt
from sluice.reports.canvas import SHAPES, Canvas, Drawing, EmptyChartError, draw_svg, require_number
from sluice.reports.svg import SERIES, plain_text
from sluice.reports.ticks import label_numbers, scale_of, scaled_unit
from sluice.reports.values import ColumnStyle, Rows, day_text

_MOST_SERIES = 12
_MOST_HORIZONTAL_BARS = 30
_LONGEST_LABEL = 32


def draw_histogram(chart: HistogramSection, rows: Rows, name: str) -> Drawing:
    """Draw how often the values of a column occur.

    Args:
        chart: the section.
        rows: the query's result.
        name: begins the ids in the drawing; unique within the page.

    Raises:
        ModelFailed: the chart names a column that the query does not have, or one without numbers.
        EmptyChartError: all values are null.
        ValueError, ArithmeticError, IndexError, RuntimeError: the values cannot be drawn.
    """
    x = rows.style(chart.x or rows.columns[0]["name"], f"{chart.type} chart")
    require_number(x, chart)
    values = [float(row[x.name]) for row in rows.items if row[x.name] is not None]
    if not values:
        raise EmptyChartError
    return Drawing(draw_svg(_Histogram(x, values, chart.bins).draw, name, histogram_alt(x, values, chart.bins)), [])


def draw_plot(chart: LineSection | BarSection | ScatterSection, rows: Rows, name: str) -> Drawing:
    """Draw series over an axis.

    Args:
        chart: the section.
        rows: the query's result.
        name: begins the ids in the drawing; unique within the page.

    Raises:
        ModelFailed: the chart names a column that the query does not have, or one without numbers.
        EmptyChartError: all values are null.
        ValueError, ArithmeticError, IndexError, RuntimeError: the values cannot be drawn.
    """
    x = rows.style(chart.x or rows.columns[0]["name"], f"{chart.type} chart")
    series = _series(chart, rows, x)
    # Bars differ by their colours only.
    drawn = series[: len(SERIES) if isinstance(chart, BarSection) else _MOST_SERIES]
    if not any(row[style.name] is not None for style in drawn for row in rows.items):
        raise EmptyChartError
    svg = draw_svg(_Plot(chart, x, drawn, rows).draw, name, chart_alt(chart.type, x, drawn, rows.items))
    legend = [
        (
            f"series-{index % len(SERIES)}",
            "■" if isinstance(chart, BarSection) else SHAPES[_marker(index)],
            style.label,
        )
        for index, style in enumerate(drawn)
    ]
    left_out = len(drawn) < len(series)
    note = f"The chart shows {len(drawn)} of {len(series)} columns." if left_out else ""
    return Drawing(svg, legend if len(drawn) > 1 else [], note)


def _marker(index: int) -> str:
    """The marker of a series; those that share a colour differ."""
    return [*SHAPES][(index + 3 * (index // len(SERIES))) % len(SHAPES)]


@dataclass(frozen=True)
class _Histogram:
    x: ColumnStyle
    values: list[float]
    bins: int

    def draw(self, figure: Figure, canvas: Canvas) -> None:
        axes = figure.add_subplot()
        axes.hist(self.values, self.bins, color=SERIES[0], edgecolor="none", rwidth=0.94)
        axes.grid(visible=False, axis="x")
        _label_x(axes, canvas, self.x, self.values)
        label_numbers(axes.yaxis, 0, ticks=5, whole=True, grouping=True)
        axes.set_title("rows")


@dataclass(frozen=True)
class _Plot:
    """A chart of series over x."""

    chart: Any
    x: ColumnStyle
    series: list[ColumnStyle]
    rows: Rows

    def draw(self, figure: Figure, canvas: Canvas) -> None:
        axes = figure.add_subplot()
        by_name = isinstance(self.chart, BarSection) or not self._is_continuous()
        labels = self._labels() if by_name else []
        horizontal = isinstance(self.chart, BarSection) and self._needs_lines(labels, canvas)
        places = [float(index) for index in range(len(labels))] if by_name else self._places()
        for index, style in enumerate(self.series):
            values = [_float(row[style.name]) for row in self.rows.items]
            self._draw_series(axes, index, places, values, horizontal=horizontal)
        self._label_values(axes, canvas, axes.xaxis if horizontal else axes.yaxis, horizontal=horizontal)
        if horizontal:
            figure.set_figheight(self._place_names(axes, canvas, labels))
        elif by_name:
            _label_names(axes, canvas, places, labels)
            axes.set_xlabel(plain_text(self.x.label, canvas.letters))
        else:
            _label_x(axes, canvas, self.x, places)
        if isinstance(self.chart, BarSection):
            axes.grid(visible=False, axis="y" if horizontal else "x")

    def _draw_series(self, axes: Axes, index: int, places: list[Any], values: list[float], *, horizontal: bool) -> None:
        color, marker = SERIES[index % len(SERIES)], _marker(index)
        if isinstance(self.chart, BarSection):
            width = 0.76 / len(self.series)
            starts = [place - 0.38 + width * (index + 0.5) for place in places]
            (axes.barh if horizontal else axes.bar)(starts, values, width * 0.96, color=color)
        elif isinstance(self.chart, ScatterSection):
            size, alpha = (6, 0.8) if len(places) < 300 else (3.5, 0.5)
            axes.plot(places, values, marker, color=color, markersize=size, markeredgewidth=0, alpha=alpha)
        else:
            few = len(places) < 40
            every = None if few else (index, max(len(places) // 8, 1))
            marker = marker if few or len(self.series) > 1 else ""
            axes.plot(places, values, color=color, linewidth=2, marker=marker, markersize=5, markevery=every)

    def _is_continuous(self) -> bool:
        values = {row[self.x.name] for row in self.rows.items}
        # A single time is a name: an axis of times has no sensible ends for it.
        return None not in values and (self.x.is_number or (self.x.is_time and len(values) > 1))

    def _places(self) -> list[Any]:
        values = [row[self.x.name] for row in self.rows.items]
        if self.x.type == "timestamp":
            return [datetime.fromisoformat(value) for value in values]
        return [date.fromisoformat(value) if self.x.is_time else float(value) for value in values]

    def _labels(self) -> list[str]:
        return [plain_text(self.x.text(row[self.x.name]), _LONGEST_LABEL) for row in self.rows.items]

    def _needs_lines(self, labels: list[str], canvas: Canvas) -> bool:
        """Whether names need a line each, so that bars are horizontal."""
        if self.x.is_time or self.x.is_number or len(labels) > _MOST_HORIZONTAL_BARS:
            return False
        return max(map(len, labels)) + 2 > canvas.letters / len(labels)

    def _place_names(self, axes: Axes, canvas: Canvas, labels: list[str]) -> float:
        """Name horizontal bars from the top; return the height, in inches, that the figure needs for them."""
        most = _LONGEST_LABEL if canvas.name == "wide" else 18
        axes.set_yticks(range(len(labels)), [plain_text(label, most) for label in labels])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        bar = canvas.font * max(1.75, 0.75 * len(self.series) + 0.7)
        return (bar * len(labels) + canvas.font * 5.5) / 72

    def _label_values(self, axes: Axes, canvas: Canvas, axis: Axis, *, horizontal: bool) -> None:
        values = [_float(row[style.name]) for style in self.series for row in self.rows.items]
        exponent = scale_of(value for value in values if value == value)
        whole = not exponent and all(style.type == "bigint" for style in self.series)
        grouping = any(style.grouping for style in self.series)
        label_numbers(axis, exponent, ticks=canvas.ticks if horizontal else 6, whole=whole, grouping=grouping)
        units = {style.unit for style in self.series}
        unit = scaled_unit(exponent, units.pop() if len(units) == 1 else None)
        if len(self.series) == 1:
            unit = f"{self.series[0].name} ({unit})" if unit else self.series[0].name
        if horizontal:
            axes.set_xlabel(plain_text(unit, canvas.letters))
        else:
            axes.set_title(plain_text(unit, canvas.letters))


def _float(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _label_x(axes: Axes, canvas: Canvas, x: ColumnStyle, places: list[Any]) -> None:
    """Label a horizontal axis of numbers or times."""
    label = x.label
    if x.is_time:
        locator = AutoDateLocator(maxticks=canvas.ticks)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(_dates(locator))
        # The ticks leave out what they have in common, such as the year.
        days = dict.fromkeys(day_text(place) for place in (min(places), max(places)))
        label = f"{x.label}, {' – '.join(days)}"
    else:
        exponent = scale_of(places)
        whole = not exponent and x.type == "bigint"
        label_numbers(axes.xaxis, exponent, ticks=canvas.ticks, whole=whole, grouping=x.grouping)
        unit = scaled_unit(exponent, x.unit)
        label = f"{x.name} ({unit})" if unit else x.name
    axes.set_xlabel(plain_text(label, canvas.letters))


def _dates(locator: AutoDateLocator) -> ConciseDateFormatter:
    return ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator,
        formats=["%Y", "%b", "%d", "%H:%M", "%H:%M", "%S"],
        zero_formats=["", "%Y", "%b", "%d %b", "%H:%M", "%H:%M"],
        show_offset=False,
    )


def _label_names(axes: Axes, canvas: Canvas, places: list[float], labels: list[str]) -> None:
    """Label a horizontal axis of names, as many as there is room for."""
    longest = max(map(len, labels))
    slanted = (longest + 1) * len(labels) > canvas.letters and longest > 6
    room = canvas.width / (canvas.font * 2.8) if slanted else canvas.letters / (longest + 1)
    step = -(-len(labels) // max(int(room), 1))
    shown = [plain_text(label, 18 if slanted else _LONGEST_LABEL) for label in labels[::step]]
    rotation: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks(places[::step], shown, **rotation)
    # A single bar does not fill the chart.
    margin = max(0.6, 2 - len(labels) / 2)
    axes.set_xlim(-margin, len(labels) - 1 + margin)


def _series(chart: Any, rows: Rows, x: ColumnStyle) -> list[ColumnStyle]:
    if chart.y:
        series = [rows.style(name, f"{chart.type} chart") for name in chart.y]
        for style in series:
            require_number(style, chart)
        return series
    series = [style for style in rows.styles() if style.name != x.name and style.is_number]
    if not series:
        raise ModelFailed(f"The {chart.type} chart needs a column of numbers besides {x.name!r}.")
    return series
