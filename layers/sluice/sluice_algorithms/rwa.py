"""Routing and wavelength assignment: paths, wavelengths and regenerators for the lightpaths of a grooming."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sluice.algorithms.algorithm import Algorithm, Input, Result, ResultTable, Score, Solution, Task
from sluice.planning.rwa.assignment import Assignment, assign
from sluice.planning.rwa.candidates import Candidates, find_candidates
from sluice.planning.rwa.check import check_result
from sluice.planning.rwa.document import RwaResult
from sluice.planning.rwa.exact_assignment import improve
from sluice.planning.rwa.linear_model import Budget
from sluice.planning.rwa.parameters import RwaParameters
from sluice.planning.rwa.result import present
from sluice.planning.rwa.tables import rwa_tables
from sluice.planning.topology import Topology

# What is left of a function's time after the exact search, to write and store its result.
_SECONDS_TO_STORE = 30


def prepare(task: Task) -> Candidates:
    """Search the candidates of all lightpaths."""
    topology = Topology.model_validate(task.documents["topology"])
    return find_candidates(topology, task.documents["grooming"], task.parameters.search)


def _assign_greedily(task: Task, candidates: Candidates, restart: int) -> Assignment:
    return assign(candidates, task.parameters.rules, task.random(restart))


def _assign_exactly(task: Task, candidates: Candidates, restart: int) -> Assignment:
    """Improve the best of all greedy restarts."""
    parameters = task.parameters
    starts = [_assign_greedily(task, candidates, number) for number in range(parameters.iterations)]
    seconds = min(parameters.time_limit_seconds, task.seconds_left() - _SECONDS_TO_STORE)
    return improve(
        candidates,
        parameters.rules,
        starts,
        min(range(len(starts)), key=lambda number: score_of(starts[number])),
        Budget(parameters.node_limit, seconds),
        task.random(restart),
        lambda text: task.progress(0, 1, text),
    )


_METHODS: Mapping[str, Callable[[Task, Candidates, int], Assignment]] = {
    "Greedy": _assign_greedily,
    "ILP": _assign_exactly,
}


def restarts(parameters: RwaParameters) -> int:
    """How many restarts there are: the exact algorithm tries all orders in one."""
    return parameters.iterations if parameters.algorithm == "Greedy" else 1


def solve(task: Task, prepared: Candidates, restart: int) -> Solution:
    """Assign all lightpaths."""
    assignment = _METHODS[task.parameters.algorithm](task, prepared, restart)
    return Solution(assignment, score_of(assignment))


def score_of(assignment: Assignment) -> Score:
    """What restarts are ranked by: the number of blocked lightpaths, then the objective."""
    return len(assignment["blocked"]), assignment["objective"]


def finish(task: Task, prepared: Candidates, solution: Assignment) -> Result:
    """Calculate the final SNR, and write the result."""
    topology, parameters = Topology.model_validate(task.documents["topology"]), task.parameters
    iterations = [
        {"restart": restart, "objective": objective, "blocked": int(blocked)}
        for restart, (blocked, objective) in enumerate(task.scores)
    ]
    document = present(topology, prepared, solution, parameters.search, iterations)
    _warn(task, document)
    return Result(document, tables_of(topology, prepared, document, parameters.wavelengths))


def tables_of(
    topology: Topology, candidates: Candidates, document: Mapping[str, Any], wavelengths: int
) -> dict[str, ResultTable]:
    """The tables of a result, by name."""
    tables = rwa_tables(topology, candidates["lightpaths"], document, wavelengths)
    return {name: ResultTable.of(columns, rows) for name, (columns, rows) in tables.items()}


def _warn(task: Task, document: Mapping[str, Any]) -> None:
    blocked, downgraded, missing = document["blocked"], document["downgraded"], document["not_restorable"]
    if blocked:
        task.warn(f"{len(blocked)} lightpaths are blocked, such as {blocked[0]['id']}: {blocked[0]['message']}")
    if downgraded:
        task.warn(
            f"{len(downgraded)} lightpaths are routed without protection, such as {downgraded[0]}: no two disjoint "
            "paths over links within reach join their ends."
        )
    if missing:
        task.warn(f"{len(missing)} lightpaths are not restored after all failures, such as {missing[0]['id']}.")
    low = [
        lightpath["id"]
        for lightpath in document["lightpaths"].values()
        if any(path["margin_db"] < 0 for path in _paths(lightpath["routing_info"]))
    ]
    if low:
        task.warn(
            f"{len(low)} lightpaths are below the SNR threshold with all lit wavelengths, such as {low[0]}: choose a "
            "larger `noise_margin`."
        )


def _paths(info: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    lit = [info[role] for role in ("working", "protection") if role in info]
    return [*lit, *(entry["info"] for entry in info.get("restoration", ()))]


def check(document: Mapping[str, Any], documents: Mapping[str, Any], parameters: RwaParameters) -> None:
    """Check that a hand-made result keeps the rules, and fits the network and the grooming if they are given."""
    topology = Topology.model_validate(documents["topology"]) if "topology" in documents else None
    check_result(document, topology, documents.get("grooming"), parameters.search, parameters.trade_off)


ALGORITHM = Algorithm(
    title="Routing and wavelength assignment",
    description="Gives each lightpath of a grooming a path, a wavelength and its regenerators, with protection and "
    "restoration paths.",
    layer="solver",
    inputs={
        "topology": Input(("topology",), "The physical topology of the network."),
        "grooming": Input(("run:grooming",), "The grooming whose lightpaths are assigned."),
    },
    parameters=RwaParameters,
    output=RwaResult,
    prepare=prepare,
    restarts=restarts,
    solve=solve,
    finish=finish,
    check=check,
    tables={
        "links": "The links with what they carry.",
        "lightpaths": "The lightpaths with their paths and wavelengths; blocked ones, too.",
        "wavelengths": "The wavelengths in use.",
    },
    code=("sluice.planning",),
    packages=("highspy", "numpy"),
)
