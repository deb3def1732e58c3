"""The demonstration: applies a blueprint to the local stack, runs it and shows the result."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
from rich.table import Table

from sluice_cli.api import Api
from sluice_cli.blueprints.apply import apply_blueprint
from sluice_cli.blueprints.folder import Blueprint
from sluice_cli.emulator import is_running
from sluice_cli.progress import StepFailed, console, step
from sluice_cli.stack import DEFAULT_PORT, LocalStack, drop_file

_START_SECONDS = 15
# A busy emulator may lose the notification of a file; the sweep finds the file within about a minute.
_DROP_SECONDS = 150


class SampleServer:
    """The process of a blueprint's sample server.

    Args:
        folder: for its log and its process id.
        port: the port that it listens on.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self._pid_file = folder / "sample.pid"
        self._log = folder / "sample.log"
        self._port = port
        self.url = f"http://127.0.0.1:{port}"

    def start(self, command: Path) -> None:
        """Start the server unless it is running.

        Args:
            command: the server's Python file, which gets the port as its argument.

        Raises:
            StepFailed: it does not answer within 15 seconds.
        """
        if is_running(self._pid_file, command.name) is not None:
            return
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, str(command), str(self._port)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file.write_text(str(process.pid))
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            try:
                httpx.get(self.url, timeout=2, trust_env=False)
                return
            except httpx.TransportError:
                time.sleep(0.1)
        raise StepFailed(f"the sample server does not answer on port {self._port}; see {self._log}")


def demonstrate(root: Path, stack: LocalStack, name: str) -> None:
    """Start the stack, apply a blueprint, refresh its project, and print its rows and the next commands.

    Args:
        root: the checkout.
        name: the blueprint's folder below `blueprints/`.

    Raises:
        StepFailed: a step failed; the text says why and what to do.
    """
    start = time.monotonic()
    description = stack.up()
    api = Api(description["api"], description["api_key"])
    blueprint = Blueprint(root / "blueprints" / name)
    command = blueprint.sample_command()
    if command is not None and not _has_own_keys(blueprint):
        server = SampleServer(stack.folder, stack.port + 1)
        with step(f"Start the blueprint's sample server on port {stack.port + 1}"):
            server.start(command)
        blueprint = Blueprint(blueprint.folder, {**os.environ, **blueprint.sample_environment(server.url)})
    with step(f"Apply blueprints/{name}"):
        apply_blueprint(blueprint, api)
    project = blueprint.description["project"]
    if blueprint.files():
        with step("Drop the files"):
            for slug, file in blueprint.files():
                before = _newest_run(api, slug)
                drop_file(stack.local, slug, file)
                _await_drop(api, slug, before)
                console.print(f"  {file.name} → {slug}")
    with step(f"Refresh the project {project}"):
        run = api.wait_for_run(api.post(f"/projects/{project}/runs", {}))
        _print_run(run)
    _show(api, project, dict(blueprint.description["show"]))
    addresses = [description["api"] + path for path in blueprint.description.get("addresses", [])]
    _next_commands(description, project, addresses, stack.port, time.monotonic() - start)


def _has_own_keys(blueprint: Blueprint) -> bool:
    """Whether the user has keys for the real APIs, so that the sample server is not needed."""
    variables = blueprint.description.get("sample", {}).get("environment", {})
    return any(variable in os.environ for variable in variables)


def _newest_run(api: Api, slug: str) -> dict[str, Any] | None:
    runs = api.get("/runs", datasource=slug, limit=1)["items"]
    return runs[0] if runs else None


def _await_drop(api: Api, slug: str, before: dict[str, Any] | None) -> None:
    """Wait for the run that a dropped file starts.

    Args:
        before: the datasource's newest run before the drop.

    Raises:
        StepFailed: the run fails, or none starts.
    """
    deadline = time.monotonic() + _DROP_SECONDS
    while time.monotonic() < deadline:
        run = _newest_run(api, slug)
        if run is not None and run["id"] != (before or {}).get("id"):
            run = api.wait_for_run(run)
            if run["status"] == "failed":
                raise StepFailed(run["error"]["detail"])
            return
        time.sleep(0.2)
    raise StepFailed(f"the dropped file started no run of {slug}; look at the logs with: make logs")


def _print_run(run: dict[str, Any]) -> None:
    if run["status"] == "failed":
        raise StepFailed(run["error"]["detail"])
    console.print(
        f"  run {run['id']}: {run['status']}, {run['rows']} rows, version {run['version']}, {run['completeness']}"
    )
    for warning in run["warnings"]:
        console.print(f"  [yellow]note[/] {warning}", markup=True)


def _show(api: Api, project: str, show: dict[str, Any]) -> None:
    model = show.pop("model", None)
    answer = api.get(f"/projects/{project}/models/{model}/data" if model else f"/projects/{project}/data", **show)
    columns = show["select"].split(",")
    name = f"{project}, model {model}" if model else project
    table = Table(title=f"{name}, version {answer['version']}, as of {answer['data_as_of']}", title_justify="left")
    for column in columns:
        text = any(_is_text(row[column]) for row in answer["items"])
        table.add_column(column, justify="left" if text else "right")
    for row in answer["items"]:
        table.add_row(*("–" if row[column] is None else str(row[column]) for column in columns))
    console.print(table)


def _is_text(value: Any) -> bool:
    """Whether a value is not a number; a decimal counts as one, although JSON has it as text."""
    return isinstance(value, str) and not value.replace(".", "", 1).replace("-", "", 1).isdecimal()


def _next_commands(description: dict[str, Any], project: str, addresses: list[str], port: int, seconds: float) -> None:
    port_option = "" if port == DEFAULT_PORT else f" PORT={port}"
    lines = [
        f"[bold]API[/]   {description['api']}",
        f"[bold]Docs[/]  {description['api']}/docs",
        f"[bold]Key[/]   {description['api_key']}  (admin; also in .local/stack.json)",
        "",
        "Try next:",
        *(f"  curl -H 'x-api-key: {description['api_key']}' '{address}'" for address in addresses),
        f"  .venv/bin/sluice data project {project} --limit 5",
        f"  .venv/bin/sluice run project {project}",
        "  .venv/bin/sluice get runs",
        f"  make logs{port_option}    make down{port_option}",
    ]
    console.print("\n".join(lines), soft_wrap=True)
    console.print(f"Finished in {seconds:.0f} s.")
