"""A deployed stack as tests speak to it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import localstack_client.session

from sluice_cli.local.stack import LocalStack
from sluice_client._retries import Retries
from support.shared_build import share_build

ROOT = Path(__file__).parents[2]
# While the emulator is busy; a broken connection is an error of the test.
_RETRIES = Retries(lost_attempts=1)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Patient(httpx.HTTPTransport):
    """Asks again while the API is too busy."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        def send() -> httpx.Response:
            answer = super(Patient, self).handle_request(request)
            answer.read()
            return answer

        return _RETRIES.send(send)


class Deployed:
    """A stack and its API."""

    def __init__(self, description: dict[str, Any], local: LocalStack | None) -> None:
        self.local = local
        self.http: httpx.Client | None = None
        self._clients: dict[str, Any] = {}
        self.use(description)

    def close(self) -> None:
        if self.http is not None:
            self.http.close()
        for client in self._clients.values():
            client.close()
        self._clients = {}

    def use(self, description: dict[str, Any]) -> None:
        self.close()
        self.description = description
        self.url = description["api"]
        self.http = httpx.Client(
            transport=Patient(),
            base_url=self.url,
            headers={"x-api-key": description["api_key"]},
            timeout=60,
            trust_env=False,
            follow_redirects=False,
        )
        port = int(description["endpoint_url"].rpartition(":")[2])
        self._session = localstack_client.session.Session(localstack_host=f"127.0.0.1:{port}")

    def client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self._session.client(service, region_name=self.description["region"])
        return self._clients[service]

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        assert self.http is not None
        return self.http.request(method, path, json=body, headers=sent)

    def done(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.call(method, path, body)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def drop(self, key: str, body: bytes) -> None:
        self.client("s3").put_object(Bucket=self.description["inbox_bucket"], Key=key, Body=body)

    def ended(self, run: dict[str, Any], seconds: float = 90) -> dict[str, Any]:
        ended: dict[str, Any] = until(
            lambda: found if (found := self.done("GET", f"/runs/{run['id']}"))["finished_at"] else None, seconds
        )
        return ended

    def rows(self, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.done("GET", f"/{path}/data?limit=200")["items"]
        return items

    @contextmanager
    def configured(self, functions: list[str], **settings: str) -> Iterator[None]:
        """Within this block, some functions have other settings."""
        client = self.client("lambda")
        before = {}
        for function in (f"sluice-{name}" for name in functions):
            before[function] = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
            changed = {"Variables": {**before[function], **settings}}
            client.update_function_configuration(FunctionName=function, Environment=changed)
        try:
            yield
        finally:
            for function, variables in before.items():
                client.update_function_configuration(FunctionName=function, Environment={"Variables": variables})

    def sweep(self) -> None:
        payload = json.dumps({"sweep": True, "grace_seconds": 0}).encode()
        for function in ("run_events", "publications"):
            self.client("lambda").invoke(FunctionName=f"sluice-{function}", Payload=payload)


@contextmanager
def deployed_stack(local_folder: Path) -> Iterator[Deployed]:
    """A stack of its own, or the one that `SLUICE_STACK` names, which stays as it is.

    Args:
        local_folder: for the state and the description of a stack of its own.
    """
    if named := os.environ.get("SLUICE_STACK"):
        yield Deployed(json.loads(Path(named).read_text()), None)
        return
    share_build(local_folder)
    stack = LocalStack(ROOT, local_folder, free_port())
    try:
        running = Deployed(stack.up(), stack)
        yield running
        running.close()
    finally:
        stack.down()


def function_processes(local: Path) -> list[tuple[int, str]]:
    """The processes of our emulator's functions."""
    listed = subprocess.run(["pgrep", "-af", f"{local}.*_worker.py"], capture_output=True, text=True, check=False)
    return [(int(line.split()[0]), line) for line in listed.stdout.splitlines()]


def until(found: Callable[[], Any], seconds: float = 60) -> Any:
    """What the function gives when it gives something.

    Asking takes processor time from what is awaited, so the pauses grow with the time that it takes.
    """
    start = time.monotonic()
    while True:
        value = found()
        if value:
            return value
        waited = time.monotonic() - start
        assert waited < seconds, "it did not happen in time"
        time.sleep(min(max(waited / 10, 0.2), 1))


def athena(deployed: Deployed, sql: str) -> list[list[str | None]]:
    """The rows of a query, the first one its columns."""
    client = deployed.client("athena")
    output = f"s3://{deployed.description['lake_bucket']}/athena/"
    query = client.start_query_execution(
        QueryString=sql,
        QueryExecutionContext={"Database": "sluice_main"},
        ResultConfiguration={"OutputLocation": output},
    )["QueryExecutionId"]

    def ended() -> Any:
        status = client.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        return status if status["State"] in ("SUCCEEDED", "FAILED") else None

    status = until(ended)
    assert status["State"] == "SUCCEEDED", status
    found = client.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    return [[cell.get("VarCharValue") for cell in row["Data"]] for row in found]
