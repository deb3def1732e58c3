"""Two hundred readers of an endpoint on the local stack, while its project is refreshed.

Every record of a version carries that version's mark, so that an answer with two marks, or with
fewer records than there are, is a torn read. The readers ask over HTTP, through the gateway, its
authorizer and the function, each again after a pause, and their first requests are spread over one.
The emulator runs a few calls of each function at a time and refuses the others: those readers ask
again until they are served, and the time that this takes is part of their request's. What the two
functions ask of DynamoDB goes through a forwarder that counts it. Nothing is compared with a peer.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from benchmarks.concurrent_readers import Readers  # noqa: E402
from sluice_cli.errors import StepFailed  # noqa: E402
from sluice_cli.local.stack import LocalStack  # noqa: E402
from support.stack import Deployed, free_port, until  # noqa: E402

READERS, REFRESHES, RECORDS = 200, 40, 100
PAUSE = 10.0
READS = ("GetItem", "BatchGetItem", "Query", "Scan", "TransactGetItems")
ANSWERING = ("sluice-authorizer", "sluice-query")
NAME = "readers"


class Counted(ThreadingHTTPServer):
    """Forwards requests to DynamoDB, and counts them by their operation."""

    daemon_threads = True

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), Forwarding)
        self.endpoint = endpoint
        self.operations: Counter[str] = Counter()
        self.counting = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def take_the_place_of_dynamodb(self, deployed: Deployed) -> None:
        """Have the functions that answer readers ask here."""
        functions = deployed.client("lambda")
        for name in ANSWERING:
            variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            variables["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{self.server_port}"
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
            functions.get_waiter("function_updated").wait(FunctionName=name)


class Forwarding(BaseHTTPRequestHandler):
    """One connection of a function."""

    protocol_version = "HTTP/1.1"
    server: Counted

    def setup(self) -> None:
        super().setup()
        self._client = httpx.Client(base_url=self.server.endpoint, timeout=60, trust_env=False, verify=False)

    def finish(self) -> None:
        self._client.close()
        super().finish()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self._client.post("/", content=body, headers=dict(self.headers))
        with self.server.counting:
            self.server.operations[self.headers["X-Amz-Target"].rpartition(".")[2]] += 1
        self.send_response(answer.status_code)
        for name in ("Content-Type", "x-amz-crc32", "x-amzn-RequestId"):
            if name in answer.headers:
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        self.wfile.write(answer.content)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def prepare(deployed: Deployed) -> None:
    """A project of one datasource of files, and its public endpoint."""
    join = {"strategy": "join", "key": ["id"]}
    deployed.done("PUT", f"/projects/{NAME}", {"name": NAME, "merge": join, "refresh_on": "manual"})
    deployed.done("PUT", f"/datasources/{NAME}", {"name": NAME, "kind": "file"})
    deployed.done("PUT", f"/projects/{NAME}/datasources/{NAME}", {})
    refresh(deployed, 0)
    endpoint = {"sql": "SELECT id, mark FROM merged ORDER BY id", "cache_seconds": 60}
    deployed.done("PUT", f"/projects/{NAME}/endpoints/all", endpoint)


def refresh(deployed: Deployed, mark: int) -> None:
    """A new version, whose records all carry the mark."""
    before = deployed.call("GET", f"/datasources/{NAME}/data").json().get("version", 0)
    records = [{"id": number, "mark": mark} for number in range(RECORDS)]
    deployed.drop(f"{NAME}/records.json", json.dumps(records).encode())
    until(lambda: deployed.call("GET", f"/datasources/{NAME}/data").json().get("version", 0) > before, 120)
    run = deployed.ended(deployed.done("POST", f"/projects/{NAME}/runs", {"ingest": "none"}), 180)
    assert run["status"] == "succeeded", run


def judged(answer: httpx.Response) -> tuple[str, int | None]:
    """Whether an answer is whole and of one version; and that version's mark."""
    if answer.status_code != 200:
        return f"error: {answer.status_code}", None
    rows = answer.json()["items"]
    marks = {row["mark"] for row in rows}
    if len(marks) != 1 or [row["id"] for row in rows] != list(range(RECORDS)):
        return "torn", None
    return answer.headers["X-Cache"], marks.pop()


def show(readers: Readers, said: argparse.Namespace, elapsed: float, operations: Counter[str]) -> dict[str, int]:
    """Print what came out; the errors and torn reads."""
    hits, misses = readers.outcomes["hit"], readers.outcomes["miss"]
    faults = {name: count for name, count in readers.outcomes.items() if name not in ("hit", "miss")}
    print(f"{said.readers} readers during {said.refreshes} refreshes: {readers.speed(elapsed)}")
    print(f"  answers of {len(readers.marks)} versions; kept {hits}, computed {misses}")
    print(f"  refused for being busy, and asked again: {readers.refusals}")
    print(f"  errors and torn reads: {faults or 'none'}")
    reads = sum(operations[name] for name in READS)
    print(f"  DynamoDB was asked by {' and '.join(ANSWERING)}: {dict(operations.most_common())}")
    print(f"  requests for each read of DynamoDB: {len(readers.seconds) / max(1, reads):.2f}")
    return faults


def main() -> int:
    """Refresh while everybody reads; 1 when a read failed or was torn."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--readers", type=int, default=READERS)
    parser.add_argument("--refreshes", type=int, default=REFRESHES)
    parser.add_argument("--pause", type=float, default=PAUSE, help="seconds between a reader's requests")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        stack = LocalStack(ROOT, Path(folder), free_port())
        try:
            deployed = Deployed(stack.up(), stack)
            prepare(deployed)
            counted = Counted(deployed.description["endpoint_url"])
            counted.take_the_place_of_dynamodb(deployed)
            deployed.done("GET", f"/endpoints/{NAME}/all")  # so that the first readers meet functions that run
            counted.operations.clear()
            begun = time.monotonic()
            with Readers(deployed, f"/endpoints/{NAME}/all", judged, said.readers, said.pause) as readers:
                for mark in range(1, said.refreshes + 1):
                    refresh(deployed, mark)
            faults = show(readers, said, time.monotonic() - begun, counted.operations)
            deployed.close()
        finally:
            with suppress(StepFailed):  # after so many requests it may take longer to end than is waited for
                stack.down()
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
