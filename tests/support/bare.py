"""A bare emulator as tests speak to it."""

from __future__ import annotations

import io
import json
import time
import zipfile
from typing import Any

import boto3
from botocore.config import Config

from sluice_cli.local.emulator import Emulator


class Bare:
    """Clients of the emulator, and short ways to make functions and state machines."""

    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self._made: dict[str, Any] = {}

    def client(self, service: Any) -> Any:
        if service not in self._made:
            self._made[service] = boto3.client(
                service,
                endpoint_url=self.emulator.url,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=Config(inject_host_prefix=False, retries={"max_attempts": 1}),
            )
        return self._made[service]

    def function(self, name: str, code: str) -> str:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("app.py", code)
        made = self.client("lambda").create_function(
            FunctionName=name,
            Runtime="python3.11",
            Role="arn:aws:iam::000000000000:role/r",
            Handler="app.handler",
            Code={"ZipFile": packed.getvalue()},
        )
        return str(made["FunctionArn"])

    def machine(self, name: str, definition: dict[str, Any]) -> str:
        made = self.client("stepfunctions").create_state_machine(
            name=name, definition=json.dumps(definition), roleArn="arn:aws:iam::000000000000:role/r"
        )
        return str(made["stateMachineArn"])

    def run(self, machine: str, name: str, payload: Any = None, seconds: float = 30) -> dict[str, Any]:
        sfn = self.client("stepfunctions")
        started = sfn.start_execution(stateMachineArn=machine, name=name, input=json.dumps(payload or {}))
        return self.ended(started["executionArn"], seconds)

    def ended(self, execution: str, seconds: float = 30) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while True:
            found: dict[str, Any] = self.client("stepfunctions").describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return found
            assert time.monotonic() < deadline, "it does not end"
            time.sleep(0.1)
