"""The command that runs an algorithm in a project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from sluice_cli.commands.runs import FOLLOW, FORMAT, TIMEOUT, WAIT, finish_run
from sluice_cli.completion import PROJECT, Listed
from sluice_cli.connection import connect
from sluice_cli.output.formats import output_option
from sluice_cli.output.messages import echo
from sluice_client import Run, segment

_Pairs = tuple[tuple[str, str], ...]


class _Pair(click.ParamType):
    """`NAME=VALUE`."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split the text at the first `=`."""
        name, equals, text = str(value).partition("=")
        if not equals or not name:
            self.fail(f"{value!r} has no name; write NAME=VALUE.", param, ctx)
        return name, text


@click.command("run-algorithm")
@click.argument("project", type=PROJECT)
@click.argument("algorithm", type=Listed("/algorithms", "algorithm"))
@click.option(
    "--input",
    "inputs",
    type=_Pair(),
    multiple=True,
    help="An input, such as topology=north@3, grooming=run:01J… or data=model:daily; default: the project's.",
)
@click.option(
    "--parameter",
    "parameters",
    type=_Pair(),
    multiple=True,
    help="A parameter as JSON or text, such as iterations=8 or algorithm=ILP; default: the project's.",
)
@click.option("--seed", type=int, help="The seed of all random choices; default: the project's.")
@click.option("--force", is_flag=True, help="Compute again even if the same was computed before.")
@click.option("--comment", help="A note that the run keeps.")
@click.option(
    "--save",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder to write the result to: result.json, and the algorithm's files.",
)
@FOLLOW
@WAIT
@TIMEOUT
@output_option(about=FORMAT)
def run_algorithm(
    project: str,
    algorithm: str,
    inputs: _Pairs,
    parameters: _Pairs,
    seed: int | None,
    force: bool,
    comment: str | None,
    save: Path | None,
    follow: bool,
    waits: bool,
    timeout: float | None,
    output: str | None,
) -> None:
    """Run an algorithm in a project, and wait for its end.

    If the same inputs, code, parameters and seed were computed before, the earlier run is shown. The exit codes are
    those of `sluice run`.
    """
    if save is not None and not waits:
        raise click.UsageError("--save needs the end of the run; omit --no-wait.")
    body = {
        "inputs": dict(inputs),
        "parameters": {name: _json_or_text(value) for name, value in parameters},
        "seed": seed,
        "force": force,
        "comment": comment,
    }
    with connect() as api:
        path = f"/projects/{segment(project)}/algorithms/{segment(algorithm)}/runs"
        started = api.post(path, body)
        finish_run(api, started, follow, waits, timeout, output)
        if save is not None:
            _save(api.run(started["id"]), save)


def _json_or_text(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return value


def _save(run: Run, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    result = folder / "result.json"
    result.write_text(json.dumps(run.result(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    files = [run.save_file(file["name"], folder / file["name"]) for file in run.outputs()["files"]]
    for path in [result, *files]:
        echo(f"  {path}", err=True)
