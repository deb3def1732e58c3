"""Fetching a project: refresh it, wait, and answer with the merged data and what is missing from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from sluice.api.call import Answer, Call
from sluice.api.running import awaited
from sluice.container import Container
from sluice.domain.dataset import Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.run import Run, run_view
from sluice.errors import PROBLEM_TYPE_PREFIX, Conflict, RunError, SluiceError, all_errors
from sluice.merge.documents import size
from sluice.reads.reader import Reader
from sluice.reads.request import data_request
from sluice.runs.plan import children, is_stale
from sluice.runs.start import refresh_run, start

Errors = list[dict[str, str]]


def fetch_project(call: Call, services: Container, slug: str) -> Answer:
    """The merged data of now; a viewer's is that which is published, without any upstream call.

    Raises:
        NotPublished: a viewer asks before anything was published.
        Conflict: the refresh was cancelled.
    """
    if call.principal.role == "viewer":
        published = services.datasets.published(DatasetId.of_project(slug))
        return _merged(services, slug, published, _too_old(services, slug))
    run = start(services, refresh_run(slug, "api", call.principal.id))
    run, _ = awaited(services, run, services.settings.max_wait_seconds)
    if not run.finished:
        return Answer(run_view(run), 202, {"Location": call.link(f"/runs/{run.id}")})
    if run.status == "cancelled":
        raise Conflict(f"The refresh {run.id} was cancelled.")
    errors = _errors(services, run)
    assigned = services.assignments.of_project(slug)
    if len(errors) == len(assigned) and (errors or run.status == "failed"):
        return Answer({"result": {"size": 0, "data": None}, "errors": _listed(errors)})
    if run.status == "failed":
        raise _problem(run)
    # What this refresh has merged, even where a more complete version stays published.
    return _merged(services, slug, services.datasets.version(DatasetId.of_project(slug), run.version or 0), errors)


def _problem(run: Run) -> SluiceError:
    """What a run ended with, as an error of whoever waited for it."""
    told = run.error or {}
    code = str(told.get("type", "")).removeprefix(PROBLEM_TYPE_PREFIX)
    kind = next((error for error in all_errors(RunError) if error.code == code), RunError)
    return kind(told.get("detail", f"The refresh {run.id} failed."), told.get("errors"))


def _errors(services: Container, run: Run) -> Errors:
    """Which datasources could not be had: their own run failed, or they have no data."""
    failed: dict[str | None, str] = {}
    for child in children(services, run):
        failed.pop(child.datasource, None)
        if child.status not in ("succeeded", "partial"):
            failed[child.datasource] = (child.error or {}).get("detail", f"its run {child.id} was {child.status}")
    errors = []
    for assigned in services.assignments.of_project(run.project or ""):
        slug = assigned.datasource
        error = failed.get(slug)
        if error is None and services.datasets.pointer(DatasetId.of_datasource(slug)).published is None:
            error = "it has no data yet"
        if error is not None:
            errors.append({"datasource": slug, "error": error})
    return errors


def _too_old(services: Container, slug: str) -> Errors:
    """The datasources whose data is older than their `max_age_seconds` allows."""
    errors = []
    for assigned in services.assignments.of_project(slug):
        document = Datasource.model_validate(services.definitions.get("datasource", assigned.datasource).document)
        if document.max_age_seconds is None:
            continue
        pointer = services.datasets.pointer(DatasetId.of_datasource(document.slug))
        if is_stale(document, pointer.checked_at):
            errors.append({"datasource": document.slug, "error": "its data is older than max_age_seconds"})
    return errors


def _listed(errors: Errors) -> dict[str, Any] | None:
    return {"size": len(errors), "data": errors} if errors else None


def _merged(services: Container, slug: str, version: Version, errors: Errors) -> Answer:
    """A version's data: inline while it is small, else by an address in the lake."""
    reader = Reader(services.lake, services.settings, version)
    headers = {"X-Sluice-Version": str(version.number), "X-Sluice-Completeness": version.completeness}
    if reader.is_document:
        document = reader.document()
        return Answer(
            {"result": {"size": size(document), "data": document}, "errors": _listed(errors)}, headers=headers
        )
    with services.lake.scratch() as file:
        _write(reader, file, version.rows, errors)
        if file.stat().st_size <= services.settings.max_inline_bytes:
            return Answer(file.read_bytes(), headers=headers)
        key = services.lake.put_answer_file(file)
    headers["Location"] = services.lake.presigned_url(key, "application/json", f"{slug}-{version.number}.json")
    return Answer({"location": headers["Location"]}, 303, headers)


def _write(reader: Reader, path: Path, rows: int, errors: Errors) -> None:
    everything = data_request(reader.columns, None, [], None)
    with path.open("wb") as file, reader.batches(everything) as batches:
        file.write(b'{"result":{"size":%d,"data":[' % rows)
        begun = False
        for batch in batches:
            text = orjson.dumps(batch)[1:-1]
            file.write(b"," + text if begun else text)
            begun = True
        file.write(b']},"errors":' + orjson.dumps(_listed(errors)) + b"}")
