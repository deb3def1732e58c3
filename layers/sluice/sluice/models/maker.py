"""The model stage: one model's SQL to one version of its dataset."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import orjson

from sluice import __version__
from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import InputVersion, Manifest
from sluice.domain.model import Model, TestResult
from sluice.domain.names import now, rfc3339
from sluice.domain.run import Completeness, Run
from sluice.domain.sql_query import SqlError, parse_query
from sluice.errors import Invalid, ModelFailed, NotPublished
from sluice.lake import keys
from sluice.lake.parquet import data_object, engine_name
from sluice.lake.store import Lake
from sluice.models.tables import Chosen, ProjectTables
from sluice.models.testing import Tester
from sluice.sandbox.sandbox import Sandbox
from sluice.settings import Settings

_WORST: tuple[Completeness, ...] = ("complete", "unproven", "partial")


class ModelMaker:
    """Makes the models of one project in one run.

    Args:
        tables: with what the run has made so far.
    """

    def __init__(
        self, run: Run, tables: ProjectTables, datasets: Datasets, lake: Lake, sandbox: Sandbox, settings: Settings
    ) -> None:
        self._run = run
        self._tables = tables
        self._datasets = datasets
        self._lake = lake
        self._sandbox = sandbox
        self._settings = settings

    def make(self, name: str, model: Model) -> tuple[str, Manifest, list[TestResult]]:
        """Write the version that a model's SQL makes now, and test it.

        A version that was made of the same is named again, and not computed. A view makes no
        version: its SQL and its tests are tried.

        Returns:
            The key of the manifest, for the commit; the manifest; and how its tests have ended.

        Raises:
            ModelFailed: the SQL or a test does not fit the tables.
        """
        dataset = self._tables.dataset(name)
        query = parse_query(model.sql)
        try:
            chosen = self._tables.chosen(query)
            manifest = self._begun(dataset, name, model, chosen)
            folder = keys.part_folder(self._run, "models", name, manifest.fingerprint)
            pointer = self._datasets.pointer(dataset)
            manifest.number = pointer.latest + 1
            if pointer.published is not None and pointer.fingerprint == manifest.fingerprint:
                manifest.number = pointer.published
                made = self._lake.manifest(self._datasets.version(dataset, pointer.published).manifest_key)
                for part in ("columns", "objects", "rows", "bytes"):
                    setattr(manifest, part, getattr(made, part))
            else:
                self._write(folder, model, query.ordered, chosen, manifest)
        except (SqlError, Invalid, NotPublished) as error:
            raise ModelFailed(f"The model {name}: {error}") from None
        results = self._tested(name, model, manifest)
        manifest.warnings = [one.message for one in results if one.status == "failed" and one.severity == "warn"]
        key = keys.manifest(folder)
        self._lake.put_json(key, manifest.model_dump(mode="json"))
        return key, manifest, results

    def _begun(self, dataset: str, name: str, model: Model, chosen: Chosen) -> Manifest:
        pointer = self._datasets.pointer(dataset)
        moment = rfc3339(now())
        inputs = inputs_of(chosen)
        spec: dict[str, Any] = {"model": {"name": name, "sql": model.sql, "materialize": model.materialize}}
        views = {table.name: table.rows for table in chosen.tables if not table.files}
        decides = {
            "release": __version__,
            "engine": engine_name(),
            "sql": model.sql,
            "views": views,
            "inputs": [[one.alias, one.hash, one.completeness] for one in inputs],
        }
        return Manifest(
            dataset=dataset,
            run=self._run.id,
            attempt=self._run.attempt,
            stage="model",
            created_at=moment,
            data_as_of=min((manifest.data_as_of for manifest in chosen.manifests.values()), default=moment),
            columns=[],
            objects=[],
            rows=0,
            bytes=0,
            completeness=worst_of(inputs),
            fingerprint="sha256:" + hashlib.sha256(orjson.dumps(decides, option=orjson.OPT_SORT_KEYS)).hexdigest(),
            engine=engine_name(),
            inputs=inputs,
            spec=spec,
            base=pointer.published or 0,
            once=True,
        )

    def _write(self, folder: str, model: Model, ordered: bool, chosen: Chosen, manifest: Manifest) -> None:
        with self._lake.scratch() as scratch:
            target = scratch.with_name("data.parquet")
            seconds = self._settings.model_seconds
            sql, tables = parse_query(model.sql).sql, chosen.tables
            columns, rows = self._sandbox.write(sql, tables, scratch.parent, target, ordered=ordered, seconds=seconds)
            part = data_object(keys.data(folder, 0), target, rows)
            self._lake.put_file(part.key, target)
        manifest.objects, manifest.rows, manifest.bytes, manifest.columns = [part], part.rows, part.bytes, columns

    def _tested(self, name: str, model: Model, manifest: Manifest) -> list[TestResult]:
        with self._lake.scratch() as scratch:
            tables = self._tables.with_given(name, manifest)
            tester = Tester(tables, self._sandbox, scratch.parent, datetime.now(UTC))
            return tester.results(name, manifest, model.tests)


def worst_of(inputs: list[InputVersion]) -> Completeness:
    """What may be said of something that is made of these."""
    return max((one.completeness for one in inputs), key=_WORST.index, default="complete")


def worst_of_manifests(manifests: Iterable[Manifest]) -> Completeness:
    """What may be said of something that is made of these versions."""
    return max((one.completeness for one in manifests), key=_WORST.index, default="complete")


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
