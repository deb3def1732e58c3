"""The stage `erase`: removing one record from everything that is stored."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sluice.container import Container
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Run
from sluice.errors import CannotErase

if TYPE_CHECKING:
    from sluice.erasure.eraser import Eraser
    from sluice.erasure.plan import Plan


def erase(services: Container, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Erase the record of the run, or, in a dry run, count what would be removed.

    A call first completes what an earlier one has planned, then plans again: what a run has stored meanwhile is found
    by the next plan. The run ends when a plan finds nothing.

    Returns:
        `{"outcome"}`: `done`; `wait` while runs are active that may have read the record; `more` after each plan that
        was completed.

    Raises:
        CannotErase: the record cannot be removed from a page by itself.
    """
    from sluice.erasure.eraser import Eraser
    from sluice.erasure.plan import Plan
    from sluice.erasure.requests import claim_turn, is_disturbed, requested_key
    from sluice.erasure.unfinished import unfinished_plans
    from sluice.lake import object_keys

    if not claim_turn(services, run):
        return {"outcome": "wait"}
    key = requested_key(services, run)
    if key is None:
        return _finish_without_key(services, run)
    eraser = Eraser(services, run, key)
    plan_key = object_keys.erasure(run.id, "plan")
    stored = services.lake.find_json(plan_key)
    if stored is None:
        services.runs.advance(run, progress={"stage": "erase", "current": 0, "total": None})
        plan = eraser.plan(unfinished_plans(services, run))
        if not run.dry_run and is_disturbed(services, run, plan):
            return {"outcome": "wait"}
        run = _note_counts(services, run, plan)
        if run.dry_run:
            return _forget(services, run, eraser)
        services.lake.put_json(plan_key, plan.model_dump(mode="json"))
    else:
        plan = Plan.model_validate(stored)
    eraser = Eraser(services, run, key)
    eraser.apply(plan)
    return _conclude(services, run, eraser, plan)


def _conclude(services: Container, run: Run, eraser: Eraser, plan: Plan) -> dict[str, Any]:
    """End the run if nothing is left; otherwise store the next plan."""
    from sluice.erasure.requests import is_disturbed
    from sluice.lake import object_keys

    rest = eraser.plan()
    if rest.found or is_disturbed(services, run, rest):
        merged = rest.with_earlier(plan)
        services.lake.put_json(object_keys.erasure(run.id, "plan"), merged.model_dump(mode="json"))
        return {"outcome": "more" if rest.found else "wait"}
    eraser.store_tombstones(plan)
    eraser.refresh(plan)
    return _forget(services, run, eraser)


def _forget(services: Container, run: Run, eraser: Eraser) -> dict[str, Any]:
    run = services.runs.advance(run, progress=_DONE)  # if the function is killed now, the next call ends the run
    eraser.forget()
    return _finish(services, run)


def _finish_without_key(services: Container, run: Run) -> dict[str, Any]:
    """End a run whose key was removed by a call that was killed right afterwards."""
    if run.progress is None or run.progress.model_dump(include=set(_DONE)) != _DONE:
        raise CannotErase("The key of this run is not stored any more; start another erasure.")
    return _finish(services, run)


def _note_counts(services: Container, run: Run, plan: Plan) -> Run:
    assert run.erasure is not None
    changed = run.erasure.model_copy(update={"removed": plan.counts})
    return services.runs.advance(run, erasure=changed.model_dump())


def _finish(services: Container, run: Run) -> dict[str, Any]:
    from sluice.erasure.requests import release_turn

    assert run.erasure is not None
    warnings = [] if run.erasure.removed.keys() - _ALWAYS_REMOVED else [_NOTHING]
    warnings += ["this was a dry run: nothing was removed"] if run.dry_run else []
    services.runs.finish(
        run,
        status="succeeded",
        finished_at=rfc3339(now()),
        rows=run.erasure.removed.get("records", 0),
        warnings=warnings,
        progress=_DONE,
    )
    release_turn(services, run)
    return {"outcome": "done"}


_DONE = {"stage": "erase", "current": 1, "total": 1}
# Whatever record is erased.
_ALWAYS_REMOVED = {"answers"}
_NOTHING = "no page and no version has a record with this key"
