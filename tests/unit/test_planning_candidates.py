"""Candidates: working and protection paths, downgrades, regenerators and restoration."""

from __future__ import annotations

from typing import Any

import pytest

from sluice.errors import Invalid
from sluice.planning.rwa.candidates import Candidate, Choice, Search, find_candidates
from sluice.planning.topology import Link, Node, Topology

SQUARE = (("A", "B", 10), ("B", "C", 20), ("C", "D", 30), ("D", "A", 40))


def network(*links: tuple[str, str, float]) -> Topology:
    names = dict.fromkeys(name for link in links for name in link[:2])
    return Topology(
        nodes=[Node(name=name, lat=0, lng=0, roadm_type="CDC") for name in names],
        links=[Link(source=a, destination=b, length=length, fiber_type="sm") for a, b, length in links],
    )


def grooming(*ends: str, protection: str = "1+1_NodeDisjoint", restoration: str = "None") -> dict[str, Any]:
    """One lightpath for each pair of nodes, such as `AB`."""
    lightpaths = {
        str(number): {
            "id": str(number),
            "source": pair[0],
            "destination": pair[1],
            "protection_type": protection,
            "restoration_type": restoration,
            "capacity": 100,
        }
        for number, pair in enumerate(ends)
    }
    return {"traffic": {"1": {"cluster_id": None, "lightpaths": lightpaths}}}


def choice(topology: Topology, ends: str, search: Search | None = None, **types: str) -> Choice:
    return find_candidates(topology, grooming(ends, **types), search)["choices"][0]


def nodes(candidate: Candidate) -> tuple[str, str]:
    protection = candidate["protection"]
    return "".join(candidate["working"]["nodes"]), "".join(protection["nodes"]) if protection else ""


def test_protection_shares_no_inner_node_and_is_not_shorter() -> None:
    square = network(*SQUARE, ("B", "D", 35))
    # A-D-C would have the protection A-B-C, which is shorter.
    assert [nodes(candidate) for candidate in choice(square, "AC")["candidates"]] == [("ABC", "ADC")]
    unprotected = choice(square, "AC", protection="NoProtection")["candidates"]
    assert [nodes(candidate) for candidate in unprotected] == [("ABC", ""), ("ADC", ""), ("ABDC", "")]


def test_ends_keep_their_direction() -> None:
    both = find_candidates(network(*SQUARE), grooming("AC", "CA"))
    assert [nodes(both["choices"][path["choice"]]["candidates"][0])[0] for path in both["lightpaths"]] == ["ABC", "CBA"]


def test_without_a_disjoint_pair_protection_is_downgraded() -> None:
    line = network(("A", "B", 10), ("B", "C", 10))
    downgraded = choice(line, "AC", restoration="AdvJointSame")
    assert downgraded["downgraded"]
    assert (downgraded["protection_type"], downgraded["restoration_type"]) == ("NoProtection", "JointSame")
    assert [nodes(candidate) for candidate in downgraded["candidates"]] == [("ABC", "")]
    assert downgraded["candidates"][0]["not_restorable"] == [[0], [1]]


def test_disjoint_pair_that_the_shortest_paths_miss() -> None:
    trap = network(("S", "A", 1), ("A", "B", 1), ("B", "T", 1), ("S", "B", 9), ("A", "T", 9))
    pair = choice(trap, "ST", Search(paths=1))
    assert not pair["downgraded"]
    assert [nodes(candidate) for candidate in pair["candidates"]] == [("SAT", "SBT")]


def test_a_direct_link_protects_rather_than_nothing() -> None:
    triangle = network(("A", "B", 10), ("B", "C", 10), ("A", "C", 50))
    assert [nodes(candidate) for candidate in choice(triangle, "AC")["candidates"]] == [("ABC", "AC")]


def test_unconnected_ends_have_no_candidates() -> None:
    islands = network(("A", "B", 10), ("C", "D", 10))
    assert choice(islands, "AC")["candidates"] == []


def test_links_beyond_reach_carry_nothing() -> None:
    # 500 km in a single segment have 9.7 dB.
    assert [nodes(path) for path in choice(network(*SQUARE, ("A", "C", 500)), "AC")["candidates"]] == [("ABC", "ADC")]
    assert choice(network(("A", "C", 500)), "AC")["candidates"] == []


def test_regenerators_of_both_paths_and_their_noise() -> None:
    ring = network(("A", "B", 140), ("B", "C", 140), ("C", "D", 140), ("A", "D", 140))
    candidate = choice(ring, "AB")["candidates"][0]
    assert nodes(candidate) == ("AB", "ADCB")
    assert candidate["protection"] is not None
    assert (candidate["working"]["regenerators"], candidate["regenerators"]) == ([], 1)
    # D and C cut the three links equally well: the first is taken.
    assert candidate["protection"]["regenerators"] == ["D"]
    assert candidate["noise"] == candidate["protection"]["noise"] > candidate["working"]["noise"]


def test_restoration_avoids_the_failed_link_and_the_protection() -> None:
    square = network(*SQUARE, ("A", "E", 50), ("E", "C", 50))
    candidate = choice(square, "AC", restoration="JointSame")["candidates"][0]
    assert nodes(candidate) == ("ABC", "ADC")
    assert [
        (failure["first"], failure["second"], ["".join(option["nodes"]) for option in failure["options"]])
        for failure in candidate["failures"]
    ] == [(0, None, ["AEC"]), (1, None, ["AEC"])]


def test_advanced_restoration_has_a_path_for_each_pair_of_failures() -> None:
    square = network(*SQUARE, ("B", "D", 5))
    basic = choice(square, "AC", restoration="JointSame")["candidates"][0]
    assert (basic["failures"], basic["not_restorable"]) == ([], [[0], [1]])
    advanced = choice(square, "AC", restoration="AdvJointSame")["candidates"][0]
    assert nodes(advanced) == ("ABC", "ADC")
    paths = {
        (failure["first"], failure["second"]): ["".join(option["nodes"]) for option in failure["options"]]
        for failure in advanced["failures"]
    }
    assert paths == {(0, 2): ["ADBC"], (1, 3): ["ABDC"]}
    assert advanced["not_restorable"] == [[0, 3], [1, 2]]


def test_lightpaths_that_do_not_fit_the_topology_are_refused() -> None:
    with pytest.raises(Invalid) as refused:
        find_candidates(network(*SQUARE), grooming("AX", "BB"))
    assert refused.value.errors == [
        {"pointer": "/traffic/1/lightpaths/0/destination", "message": "The topology has no node 'X'."},
        {"pointer": "/traffic/1/lightpaths/1/destination", "message": "The two ends must be different nodes."},
    ]
