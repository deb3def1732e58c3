"""Batches of sensor readings into the emulator: the function `readings` against a plain loop.

The batches are consecutive events of Kinesis with 10,000 records each, in two shapes: 100 sensors that are read each
ten seconds, and 1,000 that are read each 100 seconds. The first batch of a process warms it up and is not measured.

- Sluice: the handler of the function, which stores the batch as received, a file of its readings in the lake, and
  blocks of readings with their rollups in DynamoDB;
- plain loop: each record is parsed, validated with pydantic and written as an item, 25 in a request; no rollups.

Both write to the same emulator, in processes of their own, and take turns in each round; medians are compared. Time
includes the emulator's, which has one process. Without writes, what the handler reads and writes is kept in its
process, and the plain loop only parses and validates. Readings per second and core are of the processor time of the
function's process alone, writes included, as Lambda bills it when the network does not wait.
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
from itertools import count
from pathlib import Path
from typing import Any

import boto3

from benchmarks.peers.readings_plain import TABLE
from benchmarks.peers.readings_stream import BATCH
from benchmarks.support import ROOT, Comparison, free_port, higher_is_better, show, table
from sluice_cli.local.emulator import Emulator, aws_environment

sys.path.insert(0, str(ROOT / "tests"))

from support.template import resources

# Sensors, and the seconds after which each is read again.
SHAPES = [(100, 10), (1_000, 100)]
OURS, PLAIN = "readings_ours", "readings_plain"
ASKED = 5.0
AIM = 100_000.0
_workspaces = count()


def prepare(url: str) -> None:
    """Create the tables and the bucket."""
    client = boto3.client("dynamodb", endpoint_url=url, region_name="us-east-1")
    tables = resources("AWS::DynamoDB::Table")
    for name in ("ReadingsTable", "DefinitionsTable"):
        kept = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
        client.create_table(TableName=name, **{part: tables[name][part] for part in kept if part in tables[name]})
    key: Any = [{"AttributeName": "sensor", "KeyType": "HASH"}, {"AttributeName": "time", "KeyType": "RANGE"}]
    types: Any = [{"AttributeName": part["AttributeName"], "AttributeType": "S"} for part in key]
    client.create_table(TableName=TABLE, KeySchema=key, AttributeDefinitions=types, BillingMode="PAY_PER_REQUEST")
    boto3.client("s3", endpoint_url=url, region_name="us-east-1").create_bucket(Bucket="lake")


def measured(url: str, module: str, shape: tuple[int, int], batches: int, *, writes: bool) -> list[tuple[float, float]]:
    """Seconds and processor seconds of each batch.

    Raises:
        SystemExit: the process failed.
    """
    variables = {
        **os.environ,
        **aws_environment(url),
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "functions")]),
        "POWERTOOLS_SERVICE_NAME": "sluice",
        "READINGS_TABLE": "ReadingsTable",
        "DEFINITIONS_TABLE": "DefinitionsTable",
        "LAKE_BUCKET": "lake",
        "WORKSPACE": f"w{next(_workspaces)}",
    }
    sensors, seconds = shape
    numbers = map(str, (sensors, seconds, batches + 1, int(writes)))
    command = [sys.executable, "-m", f"benchmarks.peers.{module}", *numbers]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=variables, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SystemExit(f"{module} failed: {done.stderr[-2000:]}")
    result: list[tuple[float, float]] = json.loads(done.stdout.splitlines()[-1])
    return result


def compared(results: dict[tuple[Any, ...], list[tuple[float, float]]]) -> list[Comparison]:
    """Readings a second of both ways, for each shape with and without writes."""
    comparisons = []
    for shape in SHAPES:
        for writes in (True, False):
            ours, plain = (
                BATCH / statistics.median(taken for taken, _ in results[way, shape, writes]) for way in (OURS, PLAIN)
            )
            case = f"{shape[0]} sensors each {shape[1]} s, {'with' if writes else 'without'} writes"
            asked = ASKED if writes else None
            comparisons.append(higher_is_better("readings", case, ours, plain, "plain loop", "readings/s", asked))
    return comparisons


def show_per_core(results: dict[tuple[Any, ...], list[tuple[float, float]]]) -> None:
    """Print the readings per second of processor time of each way."""
    rows = [
        (
            f"{way.removeprefix('readings_')}, {shape[0]} sensors, {'with' if writes else 'without'} writes",
            f"{BATCH / statistics.median(busy for _, busy in taken):,.0f}",
        )
        for (way, shape, writes), taken in results.items()
    ]
    table(("readings per second and core", f"aim {AIM:,.0f}"), rows)


def main() -> None:
    """Measure all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batches", type=int, default=5, help="measured batches of each process")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    results: dict[tuple[Any, ...], list[tuple[float, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        emulator = Emulator(Path(folder), free_port())
        emulator.start()
        try:
            os.environ.update(aws_environment(emulator.url))
            prepare(emulator.url)
            for number in range(options.rounds):
                for shape in SHAPES:
                    for writes in (True, False):
                        for way in (OURS, PLAIN):
                            taken = measured(emulator.url, way, shape, options.batches, writes=writes)
                            results[way, shape, writes] += taken
                print(f"• round {number + 1} of {options.rounds}", flush=True)
        finally:
            emulator.stop()
    show(compared(results))
    print()
    show_per_core(results)


if __name__ == "__main__":
    main()
