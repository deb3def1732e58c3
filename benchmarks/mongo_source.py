"""A collection of MongoDB into raw pages: the mongo source against a plain loop over pymongo.

The collection has a million documents of eleven fields: ids, texts, decimals, dates, numbers, an embedded document,
a uuid. The server is the tests' own, a process of Python on loopback that sends documents which it has encoded
before; each way reads in a process of its own, and what they import is not counted. Both take turns in each round;
medians are compared.

- Sluice: documents become pages of Extended JSON with the types of their columns, compressed and written as the
  lake keeps them;
- pymongo: `for document in collection.find().sort("_id", 1)`, each written as a line of Extended JSON by
  `bson.json_util`, relaxed and canonical, and not compressed.

dlt has a source for MongoDB, but not in its package. `mongo_source.py --rows N --rounds N`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.support import ROOT, Comparison, higher_is_better, lower_is_better, show

OURS, RELAXED, CANONICAL = "Sluice", "pymongo, relaxed", "pymongo, canonical"
MOST_MEGABYTES = 300


@contextmanager
def server(rows: int) -> Iterator[int]:
    """The port of a server that has the collection."""
    command = [sys.executable, "-m", "support.mongo_server", str(rows)]
    with subprocess.Popen(
        command, cwd=ROOT / "tests", stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        try:
            yield int(running.stdout.readline())
        finally:
            running.stdin.close()


def measured(module: str, port: int, *arguments: str) -> dict[str, Any]:
    """What one way's own process measured.

    Raises:
        SystemExit: it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", f"benchmarks.peers.{module}", str(port), folder, *arguments]
        variables = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, env=variables, stdin=subprocess.DEVNULL
        )
    if done.returncode != 0:
        raise SystemExit(f"{module} failed: {done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def compared(results: dict[str, list[dict[str, Any]]]) -> list[Comparison]:
    rate = {way: statistics.median(one["rows"] / one["seconds"] for one in of) for way, of in results.items()}
    peak = {way: statistics.median(one["peak_bytes"] for one in of) / 1e6 for way, of in results.items()}
    comparisons = []
    for way in (RELAXED, CANONICAL):
        comparisons.append(higher_is_better("mongo_source", f"rows, {way}", rate[OURS], rate[way], way, "rows/s"))
        comparisons.append(lower_is_better("mongo_source", f"memory, {way}", peak[OURS], peak[way], way, "MB"))
    limit = float(MOST_MEGABYTES)
    return [*comparisons, lower_is_better("mongo_source", "memory, limit", peak[OURS], limit, "the limit", "MB", 1.0)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    results: dict[str, list[dict[str, Any]]] = defaultdict(list)
    with server(options.rows) as port:
        for number in range(options.rounds):
            results[OURS].append(measured("mongo_ours", port))
            results[RELAXED].append(measured("mongo_pymongo", port, "relaxed"))
            results[CANONICAL].append(measured("mongo_pymongo", port, "canonical"))
            print(
                f"• round {number + 1}: " + ", ".join(f"{way} {of[-1]['seconds']:.1f} s" for way, of in results.items())
            )
            wrong = [way for way, of in results.items() if of[-1]["rows"] != options.rows]
            if wrong:
                raise SystemExit(f"{wrong[0]} has {results[wrong[0]][-1]['rows']} rows, and not {options.rows}")
    show(compared(results))


if __name__ == "__main__":
    main()
