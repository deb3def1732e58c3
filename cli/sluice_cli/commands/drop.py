"""The commands that send files: to a datasource, or readings of sensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sluice_cli.commands.runs import show_run
from sluice_cli.completion import DATASOURCE
from sluice_cli.connection import connect
from sluice_cli.errors import StepFailed
from sluice_cli.output.formats import output_option
from sluice_cli.output.messages import echo
from sluice_cli.runs.drops import await_drop, newest_run


@click.command()
@click.argument("datasource", type=DATASOURCE)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--wait/--no-wait", "waits", default=True, help="Wait for the end of the run (default).")
@output_option()
def drop(datasource: str, file: Path, waits: bool, output: str | None) -> None:
    """Send a file to a datasource of the kind file, and wait for its run.

    The file goes into the inbox by a presigned form, as dropping it there does.
    """
    with connect() as api:
        before = newest_run(api, datasource)
        api.datasource(datasource).upload(file)
        echo(f"{file.name} → {datasource}", err=True)
        if not waits:
            return
        run: dict[str, Any] = await_drop(api, datasource, before)
    show_run(run, output)
    if run["status"] == "failed":
        raise StepFailed(run["error"]["detail"])


@click.command("send-readings")
@click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
def send_readings(files: tuple[Path, ...]) -> None:
    """Send files of sensor readings: CSV, JSON Lines or a JSON array, also gzipped.

    A CSV file has the columns sensor, time, value and if needed quality and revision. Readings that are refused go to
    quarantine, which `sluice get /readings/quarantine` shows.
    """
    with connect() as api:
        for file in files:
            api.upload_readings(file)
            echo(f"{file.name} is sent; readings that are refused are in `sluice get readings/quarantine`", err=True)
