"""The bill of materials counts what the specification says, and its workbook has the same numbers."""

from __future__ import annotations

import io
from typing import Any

import pytest
import python_calamine
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.errors import Invalid
from sluice.planning.grooming.methods import groom_network
from sluice.planning.grooming.parameters import GroomingParameters
from sluice.planning.network_plan.materials import ROWS, bill_of_materials
from sluice.planning.network_plan.materials_workbook import materials_workbook
from sluice.planning.topology import Link, Node, Topology
from sluice.planning.traffic import TrafficMatrix
from support.planning.networks import networks

NO_GROOMING: dict[str, Any] = {"service_devices": {}, "node_structure": {"nodes": {}}}
# The degrees of the specification's sample: 22 nodes, 33 links.
SAMPLE_DEGREES = [7, 5, 5, 5, 4, *[3] * 6, *[2] * 11]


def graph(degrees: list[int]) -> Topology:
    """A topology whose nodes have these numbers of links."""
    left = dict(enumerate(degrees))
    links = []
    while any(left.values()):
        node = max(left, key=lambda name: left[name])
        others = sorted((name for name in left if name != node), key=lambda name: -left[name])[: left[node]]
        for other in others:
            assert left[other] > 0
            links.append(Link(source=str(node), destination=str(other), length=10, fiber_type="sm"))
            left[other] -= 1
        left[node] = 0
    return Topology(nodes=[Node(name=str(name), lat=0, lng=0) for name in left], links=links)


def star(degree: int) -> Topology:
    return graph([degree, *[1] * degree])


def lightpath(source: str, destination: str, wavelength: int, protected: bool) -> dict[str, Any]:
    path = {"path": [source, destination], "wavelength": [wavelength], "regenerators": []}
    info = {"working": path} | ({"protection": path} if protected else {})
    return {"source": source, "destination": destination, "routing_info": info}


def rwa_of(*lightpaths: dict[str, Any]) -> dict[str, Any]:
    return {"lightpaths": {str(i): path for i, path in enumerate(lightpaths)}}


def test_the_sample_has_the_published_material_of_its_topology() -> None:
    network = bill_of_materials(graph(SAMPLE_DEGREES), NO_GROOMING, rwa_of())["network"]
    expected = {"FIM": 66, "Amplifier": 132, "OS5": 23, "OCM": 26, "HKP": 22}
    assert {row: network[row] for row in expected} == expected


@pytest.mark.parametrize(
    ("degree", "protected", "ws4", "ws9"),
    [
        (1, False, 0, 0),
        (2, True, 2, 0),
        (3, False, 4, 0),
        (3, True, 5, 0),
        (4, False, 1, 4),
        (4, True, 2, 4),
        (5, False, 0, 6),
        (8, True, 0, 10),
    ],
)
def test_switches_depend_on_degree_and_protection(degree: int, protected: bool, ws4: int, ws9: int) -> None:
    rwa = rwa_of(lightpath("0", "1", 0, protected))
    counts = bill_of_materials(star(degree), NO_GROOMING, rwa)["nodes"]["0"]
    assert (counts["WS4"], counts["WS9"]) == (ws4, ws9)


def test_a_node_without_links_has_a_shelf() -> None:
    counts = bill_of_materials(graph([0]), NO_GROOMING, rwa_of())["nodes"]["0"]
    assert {item: count for item, count in counts.items() if count} == {"IFC": 1, "SC": 2, "PWR": 1, "HKP": 1}


def test_filters_and_splitters_depend_on_the_lightpaths_that_end() -> None:
    rwa = rwa_of(lightpath("0", "1", 4, True), lightpath("0", "2", 6, True), lightpath("3", "0", 7, True))
    nodes = bill_of_materials(star(3), NO_GROOMING, rwa)["nodes"]
    assert {name: (counts["MD48"], counts["SM2"]) for name, counts in nodes.items()} == {
        "0": (4, 2),
        "1": (2, 1),
        "2": (2, 1),
        "3": (2, 1),
    }
    assert bill_of_materials(star(2), NO_GROOMING, rwa_of())["nodes"]["0"]["MD48"] == 4


def test_a_node_of_more_than_eight_links_is_refused() -> None:
    with pytest.raises(Invalid, match="'0' has 9 links") as refusal:
        bill_of_materials(star(9), NO_GROOMING, rwa_of())
    assert [error["pointer"] for error in refusal.value.errors] == ["/nodes/0/name"]


@given(networks(max_nodes=5), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_devices_and_shelves_are_those_of_grooming(network: tuple[Topology, TrafficMatrix], shelves: int) -> None:
    topology, matrix = network
    parameters = GroomingParameters(mp1h_threshold=0, shelves_per_rack=shelves)
    grooming = groom_network(topology, matrix, None, parameters)
    bill = bill_of_materials(topology, grooming, rwa_of())
    statistics = grooming["statistics"]
    assert {panel: bill["network"][panel] for panel in ("MP2X", "MP1H", "TP1H")} == {
        "MP2X": statistics["mp2x_no"],
        "MP1H": statistics["mp1h_no"],
        "TP1H": statistics["tp1h_no"],
    }
    for name, counts in bill["nodes"].items():
        degree = sum(name in (link.source, link.destination) for link in topology.links)
        devices = counts["MP2X"] + counts["MP1H"] + counts["TP1H"]
        assert counts["IFC"] == counts["PWR"] == degree + -(-devices // 5)
        assert counts["SC"] == 2 * counts["IFC"]
    assert bill["network"] == {row: sum(counts[row] for counts in bill["nodes"].values()) for row in ROWS}


def test_the_workbook_has_a_column_for_each_node_and_a_total() -> None:
    topology = Topology(
        nodes=[Node(name=name, lat=0, lng=0) for name in ("=A1", "B")],
        links=[Link(source="B", destination="=A1", length=10, fiber_type="sm")],
    )
    bill = bill_of_materials(topology, NO_GROOMING, rwa_of())
    data = materials_workbook(bill)
    rows = python_calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()
    assert rows[0] == ["Item", "=A1", "B", "Total"]
    assert [row[0] for row in rows[1:]] == list(ROWS)
    assert {row[0]: row[1:] for row in rows[1:]} == {
        row: [bill["nodes"]["=A1"][row], bill["nodes"]["B"][row], bill["network"][row]] for row in ROWS
    }
    assert materials_workbook(bill) == data
