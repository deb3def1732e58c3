"""The demonstration: applies a blueprint to the local stack, runs it and shows the result."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table
from rich.text import Text

from sluice_cli.blueprints.apply import apply_blueprint
from sluice_cli.blueprints.folder import Blueprint
from sluice_cli.errors import StepFailed
from sluice_cli.local.stack import DEFAULT_PORT, LocalStack
from sluice_cli.output.values import counted, is_number, printable, text_of
from sluice_cli.progress import console, step
from sluice_cli.runs.drops import await_drop, newest_run
from sluice_cli.runs.follow import wait
from sluice_client import Sluice


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
    api = Sluice(description["api"], description["api_key"])
    blueprint = Blueprint(root / "blueprints" / name)
    command = blueprint.sample_command()
    if command is not None and not blueprint.has_own_values():
        with step("Start the blueprint's sample server"):
            url = stack.samples.start(name, command)
            console.print(f"  {url}")
        blueprint = Blueprint(blueprint.folder, {**os.environ, **blueprint.sample_environment(url)})
    with step(f"Apply blueprints/{name}"):
        apply_blueprint(blueprint, api)
    project = blueprint.description["project"]
    if blueprint.files():
        with step("Drop the files"):
            for slug, file in blueprint.files():
                before = newest_run(api, slug)
                api.datasource(slug).upload(file)
                run = await_drop(api, slug, before)
                if run["status"] == "failed":
                    raise StepFailed(run["error"]["detail"])
                console.print(f"  {file.name} → {slug}")
    feed = blueprint.feed_command()
    if feed is not None:
        with step("Send readings"):
            _send_readings(feed, description)
    with step(f"Refresh the project {project}"):
        _print_run(wait(api, api.post(f"/projects/{project}/runs", {})["id"], None))
    _show(api, project, dict(blueprint.description["show"]))
    addresses = [description["api"] + path for path in blueprint.description.get("addresses", [])]
    _next_commands(description, project, addresses, stack.port, time.monotonic() - start)


def _send_readings(command: Path, description: dict[str, Any]) -> None:
    """Run a blueprint's program that sends readings, and print what it prints."""
    environment = os.environ | {"SLUICE_API": description["api"], "SLUICE_API_KEY": description["api_key"]}
    done = subprocess.run([sys.executable, str(command)], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise StepFailed(f"{command} failed: {done.stderr.strip()[-2000:]}")
    for line in done.stdout.splitlines():
        console.print(escape(printable(f"  {line}")))


def _print_run(run: dict[str, Any]) -> None:
    if run["status"] == "failed":
        raise StepFailed(run["error"]["detail"])
    rows = counted(run["rows"], "row")
    console.print(f"  run {run['id']}: {run['status']}, {rows}, version {run['version']}, {run['completeness']}")
    if run["summary"]:
        console.print(escape(printable(f"  {run['summary']}")))
    for warning in run["warnings"]:
        console.print(f"  [yellow]note[/] {escape(printable(warning))}", markup=True)


def _show(api: Sluice, project: str, show: dict[str, Any]) -> None:
    model = show.pop("model", None)
    answer = api.get(f"/projects/{project}/models/{model}/data" if model else f"/projects/{project}/data", **show)
    columns = show["select"].split(",")
    name = f"{project}, model {model}" if model else project
    table = Table(title=f"{name}, version {answer['version']}, as of {answer['data_as_of']}", title_justify="left")
    for column in columns:
        text = any(row[column] is not None and not is_number(row[column]) for row in answer["items"])
        table.add_column(column, justify="left" if text else "right")
    for row in answer["items"]:
        table.add_row(*(Text(printable(text_of(row[column], "–"))) for column in columns))
    console.print(table)


def _next_commands(description: dict[str, Any], project: str, addresses: list[str], port: int, seconds: float) -> None:
    port_option = "" if port == DEFAULT_PORT else f" PORT={port}"
    lines = [
        *([f"[bold]Console[/]  {description['console']}"] if "console" in description else []),
        f"[bold]API[/]      {description['api']}",
        f"[bold]Docs[/]     {description['api']}/docs",
        f"[bold]Key[/]      {description['api_key']}  (admin; also in .local/stack.json)",
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
