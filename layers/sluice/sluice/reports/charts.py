"""Charts as inline SVG, drawn by matplotlib twice: for wide and for narrow screens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from html import escape
from typing import Any

import matplotlib

matplotlib.use("svg")  # before the imports below, which would choose a backend for a display
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from sluice.domain.report import BarSection, Chart, HistogramSection, ScatterSection
from sluice.errors import ModelFailed
from sluice.reports.alt_text import chart_alt, histogram_alt
from sluice.reports.svg import GRID, INK, SERIES, SOFT, plain_text, svg_symbol
from sluice.reports.ticks import label_numbers, scale_of, scaled_unit
from sluice.reports.values import ColumnStyle, Rows, day_text

_MOST_SERIES = 12
_MOST_HORIZONTAL_BARS = 30
# Series differ by shape, too: for readers who cannot tell the colours apart, and in print.
_SHAPES = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚", "X": "✖", "*": "★"}
_LONGEST_LABEL = 32
_STYLE: Any = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so that layouts are the same on all machines
    "svg.fonttype": "none",  # text stays text: small, and in the page's font
    "svg.hashsalt": "sluice",  # the same chart is the same bytes
    "text.parse_math": False,  # a dollar sign is one
    "axes.edgecolor": SOFT,
    "axes.labelcolor": SOFT,
    "axes.titlecolor": SOFT,
    "axes.titlelocation": "left",
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": "medium",
    "axes.titlepad": 8,
}
# Whatever this machine's configuration of matplotlib is, charts are the same.
matplotlib.rcdefaults()
matplotlib.rcParams.update(_STYLE)


@dataclass(frozen=True)
class _Canvas:
    """A size to draw in.

    Args:
        name: its class and the variable with its proportions; the style sheet says on which screens it is visible.
        width: in the unit of the font size.
        height: likewise; charts with horizontal bars choose their own.
        font: the size of text.
        ticks: about how many ticks the horizontal axis has room for.
    """

    name: str
    width: float
    height: float
    font: float
    ticks: int

    @property
    def letters(self) -> int:
        """About how many letters fit side by side below the axes."""
        return int((self.width - 60) / (self.font * 0.62))


_CANVASES = (_Canvas("wide", 760, 360, 13, 8), _Canvas("narrow", 360, 260, 12, 4))


class EmptyChartError(Exception):
    """All values are null."""


@dataclass(frozen=True)
class Drawing:
    """A chart as HTML.

    Args:
        svg: an `<svg>` element.
        series: the colour, shape and label of each series, if there are several.
        undrawn: how many series were left out because there are too many.
    """

    svg: str
    series: list[tuple[int, str, str]]
    undrawn: int


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
    user = f"{chart.type} chart"
    x = rows.style(chart.x or rows.columns[0]["name"], user)
    if isinstance(chart, HistogramSection):
        _require_number(x, chart)
        values = [float(row[x.name]) for row in rows.items if row[x.name] is not None]
        if not values:
            raise EmptyChartError
        alt = histogram_alt(x, values, chart.bins)
        return Drawing(_svg(_Histogram(x, values, chart.bins).draw, name, alt), [], 0)
    series = _series(chart, rows, x)
    # Bars differ by their colours only.
    drawn = series[: len(SERIES) if isinstance(chart, BarSection) else _MOST_SERIES]
    if not any(row[style.name] is not None for style in drawn for row in rows.items):
        raise EmptyChartError
    plot = _Plot(chart, x, drawn, rows)
    alt = chart_alt(chart.type, x, drawn, rows.items)
    legend = [
        (index % len(SERIES), "■" if isinstance(chart, BarSection) else _SHAPES[_marker(index)], style.label)
        for index, style in enumerate(drawn)
    ]
    return Drawing(_svg(plot.draw, name, alt), legend if len(drawn) > 1 else [], len(series) - len(drawn))


def _marker(index: int) -> str:
    """The marker of a series; those that share a colour differ."""
    return [*_SHAPES][(index + 3 * (index // len(SERIES))) % len(_SHAPES)]


def _svg(draw: Callable[[Axes, _Canvas], None], name: str, alt: str) -> str:
    """Draw on all canvases. The style sheet shows one of them, and the element has that one's proportions."""
    content, proportions = "", ""
    for canvas in _CANVASES:
        symbol_name = f"{name}-{canvas.name[0]}"
        with matplotlib.rc_context({"font.size": canvas.font}):
            # 72 dots per inch: a unit of the drawing is a unit of the font size.
            figure = Figure(figsize=(canvas.width / 72, canvas.height / 72), dpi=72, layout="constrained")
            draw(figure.add_subplot(), canvas)
            symbol, proportion = svg_symbol(figure, symbol_name)
        content += f'{symbol}\n<use class="{canvas.name}" href="#{symbol_name}" />\n'
        proportions += f"--{canvas.name}: {proportion}; "
    return f'<svg role="img" aria-label="{escape(alt)}" style="{proportions.strip()}">\n{content}</svg>'


@dataclass(frozen=True)
class _Histogram:
    x: ColumnStyle
    values: list[float]
    bins: int

    def draw(self, axes: Axes, canvas: _Canvas) -> None:
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

    def draw(self, axes: Axes, canvas: _Canvas) -> None:
        by_name = isinstance(self.chart, BarSection) or not self._is_continuous()
        labels = self._labels() if by_name else []
        horizontal = isinstance(self.chart, BarSection) and self._needs_lines(labels, canvas)
        places = [float(index) for index in range(len(labels))] if by_name else self._places()
        for index, style in enumerate(self.series):
            values = [_float(row[style.name]) for row in self.rows.items]
            self._draw_series(axes, index, places, values, horizontal=horizontal)
        self._label_values(axes, canvas, axes.xaxis if horizontal else axes.yaxis, horizontal=horizontal)
        if horizontal:
            self._place_names(axes, canvas, labels)
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

    def _needs_lines(self, labels: list[str], canvas: _Canvas) -> bool:
        """Whether names need a line each, so that bars are horizontal."""
        if self.x.is_time or self.x.is_number or len(labels) > _MOST_HORIZONTAL_BARS:
            return False
        return max(map(len, labels)) + 2 > canvas.letters / len(labels)

    def _place_names(self, axes: Axes, canvas: _Canvas, labels: list[str]) -> None:
        """Name horizontal bars from the top, in a figure that is as high as they need."""
        most = _LONGEST_LABEL if canvas.name == "wide" else 18
        axes.set_yticks(range(len(labels)), [plain_text(label, most) for label in labels])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        bar = canvas.font * max(1.75, 0.75 * len(self.series) + 0.7)
        figure = axes.get_figure(root=True)
        assert figure is not None, "the axes are in a figure"
        figure.set_figheight((bar * len(labels) + canvas.font * 5.5) / 72)

    def _label_values(self, axes: Axes, canvas: _Canvas, axis: Axis, *, horizontal: bool) -> None:
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


def _label_x(axes: Axes, canvas: _Canvas, x: ColumnStyle, places: list[Any]) -> None:
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


def _label_names(axes: Axes, canvas: _Canvas, places: list[float], labels: list[str]) -> None:
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
            _require_number(style, chart)
        return series
    series = [style for style in rows.styles() if style.name != x.name and style.is_number]
    if not series:
        raise ModelFailed(f"The {chart.type} chart needs a column of numbers besides {x.name!r}.")
    return series


def _require_number(style: ColumnStyle, chart: Chart) -> None:
    if not style.is_number:
        raise ModelFailed(f"The {chart.type} chart needs numbers; {style.name!r} is {style.type}.")
