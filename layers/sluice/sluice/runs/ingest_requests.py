"""Ingest runs that API callers request."""

from __future__ import annotations

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.run import Run
from sluice.errors import Conflict
from sluice.runs.start import ingest_run


def requested_ingest(services: Container, definition: Definition, replay: int | None, by: str) -> Run:
    """The ingest run that a caller requests, not started yet.

    Args:
        definition: the stored datasource.
        replay: the version whose raw pages are read again; null to call the upstream.
        by: the principal that requests it.

    Raises:
        Conflict: the datasource's data is pushed or dropped, so there is no upstream to call.
        NotFound: there is no version with the number `replay`.
    """
    datasource = Datasource.model_validate(definition.document)
    if replay is None and datasource.ARRIVAL != "pulled":
        message = f"{definition.name!r} is a datasource of kind {datasource.kind}, which has no upstream to call"
        raise Conflict(f"{message}; {datasource.INSTEAD}.")
    dataset = DatasetId.of_datasource(definition.name)
    if replay is not None:
        services.datasets.version(dataset, replay)
    run = ingest_run(definition.name, "api", by, replay=replay)
    # A replay replaces this version only: one that is published meanwhile takes precedence.
    run.replay_over = services.datasets.pointer(dataset).published or 0
    return run
