"""Runs of `rwa` in one process, and lightpaths for it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from hypothesis import strategies as st

from sluice.algorithm_runs.returned import Returned
from sluice.algorithms.algorithm import Algorithm, Result, Score, Solution, TableInput
from sluice.domain.base import Document, validate, validation_faults
from sluice.planning.topology import Topology
from sluice_algorithms.rwa import ALGORITHM
from support.planning.networks import PROTECTIONS, RESTORATIONS


class LocalTask:
    """A run's task whose inputs are in memory."""

    def __init__(self, documents: Mapping[str, Any], parameters: Document, seed: int) -> None:
        self.documents = documents
        self.parameters: Any = parameters
        self.seed = seed
        self.tables: dict[str, TableInput] = {}
        self.scores: Sequence[Score] = ()
        self.warnings: list[str] = []

    def random(self, restart: int) -> random.Random:
        return random.Random(f"{self.seed}:{restart}")

    def progress(self, current: int, total: int | None = None, text: str | None = None) -> None:
        """Nothing waits for it."""

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def seconds_left(self) -> float:
        return 900.0


def through_json(document: Any) -> Any:
    """What a later step gets of a document that was stored."""
    return orjson.loads(orjson.dumps(document))


def run_rwa(
    topology: Topology, grooming: Mapping[str, Any], seed: int = 0, backwards: bool = False, **parameters: Any
) -> tuple[Result, list[str]]:
    """Run all steps of `rwa`.

    Args:
        topology: the network.
        grooming: the result of grooming.
        seed: the run's seed.
        backwards: solve the last restart first.
        parameters: the parameters of `rwa`.

    Returns:
        The result and the warnings.
    """
    documents = {"topology": topology.model_dump(), "grooming": grooming}
    return run_steps(ALGORITHM, documents, parameters, seed, backwards)


def run_steps(
    algorithm: Algorithm,
    documents: Mapping[str, Any],
    parameters: Mapping[str, Any],
    seed: int = 0,
    backwards: bool = False,
) -> tuple[Result, list[str]]:
    """Run all steps of an algorithm; each gets the documents of the steps before through JSON, as in a deployment.

    Args:
        algorithm: the algorithm.
        documents: its inputs.
        parameters: its parameters.
        seed: the run's seed.
        backwards: solve the last restart first.

    Returns:
        The result and the warnings.
    """
    given = validate(algorithm.parameters, parameters)
    assert algorithm.prepare is not None
    assert algorithm.restarts is not None
    assert algorithm.finish is not None
    first = LocalTask(documents, given, seed)
    prepared = orjson.dumps(algorithm.prepare(first))
    numbers = range(algorithm.restarts(given))
    solutions: dict[int, Solution] = {}
    for number in reversed(numbers) if backwards else numbers:
        solutions[number] = algorithm.solve(LocalTask(documents, given, seed), orjson.loads(prepared), number)
    last = LocalTask(documents, given, seed)
    returned = Returned("rwa", algorithm)
    last.scores = [returned.score(solutions[number]) for number in numbers]
    best = min(numbers, key=lambda number: (last.scores[number], number))
    result = algorithm.finish(last, orjson.loads(prepared), through_json(solutions[best].document))
    assert not validation_faults(algorithm.output, result.document)
    return result, first.warnings + last.warnings


def grooming_of(lightpaths: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A grooming with these lightpaths."""
    return {"traffic": {"1": {"cluster_id": None, "lightpaths": {path["id"]: path for path in lightpaths}}}}


@st.composite
def groomings(draw: st.DrawFn, topology: Topology, most: int = 12) -> dict[str, Any]:
    """Groomings with up to so many lightpaths between any nodes of a topology."""
    names = [node.name for node in topology.nodes]
    count = draw(st.integers(1, most))
    lightpaths = []
    for number in range(count):
        source, destination = draw(st.lists(st.sampled_from(names), min_size=2, max_size=2, unique=True))
        lightpath = {
            "id": f"L{count - number}",
            "source": source,
            "destination": destination,
            "demand_id": f"D{number}",
            "routing_type": "100GE",
            "protection_type": draw(st.sampled_from(PROTECTIONS)),
            "restoration_type": draw(st.sampled_from(RESTORATIONS)),
            "capacity": draw(st.sampled_from([70.0, 82.5, 100.0])),
        }
        lightpaths.append(lightpath)
    return grooming_of(lightpaths)
