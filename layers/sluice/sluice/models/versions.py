"""Versions of models and reports, which are made of a project's tables."""

from __future__ import annotations

from typing import Any, Literal

from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import InputVersion, Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.run import Run
from sluice.models.project_tables import QueryTables
from sluice.versions.draft import assign_number, draft_manifest
from sluice.versions.fingerprint import fingerprint_of


def draft_derived(
    run: Run,
    stage: Literal["model", "report"],
    dataset: DatasetId,
    spec: dict[str, Any],
    query_tables: QueryTables,
    datasets: Datasets,
) -> tuple[Manifest, int | None]:
    """Draft a version of a model or report.

    Args:
        run: the run that makes the version.
        stage: `model` or `report`.
        dataset: the dataset of the model or report.
        spec: the document of the model or report.
        query_tables: the tables that it reads.
        datasets: the catalog of versions.

    Returns:
        The manifest, and the number of the published version if that has the same fingerprint.
    """
    pointer = datasets.pointer(dataset)
    inputs = input_versions(query_tables)
    decisive: dict[str, Any] = {
        "spec": spec,
        "views": {table.name: table.view for table in query_tables.tables if table.view},
        "inputs": [[input_.alias, input_.hash, input_.completeness] for input_ in inputs],
    }
    if query_tables.stale:
        decisive["stale"] = [[entry.datasource, entry.version] for entry in query_tables.stale]
    manifest = draft_manifest(
        run,
        stage,
        dataset,
        fingerprint=fingerprint_of(decisive),
        completeness=query_tables.completeness,
        completeness_reasons=[entry.sentence for entry in query_tables.stale],
        stale=query_tables.stale,
        spec={stage: spec},
        data_as_of=min((read.data_as_of for read in query_tables.manifests.values()), default=None),
        inputs=inputs,
        base=pointer.published or 0,
        once=True,
    )
    return manifest, assign_number(manifest, pointer)


def input_versions(query_tables: QueryTables) -> list[InputVersion]:
    """Return the versions of the tables that a query reads, by table name."""
    return [
        _input(table, manifest, query_tables.numbers.get(table, 0))
        for table, manifest in sorted(query_tables.manifests.items())
    ]


def _input(table: str, manifest: Manifest, number: int) -> InputVersion:
    return InputVersion(
        datasource=manifest.dataset,
        version=number,
        run=manifest.run,
        completeness=manifest.completeness,
        rows=manifest.rows,
        created_at=manifest.created_at,
        fingerprint=manifest.fingerprint,
        priority=0,
        alias=table,
        hash=manifest.content_hash,
    )
