"""Functions in Lambda's containers, when a Docker engine answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from support.containers import BIN, await_port, image_is_here, missing
from support.shared_build import share_build
from support.stack import ROOT, free_port

Invoke = Callable[[str, dict[str, Any]], Any]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built functions and layers, with the wheels of this machine."""
    if reason := missing():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("sam")
    share_build(folder)
    return folder / "build"


def sam_local(build: Path, *arguments: str) -> list[str]:
    """A command of `sam local` on the built template, with the Python of this machine."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = [str(BIN / "sam"), "local", *arguments, "--template", str(build / "template.yaml")]
    command += ["--parameter-overrides", f"PythonVersion={version}", "--config-file", str(ROOT / "samconfig.toml")]
    return [*command, "--skip-pull-image"] if image_is_here() else command


def environment() -> dict[str, str]:
    given = {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    return {**os.environ, **given, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.fixture(scope="session")
def lambda_endpoint(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A client of `sam local start-lambda`: one SAM process for all functions, each in a container of its own."""
    port = free_port()
    log = tmp_path_factory.mktemp("start-lambda") / "log"
    command = sam_local(build, "start-lambda", "--host", "127.0.0.1", "--port", str(port), "--warm-containers", "LAZY")
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        await_port(port, process, log)
        client = boto3.client(
            "lambda",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(read_timeout=180, retries={"total_max_attempts": 1}),
        )
        with closing(client):
            yield client
    finally:
        process.terminate()
        process.wait(60)


@pytest.fixture
def invoke(lambda_endpoint: Any) -> Invoke:
    """Calls a function by its logical id with an event; its answer, or the error it raises."""

    def call(function: str, event: dict[str, Any]) -> Any:
        answer = lambda_endpoint.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        return json.loads(answer["Payload"].read())

    return call


@pytest.fixture
def invoke_alone(build: Path, tmp_path: Path) -> Invoke:
    """The same by `sam local invoke`, which `make invoke` uses."""

    def call(function: str, event: dict[str, Any]) -> Any:
        file = tmp_path / "event.json"
        file.write_text(json.dumps(event))
        command = sam_local(build, "invoke", function, "--event", str(file))
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=180, check=False)
        assert done.stdout.strip(), done.stderr[-3000:]
        return json.loads(done.stdout.strip().splitlines()[-1])

    return call
