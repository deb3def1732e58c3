"""Versions that are made of a project's tables: of models and of reports alike."""

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
from sluice.models.project_tables import Chosen


def begun(
    run: Run,
    stage: Literal["model", "report"],
    dataset: DatasetId,
    spec: dict[str, Any],
    chosen: Chosen,
    datasets: Datasets,
) -> tuple[Manifest, int | None]:
    """The manifest of a version, with all but what it is made of.

    Args:
        spec: the document of the model or report, which decides with the tables what comes out.
        chosen: the tables that it reads.

    Returns:
        The manifest, and the number of the published version if that was made of the same.
    """
    pointer = datasets.pointer(dataset)
    inputs = inputs_of(chosen)
    moment = rfc3339(now())
    decides = {
        "release": __version__,
        "engine": engine_name(),
        "spec": spec,
        "views": {table.name: table.view for table in chosen.tables if table.view},
        "inputs": [[one.alias, one.hash, one.completeness] for one in inputs],
    }
    manifest = Manifest(
        dataset=dataset,
        run=run.id,
        attempt=run.attempt,
        stage=stage,
        created_at=moment,
        data_as_of=min((one.data_as_of for one in chosen.manifests.values()), default=moment),
        columns=[],
        objects=[],
        rows=0,
        bytes=0,
        completeness=least_complete(one.completeness for one in inputs),
        fingerprint="sha256:" + hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest(),
        engine=engine_name(),
        inputs=inputs,
        spec={stage: spec},
        base=pointer.published or 0,
        once=True,
    )
    same = pointer.published if pointer.fingerprint == manifest.fingerprint else None
    manifest.number = same or pointer.latest + 1
    return manifest, same


def name_again(manifest: Manifest, number: int, datasets: Datasets, lake: Lake) -> None:
    """Name the objects of a version that was made of the same."""
    made = lake.manifest(datasets.version(manifest.dataset, number).manifest_key)
    for part in ("columns", "objects", "rows", "bytes", "truncated"):
        setattr(manifest, part, getattr(made, part))


def inputs_of(chosen: Chosen) -> list[InputVersion]:
    """The versions of the tables that a query reads."""
    return [
        _input(table, manifest, chosen.numbers.get(table, 0)) for table, manifest in sorted(chosen.manifests.items())
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
