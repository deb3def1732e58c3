"""The map of a network: its projection, lines, markers, labels and scale."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from sluice.reports.canvas import Canvas
from sluice.reports.label_layout import Box, Point, place_labels
from sluice.reports.load_scale import LoadScale
from sluice.reports.svg import INK, LEVELS, PAPER, SOFT, plain_text

_MOST_LABELS = 100
_LONGEST_LABEL = 24
# The widths of lines: of links without a load, and of each class of the scale.
_PLAIN_WIDTH = 1.5
_WIDTHS = (1.6, 2.5, 3.4, 4.5, 5.8)
_MARGIN = 14.0
_LABEL_HEIGHT = 1.25  # in the unit of the font size


@dataclass
class Node:
    """A node.

    Args:
        name: its name.
        lng: its longitude in degrees.
        lat: its latitude in degrees.
        type: its type; null if it has none.
    """

    name: str
    lng: float
    lat: float
    type: str | None


@dataclass(frozen=True)
class Link:
    """A link between two nodes.

    Args:
        source: the number of the node at one end.
        destination: the number of the node at the other end.
        load: its load; null if it is not known.
    """

    source: int
    destination: int
    load: float | None


@dataclass
class Network:
    """Nodes and links.

    Args:
        nodes: the nodes.
        links: the links, which name the nodes by their numbers in the list.
    """

    nodes: list[Node] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        """The types of nodes, in alphabetical order."""
        return sorted({node.type for node in self.nodes if node.type is not None})


@dataclass(frozen=True)
class NetworkMap:
    """The drawing of a network. All lengths are in the unit of the font size.

    Args:
        network: the nodes and links.
        scale: the scale of the loads; null if the links have none.
        shapes: matplotlib's marker of each type of node.
    """

    network: Network
    scale: LoadScale | None
    shapes: dict[str, str]

    def draw(self, figure: Figure, canvas: Canvas) -> None:
        """Draw the map, with the scale below.

        Args:
            figure: as wide as the canvas; the map chooses its height.
            canvas: the size.
        """
        foot = canvas.font * 3.6 if self.scale is not None else 0.0
        places, height = _project(self.network.nodes, canvas, foot)
        figure.set_figheight(height / 72)
        figure.set_layout_engine("none")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set_xlim(0, canvas.width)
        axes.set_ylim(0, height)
        lines = self._draw_links(axes, places)
        radius = canvas.font * 0.36
        self._draw_labels(axes, canvas, places, lines, Box(2, foot, canvas.width - 2, height - 2))
        self._draw_nodes(axes, places, radius)
        if self.scale is not None:
            _draw_scale(axes, canvas, self.scale)

    def _draw_links(self, axes: Axes, places: list[Point]) -> list[tuple[Point, Point]]:
        """Draw the links, those with the highest load on top; links between the same nodes side by side."""
        lines = _side_by_side(self.network.links, places)
        order = sorted(range(len(lines)), key=lambda index: self._level(self.network.links[index]))
        for index in order:
            level = self._level(self.network.links[index])
            color, width = (SOFT, _PLAIN_WIDTH) if level < 0 else (LEVELS[level], _WIDTHS[level])
            dashed = level < 0 and self.scale is not None
            (x, y), (to_x, to_y) = lines[index]
            axes.plot([x, to_x], [y, to_y], color=color, linewidth=width, linestyle="--" if dashed else "-", zorder=1)
        return lines

    def _level(self, link: Link) -> int:
        return -1 if self.scale is None or link.load is None else self.scale.level(link.load)

    def _draw_nodes(self, axes: Axes, places: list[Point], radius: float) -> None:
        for type_, marker in [*self.shapes.items(), (None, "o")]:
            points = [place for place, node in zip(places, self.network.nodes, strict=True) if node.type == type_]
            if points:
                axes.plot(
                    [x for x, _ in points],
                    [y for _, y in points],
                    marker,
                    color=INK,
                    markersize=2 * radius,
                    markeredgecolor=PAPER,
                    markeredgewidth=1.2,
                    zorder=4,
                )

    def _draw_labels(
        self, axes: Axes, canvas: Canvas, places: list[Point], lines: list[tuple[Point, Point]], frame: Box
    ) -> None:
        """Name the nodes; those with the most links first, as far as there is room."""
        size = canvas.font - 1
        links = Counter(end for link in self.network.links for end in (link.source, link.destination))
        named = sorted(range(len(places)), key=lambda node: -links[node])[:_MOST_LABELS]
        texts = [plain_text(self.network.nodes[node].name, _LONGEST_LABEL) for node in named]
        widths = [_text_width(text, size) for text in texts]
        labels = place_labels(
            [places[node] for node in named], widths, size * _LABEL_HEIGHT, canvas.font * 0.55, lines, frame
        )
        for text, label in zip(texts, labels, strict=True):
            if label is not None:
                # Behind the text, a tint of the page's colour dims the lines that it crosses.
                axes.text(
                    label.x,
                    label.y,
                    text,
                    size=size,
                    ha=label.anchor,
                    va="center_baseline",
                    zorder=3,
                    bbox={"facecolor": PAPER, "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
                )


def _text_width(text: str, size: float) -> float:
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)
    return float(width)


def _project(nodes: list[Node], canvas: Canvas, foot: float) -> tuple[list[Point], float]:
    """Place nodes on a canvas, north at the top and with distances in proportion.

    Args:
        nodes: the nodes.
        canvas: the size.
        foot: the height of what is below the map.

    Returns:
        The nodes' places, and the height of the drawing.
    """
    lats = [node.lat for node in nodes]
    lngs = _unwrapped([node.lng for node in nodes])
    narrowing = max(math.cos(math.radians((min(lats) + max(lats)) / 2)), 0.05)
    xs = [lng * narrowing for lng in lngs]
    width, height = max(xs) - min(xs), max(lats) - min(lats)
    side, end = canvas.font * 2.5, canvas.font * 1.5
    room = canvas.width - 2 * side
    shortest, tallest = (0.3, 0.75) if canvas.name == "wide" else (0.6, 1.3)
    ratio = min(max(height / width if width else tallest, shortest), tallest)
    factors = [room / width if width else math.inf, room * ratio / height if height else math.inf]
    factor = min(factors) if min(factors) < math.inf else 0.0
    left = (canvas.width - width * factor) / 2
    bottom = foot + end + (room * ratio - height * factor) / 2
    places = [
        (left + (x - min(xs)) * factor, bottom + (lat - min(lats)) * factor) for x, lat in zip(xs, lats, strict=True)
    ]
    return places, foot + 2 * end + room * ratio


def _unwrapped(lngs: list[float]) -> list[float]:
    """Longitudes as numbers without a jump at 180 degrees: they begin behind the widest gap."""
    ordered = sorted(set(lngs))
    gaps = [(after - before, after) for before, after in pairwise(ordered)]
    widest, start = max(gaps, default=(0.0, ordered[0]))
    if widest <= 360 - (ordered[-1] - ordered[0]):
        return lngs
    return [lng if lng >= start else lng + 360 for lng in lngs]


def _side_by_side(links: Sequence[Link], places: list[Point]) -> list[tuple[Point, Point]]:
    """The ends of each link's line."""
    pairs = [(min(link.source, link.destination), max(link.source, link.destination)) for link in links]
    counts, drawn = Counter(pairs), Counter[tuple[int, int]]()
    lines = []
    for pair in pairs:
        (x, y), (to_x, to_y) = places[pair[0]], places[pair[1]]
        shift = (drawn[pair] - (counts[pair] - 1) / 2) * (_WIDTHS[-1] + 1)
        length = math.hypot(to_x - x, to_y - y) or 1.0
        across = (-(to_y - y) / length * shift, (to_x - x) / length * shift)
        lines.append(((x + across[0], y + across[1]), (to_x + across[0], to_y + across[1])))
        drawn[pair] += 1
    return lines


def _draw_scale(axes: Axes, canvas: Canvas, scale: LoadScale) -> None:
    """Draw the classes of the load in a row, as wide as their lines are, with their bounds below."""
    width = min(canvas.width * 0.13, 64.0)
    left, middle = _MARGIN, canvas.font * 1.75
    for index, (color, line) in enumerate(zip(LEVELS, _WIDTHS, strict=True)):
        start = left + index * width
        axes.plot([start, start + width - 1], [middle, middle], color=color, linewidth=line)
    for index, text in enumerate(scale.bounds()):
        axes.text(
            left + index * width,
            middle - canvas.font * 0.55,
            text,
            size=canvas.font - 1.5,
            ha="center",
            va="top",
            color=SOFT,
        )
    axes.text(
        left,
        middle + canvas.font * 0.6,
        plain_text(scale.label, canvas.letters),
        size=canvas.font - 1,
        ha="left",
        va="bottom",
        color=SOFT,
    )
