"""LocalStack's core from PyPI, without Docker: in a Python 3.13 of its own, where there is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from support.template import ROOT

REGION, ACCOUNT = "us-east-1", "000000000000"
# Not Lambda and DynamoDB, which would be downloaded on first use.
_SERVICES = "apigateway,cloudformation,cloudwatch,events,iam,kinesis,kms,logs,s3,scheduler,secretsmanager,sns,sqs,ssm"
_SERVICES += ",stepfunctions,sts"
# Its server listens on all addresses, whatever it is told.
_START = """
import functools
from twisted.internet import endpoints
endpoints.TCP4ServerEndpoint = functools.partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1")
from localstack.runtime.main import main
main()
"""


class Unavailable(Exception):
    """It cannot be had here; the text says why."""


def python_313() -> str:
    """A Python 3.13 of this machine."""
    found = [*Path.home().glob(".pyenv/versions/3.13.*/bin/python3.13"), Path("/usr/bin/python3.13")]
    found += [Path(folder) / "python3.13" for folder in os.environ.get("PATH", "").split(os.pathsep)]
    for candidate in found:
        asked = [str(candidate), "-c", "import ssl, sqlite3, venv"]
        if candidate.exists() and subprocess.run(asked, capture_output=True, check=False).returncode == 0:
            return str(candidate)
    raise Unavailable("there is no Python 3.13, the only one that LocalStack 4.14 runs on")


def environment() -> Path:
    """The virtual environment with LocalStack, made when it is not there or its packages have changed."""
    wanted = (ROOT / "requirements/localstack.txt").read_text()
    folder = ROOT / ".local/localstack"
    made = folder / "made-of.txt"
    if made.exists() and made.read_text() == wanted:
        return folder
    uv = str(Path(sys.executable).with_name("uv"))
    python = python_313()
    steps = [
        [uv, "venv", "--quiet", "--clear", "--python", python, str(folder)],
        [
            *(uv, "pip", "sync", "--quiet", "--python", str(folder / "bin/python"), "--require-hashes"),
            str(ROOT / "requirements/localstack.txt"),
        ],
    ]
    for step in steps:
        done = subprocess.run(step, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Unavailable(f"LocalStack cannot be installed: {done.stderr.strip()[-300:]}")
    made.write_text(wanted)
    return folder


class LocalStackCore:
    """The process, on loopback only.

    Args:
        folder: where it keeps everything.
        mocks: what Step Functions answers for Lambda functions, by state machine and test case.
    """

    def __init__(self, folder: Path, port: int, mocks: dict[str, Any]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._venv = environment()
        self._log = folder / "localstack.log"
        (folder / "mocks.json").write_text(json.dumps(mocks))
        for name in ("home", "tmp", "fs"):
            (folder / name).mkdir()
        self._environment = {
            "PATH": f"{self._venv / 'bin'}:/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "LANG": "C.UTF-8",
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "LOCALSTACK_HOST": f"127.0.0.1:{port}",
            "USE_SSL": "0",
            "DNS_ADDRESS": "0",
            "DISABLE_EVENTS": "1",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "FILESYSTEM_ROOT": str(folder / "fs"),
            "CONFIG_DIR": str(folder / "home"),
            "DOCKER_HOST": f"unix://{folder}/none.sock",
            "DOCKER_SOCK": str(folder / "none.sock"),
            "DOCKER_CMD": str(folder / "none"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "SERVICES": _SERVICES,
            "SFN_MOCK_CONFIG": str(folder / "mocks.json"),
        }
        with self._log.open("wb") as log:
            command = [str(self._venv / "bin/python"), "-c", _START]
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=log)
        self._await_ready()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + 90
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/_localstack/init/ready", timeout=2) as answer:
                    if json.load(answer)["completed"]:
                        return
            except OSError:
                pass
            said = self._log.read_text()[-2000:]
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.1)

    def client(self, service: Any) -> Any:
        config = Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"})
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
