"""Networks: nodes at their coordinates, and the links between them with their load."""

from __future__ import annotations

from typing import Any

from sluice.domain.report import NetworkSection
from sluice.errors import ModelFailed
from sluice.reports.alt_text import network_alt
from sluice.reports.canvas import SHAPES, Drawing, EmptyChartError, draw_svg, require_number
from sluice.reports.load_scale import LoadScale
from sluice.reports.network_map import Link, Network, NetworkMap, Node
from sluice.reports.values import Rows

_MOST_LINKS = 1000


def draw_network(chart: NetworkSection, rows: Rows, name: str) -> Drawing:
    """Draw a network.

    Args:
        chart: the section.
        rows: the query's result: a row for each link.
        name: begins the ids in the drawing; unique within the page.

    Raises:
        ModelFailed: a column is missing or has no numbers, or a node has several places or none on earth.
        EmptyChartError: no row has the name and the place of a node.
    """
    drawn = Rows(rows.columns, rows.items[:_MOST_LINKS], rows.truncated, rows.formats)
    network = _Reader(chart, drawn).network()
    if not network.nodes:
        raise EmptyChartError
    scale = None
    loads = [link.load for link in network.links if link.load is not None]
    if chart.load is not None and loads:
        scale = LoadScale.of(rows.style(chart.load, "network chart"), loads, chart.max)
    links = [
        (network.nodes[link.source].name, network.nodes[link.destination].name, link.load) for link in network.links
    ]
    alt = network_alt(len(network.nodes), links, scale)
    left_out = len(rows.items) - len(drawn.items)
    note = f"The chart shows the first {_MOST_LINKS:,} of {len(rows.items):,} links." if left_out else ""
    shapes = {type_: [*SHAPES][index % len(SHAPES)] for index, type_ in enumerate(network.types)}
    legend = [("ink", SHAPES[shape], type_) for type_, shape in shapes.items()] if len(shapes) > 1 else []
    return Drawing(draw_svg(NetworkMap(network, scale, shapes).draw, name, alt), legend, note)


class _Reader:
    """Reads the nodes and links of a query's rows.

    Args:
        chart: names the columns.
        rows: a row for each link.
    """

    def __init__(self, chart: NetworkSection, rows: Rows) -> None:
        self._rows = rows
        self._ends = [self._end_columns(chart, end) for end in ("source", "destination")]
        self._load = self._numeric(chart, chart.load) if chart.load is not None else None
        self._numbers: dict[str, int] = {}
        self._network = Network()

    def network(self) -> Network:
        for row in self._rows.items:
            source, destination = (self._node(row, columns) for columns in self._ends)
            if source is not None and destination is not None and source != destination:
                load = None if self._load is None else _number(row[self._load])
                self._network.links.append(Link(source, destination, load))
        return self._network

    def _end_columns(self, chart: NetworkSection, end: str) -> dict[str, str | None]:
        type_ = getattr(chart, f"{end}_type")
        return {
            "name": self._rows.style(getattr(chart, end), "network chart").name,
            "lat": self._numeric(chart, getattr(chart, f"{end}_lat")),
            "lng": self._numeric(chart, getattr(chart, f"{end}_lng")),
            "type": None if type_ is None else self._rows.style(type_, "network chart").name,
        }

    def _numeric(self, chart: NetworkSection, column: str) -> str:
        style = self._rows.style(column, "network chart")
        require_number(style, chart)
        return style.name

    def _node(self, row: dict[str, Any], columns: dict[str, str | None]) -> int | None:
        """The number of the node at one end of a row; null if its name or place is missing."""
        name, lat, lng, type_ = (None if column is None else row[column] for column in columns.values())
        if name is None or lat is None or lng is None:
            return None
        node = Node(str(name), float(lng), float(lat), None if type_ is None else str(type_))
        if not (-90 <= node.lat <= 90 and -180 <= node.lng <= 180):
            raise ModelFailed(f"The network chart needs degrees: {node.name!r} is at {lat}, {lng}.")
        number = self._numbers.setdefault(node.name, len(self._network.nodes))
        if number == len(self._network.nodes):
            self._network.nodes.append(node)
        known = self._network.nodes[number]
        if (known.lng, known.lat) != (node.lng, node.lat):
            raise ModelFailed(
                f"The network chart needs one place for each node: {node.name!r} is at {known.lat}, {known.lng} and at "
                f"{lat}, {lng}."
            )
        known.type = known.type if known.type is not None else node.type
        return number


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
