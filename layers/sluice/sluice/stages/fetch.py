"""The stage `fetch`: every page of a run, in the lake."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from sluice.access.secret_use import Author
from sluice.domain.datasource import Datasource
from sluice.domain.names import now, rfc3339
from sluice.domain.run import FetchIndex, Run
from sluice.lake import object_keys
from sluice.metrics import count_pages
from sluice.services import WithCalls, WithDatasets, WithDefinitions, WithSecretUse
from sluice.sources import base
from sluice.sources.base import Call, HandOver
from sluice.sources.registry import source_of
from sluice.stages.inputs import datasource_of, find_fetch_index


class Services(WithDefinitions, WithDatasets, WithCalls, WithSecretUse, base.Services, Protocol):
    """What the stage needs, beside what sources do."""


def fetch(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Bring every page of a run into the lake, then write what was fetched."""
    stored = find_fetch_index(services, run)
    if stored is not None and (stored.completeness != "partial" or stored.attempt == run.attempt):
        return {"outcome": "done"}
    datasource = datasource_of(services, run)
    if run.progress is None:
        run = services.runs.advance(run, progress={"stage": "fetch", "current": 0, "total": None})
    try:
        index = _fetch(services, run, datasource, seconds_left)
    except HandOver:
        return {"outcome": "more"}
    if index is None:
        return _finish_without_batches(services, run)
    # First, so that an attempt that was overtaken writes nothing.
    services.runs.advance(run, requests=index.requests, progress={"stage": "fetch", "current": len(index.pages)})
    services.lake.put_json(object_keys.fetch_index(run, run.attempt), index.model_dump(mode="json"))
    count_pages(services.settings.stack, len(index.pages))
    return {"outcome": "done"}


def _finish_without_batches(services: Services, run: Run) -> dict[str, Any]:
    """End a run for whose batches another one was faster: there is nothing to publish."""
    pointer = services.datasets.pointer(run.owner)
    done = {"version": pointer.published, "completeness": "complete", "rows": 0, "finished_at": rfc3339(now())}
    services.runs.finish(run, status="succeeded", **done)
    return {"outcome": "stopped"}


def _fetch(
    services: Services, run: Run, datasource: Datasource, seconds_left: Callable[[], float]
) -> FetchIndex | None:
    if run.replay is not None:
        return _replay(services, run, run.replay)
    stored = services.definitions.get("datasource", datasource.slug)
    secret = services.secret_use.reader(datasource, Author(stored.written_by, stored.written_by_role))
    count = partial(services.calls.add, datasource.slug, stored.created_at)
    return source_of(datasource.kind).fetch(run, datasource, services, Call(secret, seconds_left, count))


def _replay(services: Services, run: Run, number: int) -> FetchIndex:
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
