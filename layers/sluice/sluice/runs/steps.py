"""The steps of the workflows: each is one call of a stage's function.

A step answers `{"outcome": …}`, on which the workflow decides: errors that a user must mend are
outcomes too, since not every engine tells a workflow the class of an exception. Only what is
worth trying again is raised.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from aws_lambda_powertools import Logger

from sluice.bootstrap import Platform, platform
from sluice.catalog.definitions import Kind
from sluice.catalog.table import Write
from sluice.domain.dataset import Manifest
from sluice.domain.datasource import Datasource
from sluice.domain.names import now, rfc3339
from sluice.domain.project import Project
from sluice.domain.run import TERMINAL, FetchIndex, Run, capped, requests_made
from sluice.errors import (
    DataTooLarge,
    ModelFailed,
    NotFound,
    Overtaken,
    RunError,
    RunStopped,
    SluiceError,
    VersionConflict,
)
from sluice.lake import keys
from sluice.security.secret_use import Author
from sluice.sources.base import Call, HandOver
from sluice.sources.registry import source_of

logger = Logger()
_TELL_SECONDS = 5
Step = Callable[[Platform, Run, dict[str, Any], Callable[[], float]], dict[str, Any]]


def run_step(step: Step, event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Do one step of a run's attempt.

    Args:
        event: `{"run_id", "attempt"}` and what the step before answered.

    Returns:
        `{"outcome": "done"}` with what the next step needs, `"more"` to be called again,
        `"conflict"` to merge again, `"failed"` with the run's error stored, or `"stopped"`.
    """
    services = platform()
    logger.append_keys(run_id=event["run_id"], attempt=event["attempt"])
    run = services.runs.get(event["run_id"])
    if run.attempt != event["attempt"] or run.status not in ("pending", "running"):
        return _stopped(run, event)
    try:
        _require_owner(services, run)
        if run.status == "pending":
            run = services.runs.advance(run, status="running", started_at=run.started_at or rfc3339(now()))
        return {**step(services, run, event, _seconds_left(context)), "run_id": run.id, "attempt": run.attempt}
    except RunStopped:
        return _stopped(services.runs.get(run.id), event)
    except VersionConflict as conflict:
        logger.info(conflict.detail)
        return {"outcome": "conflict", "run_id": run.id, "attempt": run.attempt}
    except (RunError, NotFound) as error:
        return _failed(services, run, error)


def _require_owner(services: Platform, run: Run) -> Write:
    """The condition, for a commit, that what a run works for is what it was made for.

    Raises:
        NotFound: it was deleted, even if another one has its name now.
    """
    kind: Kind = "datasource" if run.kind == "ingest" else "project"
    name = run.datasource or run.project or ""
    found = services.definitions.find(kind, name)
    if found is None or found.created_at > run.created_at:
        raise NotFound(f"The {kind} {name!r} of this run was deleted.")
    return services.definitions.made_at(found)


def _stopped(run: Run, event: dict[str, Any]) -> dict[str, Any]:
    """A step of a run that has ended: a repeated commit is fine, anything else stops here."""
    committed = run.attempt == event["attempt"] and run.status in TERMINAL - {"failed", "cancelled"}
    outcome = "done" if committed else "stopped"
    return {"outcome": outcome, "run_id": event["run_id"], "attempt": event["attempt"]}


def _failed(services: Platform, run: Run, error: SluiceError) -> dict[str, Any]:
    asked = requests_made(services.pages.of_run(run.id)) if run.drop is None and run.replay is None else 0
    services.runs.finish(run, status="failed", error=error.problem(), finished_at=rfc3339(now()), requests=asked)
    logger.warning(error.detail)
    return {
        "outcome": "failed",
        "run_id": run.id,
        "attempt": run.attempt,
        "error": type(error).__name__,
        "cause": error.detail[:1000],
    }


def _seconds_left(context: Any) -> Callable[[], float]:
    def seconds_left() -> float:
        return float(context.get_remaining_time_in_millis()) / 1000

    return seconds_left


def _datasource(services: Platform, run: Run) -> Datasource:
    return Datasource.model_validate(services.definitions.get("datasource", run.datasource or "").document)


def _index(services: Platform, run: Run) -> FetchIndex | None:
    """What was fetched by this attempt, or by the latest one before it that ended fetching."""
    for attempt in range(run.attempt, 0, -1):
        found = services.lake.find_json(keys.fetch_index(run, attempt))
        if found:
            return FetchIndex.model_validate(found)
    return None


def fetch(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Bring every page of a run into the lake, then write what was fetched."""
    stored = _index(services, run)
    if stored is not None and (stored.completeness != "partial" or stored.attempt == run.attempt):
        return {"outcome": "done"}
    datasource = _datasource(services, run)
    if run.progress is None:
        run = services.runs.advance(run, progress={"stage": "fetch", "current": 0, "total": None})
    try:
        index = _fetched(services, run, datasource, seconds_left)
    except HandOver:
        return {"outcome": "more"}
    if index is None:
        return _nothing_waits(services, run)
    # First, so that an attempt that was overtaken writes nothing.
    services.runs.advance(run, requests=index.requests, progress={"stage": "fetch", "current": len(index.pages)})
    services.lake.put_json(keys.fetch_index(run, run.attempt), index.model_dump(mode="json"))
    return {"outcome": "done"}


def _nothing_waits(services: Platform, run: Run) -> dict[str, Any]:
    """End a run for whose batches another one was faster: there is nothing to publish."""
    pointer = services.datasets.pointer(run.owner)
    done = {"version": pointer.published, "completeness": "complete", "rows": 0, "finished_at": rfc3339(now())}
    services.runs.finish(run, status="succeeded", **done)
    return {"outcome": "stopped"}


def _fetched(
    services: Platform, run: Run, datasource: Datasource, seconds_left: Callable[[], float]
) -> FetchIndex | None:
    if run.replay is not None:
        return _replayed(services, run, run.replay)
    stored = services.definitions.get("datasource", datasource.slug)
    secret = services.secret_use.reader(datasource, Author(stored.written_by, stored.written_by_role))
    count = partial(services.calls.add, datasource.slug, stored.created_at)
    return source_of(datasource.kind).fetch(run, datasource, services, Call(secret, seconds_left, count))


def _replayed(services: Platform, run: Run, number: int) -> FetchIndex:
    """The pages of an earlier version, as this run's own: no upstream is asked.

    A version that was added up has the pages of all runs that added to it, the first ones first.
    The pages of a single run keep their numbers, which its records have.
    """
    version = services.datasets.version(run.owner, number)
    manifests = [services.lake.manifest(version.manifest_key)]
    while manifests[-1].previous is not None:
        manifests.append(services.lake.manifest(manifests[-1].previous))
    indexes = [FetchIndex.model_validate_json(services.lake.get(one.spec["index"])) for one in reversed(manifests)]
    received = [page for index in indexes for page in index.pages]
    pages = received
    if len(indexes) > 1:
        pages = [page.model_copy(update={"number": number}) for number, page in enumerate(received, start=1)]
    services.pages.put_all(run.id, pages)
    mine = {"run": run.id, "attempt": run.attempt, "requests": 0, "pages": pages, "unused_pages": []}
    if manifests[0].doubts and indexes[-1].completeness == "complete":
        mine |= {"completeness": "unproven", "completeness_reasons": manifests[0].completeness_reasons}
    return indexes[-1].model_copy(update={**mine, "fetched_at": manifests[0].data_as_of})


def extract(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Make typed Parquet of the pages, and the manifest that says all about it.

    Pages that are too many for one call are read by workers, which are calls of this step, too: the answer
    `"parts"` names them, and this step is called again when they have ended, until nothing is left to be done.
    """
    from sluice.extract.extractor import Base, Extractor
    from sluice.runs.workers import work_items

    index = _index(services, run)
    if index is None:
        raise RunStopped("What the run fetched is not in the lake.")
    published = services.datasets.pointer(run.owner).published
    datasource = _datasource(services, run)
    adds = datasource.write_disposition != "replace"
    if adds and run.replay is not None and run.replay_over != (published or 0):
        raise Overtaken("Another version was published while this replay ran, and would be lost; replay again.")
    # A replay makes its version of its own pages alone.
    adds_to = services.datasets.version(run.owner, published) if published and run.replay is None else None
    decides = run.replay or published
    known = services.datasets.version(run.owner, decides) if decides else None
    base = Base(published or 0, adds_to, known)
    watch = _Watch(services, run, seconds_left, tells="number" not in event)
    extractor = Extractor(run, datasource, index, base, services.lake, services.settings, watch.tick)
    mine = event.get("folder") == extractor.work_folder  # not where another version was published meanwhile
    if "number" in event:
        services.runs.advance(run)
        if mine:
            extractor.work(event["stage"], event["number"])
        return {"outcome": "done"}
    services.runs.advance(run, progress={"stage": "extract", "current": 0, "total": len(index.pages)})
    following = extractor.next_stage(event.get("stage") if mine else None)
    if following is not None:
        return {"outcome": "parts", **work_items(services, run, extractor.work_folder, *following)}
    return {"outcome": "done", "manifest_key": extractor.extract()}


class _Watch:
    """Says how far extracting has come, finds out that the run was cancelled, and ends it before its time is over.

    Args:
        tells: whether to say how far: of many workers, none knows.
    """

    def __init__(self, services: Platform, run: Run, seconds_left: Callable[[], float], *, tells: bool) -> None:
        self._services, self._run, self._seconds_left = services, run, seconds_left
        self._tells = tells
        self._told_at = time.monotonic()

    def tick(self, records: int) -> None:
        """Take note of so many records.

        Raises:
            RunStopped: the run was cancelled.
            DataTooLarge: the function's time is nearly over, and calling it again would not help.
        """
        if self._seconds_left() < self._services.settings.extract_reserve_seconds:
            said = f", after {records} records" if records else ""
            advice = "split it" if self._tells else "lower EXTRACT_PART_BYTES"
            raise DataTooLarge(f"The data takes longer to read than a function may run{said}; {advice}.")
        if time.monotonic() - self._told_at > _TELL_SECONDS:
            self._told_at = time.monotonic()
            progress = {"progress": {"stage": "extract", "current": records, "total": None}} if self._tells else {}
            self._run = self._services.runs.advance(self._run, **progress)


def plan(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Decide which datasources a refresh ingests."""
    from sluice.runs import planning

    services.runs.advance(run, progress={"stage": "ingest", "current": 0, "total": None})
    return {"outcome": "done", "bucket": services.lake.bucket, "items_key": planning.plan(services, run)}


def merge(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Merge what the project's datasources have published, test it, and say what is made of it.

    A merge that is too large for one call is done by workers: the answer `"parts"` names them, and
    this step is called again when they have ended, until nothing is left to be done.
    """
    from sluice.runs import merging, parts

    project = Project.model_validate(services.definitions.get("project", run.project or "").document)
    if run.part is not None:
        return {"outcome": "done", **parts.planned(services, run, None)}
    key = merging.merged(services, run, project, event)
    if not isinstance(key, str):
        return {"outcome": "parts", **key}
    planned = parts.planned(services, run, key)
    warnings = parts.test_tables(services, run, project, services.lake.manifest(key))
    if warnings:
        noted = services.lake.manifest(key)
        noted.warnings = capped([*noted.warnings, *warnings])
        services.lake.put_json(key, noted.model_dump(mode="json"))
    return {"outcome": "done", **planned}


def partition(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Do one worker's part of a merge that is too large for one call."""
    from sluice.merge.parts import PartsOfMerge

    services.runs.advance(run)
    PartsOfMerge.opened(event["folder"], services.lake, services.settings).work(event["stage"], event["number"])
    return {"outcome": "done"}


def model(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Make one model of what the run has made so far, and test it."""
    from sluice.catalog.project_parts import part_name
    from sluice.domain.model import Model
    from sluice.models.maker import ModelMaker
    from sluice.runs import parts

    name = event["name"]
    found = services.definitions.get("model", part_name(run.project or "", name))
    tables = parts.run_tables(services, run)
    maker = ModelMaker(run, tables, services.datasets, services.lake, services.sandbox, services.settings)
    key, _, results = maker.make(name, Model.model_validate(found.document))
    parts.keep_results(services, run, tables.dataset(name), results)
    parts.require_passed(parts.told(results, "error"))
    parts.note_made(services, run, name, key)
    return {"outcome": "done"}


def commit(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Make versions of all that the run has made, in one transaction."""
    made = _made(services, run, event)
    if run.dry_run:
        return _tried(services, run, made[0][1])
    finished = services.datasets.commit(run, made, _require_owner(services, run))
    return {"outcome": "done", "version": finished.version}


def _made(services: Platform, run: Run, event: dict[str, Any]) -> list[tuple[str, Manifest]]:
    """The manifests of a run, but those of views, which have no versions."""
    if run.kind == "ingest":
        return [(event["manifest_key"], services.lake.manifest(event["manifest_key"]))]
    from sluice.runs.parts import made_by

    made = [(key, manifest) for _, key, manifest in made_by(services, run)]
    kept = [one for one in made if one[1].spec.get("model", {}).get("materialize", True)]
    if not kept:
        raise ModelFailed(f"The model {run.part} is a view, which is computed when it is read.")
    return kept


def _tried(services: Platform, run: Run, manifest: Manifest) -> dict[str, Any]:
    """End a dry run: it says what a refresh would publish, and publishes nothing."""
    services.runs.finish(
        run,
        status="partial" if manifest.completeness == "partial" else "succeeded",
        finished_at=rfc3339(now()),
        rows=manifest.rows,
        bytes=manifest.bytes,
        fingerprint=manifest.fingerprint,
        completeness=manifest.completeness,
        completeness_reasons=capped(manifest.completeness_reasons),
        warnings=capped([*manifest.warnings, "this was a dry run: nothing was published"]),
        progress={"stage": "commit", "current": 1, "total": 1},
    )
    return {"outcome": "done", "version": None}


def report(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Render one report of what the run has made so far."""
    from sluice.catalog.project_parts import part_name
    from sluice.domain.report import Report
    from sluice.reports.maker import ReportMaker
    from sluice.runs import parts

    name = event["name"]
    found = services.definitions.get("report", part_name(run.project or "", name))
    tables = parts.run_tables(services, run)
    maker = ReportMaker(run, tables, services.datasets, services.lake, services.sandbox, services.settings)
    parts.note_made(services, run, parts.report_key(name), maker.make(name, Report.model_validate(found.document)))
    return {"outcome": "done"}
