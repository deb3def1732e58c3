"""Commands that start, follow and end runs."""

from __future__ import annotations

from typing import Any

import click

from sluice_cli.completion import DATASOURCE, OWNER, RUN
from sluice_cli.connection import connect
from sluice_cli.errors import NOT_COMPLETE, StepFailed
from sluice_cli.output.formats import output_option, show_document
from sluice_cli.output.messages import echo
from sluice_cli.output.stale import other_warnings, warn_of_stale
from sluice_cli.output.values import counted
from sluice_cli.runs.follow import follow, wait
from sluice_client import Sluice, segment

FOLLOW = click.option("--follow", is_flag=True, help="Show the progress; of a refresh, that of each source.")
WAIT = click.option("--wait/--no-wait", "waits", default=True, help="Wait for the end of the run (default).")
FORMAT = "The format of the run at its end; default: one line and its warnings."
TIMEOUT = click.option("--timeout", type=float, help="Most seconds to wait; default: as long as it takes.")

_FAILS_AGAIN = "urn:sluice:problem:algorithm-failed"


@click.command()
@click.argument("what", type=click.Choice(["project", "datasource"]))
@click.argument("slug", type=OWNER)
@click.option(
    "--fetch",
    type=click.Choice(["stale", "all", "none"]),
    default="stale",
    show_default=True,
    help="Which datasources of the project are fetched: those whose data has expired, all, or none.",
)
@click.option("--dry-run", is_flag=True, help="Merge and report the result; fetch and publish nothing.")
@FOLLOW
@WAIT
@TIMEOUT
@output_option(about=FORMAT)
def run(
    what: str,
    slug: str,
    fetch: str,
    dry_run: bool,
    follow: bool,
    waits: bool,
    timeout: float | None,
    output: str | None,
) -> None:
    """Start a run of a project or datasource, and wait for its end.

    The exit code is 0 if the data is complete, 1 if the run failed, and 3 if it succeeded with stale or partial data.
    """
    if what == "datasource" and (fetch != "stale" or dry_run):
        raise click.UsageError("--fetch and --dry-run belong to the runs of projects.")
    body: dict[str, Any] = {"ingest": fetch, "dry_run": dry_run} if what == "project" else {}
    with connect() as api:
        started = api.post(f"/{what}s/{segment(slug)}/runs", body)
        finish_run(api, started, follow, waits, timeout, output)


@click.command()
@click.argument("run_id", metavar="RUN", type=RUN)
@TIMEOUT
@output_option(about=FORMAT)
def watch(run_id: str, timeout: float | None, output: str | None) -> None:
    """Follow a run until it ends; the exit codes are those of `sluice run`."""
    with connect() as api:
        finish_run(api, api.get(f"/runs/{segment(run_id)}"), True, True, timeout, output)


@click.command()
@click.argument("run_id", metavar="RUN", type=RUN)
@output_option(about=FORMAT)
def cancel(run_id: str, output: str | None) -> None:
    """Cancel a run; what it has stored stays."""
    with connect() as api:
        show_run(api.post(f"/runs/{segment(run_id)}/cancel"), output)


@click.command()
@click.argument("run_id", metavar="RUN", type=RUN)
@FOLLOW
@WAIT
@TIMEOUT
@output_option(about=FORMAT)
def redrive(run_id: str, follow: bool, waits: bool, timeout: float | None, output: str | None) -> None:
    """Continue a failed, partial or cancelled run from where it stopped."""
    with connect() as api:
        started = api.post(f"/runs/{segment(run_id)}/redrive")
        finish_run(api, started, follow, waits, timeout, output)


@click.command()
@click.argument("datasource", type=DATASOURCE)
@click.argument("version", type=int)
@FOLLOW
@WAIT
@TIMEOUT
@output_option(about=FORMAT)
def replay(datasource: str, version: int, follow: bool, waits: bool, timeout: float | None, output: str | None) -> None:
    """Make a version again from its raw pages, without calling the upstream."""
    with connect() as api:
        started = api.post(f"/datasources/{segment(datasource)}/runs", {"replay": version})
        finish_run(api, started, follow, waits, timeout, output)


@click.command()
@click.argument("datasource", type=DATASOURCE)
@click.argument("key", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why; it is kept, so do not repeat the record.")
@click.option("--dry-run", is_flag=True, help="Only count what would be removed.")
@FOLLOW
@WAIT
@TIMEOUT
@output_option(about=FORMAT)
def erase(
    datasource: str,
    key: tuple[str, ...],
    reason: str,
    dry_run: bool,
    follow: bool,
    waits: bool,
    timeout: float | None,
    output: str | None,
) -> None:
    """Erase a record from everything that is stored: give the values of its primary key, in order.

    It cannot be undone. A later fetch that brings the record again stores it as new data.
    """
    with connect() as api:
        body = {"key": list(key), "reason": reason, "dry_run": dry_run}
        started = api.post(f"/datasources/{segment(datasource)}/erase", body)
        finish_run(api, started, follow, waits, timeout, output)
        if waits and output is None:
            removed = api.get(f"/runs/{segment(started['id'])}")["erasure"]["removed"]
            for kind, count in removed.items():
                echo(f"  {kind.replace('_', ' ')}: {count}")


def finish_run(
    api: Sluice, run: dict[str, Any], follows: bool, waits: bool, timeout: float | None, output: str | None
) -> None:
    """Wait for a run if it is wanted, and show how it ended.

    Args:
        api: the client.
        run: the run as it has started.
        follows: whether to show the progress.
        waits: whether to wait at all.
        timeout: the most seconds to wait; null: as long as it takes.
        output: the format of the run; null: one line and its warnings.

    Raises:
        StepFailed: the run failed or was cancelled, or has not ended in time.
        Exit: its data is stale or partial.
    """
    if not waits:
        show_run(run, output)
        return
    ended = follow(api, run["id"], timeout) if follows else wait(api, run["id"], timeout)
    show_run(ended, output)
    if ended["status"] in ("pending", "running"):
        raise StepFailed(f"the run {ended['id']} has not ended after {timeout:g} s; see: sluice watch {ended['id']}")
    if ended["status"] in ("failed", "cancelled"):
        detail = (ended["error"] or {"detail": f"the run {ended['id']} was cancelled"})["detail"]
        raise StepFailed(detail + _advice(ended))
    if ended["completeness"] in ("stale", "partial"):
        raise click.exceptions.Exit(NOT_COMPLETE)


def _advice(run: dict[str, Any]) -> str:
    timeline = f"\n  The run's timeline: sluice get runs/{run['id']}/events."
    # An algorithm fails again on the same inputs and parameters.
    again = "" if (run["error"] or {}).get("type") == _FAILS_AGAIN else f" Try again: sluice redrive {run['id']}"
    return timeline + again


def show_run(run: dict[str, Any], output: str | None) -> None:
    """Print a run: as one line with its warnings below, unless a format is asked for.

    Args:
        run: the run's document.
        output: the format.
    """
    if output:
        show_document(run, output)
        return
    ended = run["status"] in ("succeeded", "partial")
    parts = [f"{run['id']}: {run['status']}"]
    if ended:
        parts.append(counted(run["rows"], "row") if run["rows"] is not None else "")
        parts += [f"version {run['version']}" if run["version"] else "", run["completeness"]]
    echo(", ".join(part for part in parts if part))
    if run.get("summary"):
        echo(f"  {run['summary']}")
    if ended:
        warn_of_stale(run)
        for warning in other_warnings(run):
            echo(f"  note: {warning}", err=True)
