"""The local stack: an emulator, the deployed template, and the file that describes both."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import httpx
from botocore.config import Config
from rich.markup import escape

from sluice.access.api_keys import KeyRing
from sluice.catalog.definitions import Definitions
from sluice.catalog.table import Table
from sluice.domain.identity import KeyRequest
from sluice_cli.errors import StepFailed
from sluice_cli.local.console import ConsoleBuild
from sluice_cli.local.emulator import REGION, Emulator, aws_environment
from sluice_cli.local.layers import reference_layers, remove_unused_layers
from sluice_cli.local.localstack import LocalStackContainer
from sluice_cli.local.processes import inherited_environment
from sluice_cli.local.samples import SampleServers
from sluice_cli.output.values import printable
from sluice_cli.progress import console, step

STACK_NAME = "sluice"
WORKSPACE = "main"
DEFAULT_PORT = 4566
_SOURCES = ("template.yaml", "samconfig.toml", "functions", "layers", "workflows")
EMULATORS: dict[str, type[Emulator] | type[LocalStackContainer]] = {
    "ministack": Emulator,
    "localstack": LocalStackContainer,
}
_LOCAL_NETWORKS = "127.0.0.0/8,::1/128"


class LocalStack:
    """A local stack in `.local/{port}/`; `.local/stack.json` describes the one that was started last.

    Args:
        root: the checkout.
        local: the folder for builds and state, which is not under version control.
        port: the emulator's port.
        emulator: `ministack`, or `localstack` in a container.
    """

    def __init__(self, root: Path, local: Path, port: int, emulator: str = "ministack") -> None:
        self._root = root
        self.local = local
        self.folder = local / str(port)
        self.port = port
        self.samples = SampleServers(self.folder / "samples", port + 1)
        self.emulator: Emulator | LocalStackContainer = EMULATORS[emulator](self.folder, port)
        self.console = ConsoleBuild(root, local)
        self._build = local / "build"
        self._layers = local / "layers"
        self._environment = {**inherited_environment(), **aws_environment(self.emulator.url)}

    @cache  # noqa: B019 - a stack lives as long as its command
    def client(self, service: Any) -> Any:
        """A boto3 client of the emulator."""
        return emulator_client(service, self.emulator.url)

    def up(self) -> dict[str, Any]:
        """Start, build and deploy the stack, as far as that is not done yet.

        Returns:
            The content of `.local/stack.json`, and the address of the `console` if there is one.

        Raises:
            StepFailed: a step failed; the text says why and what to do.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.console.start()
        with step(f"Start the emulator on port {self.port}"):
            lost = self.emulator.start()
        digest = self._source_digest()
        if self._stored("deployed") != digest or lost or not self._has_layers(digest) or not self._is_deployed():
            self._build_and_deploy(digest)
        with step("Write .local/stack.json"):
            description = self._describe()
            self._reconcile_lost_runs()
        self._finish_console()
        if self.console.current.exists():
            description["console"] = f"{description['api']}/console/"
        return description

    def _finish_console(self) -> None:
        """Wait for the console's build; a stack works without it."""
        with step("Finish the console"):
            reason = self.console.finish()
            if reason is not None:
                console.print(f"  [yellow]note[/] The stack has no console: {escape(printable(reason))}", markup=True)

    def build(self) -> None:
        """Build functions and layers with this machine's wheels, unless the sources are unchanged.

        Raises:
            StepFailed: with the end of the output of `sam build`.
        """
        digest = self._source_digest()
        if not self.emulator.shares_disk:
            # The layer is copied into the emulator, so it is built first.
            self._finish_console()
        if _text(self.local / "built") != digest:
            with step("Build functions and layers"):
                self._sam("build", "--build-dir", str(self._build), "--parameter-overrides", *self._parameters())
                (self.local / "built").write_text(digest)

    def _build_and_deploy(self, digest: str) -> None:
        self.build()
        with step("Deploy the template"):
            template = self._build / "template.yaml"
            if self.emulator.shares_disk:
                template = reference_layers(self._build, self._layers / digest)
            self._sam(
                "deploy",
                "--template-file",
                str(template),
                "--stack-name",
                STACK_NAME,
                "--parameter-overrides",
                *self._parameters(),
            )
            self._limit_functions()
            (self.folder / "deployed").write_text(digest)
        if self.emulator.shares_disk:
            remove_unused_layers(self._layers, {file.read_text() for file in self.local.glob("*/deployed")})

    def _limit_functions(self) -> None:
        """Reserve concurrent calls for each function; the emulator ignores that property in a template."""
        if self.emulator.limits is None:
            return
        for name, limit in self.emulator.limits.functions.items():
            self.client("lambda").put_function_concurrency(
                FunctionName=f"{STACK_NAME}-{name}", ReservedConcurrentExecutions=limit
            )

    def _has_layers(self, digest: str) -> bool:
        return not self.emulator.shares_disk or (self._layers / digest).exists()

    def _parameters(self) -> list[str]:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        return [
            f"PythonVersion={version}",
            "Emulated=yes",
            "EnableStream=yes",
            *self.emulator.parameters,
            "CorsOrigins=*",
            *([f"ConsoleFolder={self.console.current}"] if self.emulator.shares_disk else []),
            f"Workspace={WORKSPACE}",
            f"PrivateNetworks={private_networks()}",
        ]

    def _sam(self, *arguments: str) -> None:
        binaries = Path(sys.executable).parent
        environment = {
            **self._environment,
            "SLUICE_PYTHON": sys.executable,
            "SLUICE_UV": str(binaries / "uv"),
            "SLUICE_PLATFORM": "",
            "SLUICE_CONSOLE": "" if self.emulator.shares_disk else str(self.console.current),
        }
        result = subprocess.run(
            [str(binaries / "sam"), *arguments, "--config-file", str(self._root / "samconfig.toml")],
            cwd=self._root,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        log = self.folder / f"sam-{arguments[0]}.log"
        log.write_text(result.stdout + result.stderr)
        if result.returncode != 0:
            tail = "\n".join((result.stdout + result.stderr).strip().splitlines()[-15:])
            raise StepFailed(
                f"sam {arguments[0]} failed; its output is in {log}\n{tail}\n"
                "If the local state is the cause, delete it with: make clean"
            )

    def _source_digest(self) -> str:
        """A hash of all sources and parameters, so that the same ones are deployed once."""
        digest = hashlib.sha256(f"{sys.version} {private_networks()} {self.emulator.parameters}".encode())
        files = [self._root / name for name in _SOURCES]
        candidates = sorted(file for path in files for file in ([path] if path.is_file() else path.rglob("*")))
        for file in candidates:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(self._root)).encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()

    def _stored(self, name: str) -> str | None:
        return _text(self.folder / name)

    def _outputs(self) -> dict[str, str]:
        stacks = self.client("cloudformation").describe_stacks(StackName=STACK_NAME)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in stacks[0].get("Outputs", [])}

    def _is_deployed(self) -> bool:
        try:
            return httpx.get(f"{self._api()}/health", timeout=30, trust_env=False).status_code == 200
        except Exception:
            return False

    def _api(self) -> str:
        return f"{self.emulator.url}/restapis/{self._outputs()['ApiId']}/live/_user_request_/v1"

    def _describe(self) -> dict[str, Any]:
        outputs = self._outputs()
        api = self._api()
        description = {
            "endpoint_url": self.emulator.url,
            "api": api,
            "api_key": self._admin_key(api, outputs),
            "inbox_bucket": outputs["InboxBucket"],
            "lake_bucket": outputs["LakeBucket"],
            "readings_stream": outputs.get("ReadingsStream"),
            "region": REGION,
            "stack": STACK_NAME,
        }
        text = json.dumps(description, indent=2) + "\n"
        for file in (self.folder / "stack.json", self.local / "stack.json"):
            file.write_text(text)
            file.chmod(0o600)
        return description

    def _admin_key(self, api: str, outputs: dict[str, str]) -> str:
        stored = self._stored("stack.json")
        if stored is not None:
            key = str(json.loads(stored)["api_key"])
            answer = httpx.get(f"{api}/me", headers={"x-api-key": key}, timeout=30, trust_env=False)
            if answer.status_code == 200:
                return key
        ring = key_ring(self.client("dynamodb"), outputs, WORKSPACE)
        return ring.issue(KeyRequest(name="local admin", role="admin"), "local stack")[1]

    def _reconcile_lost_runs(self) -> None:
        """Reconcile runs that the emulator ended without an event, as it does when it restarts."""
        function = self._outputs()["RunEventsFunction"]
        payload = json.dumps({"sweep": True, "grace_seconds": 0}).encode()
        self.client("lambda").invoke(FunctionName=function, Payload=payload)

    def invoke(self, function: str, event: Path) -> None:
        """Call a function in a Lambda container, against this stack.

        Args:
            function: its folder below `functions/`.
            event: a file with the event as JSON.

        Raises:
            StepFailed: there is no Docker engine, or the call fails.
        """
        if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode != 0:
            raise StepFailed("`sam local invoke` needs a Docker engine, and none answers")
        self.build()
        logical_id = "".join(part.capitalize() for part in function.split("_")) + "Function"
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        image = f"public.ecr.aws/lambda/python:{version}-x86_64"
        has_image = subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode == 0
        command = [str(Path(sys.executable).with_name("sam")), "local", "invoke", logical_id]
        command += ["--template", str(self._build / "template.yaml"), "--event", str(event)]
        command += ["--config-file", str(self._root / "samconfig.toml"), "--parameter-overrides", *self._parameters()]
        command += ["--skip-pull-image"] if has_image else []
        if subprocess.run(command, cwd=self._root, env=self._environment, check=False).returncode != 0:
            raise StepFailed(f"sam local invoke {logical_id} failed")

    def logs(self, minutes: int) -> list[str]:
        """The log lines of all functions, oldest first.

        Args:
            minutes: how far to look back.
        """
        client = self.client("logs")
        since = int((time.time() - 60 * minutes) * 1000)
        groups = client.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{STACK_NAME}-")["logGroups"]
        events = []
        for group in groups:
            logged = client.filter_log_events(logGroupName=group["logGroupName"], startTime=since)["events"]
            name = group["logGroupName"].removeprefix(f"/aws/lambda/{STACK_NAME}-")
            events += [(event["timestamp"], f"{name}: {event['message'].rstrip()}") for event in logged]
        return [text for _, text in sorted(events)]

    def down(self) -> None:
        """Stop the stack; its state is kept."""
        self.samples.stop_all()
        with step("Stop the emulator"):
            if not self.emulator.stop():
                console.print("  it was not running")

    def clean(self) -> None:
        """Stop the stack and delete its state."""
        self.down()
        shutil.rmtree(self.folder, ignore_errors=True)


def emulator_client(service: Any, url: str) -> Any:
    """A boto3 client of an emulator.

    Args:
        service: as boto3 names it.
        url: the emulator's address.
    """
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"mode": "standard", "max_attempts": 3}, read_timeout=60),
    )


def private_networks() -> str:
    """The private networks that the local stack's datasources may call: loopback, and those in PRIVATE_NETWORKS."""
    return ",".join(filter(None, [_LOCAL_NETWORKS, os.environ.get("PRIVATE_NETWORKS", "").replace(" ", "")]))


def started_port(local: Path) -> int:
    """The port of the local stack that was started last; the default one if there is none.

    Args:
        local: the folder of the local stack.
    """
    stack = _text(local / "stack.json")
    return (urlsplit(json.loads(stack)["endpoint_url"]).port if stack else None) or DEFAULT_PORT


def _text(file: Path) -> str | None:
    return file.read_text() if file.exists() else None


def issue_first_key(stack: str, workspace: str) -> str:
    """Create an admin key directly in a stack's table, with the AWS credentials of the environment.

    Args:
        stack: the CloudFormation stack's name.
        workspace: the stack's workspace.

    Returns:
        The key, which is not stored anywhere.
    """
    stacks = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stacks[0]["Outputs"]}
    return key_ring(boto3.client("dynamodb"), outputs, workspace).issue(
        KeyRequest(name="first admin", role="admin"), "first-key"
    )[1]


def key_ring(dynamodb: Any, outputs: dict[str, str], workspace: str) -> KeyRing:
    """The API keys of a stack.

    Args:
        dynamodb: a boto3 client.
        outputs: the outputs of the CloudFormation stack, by name.
        workspace: the stack's workspace.
    """
    access, definitions = (
        Definitions(Table(dynamodb, outputs[name]), workspace) for name in ("AccessTable", "DefinitionsTable")
    )
    return KeyRing(access, definitions)
