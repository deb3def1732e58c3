"""Many things at once: files, and callers that wait. `PROOF=1` drops a thousand files."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from sluice_cli.local.emulator import Emulator, machine_limits
from sluice_cli.local.processes import group_members
from support.server import Server, send
from support.stack import Deployed, until

pytestmark = pytest.mark.skipif("SLUICE_STACK" in os.environ, reason="a stack that is not ours is not measured")

PROOF = bool(os.environ.get("PROOF"))
FILES = 1_000 if PROOF else 40
MOST_BYTES = 4 << 30
SECONDS = 1.5 * FILES + 120


class Memory:
    """Measures an emulator and all that it has started, and kills them before they take the machine."""

    def __init__(self, deployed: Deployed) -> None:
        assert deployed.local is not None
        assert isinstance(deployed.local.emulator, Emulator)
        group = deployed.local.emulator.pid()
        assert group is not None
        self._group = group
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.most_bytes = 0
        self.most_processes = 0

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            members = group_members(self._group)
            taken = sum(proportional_bytes(pid) for pid in members)
            self.most_bytes = max(self.most_bytes, taken)
            self.most_processes = max(self.most_processes, len(members))
            if taken > 1.5 * MOST_BYTES:
                os.killpg(self._group, 9)


def proportional_bytes(pid: int) -> int:
    """The memory of a process; what it shares with others counts for each of them in part."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # it has just ended
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def runs_of(deployed: Deployed, datasource: str) -> list[dict[str, Any]]:
    page = deployed.done("GET", f"/runs?datasource={datasource}&limit=200")
    runs: list[dict[str, Any]] = page["items"]
    while page["next"]:
        page = deployed.done("GET", f"/runs?datasource={datasource}&limit=200&cursor={page['next']}")
        runs += page["items"]
    return runs


def test_burst_of_files_is_ingested_within_memory(
    deployed: Deployed, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    deployed.done("PUT", f"/datasources/{name}", {"name": name, "kind": "file"})
    deployed.client("s3")  # made once, and shared by the threads
    begun = time.monotonic()
    with Memory(deployed) as memory:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda number: deployed.drop(f"{name}/{number}.csv", b"n,v\n%d,1\n" % number), range(FILES)))

        def all_ended() -> bool:
            time.sleep(2)
            if not PROOF:
                deployed.sweep()  # the proof waits for the schedule's own, which come each minute
            runs = runs_of(deployed, name)
            return len(runs) >= FILES and all(run["finished_at"] for run in runs)

        until(all_ended, SECONDS)
    runs = runs_of(deployed, name)
    with capsys.disabled():
        sys.stdout.write(
            f"\n{FILES} files in {time.monotonic() - begun:.0f} s, at most {memory.most_processes} processes"
            f" and {memory.most_bytes / (1 << 20):.0f} MB\n"
        )
    assert Counter(run["status"] for run in runs) == {"succeeded": FILES}, "each has a run of its own"
    assert memory.most_bytes < MOST_BYTES
    versions = {run["version"] for run in runs}
    assert versions == set(range(1, FILES + 1)), "and each file is a version"
    newest = max(runs, key=lambda run: run["id"])
    assert deployed.done("GET", f"/datasources/{name}/data")["version"] == newest["version"], (
        "the last one is published"
    )


def test_concurrent_readers_are_all_served(deployed: Deployed) -> None:
    with ThreadPoolExecutor(80) as pool:
        answers = list(pool.map(lambda number: deployed.call("GET", "/me"), range(160)))
    assert Counter(answer.status_code for answer in answers) == {200: 160}


def test_throttled_authorizer_is_a_problem_with_retry_after(deployed: Deployed) -> None:
    functions, name = deployed.client("lambda"), f"{deployed.description['stack']}-authorizer"
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        answer = httpx.get(
            f"{deployed.url}/me", headers={"x-api-key": deployed.description["api_key"]}, timeout=30, trust_env=False
        )
    finally:
        most = machine_limits().functions["authorizer"]
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=most)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"] == "urn:sluice:problem:unavailable"


def test_waiting_callers_leave_room_for_their_runs(deployed: Deployed, server: Server, name: str) -> None:
    callers = machine_limits().workers

    def answer(handler: Any) -> None:
        time.sleep(1)
        send(handler, b'[{"id": 1}]')

    server.routes[f"/{name}"] = answer
    http = {"url": f"{server.url}/{name}"}
    deployed.done("PUT", f"/datasources/{name}", {"name": name, "kind": "http", "http": http})

    def call(number: int) -> dict[str, Any]:
        # With room below the 29 s of a request: all of them start at once, beside the other tests.
        started = deployed.call("POST", f"/datasources/{name}/runs", {}, Prefer="wait=10")
        assert started.status_code in (200, 202), started.text
        run: dict[str, Any] = started.json()
        return run

    with ThreadPoolExecutor(callers) as pool:
        runs = list(pool.map(call, range(callers)))
    ended = [deployed.ended(run, 180) for run in runs]
    assert Counter(run["status"] for run in ended) == {"succeeded": callers}
