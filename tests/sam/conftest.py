"""`sam local invoke` in containers, when a Docker engine answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sluice_cli.stack import LocalStack
from support.containers import BIN, engine_answers, image_is_here
from support.stack import ROOT


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built functions and layers, with the wheels of this machine."""
    if not engine_answers():
        pytest.skip("no Docker engine answers: `docker info` fails, so `sam local invoke` cannot run")
    folder = tmp_path_factory.mktemp("sam")
    stack = LocalStack(ROOT, folder, 0)
    stack.folder.mkdir(parents=True)
    stack.build()
    return folder / "build"


@pytest.fixture
def invoke(build: Path, tmp_path: Path) -> Callable[[str, dict[str, Any]], Any]:
    """Calls a function by its logical id with an event; what it answers, or the error it raises."""

    def call(function: str, event: dict[str, Any]) -> Any:
        file = tmp_path / "event.json"
        file.write_text(json.dumps(event))
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        command = [str(BIN / "sam"), "local", "invoke", function, "--template", str(build / "template.yaml")]
        command += ["--event", str(file), "--parameter-overrides", f"PythonVersion={version}"]
        command += ["--config-file", str(ROOT / "samconfig.toml")]
        if image_is_here():
            command.append("--skip-pull-image")
        environment = {**os.environ, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
        environment |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)
        assert done.stdout.strip(), done.stderr[-3000:]
        return json.loads(done.stdout.strip().splitlines()[-1])

    return call
