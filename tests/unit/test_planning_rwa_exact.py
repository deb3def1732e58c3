"""The algorithm `ILP` of `rwa`: it keeps all rules, and nothing is better."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain.base import validate
from sluice.planning.rwa.parameters import RwaParameters
from sluice.planning.topology import Link, Node, Topology
from sluice_algorithms.rwa import ALGORITHM
from support.planning.networks import topologies
from support.planning.rwa_invariants import check_rwa
from support.planning.rwa_runs import grooming_of, groomings, run_rwa, through_json


@settings(max_examples=25, deadline=None)
@given(topologies(ring=True, lengths=(10, 900)), st.data())
def test_exact_results_keep_the_rules(topology: Topology, data: st.DataObject) -> None:
    """Restoration included; fewer lightpaths are blocked than greedily, or as many at no higher objective."""
    grooming = data.draw(groomings(topology))
    parameters: dict[str, Any] = {
        "wavelengths": data.draw(st.sampled_from([3, 5, 80])),
        "noise_margin": 1,
        "iterations": 2,
    }
    trade_off = data.draw(st.sampled_from([0.0, 0.1, 0.6, 1.0]))
    greedy, _ = run_rwa(topology, grooming, trade_off=trade_off, **parameters)
    exact, _ = run_rwa(topology, grooming, algorithm="ILP", trade_off=trade_off, **parameters)
    check_rwa(topology, grooming, exact.document, trade_off=trade_off, **{**parameters, "iterations": 1})
    assert ALGORITHM.check is not None
    documents = {"topology": topology.model_dump(), "grooming": grooming}
    given_parameters = validate(RwaParameters, {**parameters, "trade_off": trade_off})
    ALGORITHM.check(through_json(exact.document), documents, given_parameters)
    search = exact.document["exact"]
    assert (search["status"], search["gap"]) == ("optimal", 0.0)
    assert search["blocked_bound"] == len(exact.document["blocked"])
    ours = len(exact.document["blocked"]), search["objective"]
    assert ours <= (len(greedy.document["blocked"]), greedy.document["objective"] + 1e-9)
    assert greedy.document["exact"] is None
    start, best = search["greedy"], greedy.document
    restarts = [(entry["blocked"], entry["objective"]) for entry in best["iterations"]]
    assert (start["restarts"], start["restart"]) == (2, restarts.index(min(restarts)))
    assert start["blocked"] == len(best["blocked"])
    assert start["objective_with_restoration"] == best["objective"]
    shared = sum(best["restoration_regenerators"].values())
    assert start["objective"] == pytest.approx(best["objective"] - (1 - trade_off) * shared)
    assert ours <= (start["blocked"], start["objective"] + 1e-9)


def _lightpath(number: int, ends: str) -> dict[str, Any]:
    return {
        "id": f"L{number}",
        "source": ends[0],
        "destination": ends[1],
        "protection_type": "NoProtection",
        "capacity": 100.0,
    }


def _line() -> tuple[Topology, dict[str, Any]]:
    """Lightpaths on a line of six nodes. Each link carries at most four of them."""
    names = "ABCDEF"
    links = [Link(source=a, destination=b, length=50, fiber_type="sm") for a, b in pairwise(names)]
    topology = Topology(nodes=[Node(name=name, lat=0, lng=0) for name in names], links=links)
    ends = ["AC", "BD", "CE", "DF", "AB", "EF", "BD", "CE", "AC", "DF"]
    return topology, grooming_of([_lightpath(number, pair) for number, pair in enumerate(ends)])


def test_same_inputs_give_the_same_bytes() -> None:
    """The greedy restart needs five wavelengths; the search that starts from it needs four, each time the same."""
    topology, grooming = _line()
    parameters: dict[str, Any] = {"wavelengths": 5, "noise_margin": 1, "iterations": 1}
    greedy, _ = run_rwa(topology, grooming, **parameters)
    first, second = (run_rwa(topology, grooming, algorithm="ILP", **parameters)[0] for _ in range(2))
    assert (greedy.document["wavelengths_used"], first.document["wavelengths_used"]) == (5, 4)
    assert orjson.dumps(first.document) == orjson.dumps(second.document)
    assert first.tables == second.tables
