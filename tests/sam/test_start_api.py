"""`sam local start-api`: the API in Lambda's containers, its catalog and lake on the emulator."""

from __future__ import annotations

import json
import os
import socket
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from sluice_cli.local.emulator import aws_environment
from sluice_cli.local.stack import LocalStack
from support.containers import BIN, bridge_address, image_is_here
from support.stack import ROOT, Deployed, free_port

HOST = "host.docker.internal"


class Relay(socketserver.BaseRequestHandler):
    """Hands a connection from a container on to the same port of loopback, where the emulator is."""

    def handle(self) -> None:
        address: Any = self.server.server_address
        with socket.create_connection(("127.0.0.1", address[1])) as there:
            back = threading.Thread(target=self._pump, args=(there, self.request), daemon=True)
            back.start()
            self._pump(self.request, there)
            back.join()

    @staticmethod
    def _pump(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while part := source.recv(1 << 16):
                target.sendall(part)
            target.shutdown(socket.SHUT_WR)


@contextmanager
def reachable_from_containers(port: int) -> Iterator[None]:
    with socketserver.ThreadingTCPServer((bridge_address(), port), Relay) as relay:
        relay.daemon_threads = True
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        yield
        relay.shutdown()


@pytest.fixture(scope="module")
def served(build: Path, deployed: Deployed) -> Iterator[httpx.Client]:
    """A client of the API as SAM serves it, with an admin's key."""
    stack, folder, port = deployed.local, build.parent, free_port()
    if stack is None:
        pytest.skip("containers do not reach a stack that is not ours")
    with reachable_from_containers(stack.port), running(stack, folder, port) as process:
        key = {"x-api-key": deployed.description["api_key"]}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}/v1", headers=key, timeout=60, trust_env=False) as client:
            await_answer(client, process, folder)
            yield client


@contextmanager
def running(stack: LocalStack, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    deployed: Any = stack.client("lambda").get_function_configuration(FunctionName="sluice-api")
    variables = deployed["Environment"]["Variables"]
    variables |= {"AWS_ENDPOINT_URL": f"http://{HOST}:{stack.port}", "PUBLIC_S3_URL": stack.emulator.url}
    (folder / "variables.json").write_text(json.dumps({"Parameters": variables}))
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [
        *(str(BIN / "sam"), "local", "start-api", "--template", str(folder / "build/template.yaml")),
        *("--config-file", str(ROOT / "samconfig.toml"), "--host", "127.0.0.1", "--port", str(port)),
        *("--warm-containers", "LAZY", "--no-watch", "--add-host", f"{HOST}:host-gateway"),
        *("--env-vars", str(folder / "variables.json"), *(["--skip-pull-image"] if image_is_here() else [])),
        *(
            "--parameter-overrides",
            f"PythonVersion={version}",
            "Emulated=yes",
            f"EndpointUrl=http://{HOST}:{stack.port}",
        ),
    ]
    with (folder / "start-api.log").open("wb") as log:
        environment = {**os.environ, **aws_environment(stack.emulator.url), "SAM_CLI_TELEMETRY": "0"}
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


def await_answer(client: httpx.Client, process: subprocess.Popen[bytes], folder: Path) -> None:
    deadline = time.monotonic() + 90
    while True:
        with suppress(httpx.TransportError):
            client.get("/health")
            return
        said = (folder / "start-api.log").read_text()[-2000:]
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.2)


def test_open_routes_need_no_credentials(served: httpx.Client) -> None:
    assert served.get("/health").json()["status"] == "ok"
    assert served.get("/openapi.json").json()["openapi"] == "3.1.0"
    assert "swagger" in served.get("/docs").text


def test_datasource_is_stored_and_returned(served: httpx.Client) -> None:
    made = served.put("/datasources/log", json={"name": "Log", "kind": "push"})
    assert made.status_code == 201, made.text
    assert made.headers["location"] == str(served.base_url.join("datasources/log"))
    assert served.get(made.headers["location"]).json()["slug"] == "log"
    assert "log" in [one["slug"] for one in served.get("/datasources").json()["items"]]
    pushed = served.post("/datasources/log/records", content='{"id": 1}\n{"id": 2}\n')
    assert pushed.status_code == 202, pushed.text
    deadline = time.monotonic() + 60
    while (found := served.get("/datasources/log/data")).status_code == 404:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    assert found.json()["items"] == [{"id": 1}, {"id": 2}]
    assert served.delete("/datasources/log").status_code == 204


@pytest.mark.parametrize("key", [None, "slc_aaaaaaaaaaaa_" + "x" * 43])
def test_request_without_credentials_gets_a_problem(served: httpx.Client, key: str | None) -> None:
    headers = {"x-api-key": key} if key else {}
    answer = httpx.get(f"{str(served.base_url).rstrip('/')}/me", headers=headers, timeout=60, trust_env=False)
    assert (answer.status_code, answer.json()["type"]) == (401, "urn:sluice:problem:unauthenticated")
