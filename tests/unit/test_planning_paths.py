"""Noise, paths and regenerators, each against published values or an exhaustive search."""

from __future__ import annotations

import itertools
from itertools import pairwise
from typing import Any

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.planning.rwa.paths import Graph
from sluice.planning.rwa.regenerators import place_regenerators
from sluice.planning.rwa.signal import SNR_THRESHOLDS, SignalModel, lit_channels
from sluice.planning.topology import Link, Node, Topology
from support.planning.networks import topologies

MODEL = SignalModel()
NINE = lit_channels(range(9))


def network(*links: tuple[str, str, float]) -> Topology:
    names = dict.fromkeys(name for link in links for name in link[:2])
    return Topology(
        nodes=[Node(name=name, lat=0, lng=0, roadm_type="CDC") for name in names],
        links=[Link(source=a, destination=b, length=length, fiber_type="sm") for a, b, length in links],
    )


def test_noise_of_amplifiers() -> None:
    assert MODEL.booster_noise == pytest.approx(3.655604e-07, rel=1e-6)
    assert MODEL.node_noise == pytest.approx(1.346801e-07, rel=1e-6)


@pytest.mark.parametrize(
    ("length", "nli", "ase", "snr"),
    [
        (10, 4.078856e-07, 1.497411e-08, 32.7663),
        (100, 2.116003e-06, 6.064989e-06, 23.5576),
        (137, 2.127849e-06, 5.117316e-05, 15.6915),
        (150, 2.418264e-06, 6.825818e-05, 14.4787),
    ],
)
def test_noise_of_a_link(length: float, nli: float, ase: float, snr: float) -> None:
    assert MODEL.nli(length, 4, NINE) == pytest.approx(nli, rel=1e-6)
    assert MODEL.ase(length) == pytest.approx(ase, rel=1e-6)
    assert MODEL.snr(MODEL.segment_noise([MODEL.link_noise(length, 4, NINE)])) == pytest.approx(snr, abs=5e-5)


def test_published_snr_without_interference() -> None:
    ase = MODEL.ase(10.1)
    assert MODEL.snr(MODEL.segment_noise([ase])) == pytest.approx(34.88054967728231, abs=1e-11)
    assert MODEL.snr(MODEL.segment_noise([ase, ase])) == pytest.approx(33.97970364508825, abs=1e-11)


def test_snr_at_the_lightpaths_own_channel() -> None:
    noise = MODEL.link_noise(10.1, 0, lit_channels([0, 1]))
    assert MODEL.snr(MODEL.segment_noise([noise])) == pytest.approx(33.4054, abs=5e-5)
    assert MODEL.snr(MODEL.segment_noise([noise, noise])) == pytest.approx(31.7854, abs=5e-5)


def test_noise_of_several_spans_is_that_of_each() -> None:
    assert MODEL.ase(2 * 142 + 10) == pytest.approx(2 * MODEL.ase(142) + MODEL.ase(10))
    assert MODEL.nli(2 * 142 + 10, 4, NINE) == pytest.approx(2 * MODEL.nli(142, 4, NINE) + MODEL.nli(10, 4, NINE))


@pytest.mark.parametrize(("modulation", "reach"), [("QPSK", 379), ("8QAM", 135)])
def test_reach_of_a_single_link(modulation: str, reach: int) -> None:
    def snr(length: int) -> float:
        return MODEL.snr(MODEL.segment_noise([MODEL.link_noise(length, 4, NINE)]))

    assert snr(reach) >= SNR_THRESHOLDS[modulation] > snr(reach + 1)


def all_paths(graph: Graph, source: int, target: int) -> list[tuple[int, ...]]:
    """All simple paths, in order of length and then of their nodes."""
    drawn = nx.Graph()
    drawn.add_nodes_from(range(len(graph.names)))
    drawn.add_edges_from((a, b) for a, links in enumerate(graph.neighbours) for b, _, _ in links)
    paths = (tuple(path) for path in nx.all_simple_paths(drawn, source, target))
    return sorted(paths, key=lambda path: (graph.length(path), path))


@given(topologies(lengths=(10, 13)), st.data())
@settings(max_examples=30, deadline=None)
def test_shortest_paths_are_the_first_of_all_simple_paths(topology: Topology, data: st.DataObject) -> None:
    graph = Graph(topology)
    source, target = data.draw(st.permutations(range(len(graph.names))))[:2]
    count = data.draw(st.integers(1, 6))
    nodes = data.draw(
        st.sets(st.sampled_from(sorted(set(range(len(graph.names))) - {source, target})), max_size=2)
        if len(graph.names) > 2
        else st.just(set())
    )
    links = data.draw(st.sets(st.sampled_from(range(len(topology.links))), max_size=2))
    expected = [
        path
        for path in all_paths(graph, source, target)
        if not nodes & set(path) and not links & set(graph.links(path))
    ][:count]
    found = graph.shortest_paths(source, target, count, lit_channels(nodes), lit_channels(links))
    assert found == expected


@given(topologies(lengths=(10, 13)), st.data())
@settings(max_examples=30, deadline=None)
def test_disjoint_pair_is_the_shortest_in_sum(topology: Topology, data: st.DataObject) -> None:
    graph = Graph(topology)
    source, target = data.draw(st.permutations(range(len(graph.names))))[:2]
    pairs = [
        (a, b)
        for a, b in itertools.combinations(all_paths(graph, source, target), 2)
        if not set(a[1:-1]) & set(b[1:-1])
    ]
    pair = graph.disjoint_pair(source, target)
    if not pairs:
        assert pair is None
        return
    assert pair is not None
    assert pair in pairs
    assert sum(map(graph.length, pair)) == min(graph.length(a) + graph.length(b) for a, b in pairs)


def test_a_second_path_turns_back_along_the_first() -> None:
    # The shortest path takes the middle link of the only pair of disjoint paths.
    graph = Graph(network(("S", "A", 1), ("A", "B", 1), ("B", "T", 1), ("S", "B", 9), ("A", "T", 9)))
    assert graph.shortest_paths(2, 3, 1) == [(2, 0, 1, 3)]
    assert graph.disjoint_pair(2, 3) == ((2, 0, 3), (2, 1, 3))


def test_paths_of_equal_length_are_ordered_by_their_nodes() -> None:
    # In floating point 0.1 + 0.2 is more than 0.3.
    graph = Graph(network(("S", "B", 0.15), ("B", "T", 0.15), ("S", "A", 0.1), ("A", "T", 0.2)))
    assert graph.shortest_paths(2, 3, 2) == [(2, 0, 3), (2, 1, 3)]


@given(st.lists(st.integers(10, 280), min_size=1, max_size=7), st.sampled_from([11.3, 16.0]))
@settings(max_examples=30, deadline=None)
def test_regenerators_are_the_fewest_and_then_the_quietest(lengths: list[int], threshold: float) -> None:
    noises = [MODEL.link_noise(length, 4, NINE) for length in lengths]
    splits: list[tuple[Any, ...]] = []
    for count in range(len(noises)):
        for positions in itertools.combinations(range(1, len(noises)), count):
            cuts = [0, *positions, len(noises)]
            worst = max(MODEL.segment_noise(noises[a:b]) for a, b in pairwise(cuts))
            if MODEL.snr(worst) >= threshold:
                splits.append((count, worst))
    placement = place_regenerators(noises, MODEL, threshold)
    if not splits:
        assert placement is None
        return
    assert placement is not None
    assert (len(placement.positions), placement.noise) == min(splits)
