"""What the benchmarks of reading a database share: servers, ways that take turns, and their comparison."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.support import ROOT, Comparison, higher_is_better, lower_is_better

OURS = "Sluice"
_MOST_MEGABYTES = 300.0

Results = dict[str, list[dict[str, Any]]]


@contextmanager
def server(module: str, *arguments: str) -> Iterator[int]:
    """The port of a server in a process of its own, which ends with the context.

    Args:
        module: a module of the tests that serves until its standard input ends, and prints its port first.
        arguments: its arguments.
    """
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, cwd=ROOT / "tests", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            yield int(running.stdout.readline())
        finally:
            running.stdin.close()


def measure(
    python: Path, module: str, before: list[str], after: list[str], variables: Mapping[str, str]
) -> dict[str, Any]:
    """What the own process of a way to read measures: `rows`, `seconds` and `peak_bytes`.

    Args:
        python: the interpreter, in whose environment the way's packages are.
        module: a module in `benchmarks/peers/`.
        before: its arguments before the folder that it may write to.
        after: its arguments after that folder.
        variables: further variables of its environment.

    Raises:
        SystemExit: it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(python), "-m", f"benchmarks.peers.{module}", *before, folder, *after],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
        )
    if done.returncode != 0:
        raise SystemExit(f"{module} failed: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def take_turns(ways: Mapping[str, Callable[[], dict[str, Any]]], rounds: int, rows: int) -> Results:
    """The results of all ways, which read one after the other in each round.

    Args:
        ways: the function that measures each way once.
        rounds: how often each way reads.
        rows: how many rows each way must find.

    Raises:
        SystemExit: a way has another number of rows.
    """
    results: Results = defaultdict(list)
    for number in range(rounds):
        for way, measure_once in ways.items():
            results[way].append(measure_once())
        print(f"• round {number + 1}: " + ", ".join(f"{way} {of[-1]['seconds']:.1f} s" for way, of in results.items()))
        for way, of in results.items():
            if of[-1]["rows"] != rows:
                raise SystemExit(f"{way} has {of[-1]['rows']} rows, and not {rows}")
    return results


def compare(benchmark: str, results: Results, asked: Mapping[str, float] | None = None) -> list[Comparison]:
    """Our rows per second and memory beside those of the other ways, by their medians.

    Args:
        benchmark: the benchmark's name.
        results: the results of all ways, ours included.
        asked: by way, how many times as many rows per second we want to read.
    """
    rate = {way: statistics.median(result["rows"] / result["seconds"] for result in of) for way, of in results.items()}
    peak = {way: statistics.median(result["peak_bytes"] for result in of) / 1e6 for way, of in results.items()}
    comparisons = []
    for way in [way for way in results if way != OURS]:
        wanted = (asked or {}).get(way)
        comparisons.append(higher_is_better(benchmark, f"rows, {way}", rate[OURS], rate[way], way, "rows/s", wanted))
        comparisons.append(lower_is_better(benchmark, f"memory, {way}", peak[OURS], peak[way], way, "MB"))
    limit = lower_is_better(benchmark, "memory, limit", peak[OURS], _MOST_MEGABYTES, "the limit", "MB", 1.0)
    return [*comparisons, limit]
