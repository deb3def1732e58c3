"""The drawing of networks in reports."""

import math
import re
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.report import ColumnFormat, NetworkSection, Report
from sluice.errors import ModelFailed
from sluice.models.definition_rules import report_faults
from sluice.reports.canvas import Drawing, EmptyChartError
from sluice.reports.drawings import draw_chart
from sluice.reports.label_layout import Box, place_labels
from sluice.reports.style import STYLE
from sluice.reports.values import Rows

PLACES = {"Alba": (45.0, 7.0), "Brone": (45.0, 9.0), "Ceva": (47.0, 8.0)}
LINKS: list[tuple[str, str, float | None]] = [("Alba", "Brone", 0.25), ("Brone", "Ceva", 0.9), ("Alba", "Ceva", None)]


def rows(links: list[tuple[str, str, float | None]], places: dict[str, tuple[float, float]] = PLACES) -> Rows:
    """A row for each link."""
    items = [
        {
            "source": source,
            "source_lat": places[source][0],
            "source_lng": places[source][1],
            "destination": destination,
            "destination_lat": places[destination][0],
            "destination_lng": places[destination][1],
            "load": load,
        }
        for source, destination, load in links
    ]
    names = ("source", "destination")
    return Rows([{"name": name, "type": "string" if name in names else "double"} for name in items[0]], items)


def draw(given_rows: Rows, **fields: Any) -> Drawing:
    """The drawing of rows."""
    return draw_chart(NetworkSection(type="network", sql="SELECT 1", **fields), given_rows, "c")


def wide(drawing: Drawing) -> str:
    """The drawing for wide screens."""
    return drawing.svg.partition('<symbol id="c-n"')[0]


def texts(drawing: Drawing) -> list[str]:
    """The texts of the wide drawing."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", wide(drawing))


def lines(drawing: Drawing) -> list[tuple[str, tuple[float, ...]]]:
    """The lines of links in the wide drawing, in their order: the style, and the ends."""
    paths = re.findall(r'<path d="M ([\d.]+) ([\d.]+) +L ([\d.]+) ([\d.]+) +" [^>]*style="([^"]*)"', wide(drawing))
    return [(style, tuple(map(float, ends))) for *ends, style in paths]


def test_same_network_is_the_same_bytes_in_the_colours_of_the_page() -> None:
    first, second = (draw(rows(LINKS)) for _ in range(2))
    assert first == second
    assert not re.search(r"#0[0-9a-f]{5}\b", first.svg)
    used = set(re.findall(r"var\((--[\w-]+)\)", first.svg))
    assert {"--ink", "--paper", "--level-0"} <= used <= set(re.findall(r"--[\w-]+(?=:)", STYLE))


def test_text_says_what_the_drawing_shows() -> None:
    assert (
        'aria-label="Network of 3 nodes and 3 links by load: load is lowest between Alba and Brone with 25.0 % and '
        'highest between Brone and Ceva with 90.0 %. 1 link has no load."'
    ) in draw(rows(LINKS)).svg
    assert 'aria-label="Network of 2 nodes and 1 link."' in draw(rows(LINKS[:1]), load=None).svg


def test_colour_and_width_show_the_load_and_dashes_that_there_is_none() -> None:
    styles = {ends: style for style, ends in lines(draw(rows(LINKS)))}
    plain, low, high = list(styles.values())[:3]
    assert "stroke-dasharray" in plain
    assert "--soft" in plain
    assert "--level-1" in low
    assert "--level-4" in high
    widths = [float(re.findall(r"stroke-width: ([\d.]+)", style)[0]) for style in (low, high)]
    assert widths[0] < widths[1]


def test_north_is_up_and_distances_are_in_proportion() -> None:
    (_, west_east), (_, diagonal), *_ = lines(draw(rows([("Alba", "Brone", 0.1), ("Alba", "Ceva", 0.2)])))
    assert west_east[1] == west_east[3]
    assert diagonal[3] < diagonal[1], "SVG counts down"
    east, north = west_east[2] - west_east[0], diagonal[1] - diagonal[3]
    assert north / east == pytest.approx(1 / math.cos(math.radians(46)), rel=0.01)


def test_network_across_the_date_line_is_not_torn() -> None:
    places = {"Suva": (-18.0, 178.0), "Apia": (-14.0, -172.0), "Lau": (-18.0, -179.0)}
    drawing = draw(rows([("Suva", "Lau", 0.1), ("Lau", "Apia", 0.2)], places))
    (_, first), (_, second), *_ = lines(drawing)
    assert first[0] < first[2] == second[0] < second[2]


@pytest.mark.parametrize(
    ("loads", "fields", "unit", "label", "bounds"),
    [
        ((0.2, 0.5), {}, None, "load (%)", ["0", "20", "40", "60", "80", "100"]),
        ((3, 73), {}, None, "load", ["0", "20", "40", "60", "80", "100"]),
        ((3, 73), {"max": 80}, "wavelengths", "load (wavelengths)", ["0", "16", "32", "48", "64", "80"]),
        ((3, 90), {"max": 80}, None, "load", ["0", "16", "32", "48", "64", "≥ 80"]),
        ((3e6, 5e6), {}, "bit/s", "load (million bit/s)", ["0", "1", "2", "3", "4", "5"]),
    ],
)
def test_scale_has_round_bounds_and_a_unit(
    loads: tuple[float, float], fields: dict[str, Any], unit: str | None, label: str, bounds: list[str]
) -> None:
    given_rows = rows([("Alba", "Brone", loads[0]), ("Brone", "Ceva", loads[1])])
    if unit:
        given_rows = Rows(given_rows.columns, given_rows.items, formats={"load": ColumnFormat(unit=unit)})
    assert texts(draw(given_rows, **fields))[-len(bounds) - 1 :] == [*bounds, label]


def test_types_of_nodes_have_shapes_and_a_legend() -> None:
    given_rows = rows(LINKS)
    given_rows.columns.extend({"name": name, "type": "string"} for name in ("from_type", "to_type"))
    types = {"Alba": "hub", "Brone": "leaf", "Ceva": None}
    for row in given_rows.items:
        row |= {"from_type": types[row["source"]], "to_type": types[row["destination"]]}
    drawing = draw(given_rows, source_type="from_type", destination_type="to_type")
    assert drawing.legend == [("ink", "●", "hub"), ("ink", "■", "leaf")]
    assert draw(rows(LINKS)).legend == []


def test_links_between_the_same_nodes_lie_side_by_side() -> None:
    (_, there), (_, back), *_ = lines(draw(rows([("Alba", "Brone", 0.1), ("Brone", "Alba", 0.9)])))
    assert abs(there[1] - back[1]) > 5


def test_row_without_a_destination_is_a_node() -> None:
    given_rows = rows(LINKS[:2])
    given_rows.items[0] |= {"destination": None, "destination_lat": None, "destination_lng": None}
    drawing = draw(given_rows)
    assert "Network of 3 nodes and 1 link" in drawing.svg
    assert set(PLACES) <= set(texts(drawing))


def test_links_beyond_the_limit_are_left_out_and_counted() -> None:
    drawing = draw(rows([LINKS[0]] * 1001), load=None)
    assert drawing.note == "The chart shows the first 1,000 of 1,001 links."


def with_value(column: str, value: Any) -> Rows:
    """Rows of which the last has another value."""
    given_rows = rows(LINKS)
    given_rows.items[-1][column] = value
    return given_rows


@pytest.mark.parametrize(
    ("given_rows", "fields", "message"),
    [
        (rows(LINKS), {"load": "use"}, "names the column 'use'"),
        (rows(LINKS), {"source_lat": "source"}, "needs numbers; 'source' is string"),
        (with_value("source_lat", 45.5), {}, "one place for each node: 'Alba' is at 45.0, 7.0 and at 45.5, 7.0"),
        (with_value("destination_lat", 91), {}, "needs degrees: 'Ceva' is at 91, 8.0"),
    ],
)
def test_rows_that_are_no_network_are_refused(given_rows: Rows, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelFailed, match=re.escape(message)):
        draw(given_rows, **fields)


def test_unusual_networks() -> None:
    nowhere = rows(LINKS[:1])
    nowhere.items[0] |= {"source_lat": None, "destination": None}
    with pytest.raises(EmptyChartError):
        draw(nowhere)
    alone = rows([("Alba", "Alba", 0.5)])
    assert "Network of 1 node and 0 links." in draw(alone).svg
    together = {"Alba": (90.0, 0.0), "Brone": (90.0, 0.0), "Ceva": (90.0, 10.0)}
    assert "Network of 2 nodes and 1 link" in draw(rows(LINKS[:1], together)).svg


def test_columns_of_a_network_are_compared_with_the_query() -> None:
    section = {
        "type": "network",
        "sql": "SELECT a AS source, 1 AS source_lat, 2 AS source_lng, b AS destination FROM t",
    }
    report = Report.model_validate({"title": "x", "sections": [section | {"load": None, "source_type": "kind"}]})
    pointers = [fault.pointer for fault in report_faults(report, {}, {"t"})]
    assert pointers == [f"/sections/0/{field}" for field in ("source_type", "destination_lat", "destination_lng")]


points = st.tuples(st.integers(0, 60).map(float), st.integers(0, 60).map(float))


@given(st.lists(st.tuples(points, st.integers(1, 30)), max_size=12), st.lists(st.tuples(points, points), max_size=4))
def test_labels_never_cover_each_other_nor_leave_the_drawing(
    nodes: list[tuple[tuple[float, float], int]], segments: list[tuple[tuple[float, float], tuple[float, float]]]
) -> None:
    frame = Box(0, 0, 60, 60)
    labels = place_labels([point for point, _ in nodes], [float(width) for _, width in nodes], 8, 3, segments, frame)
    boxes = [label.box for label in labels if label is not None]
    assert all(frame.contains(box) for box in boxes)
    assert not any(first.overlaps(second) for first, second in combinations(boxes, 2))


def test_label_avoids_a_line() -> None:
    (label,) = place_labels([(50.0, 50.0)], [20.0], 8, 3, [((50.0, 50.0), (90.0, 50.0))], Box(0, 0, 100, 100))
    assert label is not None
    assert (label.anchor, label.box.covered_length((50.0, 50.0), (90.0, 50.0))) == ("right", 0)
