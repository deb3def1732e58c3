"""Following a run until it ends: a live table on a terminal, otherwise a line for each change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sluice_cli.output.formats import is_terminal
from sluice_cli.output.messages import echo
from sluice_cli.output.values import printable
from sluice_cli.runs.state import RunState, read_state
from sluice_client import RunTimeout, Sluice

Show = Callable[[RunState], None]


def follow(api: Sluice, run_id: str, timeout: float | None = None) -> dict[str, Any]:
    """Show the progress of a run until it ends.

    Args:
        api: the client.
        run_id: the run's id.
        timeout: the most seconds; null: as long as it takes.

    Returns:
        The run as it is then; it has not ended if the time was too short.
    """
    run = api.run(run_id)
    with _live_table() if is_terminal() else _lines() as show, suppress(RunTimeout):
        for _ in run.follow(timeout):
            show(read_state(api, dict(run.document)))
    return dict(run.document)


@contextmanager
def _lines() -> Iterator[Show]:
    shown: dict[str, str] = {}

    def show(state: RunState) -> None:
        lines = {source.run: source.line for source in state.sources}
        stage = state.stage
        if state.run["kind"] != "ingest" and not state.ended and stage not in (None, "ingest"):
            lines[state.run["id"]] = f"{state.run['algorithm'] or state.run['project']}: {stage}"
        for key, line in lines.items():
            if shown.get(key) != line:
                echo(line, err=True)
        shown.update(lines)

    yield show


@contextmanager
def _live_table() -> Iterator[Show]:
    from rich.console import Console
    from rich.live import Live

    with Live(console=Console(stderr=True, highlight=False), auto_refresh=False) as live:
        yield lambda state: live.update(_table(state), refresh=True)


def _table(state: RunState) -> Any:
    from rich.table import Table
    from rich.text import Text

    run = state.run
    about = run["algorithm"] or run["project"] or run["datasource"]
    title = f"{run['kind']} {about}: {run['status'] if state.ended else state.stage or run['status']}"
    table = Table(title=Text(printable(title)), title_justify="left")
    for name in ("source", "state", "pages", "rows", "rate", "retries", "seconds"):
        table.add_column(name, justify="left" if name in ("source", "state") else "right")
    for source in state.sources:
        table.add_row(
            Text(printable(source.datasource)),
            Text(printable(source.status if source.ended else source.stage or source.status)),
            f"{source.pages:,}",
            f"{source.rows:,}",
            source.rate,
            f"{source.retries:,}",
            f"{source.seconds:,.0f}",
        )
    return table


def wait(api: Sluice, run_id: str, timeout: float | None) -> dict[str, Any]:
    """Wait for the end of a run without showing its progress.

    Args:
        api: the client.
        run_id: the run's id.
        timeout: the most seconds; null: as long as it takes.

    Returns:
        The run as it is then; it has not ended if the time was too short.
    """
    run = api.run(run_id)
    with suppress(RunTimeout):
        for _ in run.follow(timeout):
            pass
    return dict(run.document)
