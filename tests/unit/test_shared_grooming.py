"""Clustered and advanced grooming: services are cut into pieces that form chains, and keep every invariant."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.base import validate
from sluice.errors import Invalid
from sluice.planning.clusters import Cluster, ClusterData, Clusters
from sluice.planning.grooming.folding import contract, fold
from sluice.planning.grooming.methods import groom_network
from sluice.planning.grooming.parameters import GroomingParameters, Method
from sluice.planning.topology import Link, Node, Topology
from sluice.planning.traffic import Demand, Service, ServiceType, TrafficMatrix
from support.planning.grooming_invariants import RATES, check_grooming, groomed_demands
from support.planning.networks import matrices, random_matrix, topologies

QUICK = settings(max_examples=60, deadline=None)
Case = tuple[Topology, TrafficMatrix, Clusters]


def clusters_of(*groups: tuple[list[str], list[str]]) -> Clusters:
    """Clusters `c0`, `c1`, … of gateways and subnodes."""
    return Clusters(
        clusters={
            f"c{i}": Cluster(id=f"c{i}", name=f"C{i}", data=ClusterData(gateways=gateways, subnodes=subnodes))
            for i, (gateways, subnodes) in enumerate(groups)
        }
    )


@st.composite
def clustered(draw: st.DrawFn) -> Case:
    """A topology, a matrix, and up to two clusters, which may share a gateway."""
    topology = draw(topologies(max_nodes=8))
    names = draw(st.permutations([node.name for node in topology.nodes]))
    first, second = sorted(draw(st.tuples(st.integers(1, len(names)), st.integers(1, len(names)))))
    groups = [(names[:1], names[1:first])]
    if second > first:
        gateways = draw(st.sampled_from([names[first : first + 1], names[first : first + 2], names[:1]]))
        groups.append((gateways, [name for name in names[first:second] if name not in gateways]))
    return topology, draw(matrices(topology)), clusters_of(*groups)


def parameters_of(**values: Any) -> GroomingParameters:
    return GroomingParameters.model_validate(values)


def line(*names: str, lengths: Mapping[tuple[str, str], float] | None = None) -> Topology:
    """Nodes in a row, or with the links that are given."""
    links = lengths or dict.fromkeys(pairwise(names), 100)
    return Topology(
        nodes=[Node(name=name, lat=0, lng=0) for name in names],
        links=[Link(source=a, destination=b, length=length, fiber_type="sm") for (a, b), length in links.items()],
    )


def demands(*rows: tuple[str, str, ServiceType, int]) -> TrafficMatrix:
    """Demands `d0`, `d1`, … of services of one type each."""
    return TrafficMatrix(
        demands={
            f"d{i}": Demand(
                id=f"d{i}",
                source=source,
                destination=destination,
                services=[Service(type=kind, quantity=n, service_id_list=[f"d{i}s{j}" for j in range(n)])],
            )
            for i, (source, destination, kind, n) in enumerate(rows)
        }
    )


@QUICK
@given(clustered(), st.sampled_from(get_args(Method)), st.sampled_from([0, 20, 70]), st.sampled_from([40, 100, 200]))
def test_every_invariant_holds(case: Case, method: Method, threshold: int, line_rate: int) -> None:
    topology, matrix, clusters = case
    parameters = parameters_of(method=method, mp1h_threshold=threshold, line_rate=line_rate)
    result = groom_network(topology, matrix, clusters, parameters)
    check_grooming(result, matrix.model_dump(), threshold)


@QUICK
@given(clustered())
def test_services_are_cut_at_first_gateways_only(case: Case) -> None:
    topology, matrix, clusters = case
    mapping = groom_network(topology, matrix, clusters, parameters_of(method="clustered"))["mapping"]
    first = {cluster.data.gateways[0] for cluster in clusters.clusters.values()}
    for cut in mapping.values():
        for pieces in cut.values():
            assert 2 <= len(pieces) <= 3
            assert {piece["source"] for piece in pieces[1:]} <= first


def test_pieces_join_the_demands_between_gateways() -> None:
    matrix = demands(("x", "y", "10GE", 2), ("g", "h", "10GE", 5))
    clusters = clusters_of((["g"], ["x"]), (["h"], ["y"]))
    result = groom_network(
        line("x", "g", "h", "y"), matrix, clusters, parameters_of(method="clustered", mp1h_threshold=70)
    )
    assert [(piece["source"], piece["destination"]) for piece in result["mapping"]["d0"]["d0s0"]] == [
        ("x", "g"),
        ("g", "h"),
        ("h", "y"),
    ]
    main = result["traffic"]["main"]
    assert [(path["demand_id"], path["capacity"]) for path in main["lightpaths"].values()] == [("d1", 70)]
    assert {id: list(traffic["remaining_services"]["demands"]) for id, traffic in result["traffic"].items()} == {
        "main": [],
        "c0": ["d0.1"],
        "c1": ["d0.2"],
    }


def test_pieces_do_not_join_a_demand_of_another_protection() -> None:
    matrix = demands(("x", "y", "10GE", 2), ("g", "y", "10GE", 1))
    matrix.demands["d1"] = matrix.demands["d1"].model_copy(update={"protection_type": "NoProtection"})
    result = groom_network(line("x", "g", "y"), matrix, clusters_of((["g"], ["x"])), parameters_of(method="clustered"))
    assert [piece["demand_id"] for piece in result["mapping"]["d0"]["d0s0"]] == ["d0.1", "d0.2"]


def test_demands_within_a_cluster_are_not_cut() -> None:
    matrix = demands(("x", "y", "GE", 3), ("x", "g", "GE", 3))
    result = groom_network(
        line("x", "g", "y"), matrix, clusters_of((["g"], ["x", "y"])), parameters_of(method="clustered")
    )
    assert result["mapping"] == {}
    assert set(result["traffic"]["c0"]["remaining_groomouts"]["demands"]) == {"d0", "d1"}


@pytest.mark.parametrize(
    ("clusters", "message"),
    [
        (None, "needs the input"),
        (clusters_of((["a"], ["b"]), (["b"], ["a"])), "subnode of its own cluster"),
        (Clusters(clusters={"main": clusters_of((["a"], [])).clusters["c0"]}), "`main` is reserved"),
    ],
)
def test_clusters_that_cannot_be_used_are_refused(clusters: Clusters | None, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        groom_network(line("a", "b"), demands(("a", "b", "GE", 1)), clusters, parameters_of(method="clustered"))


def test_nodes_at_the_edge_are_folded_onto_their_gateways() -> None:
    # a-b-c is a triangle; e hangs on a; l1-l2-l3 is a loop at b; u is in the user's cluster of c.
    links = [("a", "b"), ("b", "c"), ("c", "a"), ("e", "a"), ("b", "l1"), ("l1", "l2"), ("l2", "l3"), ("l3", "b")]
    links += [("u", "c"), ("u", "a")]
    names = sorted({name for link in links for name in link})
    topology = line(*names, lengths=dict.fromkeys(links, 10.0))
    gateway_of = fold(topology, clusters_of((["c"], ["u"])))
    assert gateway_of == {"e": "a", "l1": "b", "l2": "b", "l3": "b", "u": "c"}
    assert {node: sorted(others) for node, others in contract(topology, gateway_of).items()} == {
        "a": ["b", "c"],
        "b": ["a", "c"],
        "c": ["a", "b"],
    }


def test_gateways_of_clusters_are_not_folded_and_other_gateways_are() -> None:
    topology = line("a", "b", "c", "d")
    assert fold(topology, clusters_of((["a", "c"], []))) == {"c": "a", "d": "c"}


def test_the_shortest_of_parallel_links_is_left() -> None:
    # x and y are folded onto c; a then has three links to it.
    lengths = {("a", "c"): 30, ("a", "x"): 10, ("y", "a"): 20, ("x", "c"): 5, ("c", "y"): 5}
    topology = line("a", "c", "x", "y", lengths=lengths)
    assert contract(topology, fold(topology, clusters_of((["c"], ["x", "y"])))) == {"a": {"c": 10}, "c": {"a": 10}}


def test_a_pair_of_nodes_and_a_ring_keep_nodes() -> None:
    assert fold(line("a", "b"), None) == {"a": "b"}
    ring = line("a", "b", "c", lengths={("a", "b"): 1, ("b", "c"): 1, ("c", "a"): 1})
    assert fold(ring, None) == {}


TRIANGLE = line("a", "b", "c", lengths={("a", "b"): 10, ("b", "c"): 10, ("a", "c"): 15})
# The direct link between a and c is too long for all.
DETOUR = line("a", "b", "c", lengths={("a", "b"): 10, ("b", "c"): 10, ("a", "c"): 50})


def connections(topology: Topology, matrix: TrafficMatrix, **parameters: Any) -> dict[str, tuple[str, str, float]]:
    """The ends and the capacity of each lightpath of intermediate grooming."""
    chosen = parameters_of(method="intermediate", mp1h_threshold=0, **parameters)
    paths = groom_network(topology, matrix, None, chosen)["traffic"]["main"]["lightpaths"]
    return {id: (path["source"], path["destination"], path["capacity"]) for id, path in paths.items()}


def test_a_demand_joins_a_connection_that_is_cut_for_it() -> None:
    matrix = demands(("c", "b", "10GE", 4), ("a", "c", "10GE", 5))
    # d1 is larger and comes first, over b.
    assert connections(DETOUR, matrix) == {"d0-L1": ("c", "b", 90), "d1.1-L1": ("a", "b", 50)}


def test_a_connection_is_not_cut_twice() -> None:
    matrix = demands(("a", "d", "10GE", 5), ("b", "c", "10GE", 4))
    assert connections(line("a", "b", "c", "d"), matrix) == {"d0-L1": ("a", "d", 50), "d1-L1": ("b", "c", 40)}


def test_a_connection_that_need_not_be_cut_is_preferred() -> None:
    matrix = demands(("a", "c", "10GE", 7), ("a", "b", "10GE", 6), ("a", "b", "10GE", 2))
    # d1 has no room on the connection of d0, and d2 has on both.
    assert connections(DETOUR, matrix) == {"d0-L1": ("a", "c", 70), "d1-L1": ("a", "b", 80)}


def test_a_demand_takes_a_longer_path_with_room() -> None:
    matrix = demands(("a", "b", "10GE", 5), ("b", "c", "10GE", 4), ("a", "c", "10GE", 3))
    assert connections(TRIANGLE, matrix) == {"d0-L1": ("a", "b", 80), "d1-L1": ("b", "c", 70)}


def test_connections_of_another_protection_are_not_shared() -> None:
    matrix = demands(("a", "b", "10GE", 5), ("b", "c", "10GE", 4), ("a", "c", "10GE", 3), ("b", "c", "GE", 1))
    for id in ("d2", "d3"):
        matrix.demands[id] = matrix.demands[id].model_copy(update={"protection_type": "NoProtection"})
    # Nor do they lead d2 over b, where d3 could join it.
    paths = connections(TRIANGLE, matrix)
    assert (paths["d2-L1"], paths["d3-L1"]) == (("a", "c", 30), ("b", "c", 1.25))


def test_services_that_no_device_takes_are_not_cut() -> None:
    matrix = demands(("a", "c", "10GE", 3), ("a", "b", "10GE", 5), ("b", "c", "10GE", 4))
    e1 = Service(type="E1", quantity=1, service_id_list=["e"])
    matrix.demands["d0"].services.append(e1)
    chosen = parameters_of(method="intermediate", mp1h_threshold=0)
    result = groom_network(TRIANGLE, matrix, None, chosen)
    assert set(result["mapping"]["d0"]) == {"d0s0", "d0s1", "d0s2"}
    assert list(result["traffic"]["main"]["remaining_services"]["demands"]) == ["d0"]


@pytest.mark.parametrize(("steps", "direct"), [([], False), (["direct"], True), (["fold"], False)])
def test_large_demands_have_connections_of_their_own(steps: list[str], direct: bool) -> None:
    matrix = demands(("a", "c", "10GE", 8), ("a", "b", "10GE", 2))
    assert (("a", "c", 80) in connections(DETOUR, matrix, intermediate_steps=steps).values()) == direct


@QUICK
@given(clustered(), st.sampled_from([40, 100, 200]))
def test_connections_are_not_overfull(case: Case, line_rate: int) -> None:
    topology, matrix, clusters = case
    rates = {
        id: sum(RATES[s.type] * s.quantity for s in demand.services if s.type != "E1")
        for id, demand in matrix.demands.items()
    }
    largest = max(rates.values(), default=0)
    parameters = parameters_of(method="intermediate", line_rate=line_rate)
    result = groom_network(topology, matrix, clusters, parameters)
    for demand in groomed_demands(result, matrix.model_dump()).values():
        rate = sum(RATES[kind] for kind in demand["kinds"].values() if kind != "E1")
        assert rate <= math.ceil(max(largest, 1e-6) / line_rate - 1e-9) * line_rate + 1e-6


def sample_bytes() -> bytes:
    """The results of all methods for a matrix of the size of the specification's sample."""
    nodes = [f"n{i}" for i in range(22)]
    lengths = {(a, b): 20.0 + i for i, (a, b) in enumerate(zip(nodes, nodes[1:] + nodes[:1], strict=True))}
    topology = line(*nodes, lengths={**lengths, ("n0", "n9"): 70.0, ("n3", "n15"): 90.0})
    clusters = clusters_of((["n0"], ["n1", "n2"]), (["n9", "n10"], ["n11"]))
    matrix = random_matrix(topology, demands=104, services=900)
    return orjson.dumps(
        [groom_network(topology, matrix, clusters, parameters_of(method=method)) for method in get_args(Method)]
    )


def test_same_bytes_under_another_hash_seed() -> None:
    script = "import sys; from test_shared_grooming import sample_bytes; sys.stdout.buffer.write(sample_bytes())"
    other = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONHASHSEED": "7", "PYTHONPATH": ":".join([str(Path(__file__).parent), *sys.path])},
        capture_output=True,
        check=True,
    )
    assert other.stdout == sample_bytes()


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"rates": {"10GE": 10.1}}, "/rates/10GE"),
        ({"rates": {"FE": 0}}, "/rates/FE"),
        ({"mp1h_threshold": 75}, "/mp1h_threshold"),
        ({"line_rate": 50}, "/line_rate"),
    ],
)
def test_parameters_out_of_range_are_refused(values: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refusal:
        validate(GroomingParameters, values)
    assert [error["pointer"] for error in refusal.value.errors] == [pointer]
