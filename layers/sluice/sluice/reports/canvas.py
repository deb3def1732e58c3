"""What all drawings have in common: matplotlib's settings, the two sizes, and the SVG element."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib

matplotlib.use("svg")  # before the import below, which would choose a backend for a display
from matplotlib.figure import Figure

from sluice.domain.report import Chart
from sluice.errors import ModelFailed
from sluice.reports.svg import GRID, INK, SOFT, svg_symbol
from sluice.reports.values import ColumnStyle

# Marks differ by shape, too: for readers who cannot tell the colours apart, and in print.
SHAPES = {"o": "●", "s": "■", "^": "▲", "D": "◆", "v": "▼", "P": "✚", "X": "✖", "*": "★"}
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
class Canvas:
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


CANVASES = (Canvas("wide", 760, 360, 13, 8), Canvas("narrow", 360, 260, 12, 4))


class EmptyChartError(Exception):
    """There is nothing to draw: all values are null."""


@dataclass(frozen=True)
class Drawing:
    """A chart as HTML.

    Args:
        svg: an `<svg>` element.
        legend: the colour, as a variable of the style sheet, the shape and the label of each kind of mark, if there
            are several.
        note: says what was left out, as a sentence; empty if nothing was.
    """

    svg: str
    legend: list[tuple[str, str, str]]
    note: str = ""


def draw_svg(draw: Callable[[Figure, Canvas], None], name: str, alt: str) -> str:
    """Draw on all canvases. The style sheet shows one of them, and the element has that one's proportions.

    Args:
        draw: draws a figure of a canvas' size, of which it may change the height.
        name: begins the ids in the drawing; unique within the page.
        alt: the text that stands for the drawing where it is not seen.
    """
    content, proportions = "", ""
    for canvas in CANVASES:
        symbol_name = f"{name}-{canvas.name[0]}"
        with matplotlib.rc_context({"font.size": canvas.font}):
            # 72 dots per inch: a unit of the drawing is a unit of the font size.
            figure = Figure(figsize=(canvas.width / 72, canvas.height / 72), dpi=72, layout="constrained")
            draw(figure, canvas)
            symbol, proportion = svg_symbol(figure, symbol_name)
        content += f'{symbol}\n<use class="{canvas.name}" href="#{symbol_name}" />\n'
        proportions += f"--{canvas.name}: {proportion}; "
    return f'<svg role="img" aria-label="{escape(alt)}" style="{proportions.strip()}">\n{content}</svg>'


def require_number(style: ColumnStyle, chart: Chart) -> None:
    """Require that a column has numbers.

    Args:
        style: the column.
        chart: the section that draws it.

    Raises:
        ModelFailed: it has other values.
    """
    if not style.is_number:
        raise ModelFailed(f"The {chart.type} chart needs numbers; {style.name!r} is {style.type}.")
