"""The exact assignment of the lightpaths of a network: its problem, and its result with restoration paths."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from sluice.planning.rwa.assignment import Assignment, Rules, assign_chosen
from sluice.planning.rwa.candidates import Candidate, Candidates
from sluice.planning.rwa.exact import assign_exactly
from sluice.planning.rwa.linear_model import Budget
from sluice.planning.rwa.wavelength_problem import Assignment as Choices
from sluice.planning.rwa.wavelength_problem import Option, WavelengthProblem


def improve(
    candidates: Candidates,
    rules: Rules,
    starts: Sequence[Assignment],
    best_start: int,
    budget: Budget,
    rng: random.Random,
    progress: Callable[[str], None],
) -> Assignment:
    """Assign paths and wavelengths as well as possible, then restoration paths as far as these permit.

    The fewest lightpaths are blocked; among such assignments, wavelengths and the regenerators of working and
    protection paths decide. Restoration paths are not part of the search.

    Args:
        candidates: what `find_candidates` returns, also after a way through JSON.
        rules: how lightpaths are assigned.
        starts: the assignments of greedy restarts.
        best_start: the number of the one to improve; it is returned if no better one is found.
        budget: what the search may spend.
        rng: draws combinations of restoration paths.
        progress: called with what is being done.

    Returns:
        The assignment, with `exact`.
    """
    problem, start = problem_of(candidates, rules), starts[best_start]
    ids = [lightpath["id"] for lightpath in candidates["lightpaths"]]
    started = [
        (assigned["candidate"], assigned["wavelength"]) if (assigned := start["assigned"].get(key)) else None
        for key in ids
    ]
    best, proof = assign_exactly(problem, started, budget, progress)
    assignment = start
    if best is not started:
        chosen = {key: choice for key, choice in zip(ids, best, strict=True) if choice is not None}
        assignment = assign_chosen(candidates, rules, chosen, rng)
    objective = _objective(problem, best)
    gap = None if proof.bound is None else (objective - proof.bound) / objective if objective else 0.0
    return {
        **assignment,
        "exact": {
            "status": proof.status,
            "blocked_bound": proof.blocked_bound,
            "objective": objective,
            "bound": proof.bound,
            "gap": gap,
            "greedy": {
                "restarts": len(starts),
                "restart": best_start,
                "blocked": len(start["blocked"]),
                "objective": _objective(problem, started),
                "objective_with_restoration": start["objective"],
            },
        },
    }


def _objective(problem: WavelengthProblem, chosen: Choices) -> float:
    """The objective of working and protection paths alone."""
    _, wavelengths, regenerators = problem.counts(chosen)
    return problem.objective(wavelengths, regenerators)


def problem_of(candidates: Candidates, rules: Rules) -> WavelengthProblem:
    """The problem of assigning all lightpaths; options are candidates, in their order."""
    links = candidates["link_count"]
    nodes = {name: 1 << links + place for place, name in enumerate(candidates["directionless"])}
    options = [[_option(candidate, nodes) for candidate in choice["candidates"]] for choice in candidates["choices"]]
    return WavelengthProblem(
        [options[lightpath["choice"]] for lightpath in candidates["lightpaths"]], rules.channels, rules.trade_off
    )


def _option(candidate: Candidate, nodes: dict[str, int]) -> Option:
    resources = 0
    for plan in (candidate["working"], candidate["protection"]):
        if plan is not None:
            ends = plan["nodes"][0], plan["nodes"][-1]
            for name in (*ends, *plan["regenerators"]):
                resources |= nodes.get(name, 0)
            for link in plan["links"]:
                resources |= 1 << link
    return Option(resources, candidate["regenerators"])
