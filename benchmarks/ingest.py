"""Pages of an HTTP API made into Parquet: the running local stack against dlt, airbyte-cdk and bare loops.

The upstream is a server on loopback, a process of its own, which has rendered all pages before. Ours
is a datasource with offset pagination on a stack of its own, with all that a run does: raw pages,
receipts, types, row numbers; the time is from the POST of the run until its status is `succeeded`. In the
first round all functions start cold; the stack keeps them for two minutes, as AWS does for some, so later
rounds may find them warm. The peers are processes in environments of their own; what they import is not counted:

- dlt: `rest_api` to Parquet files in a folder, with its defaults;
- airbyte-cdk: the declarative source with its defaults; its records are counted and not kept;
- bare loop: httpx asks for one page after the other, DuckDB makes Parquet of the files;
- bare loop + gzip + S3: the same, and each page is compressed at level 1 and put into the emulator's S3.

All take turns in each round, on the same machine at the same time; medians are compared. Memory is the
most that a process had resident; of ours, each function's process, without the emulator.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.peers.ingest_pages import RECORDS
from benchmarks.peers.measuring import peak_bytes
from benchmarks.support import ROOT, environment, free_port, higher_is_better, show, table
from sluice_cli.errors import StepFailed
from sluice_cli.local.emulator import Emulator, aws_environment
from sluice_cli.local.processes import group_members
from sluice_cli.local.stack import LocalStack
from sluice_cli.runs.follow import wait
from sluice_client import Sluice

PAGES, ROUNDS = 1_000, 3
LONGEST_SECONDS = 3_600
BUCKET = "bench"
OURS, DLT, AIRBYTE, BARE, BARE_S3 = "Sluice", "dlt", "airbyte-cdk", "bare loop", "bare loop + gzip + S3"
ASKED = {DLT: 4.0, BARE_S3: 0.5}


@dataclass
class Result:
    """One ingest: how long it took, and what it needed."""

    rows: int
    seconds: float
    peak_bytes: int
    emulator_seconds: float = 0.0
    functions: dict[str, tuple[int, float]] = field(default_factory=dict)
    stages: dict[str, float] = field(default_factory=dict)


class Functions:
    """Watches the processes that an emulator starts for functions: peak memory and processor time of each."""

    def __init__(self, emulator: int) -> None:
        self._emulator = emulator
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._names: dict[int, str] = {}
        self._peaks: dict[int, int] = {}
        self._first: dict[int, float] = {}
        self._last: dict[int, float] = {}

    def __enter__(self) -> Functions:
        self._look(new=False)
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stop.set()
        self._thread.join()
        self._look()

    def _watch(self) -> None:
        while not self._stop.wait(0.25):
            self._look()

    def _look(self, *, new: bool = True) -> None:
        for pid in group_members(self._emulator):
            with suppress(OSError):  # it has just ended
                seconds = processor_seconds(pid)
                self._names.setdefault(pid, function_name(pid))
                self._first.setdefault(pid, 0.0 if new else seconds)
                self._last[pid] = seconds
                self._peaks[pid] = max(self._peaks.get(pid, 0), peak_bytes(pid))

    @property
    def emulator_seconds(self) -> float:
        """The processor time of the emulator itself."""
        return self._last[self._emulator] - self._first[self._emulator]

    def used(self) -> dict[str, tuple[int, float]]:
        """Of each function that did anything: the peak memory of a process, and the processor time of all."""
        used: dict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
        for pid, name in self._names.items():
            seconds = self._last[pid] - self._first[pid]
            if name and seconds > 0:
                peak, before = used[name]
                used[name] = max(peak, self._peaks[pid]), before + seconds
        return dict(used)


def function_name(pid: int) -> str:
    """The function that a process of the emulator runs; empty where it runs none."""
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    names = [one.partition(b"=")[2].decode() for one in variables if one.startswith(b"AWS_LAMBDA_FUNCTION_NAME=")]
    return names[0].partition("-")[2] if names else ""


def processor_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def upstream(pages: int, salt: int) -> Iterator[str]:
    """The address of a server of so many pages, unlike those of any other salt."""
    command = [sys.executable, "-m", "benchmarks.peers.ingest_pages", str(pages), str(salt)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


class Bench:
    """The five ways of one ingest."""

    def __init__(self, stack: LocalStack, description: dict[str, Any], pages: int) -> None:
        assert isinstance(stack.emulator, Emulator)
        pid = stack.emulator.pid()
        assert pid is not None
        self._emulator = pid
        self._endpoint = description["endpoint_url"]
        self._api = Sluice(description["api"], description["api_key"])
        self._pages = pages
        self._runs = count(1)
        self.ways: dict[str, Callable[[str], Result]] = {
            OURS: self._ours,
            DLT: partial(self._peer, "dlt", []),
            AIRBYTE: partial(self._peer, "airbyte", []),
            BARE: partial(self._peer, "bare", []),
            BARE_S3: partial(self._peer, "bare", [self._endpoint, BUCKET]),
        }

    def run(self, way: str, url: str) -> Result:
        """One ingest of all pages.

        Raises:
            SystemExit: it failed, or gave other than all records.
        """
        result = self.ways[way](url)
        if result.rows != self._pages * RECORDS:
            raise SystemExit(f"{way} has {result.rows} records, and not {self._pages * RECORDS}")
        return result

    def _ours(self, url: str) -> Result:
        slug = f"bench-{next(self._runs)}"
        pagination = {"type": "offset", "offset_param": "offset", "limit_param": "limit", "limit": RECORDS}
        http = {"url": f"{url}/records", "pagination": {**pagination, "total": "total"}}
        document = {"name": slug, "kind": "http", "http": http, "records": "items"}
        self._api.put(f"/datasources/{slug}", document)
        with Functions(self._emulator) as functions:
            begun = time.perf_counter()
            run = wait(self._api, self._api.post(f"/datasources/{slug}/runs")["id"], LONGEST_SECONDS)
            seconds = time.perf_counter() - begun
        if run["status"] != "succeeded":
            raise SystemExit(f"the run ended as {run['status']}: {run['error']}")
        used = functions.used()
        peak = max(used[name][0] for name in used)
        return Result(run["rows"], seconds, peak, functions.emulator_seconds, used, self._stages(run["id"]))

    def _stages(self, run: str) -> dict[str, float]:
        """How long a run was in each of its stages."""
        events = [event for event in self._api.items(f"/runs/{run}/events") if event["event"] != "page"]
        times = [datetime.fromisoformat(event["time"]) for event in events]
        stages: dict[str, float] = defaultdict(float)
        for event, begun, ended in zip(events, times, times[1:], strict=False):
            stages[event["event"]] += (ended - begun).total_seconds()
        return dict(stages)

    def _peer(self, name: str, more: list[str], url: str) -> Result:
        before = processor_seconds(self._emulator)
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(
                [str(environment(name)), "-m", f"benchmarks.peers.ingest_{name}", url, folder, *more],
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": folder,
                    "RUNTIME__DLTHUB_TELEMETRY": "false",
                    **aws_environment(self._endpoint),
                },
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode != 0:
            raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
        emulator_seconds = processor_seconds(self._emulator) - before if more else 0.0
        return Result(**json.loads(done.stdout.strip().splitlines()[-1]), emulator_seconds=emulator_seconds)


def measure(bench: Bench, pages: int, rounds: int) -> dict[str, list[Result]]:
    """The results of each way, which take turns; each round begins with another one."""
    results: dict[str, list[Result]] = {way: [] for way in bench.ways}
    ways = list(bench.ways)
    for number in range(rounds):
        with upstream(pages, number) as url:
            for way in ways[number % len(ways) :] + ways[: number % len(ways)]:
                result = bench.run(way, url)
                results[way].append(result)
                print(f"  round {number + 1}: {way}: {result.seconds:.2f} s", flush=True)
    return results


def median(results: list[Result], value: Callable[[Result], float]) -> float:
    """The median of one value of some results."""
    return statistics.median(value(result) for result in results)


def show_all(results: dict[str, list[Result]], pages: int) -> None:
    """Print what each needed, then the ratios."""
    rate = {way: median(found, lambda result: result.rows / result.seconds) for way, found in results.items()}
    rows = []
    for way, found in results.items():
        emulator = median(found, lambda result: result.emulator_seconds)
        rows.append(
            (
                way,
                f"{rate[way]:,.0f}",
                f"{median(found, lambda result: result.seconds) * 1000 / pages:.1f}",
                f"{median(found, lambda result: result.peak_bytes) / 1e6:.0f}",
                f"{emulator * 1000 / pages:.1f}" if emulator else "",
            )
        )
    print(f"\n{pages:,} pages of {RECORDS:,} records, medians of {len(results[OURS])} rounds")
    table(("", "rows/s", "ms a page", "peak MB", "emulator's processor, ms a page"), rows)
    show_functions(results[OURS], pages)
    case = f"{pages:,} pages"
    peers = rate.keys() - {OURS}
    comparisons = [
        higher_is_better("ingest", case, rate[OURS], rate[way], way, "rows/s", ASKED.get(way)) for way in peers
    ]
    show(sorted(comparisons, key=lambda one: -one.ratio))


def show_functions(results: list[Result], pages: int) -> None:
    """Print what each function of ours needed."""
    names = sorted({name for result in results for name in result.functions})
    rows = []
    for name in names:
        used = [result.functions[name] for result in results if name in result.functions]
        peak, seconds = (statistics.median(column) for column in zip(*used, strict=True))
        rows.append((name, f"{peak / 1e6:.0f}", f"{seconds * 1000 / pages:.1f}"))
    print("\nSluice's functions")
    table(("", "peak MB", "processor, ms a page"), rows)
    stages = {name: statistics.median(result.stages.get(name, 0.0) for result in results) for name in results[0].stages}
    print(
        "\nfrom one event of the run to the next: " + ", ".join(f"{name} {took:.2f} s" for name, took in stages.items())
    )
    print()


def main() -> None:
    """Start a stack of its own, measure all, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pages", type=int, default=PAGES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    said = parser.parse_args()
    for name in ("dlt", "airbyte", "bare"):
        environment(name)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        stack = LocalStack(ROOT, Path(folder), free_port())
        try:
            bench = Bench(stack, stack.up(), said.pages)
            stack.client("s3").create_bucket(Bucket=BUCKET)
            results = measure(bench, said.pages, said.rounds)
        finally:
            with suppress(StepFailed):
                stack.down()
    show_all(results, said.pages)


if __name__ == "__main__":
    main()
