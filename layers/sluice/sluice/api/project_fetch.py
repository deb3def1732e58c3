"""Fetching a project: refresh it, wait, and return the merged data with the datasources that are missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from sluice.access.policy import decide
from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import version_headers, version_summary
from sluice.api.running import wait_for_run
from sluice.container import Container
from sluice.domain.dataset import Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.run import Run, run_view
from sluice.errors import PROBLEM_TYPE_PREFIX, Conflict, RunError, SluiceError, all_errors
from sluice.merge.documents import size
from sluice.reads.file_names import file_name
from sluice.reads.reader import Reader
from sluice.reads.request import data_request
from sluice.runs.plan import children, is_stale
from sluice.runs.start import refresh_run, start_refresh

Errors = list[dict[str, str]]


def fetch_project(call: Call, services: Container, slug: str) -> Answer:
    """Refresh a project and return its merged data; who may not run it gets the published data without a refresh.

    Returns:
        200 with the data and the datasources that failed; 202 with the run if it takes longer than
        `MAX_WAIT_SECONDS`; 303 if the data is too large to be inline.

    Raises:
        NotPublished: the caller may not run the project, and nothing is published.
        Conflict: the refresh was cancelled.
        RunError: the merge failed, with the run's error.
    """
    assert call.target is not None
    # As the project is shared with the caller: a viewer of this project may be an editor of others.
    if decide(call.principal, "project.run", call.target.resource) != "allowed":
        published = services.datasets.published(DatasetId.of_project(slug))
        return _data_answer(services, slug, published, _stale_datasources(services, slug))
    run = start_refresh(services, refresh_run(slug, "api", call.principal.id))
    run, _ = wait_for_run(services, run, services.settings.max_wait_seconds)
    if not run.finished:
        return Answer(run_view(run), 202, {"Location": call.url(f"/runs/{run.id}")})
    if run.status == "cancelled":
        raise Conflict(f"The refresh {run.id} was cancelled.")
    errors = _failed_datasources(services, run)
    assignments = services.assignments.of_project(slug)
    # A refresh fails too if there is nothing to merge; then the list of errors is the answer.
    if len(errors) == len(assignments) and (errors or run.status == "failed"):
        return Answer({"result": {"size": 0, "data": None}, "errors": _error_list(errors)})
    if run.status == "failed":
        raise _run_error(run)
    # The version of this refresh, even if a more complete one stays published.
    return _data_answer(services, slug, services.datasets.version(DatasetId.of_project(slug), run.version or 0), errors)


def _run_error(run: Run) -> SluiceError:
    """The error that ended a run, as an exception of the request that waited for it."""
    problem = run.error or {}
    code = str(problem.get("type", "")).removeprefix(PROBLEM_TYPE_PREFIX)
    kind = next((error for error in all_errors(RunError) if error.code == code), RunError)
    return kind(problem.get("detail", f"The refresh {run.id} failed."), problem.get("errors"))


def _failed_datasources(services: Container, run: Run) -> Errors:
    """The datasources whose ingest run failed, or that have no data."""
    failed: dict[str | None, str] = {}
    # Oldest first: after a redrive, a datasource has several ingest runs, and the last one counts.
    for child in children(services, run):
        failed.pop(child.datasource, None)
        if child.status not in ("succeeded", "partial"):
            failed[child.datasource] = (child.error or {}).get("detail", f"its run {child.id} was {child.status}")
    errors = []
    for assignment in services.assignments.of_project(run.project or ""):
        slug = assignment.datasource
        error = failed.get(slug)
        if error is None and services.datasets.pointer(DatasetId.of_datasource(slug)).published is None:
            error = "it has no data yet"
        if error is not None:
            errors.append({"datasource": slug, "error": error})
    return errors


def _stale_datasources(services: Container, slug: str) -> Errors:
    """The datasources whose data is older than their `max_age_seconds`."""
    errors = []
    for assignment in services.assignments.of_project(slug):
        document = Datasource.model_validate(services.definitions.get("datasource", assignment.datasource).document)
        if document.max_age_seconds is None:
            continue
        pointer = services.datasets.pointer(DatasetId.of_datasource(document.slug))
        if is_stale(document, pointer.checked_at):
            errors.append({"datasource": document.slug, "error": "its data is older than max_age_seconds"})
    return errors


def _error_list(errors: Errors) -> dict[str, Any] | None:
    return {"size": len(errors), "data": errors} if errors else None


def _data_answer(services: Container, slug: str, version: Version, errors: Errors) -> Answer:
    """A version's data: inline if it is small, else a redirect to an object in the lake."""
    reader = Reader(services.lake, services.settings, version)
    headers = version_headers(version_summary(version))
    name = file_name([slug], version.number, "json")
    if reader.is_document:
        document = reader.document()
        return Answer(
            {"result": {"size": size(document), "data": document}, "errors": _error_list(errors)},
            headers=headers,
            filename=name,
        )
    with services.lake.scratch() as file:
        _write(reader, file, version.rows, errors)
        if file.stat().st_size <= services.settings.max_inline_bytes:
            return Answer(file.read_bytes(), headers=headers, filename=name)
        key = services.lake.put_answer_file(file)
    return Answer(headers=headers, filename=name, stored_key=key)


def _write(reader: Reader, path: Path, rows: int, errors: Errors) -> None:
    """Write the answer batch by batch, so that only one batch of rows is in memory."""
    everything = data_request(reader.columns, None, [], None)
    with path.open("wb") as file, reader.batches(everything) as batches:
        file.write(b'{"result":{"size":%d,"data":[' % rows)
        separator = b""
        for batch in batches:
            file.write(separator + orjson.dumps(batch)[1:-1])  # without the brackets of each batch's list
            separator = b","
        file.write(b']},"errors":' + orjson.dumps(_error_list(errors)) + b"}")
