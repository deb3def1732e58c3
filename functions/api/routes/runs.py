"""Runs: reading, cancelling and redriving them."""

from datetime import datetime
from itertools import islice
from typing import get_args

from sluice.algorithm_runs.progress import with_counts
from sluice.api.call import Answer, Call
from sluice.api.paging import paginate
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, LIMIT, PREFER, Parameter, Routes
from sluice.api.running import is_run_visible, start_answer
from sluice.container import Container
from sluice.domain.names import parse_time
from sluice.domain.run import RunStatus, run_view
from sluice.domain.run_types import RUN_TYPES
from sluice.errors import Invalid
from sluice.runs.listing import RunFilter, matching_runs
from sluice.runs.reconcile import reconcile_if_silent
from sluice.runs.start import cancel, redrive
from sluice.runs.timeline import timeline

routes = Routes("runs")
_FILTERS = ("kind", "status", "datasource", "project", "algorithm")
_PARAMETERS = [
    Parameter("id", "Only these runs, separated by commas."),
    *(Parameter(name, f"Only runs of this {name}.") for name in _FILTERS),
    Parameter("since", "Only runs created at or after this time.", {"type": "string", "format": "date-time"}),
]


@routes.get("/runs", "run.list", answer="RunViewList", parameters=[*_PARAMETERS, LIMIT, CURSOR])
def list_runs(call: Call, services: Container) -> Answer:
    """The runs, newest first."""
    requested = {name: call.query_value(name) for name in (*_FILTERS, "id", "since")}
    for name, words in (("kind", tuple(RUN_TYPES)), ("status", get_args(RunStatus))):
        call.choice(name, words, words[0])
    fields = {name: requested[name] for name in _FILTERS}
    run_filter = RunFilter(fields, requested["id"], _time(requested["since"]))
    bound = ["runs", requested, call.principal.projects]
    before = services.cursors.open(bound, call.query_value("cursor"))
    limit = call.limit()
    matching = matching_runs(services, run_filter, before)
    # One more than the page holds tells whether another page follows.
    runs = list(islice((run for run in matching if is_run_visible(services, call.principal, run)), limit + 1))
    cursor = services.cursors.seal(bound, runs[limit - 1].id) if len(runs) > limit else None
    return Answer({"items": [run_view(with_counts(services, run)) for run in runs[:limit]], "next": cursor})


def _time(text: str | None) -> datetime | None:
    try:
        return parse_time(text) if text is not None else None
    except ValueError:
        message = "Give a time such as 2026-01-31T12:00:00Z."
        raise Invalid(f"since cannot be {text!r}.", [{"pointer": "?since", "message": message}]) from None


@routes.get("/runs/{run_id}", "run.read", answer="RunView")
def get_run(call: Call, services: Container, run_id: str) -> Answer:
    """One run."""
    return Answer(run_view(with_counts(services, reconcile_if_silent(services, call.run))))


@routes.post("/runs/{run_id}/cancel", "run.stop", answer="RunView", parameters=[IDEMPOTENCY_KEY])
def cancel_run(call: Call, services: Container, run_id: str) -> Answer:
    """Cancel a run; what it has stored stays."""
    run = reconcile_if_silent(services, call.run)
    call.require_known_parameters()
    return Answer(run_view(cancel(services, run)))


@routes.post(
    "/runs/{run_id}/redrive", "run.redrive", answer="RunView", status=202, parameters=[IDEMPOTENCY_KEY, PREFER]
)
def redrive_run(call: Call, services: Container, run_id: str) -> Answer:
    """Continue a failed, partial or cancelled run from where it stopped."""
    run = reconcile_if_silent(services, call.run)
    call.require_known_parameters()
    return start_answer(call, services, lambda: redrive(services, run))


@routes.get("/runs/{run_id}/events", "run.read", answer="RunEventViewList", parameters=[LIMIT, CURSOR])
def list_run_events(call: Call, services: Container, run_id: str) -> Answer:
    """A run's timeline: its stages, pages, failed requests and ingest runs, oldest first."""
    run = reconcile_if_silent(services, call.run)
    return paginate(call, services, ["events", run_id], timeline(services, run))
