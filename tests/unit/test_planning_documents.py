"""The documents of network planning: every fault is reported at once, with its place."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.errors import Invalid
from sluice.planning import clusters as planning_clusters
from sluice.planning import traffic as planning_traffic
from sluice.planning.clusters import cluster_faults, parse_clusters
from sluice.planning.topology import parse_topology, topology_faults, topology_warnings
from sluice.planning.traffic import parse_traffic, traffic_faults
from support.workbooks import demand, link, matrix, node, service, topology

RING = topology("A", "B", "C")
FIELDS = st.sampled_from(
    [
        "nodes",
        "links",
        "demands",
        "clusters",
        "name",
        "lat",
        "source",
        "destination",
        "services",
        "service_id_list",
        "quantity",
        "id",
        "data",
        "gateways",
        "subnodes",
        "A",
        "1",
    ]
)


def pointers(faults: list[dict[str, Any]]) -> list[str]:
    return [fault["pointer"] for fault in faults]


def test_valid_topology_is_returned() -> None:
    assert parse_topology(RING).links[0].destination == "B"
    assert parse_topology({"nodes": [{"name": "A", "lat": 1, "lng": 2}], "links": []}).nodes[0].roadm_type == "CDC"
    assert topology_warnings(RING) == []


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"nodes": [node("A"), node("A")], "links": []}, ["/nodes/1/name"]),
        ({"nodes": [node("")], "links": []}, ["/nodes/0/name"]),
        ({"nodes": [node("A", lat=90.5, lng=-181)], "links": []}, ["/nodes/0/lat", "/nodes/0/lng"]),
        ({"nodes": [node("A", lat="52")], "links": []}, ["/nodes/0/lat"]),
        ({"nodes": [node("A", roadm_type="cdc")], "links": []}, ["/nodes/0/roadm_type"]),
        ({"nodes": [], "links": []}, ["/nodes"]),
        ({**RING, "links": [link("A", "X"), link("Y", "B")]}, ["/links/0/destination", "/links/1/source"]),
        ({**RING, "links": [link("A", "A")]}, ["/links/0/destination"]),
        ({**RING, "links": [link("A", "B"), link("B", "A")]}, ["/links/1/destination"]),
        ({**RING, "links": [link("A", "B", length=0)]}, ["/links/0/length"]),
        ({**RING, "links": [{"source": "A", "destination": "B", "length": 1}]}, ["/links/0/fiber_type"]),
        ({"links": "none", "created_at": ""}, ["/created_at", "/nodes", "/links"]),
        ([], [""]),
    ],
)
def test_faults_of_topologies(document: Any, expected: list[str]) -> None:
    assert pointers(topology_faults(document)) == expected
    with pytest.raises(Invalid) as refused:
        parse_topology(document)
    assert pointers(refused.value.errors) == expected


def test_all_faults_are_reported_at_once() -> None:
    document = {"nodes": [node("A", lat=None), node("A")], "links": [link("A", "X", length=-1)]}
    expected = ["/nodes/0/lat", "/links/0/length", "/nodes/1/name", "/links/0/destination"]
    assert pointers(topology_faults(document)) == expected
    assert "'X'" in topology_faults(document)[-1]["message"]


def test_messages_name_places_as_pointers_do() -> None:
    """Requests have documents below `/document`, and so have messages."""
    twice = topology_faults({"nodes": [node("A"), node("B"), node("A")], "links": [link("A", "B"), link("B", "A")]})
    assert [fault["message"].rpartition(" at ")[2] for fault in twice] == ["/document/nodes/0.", "/document/links/0."]
    services = matrix(demand("1", "A", "B", SERVICE, service("FE", "2")))
    place = "/document/demands/1/services/0/service_id_list/1"
    assert traffic_faults(services)[0]["message"] == f"There is already a service '2', at {place}."
    assert topology_faults({"nodes": [], "links": []})[0]["message"] == "Give at least 1 item."


def test_unconnected_topology_is_a_warning() -> None:
    apart = {**topology("A", "B", "C", "D"), "links": [link("A", "B"), link("C", "D")]}
    assert topology_faults(apart) == []
    assert topology_warnings(apart) == ["The topology is not connected: 2 nodes, such as 'C', have no path to 'A'."]


SERVICE = service("GE", "1", "2")


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (matrix(demand("1", "A", "B", SERVICE)), []),
        (matrix(demand("1", "A", "B", SERVICE, service("GE", "3"))), []),
        ({"demands": {"2": demand("1", "A", "B")}}, ["/demands/2/id"]),
        (matrix(demand("1", "A", "A")), ["/demands/1/destination"]),
        (matrix(demand("1", "A", "B", service("GE", "1", quantity=2))), ["/demands/1/services/0/service_id_list"]),
        (matrix(demand("1", "A", "B", service("GE"))), ["/demands/1/services/0/quantity"]),
        (matrix(demand("1", "A", "B", service("GE", "1", quantity=1.5))), ["/demands/1/services/0/quantity"]),
        (matrix(demand("1", "A", "B", service("STM2", "1"))), ["/demands/1/services/0/type"]),
        (matrix(demand("1", "A", "B", restoration_type=None)), ["/demands/1/restoration_type"]),
        (
            matrix(demand("1", "A", "B", SERVICE), demand("2", "A", "B", service("FE", "2"))),
            ["/demands/2/services/0/service_id_list/0"],
        ),
    ],
)
def test_faults_of_traffic_matrices(document: Any, expected: list[str]) -> None:
    assert pointers(traffic_faults(document)) == expected


def test_ends_of_demands_must_be_nodes_of_the_topology() -> None:
    traffic = parse_traffic(matrix(demand("1", "A", "B"), demand("7", "X", "Y")))
    with pytest.raises(Invalid, match="The demand '7' ends at 'X', which is no node") as refused:
        planning_traffic.require_nodes(traffic, parse_topology(RING))
    assert pointers(refused.value.errors) == ["/demands/7/source", "/demands/7/destination"]
    planning_traffic.require_nodes(parse_traffic(matrix(demand("1", "A", "B"))), parse_topology(RING))


def cluster(key: str, gateways: list[str], subnodes: list[str], **fields: Any) -> dict[str, Any]:
    data = {"gateways": gateways, "subnodes": subnodes, "color": "red", "type": "100GE"}
    return {"id": key, "name": key.upper(), "data": data, **fields}


@pytest.mark.parametrize(
    ("clusters", "expected"),
    [
        ({"a": cluster("a", ["A"], ["B"]), "b": cluster("b", ["A"], ["C"])}, []),
        ({"a": cluster("b", ["A"], [])}, ["/clusters/a/id"]),
        ({"a": cluster("a", [], ["B"])}, ["/clusters/a/data/gateways"]),
        ({"a": cluster("a", ["A"], ["A", "B", "B"])}, ["/clusters/a/data/subnodes/0", "/clusters/a/data/subnodes/2"]),
        ({"a": cluster("a", ["A"], ["B"]), "b": cluster("b", ["A"], ["B"])}, ["/clusters/b/data/subnodes/0"]),
    ],
)
def test_faults_of_clusters(clusters: Any, expected: list[str]) -> None:
    assert pointers(cluster_faults({"clusters": clusters})) == expected


def test_clusters_must_contain_nodes_of_the_topology() -> None:
    clusters = parse_clusters({"clusters": {"a": cluster("a", ["A", "X"], ["B", "Y"])}})
    with pytest.raises(Invalid, match="The cluster 'a' contains 'X'") as refused:
        planning_clusters.require_nodes(clusters, parse_topology(RING))
    assert pointers(refused.value.errors) == ["/clusters/a/data/gateways/1", "/clusters/a/data/subnodes/1"]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from("AB1"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4),
    max_leaves=15,
)


@given(JSON)
def test_any_json_is_judged_without_an_error(document: Any) -> None:
    checks = {topology_faults: parse_topology, traffic_faults: parse_traffic, cluster_faults: parse_clusters}
    for faults, parse in checks.items():
        found = faults(document)
        assert all(fault["pointer"] is not None and fault["message"].endswith(".") for fault in found)
        if found:
            with pytest.raises(Invalid):
                parse(document)
        else:
            parse(document)
