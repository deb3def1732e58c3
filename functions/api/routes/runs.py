"""Runs: how they stand, and stopping or repeating them."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import get_args

from sluice.api.call import Answer, Call
from sluice.api.paging import paged
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, LIMIT, PREFER, Parameter, Routes
from sluice.api.running import started, visible
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import is_slug, is_ulid, parse_time
from sluice.domain.run import Run, RunStatus, run_view
from sluice.domain.run_types import RUN_TYPES
from sluice.errors import Invalid
from sluice.runs.reconcile import current
from sluice.runs.start import cancel, redrive
from sluice.runs.timeline import timeline

routes = Routes("runs")
_FILTERS = ("kind", "status", "datasource", "project", "algorithm")
_PARAMETERS = [
    Parameter("id", "Only these runs, separated by commas."),
    *(Parameter(name, f"Only runs of this {name}.") for name in _FILTERS),
    Parameter("since", "Only runs made at or after this time.", {"type": "string", "format": "date-time"}),
]


@routes.get("/runs", "run.list", answer="RunViewList", parameters=[*_PARAMETERS, LIMIT, CURSOR])
def list_runs(call: Call, services: Container) -> Answer:
    """The runs, newest first."""
    asked = {name: call.one(name) for name in (*_FILTERS, "id", "since")}
    for name, words in (("kind", tuple(RUN_TYPES)), ("status", get_args(RunStatus))):
        call.choice(name, words, words[0])
    since = _time(asked["since"])
    bound = ["runs", asked, call.principal.projects]
    before = services.cursors.open(bound, call.one("cursor"))
    limit = call.limit()
    matching = (run for run in _candidates(services, asked, before) if _wanted(run, asked, since))
    found = list(islice((run for run in matching if visible(services, call.principal, run)), limit + 1))
    cursor = services.cursors.seal(bound, found[limit - 1].id) if len(found) > limit else None
    return Answer({"items": [run_view(run) for run in found[:limit]], "next": cursor})


def _candidates(services: Container, asked: dict[str, str | None], before: str | None) -> Iterator[Run]:
    if asked["id"] is not None:
        ids = sorted({run_id for run_id in asked["id"].split(",") if is_ulid(run_id)}, reverse=True)
        found = (services.runs.find(run_id) for run_id in ids if before is None or run_id < before)
        return (run for run in found if run is not None)
    slug = asked["datasource"] if asked["datasource"] is not None else asked["project"]
    if slug is None:
        return services.runs.newest(None, before)
    if not is_slug(slug):
        return iter(())
    owner = DatasetId.of_datasource(slug) if asked["datasource"] is not None else DatasetId.of_project(slug)
    return services.runs.newest(owner, before)


def _time(text: str | None) -> datetime | None:
    try:
        return parse_time(text) if text is not None else None
    except ValueError:
        message = "Give a time such as 2026-01-31T12:00:00Z."
        raise Invalid(f"since cannot be {text!r}.", [{"pointer": "?since", "message": message}]) from None


def _wanted(run: Run, asked: dict[str, str | None], since: datetime | None) -> bool:
    if since is not None and parse_time(run.created_at) < since:
        return False
    return all(asked[name] is None or getattr(run, name) == asked[name] for name in _FILTERS)


@routes.get("/runs/{run_id}", "run.read", answer="RunView")
def get_run(call: Call, services: Container, run_id: str) -> Answer:
    """One run."""
    return Answer(run_view(current(services, call.run)))


@routes.post("/runs/{run_id}/cancel", "run.stop", answer="RunView", parameters=[IDEMPOTENCY_KEY])
def cancel_run(call: Call, services: Container, run_id: str) -> Answer:
    """Stop a run; what it has stored stays."""
    run = current(services, call.run)
    call.require_known_parameters()
    return Answer(run_view(cancel(services, run)))


@routes.post(
    "/runs/{run_id}/redrive", "run.redrive", answer="RunView", status=202, parameters=[IDEMPOTENCY_KEY, PREFER]
)
def redrive_run(call: Call, services: Container, run_id: str) -> Answer:
    """Try a failed, partial or cancelled run again, from where it stopped."""
    run = current(services, call.run)
    call.require_known_parameters()
    return started(call, services, lambda: redrive(services, run))


@routes.get("/runs/{run_id}/events", "run.read", answer="RunEventViewList", parameters=[LIMIT, CURSOR])
def list_run_events(call: Call, services: Container, run_id: str) -> Answer:
    """A run's timeline: its stages, pages, failed tries and ingest runs, oldest first."""
    run = current(services, call.run)
    return paged(call, services, ["events", run_id], timeline(services, run))
