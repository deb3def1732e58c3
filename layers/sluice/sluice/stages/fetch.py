"""The stage `fetch`: storing every page of a run in the lake."""

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
    """What the stage needs, in addition to what sources need."""


def fetch(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Store every page of a run in the lake, and then the index of them.

    Returns:
        The outcome `"done"`; `"more"` if the function's time was too short for all pages; `"stopped"` if there
        was nothing to fetch, and the run has succeeded.
    """
    stored = find_fetch_index(services, run)
    # A redrive fetches again what was partial, and otherwise uses what an earlier attempt has fetched.
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
    # Before the index is written: `advance` fails if a newer attempt has begun, which then keeps its own index.
    services.runs.advance(run, requests=index.requests, progress={"stage": "fetch", "current": len(index.pages)})
    services.lake.put_json(object_keys.fetch_index(run, run.attempt), index.model_dump(mode="json"))
    count_pages(services.settings.stack, len(index.pages))
    return {"outcome": "done"}


def _finish_without_batches(services: Services, run: Run) -> dict[str, Any]:
    """End a push run without batches: another run has taken them, so there is nothing to publish."""
    pointer = services.datasets.pointer(run.owner)
    done = {"version": pointer.published, "completeness": "complete", "rows": 0, "finished_at": rfc3339(now())}
    services.runs.finish(run, status="succeeded", **done)
    return {"outcome": "stopped"}


def _fetch(
    services: Services, run: Run, datasource: Datasource, seconds_left: Callable[[], float]
) -> FetchIndex | None:
    """Fetch the pages, or copy those of a replayed version; None if there is nothing to fetch."""
    if run.replay is not None:
        return _replay(services, run, run.replay)
    stored = services.definitions.get("datasource", datasource.slug)
    secret = services.secret_use.reader(datasource, Author(stored.written_by, stored.written_by_role))
    count = partial(services.calls.add, datasource.slug, stored.created_at)
    return source_of(datasource.kind).fetch(run, datasource, services, Call(secret, seconds_left, count))


def _replay(services: Services, run: Run, number: int) -> FetchIndex:
    """Copy the pages of an earlier version to this run; no upstream is called.

    An append or upsert version has the pages of all runs that contributed to it, oldest run first.

    Args:
        number: the version.
    """
    version = services.datasets.version(run.owner, number)
    manifests = [services.lake.manifest(version.manifest_key)]
    while manifests[-1].previous is not None:
        manifests.append(services.lake.manifest(manifests[-1].previous))
    indexes = [
        FetchIndex.model_validate_json(services.lake.get(manifest.spec["index"])) for manifest in reversed(manifests)
    ]
    received = [page for index in indexes for page in index.pages]
    # Records refer to their pages by number. So the pages of a single run keep their numbers; those of several
    # runs need new ones to be distinct.
    pages = received
    if len(indexes) > 1:
        pages = [page.model_copy(update={"number": number}) for number, page in enumerate(received, start=1)]
    services.pages.put_all(run.id, pages)
    changes = {"run": run.id, "attempt": run.attempt, "requests": 0, "pages": pages, "unused_pages": []}
    if manifests[0].doubts and indexes[-1].completeness == "complete":
        changes |= {"completeness": "unproven", "completeness_reasons": manifests[0].completeness_reasons}
    return indexes[-1].model_copy(update={**changes, "fetched_at": manifests[0].data_as_of})
