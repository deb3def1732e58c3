"""What the greedy assignment prefers: orders, candidates, wavelengths and restoration paths."""

from __future__ import annotations

import random
from typing import Any

import pytest

from sluice.planning.rwa.assignment import Order, Rules, assign, order_lightpaths
from sluice.planning.rwa.candidates import Candidate, Candidates, PathPlan, find_candidates
from sluice.planning.rwa.restoration import Chooser, Masks, Option, Plan, RegeneratorPool
from sluice.planning.topology import Link, Node, Topology
from support.planning.rwa_runs import grooming_of


def demanded(*ends: str) -> dict[str, Any]:
    """A grooming with one lightpath for each pair of nodes, such as `AB`; the ids are `AB0`, `AC1` and so on."""
    types = {"protection_type": "NoProtection", "restoration_type": "None", "capacity": 100}
    return grooming_of(
        [{"id": f"{pair}{i}", "source": pair[0], "destination": pair[1], **types} for i, pair in enumerate(ends)]
    )


@pytest.mark.parametrize(
    ("order", "ranks"),
    [
        ("longest_first", {"AC1": 0, "AB0": 1, "AB2": 1, "DE3": 1}),
        ("shortest_first", {"AB0": 0, "AB2": 0, "DE3": 0, "AC1": 1}),
        # Three lightpaths go over A-B.
        ("most_loaded_first", {"AB0": 0, "AC1": 0, "AB2": 0, "DE3": 1}),
        ("random", {"AB0": 0, "AC1": 0, "AB2": 0, "DE3": 0}),
    ],
)
def test_orders_sort_and_shuffle_equals(order: Order, ranks: dict[str, int]) -> None:
    topology = Topology(
        nodes=[Node(name=name, lat=0, lng=0, roadm_type="CDC") for name in "ABCDE"],
        links=[Link(source=a, destination=b, length=10, fiber_type="sm") for a, b in ("AB", "BC", "DE")],
    )
    candidates = find_candidates(topology, demanded("AB", "AC", "AB", "DE"))
    orders = {
        tuple(path["id"] for path in order_lightpaths(candidates, order, random.Random(seed))) for seed in range(30)
    }
    assert len(orders) > 1
    for ids in orders:
        assert [ranks[key] for key in ids] == sorted(ranks.values())


def plan(link: int, regenerators: int = 0, noise: float = 1e-6) -> PathPlan:
    return {"nodes": ["A", "C", "B"], "links": [link], "regenerators": ["C"] * regenerators, "noise": noise}


def candidate(link: int, regenerators: int = 0, noise: float = 0.0, missing: int = 0) -> Candidate:
    return {
        "working": plan(link, regenerators, noise),
        "protection": None,
        "regenerators": regenerators,
        "noise": noise,
        "failures": [],
        "not_restorable": [[link]] * missing,
    }


def given(*candidates: Candidate, count: int = 1) -> Candidates:
    """So many lightpaths from A to B, with these candidates."""
    types = {"protection_type": "NoProtection", "restoration_type": "None"}
    ends = {"source": "A", "destination": "B"}
    return {
        "nodes": ["A", "B", "C"],
        "directionless": [],
        "link_count": 4,
        "lightpaths": [
            {
                "id": str(number),
                **ends,  # type: ignore[typeddict-item]
                **types,
                "cluster_id": None,
                "demand_id": None,
                "routing_type": "100GE",
                "capacity": 100.0,
                "choice": 0,
            }
            for number in range(count)
        ],
        "choices": [{**ends, **types, "downgraded": False, "candidates": list(candidates)}],  # type: ignore[typeddict-item]
    }


@pytest.mark.parametrize(
    ("candidates", "best"),
    [
        ([candidate(0), candidate(1)], 0),
        ([candidate(0, regenerators=1, noise=1e-6), candidate(1)], 1),
        ([candidate(0, 1, noise=2e-4), candidate(1, 1, noise=1e-4)], 1),
        # 1000 times the difference of noise is less than a regenerator.
        ([candidate(0, 1, noise=2e-4), candidate(1, 2, noise=1e-6)], 0),
        ([candidate(0, missing=1), candidate(1, regenerators=1, noise=1e-4)], 1),
        ([candidate(0, missing=2), candidate(1, missing=1)], 1),
    ],
)
def test_candidates_are_chosen_by_restoration_objective_and_noise(candidates: list[Candidate], best: int) -> None:
    assignment = assign(given(*candidates), Rules(), random.Random(0))
    assert assignment["assigned"]["0"]["candidate"] == best


def test_a_regenerator_is_weighed_against_a_wavelength() -> None:
    lightpaths = given(candidate(0), candidate(1, regenerators=1, noise=1e-6), count=2)
    cheap, dear = (assign(lightpaths, Rules(trade_off=weight), random.Random(0)) for weight in (0.1, 0.9))
    assert (cheap["wavelengths_used"], cheap["regenerators_used"]) == (2, 0)
    assert (dear["wavelengths_used"], dear["regenerators_used"]) == (1, 1)
    assert [cheap["objective"], dear["objective"]] == [pytest.approx(0.2), pytest.approx(0.9 + 0.1)]


PLAIN = Option(others=(0,), drops=(), uses=())
REGENERATED = Option(others=(0,), drops=(), uses=((2, 0, None),))
ANY = Masks(busy=0, shared=0)


def choose(
    failures: list[list[tuple[Option, Masks]]],
    free: int = 0b111,
    in_use: int = 0b111,
    trade_off: float = 0.1,
    cap: int = 256,
    pairs: bool = False,
) -> Plan:
    chooser = Chooser(
        [[option for option, _ in options] for options in failures],
        [pairs] * len(failures),
        [[masks for _, masks in options] for options in failures],
        free,
        in_use,
        RegeneratorPool(),
    )
    return chooser.choose(trade_off, cap, random.Random(0))


@pytest.mark.parametrize(
    ("masks", "wavelength"),
    [
        ([ANY, ANY], 0),
        ([Masks(busy=0b001, shared=0), ANY], 1),
        ([Masks(busy=0, shared=0b110), Masks(busy=0, shared=0b100)], 2),
        # Shared on one of two paths only.
        ([Masks(busy=0, shared=0b010), Masks(busy=0, shared=0b100)], 0),
        ([Masks(busy=0b100, shared=0b100), ANY], 0),
    ],
)
@pytest.mark.parametrize("cap", [1, 0])
def test_the_lowest_shared_wavelength_is_preferred_to_the_lowest(masks: list[Masks], wavelength: int, cap: int) -> None:
    assert choose([[(PLAIN, masks[0])], [(PLAIN, masks[1])]], cap=cap).wavelength == wavelength


@pytest.mark.parametrize("cap", [256, 1])
@pytest.mark.parametrize(
    ("options", "in_use", "trade_off", "best"),
    [
        ([(PLAIN, ANY), (PLAIN, ANY)], 0b111, 0.1, 0),
        ([(REGENERATED, ANY), (PLAIN, ANY)], 0b111, 0.1, 1),
        ([(REGENERATED, ANY), (PLAIN, Masks(busy=0b001, shared=0))], 0b001, 0.1, 1),
        ([(REGENERATED, ANY), (PLAIN, Masks(busy=0b001, shared=0))], 0b001, 0.9, 0),
        ([(PLAIN, Masks(busy=0b111, shared=0)), (REGENERATED, ANY)], 0b111, 0.1, 1),
    ],
)
def test_restoration_paths_are_chosen_by_wavelengths_and_regenerators(
    options: list[tuple[Option, Masks]], in_use: int, trade_off: float, best: int, cap: int
) -> None:
    assert choose([options], in_use=in_use, trade_off=trade_off, cap=cap).options == (best,)


def test_failures_without_a_common_wavelength_are_restored_as_far_as_possible() -> None:
    first, second = Masks(busy=0b011, shared=0), Masks(busy=0b100, shared=0)
    chosen = choose([[(PLAIN, first)], [(PLAIN, second)], [(PLAIN, ANY)]])
    assert (chosen.options, chosen.wavelength, chosen.missing) == ((0, None, 0), 2, 1)


def test_pairs_of_failures_are_combined_at_most_ten_times() -> None:
    # Only the last of 2^12 combinations has no regenerator: ten random ones miss it.
    failures = [[(REGENERATED, ANY), (PLAIN, ANY)]] * 12
    assert choose(failures, cap=10_000).options == (1,) * 12
    drawn = choose(failures, cap=10_000, pairs=True)
    assert 0 in drawn.options
    assert drawn.regenerators < 12
