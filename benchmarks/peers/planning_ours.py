"""The algorithm `network_plan` with its restarts in several processes: `planning_ours.py TOPOLOGY MATRIX PARAMETERS`.

The arguments are files of JSON. The steps are given what a deployment gives them: what was prepared and the solutions
pass as JSON. Each process parses what was prepared once.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import xlsxwriter  # noqa: F401 - the last step would import it

from benchmarks.peers.measuring import peak_bytes, processor_seconds
from sluice.algorithms.algorithm import Score, TableInput
from sluice.domain.base import validate
from sluice_algorithms.network_plan import ALGORITHM

_worker: dict[str, Any] = {}


class LocalTask:
    """A run's task with seed 0, whose inputs are in memory."""

    seed = 0

    def __init__(self, documents: dict[str, Any], parameters: dict[str, Any]) -> None:
        """Check the parameters."""
        self.documents = documents
        self.parameters: Any = validate(ALGORITHM.parameters, parameters)
        self.tables: dict[str, TableInput] = {}
        self.scores: Sequence[Score] = ()

    def random(self, restart: int) -> random.Random:
        """The generator that a deployment gives to a restart."""
        return random.Random(f"0:{restart}")

    def progress(self, current: int, total: int | None = None, text: str | None = None) -> None:
        """Nobody waits for it."""

    def warn(self, text: str) -> None:
        """Nobody reads it."""

    def seconds_left(self) -> float:
        """The time of a function."""
        return 900.0


def start_worker(documents: dict[str, Any], parameters: dict[str, Any], prepared: bytes) -> None:
    """Parse in a process what its restarts need."""
    _worker["task"] = LocalTask(documents, parameters)
    _worker["prepared"] = orjson.loads(prepared)


def solve(number: int) -> tuple[Score, bytes, int, int]:
    """A restart's score and solution, the process that solved it, and its peak memory."""
    solution = ALGORITHM.solve(_worker["task"], _worker["prepared"], number)
    score = solution.score if isinstance(solution.score, tuple) else (solution.score,)
    return score, orjson.dumps(solution.document), os.getpid(), peak_bytes("self")


def plan(documents: dict[str, Any], parameters: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """The result's document, and the peak memory of all processes."""
    assert ALGORITHM.prepare is not None
    assert ALGORITHM.restarts is not None
    assert ALGORITHM.finish is not None
    task = LocalTask(documents, parameters)
    prepared = orjson.dumps(ALGORITHM.prepare(task))
    count = ALGORITHM.restarts(task.parameters)
    workers = min(os.process_cpu_count() if hasattr(os, "process_cpu_count") else os.cpu_count() or 1, count)
    pool = ProcessPoolExecutor(workers, get_context("fork"), start_worker, (documents, parameters, prepared))
    with pool:
        solved = list(pool.map(solve, range(count), chunksize=max(count // (4 * workers), 1)))
    task.scores = [score for score, _, _, _ in solved]
    best = min(range(count), key=lambda number: (task.scores[number], number))
    result = ALGORITHM.finish(task, orjson.loads(prepared), orjson.loads(solved[best][1]))
    peaks = {process: peak for _, _, process, peak in solved}
    return dict(result.document), sum(peaks.values())


def main() -> None:
    """Plan, and print the figures of the plan, the seconds and the peak memory; imports are done by then."""
    topology, matrix, parameters = (json.loads(Path(name).read_text()) for name in sys.argv[1:])
    before, begun = processor_seconds(), time.perf_counter()
    document, workers_peak = plan({"topology": topology, "traffic_matrix": matrix}, parameters)
    taken = {"seconds": time.perf_counter() - begun, "busy": processor_seconds() - before}
    figures = {"objective": document["rwa"]["objective"], "blocked": len(document["rwa"]["blocked"])}
    print(json.dumps({**taken, "peak_bytes": peak_bytes("self") + workers_peak, **figures}))


if __name__ == "__main__":
    main()
