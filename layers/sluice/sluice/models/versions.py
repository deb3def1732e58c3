"""Versions of models and reports, which are made of a project's tables."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import orjson

from sluice import __version__
from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import InputVersion, Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Run, least_complete
from sluice.lake.parquet import engine_name
from sluice.lake.store import Lake
from sluice.models.project_tables import QueryTables


def draft_manifest(
    run: Run,
    stage: Literal["model", "report"],
    dataset: DatasetId,
    spec: dict[str, Any],
    query_tables: QueryTables,
    datasets: Datasets,
) -> tuple[Manifest, int | None]:
    """Return the manifest of a new version, without its objects and columns.

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
    created_at = rfc3339(now())
    decisive = {
        "release": __version__,
        "engine": engine_name(),
        "spec": spec,
        "views": {table.name: table.view for table in query_tables.tables if table.view},
        "inputs": [[input_.alias, input_.hash, input_.completeness] for input_ in inputs],
    }
    manifest = Manifest(
        dataset=dataset,
        run=run.id,
        attempt=run.attempt,
        stage=stage,
        created_at=created_at,
        data_as_of=min((read.data_as_of for read in query_tables.manifests.values()), default=created_at),
        columns=[],
        objects=[],
        rows=0,
        bytes=0,
        completeness=least_complete(input_.completeness for input_ in inputs),
        fingerprint="sha256:" + hashlib.sha256(orjson.dumps(decisive, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        engine=engine_name(),
        inputs=inputs,
        spec={stage: spec},
        base=pointer.published or 0,
        once=True,
    )
    unchanged_version = pointer.published if pointer.fingerprint == manifest.fingerprint else None
    manifest.number = unchanged_version or pointer.latest + 1
    return manifest, unchanged_version


def copy_contents(manifest: Manifest, number: int, datasets: Datasets, lake: Lake) -> None:
    """Copy the objects and columns of a published version with the same fingerprint.

    Args:
        manifest: the new manifest, which is changed.
        number: the number of the published version.
        datasets: the catalog of versions.
        lake: where its manifest is.
    """
    published = lake.manifest(datasets.version(manifest.dataset, number).manifest_key)
    for name in ("columns", "objects", "rows", "bytes", "truncated"):
        setattr(manifest, name, getattr(published, name))


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
