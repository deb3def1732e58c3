"""The model stage: one model's SQL to one version of its dataset."""

from __future__ import annotations

from datetime import UTC, datetime

from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import Manifest
from sluice.domain.model import Model, TestResult
from sluice.domain.run import Run
from sluice.domain.sql_query import SqlError, parse_query
from sluice.errors import Invalid, ModelFailed, NotPublished
from sluice.lake import object_keys
from sluice.lake.parquet import data_object
from sluice.lake.store import Lake
from sluice.models.project_tables import Chosen, ProjectTables
from sluice.models.testing import Tester
from sluice.models.versions import begun, name_again
from sluice.sandbox.sandbox import Sandbox
from sluice.settings import Settings


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
            spec = {"name": name, "sql": model.sql, "materialize": model.materialize}
            manifest, same = begun(self._run, "model", dataset, spec, chosen, self._datasets)
            folder = object_keys.output_folder(self._run, "models", name, manifest.fingerprint)
            if same is not None:
                name_again(manifest, same, self._datasets, self._lake)
            else:
                self._write(folder, model, query.ordered, chosen, manifest)
        except (SqlError, Invalid, NotPublished) as error:
            raise ModelFailed(f"The model {name}: {error}") from None
        results = self._tested(name, model, manifest)
        manifest.warnings = [one.message for one in results if one.status == "failed" and one.severity == "warn"]
        key = object_keys.manifest(folder)
        self._lake.put_json(key, manifest.model_dump(mode="json"))
        return key, manifest, results

    def _write(self, folder: str, model: Model, ordered: bool, chosen: Chosen, manifest: Manifest) -> None:
        with self._lake.scratch() as scratch:
            target = scratch.with_name("data.parquet")
            seconds = self._settings.model_seconds
            sql, tables = parse_query(model.sql).sql, chosen.tables
            columns, rows = self._sandbox.write(sql, tables, scratch.parent, target, ordered=ordered, seconds=seconds)
            part = data_object(object_keys.data(folder, 0), target, rows)
            self._lake.put_file(part.key, target)
        manifest.objects, manifest.rows, manifest.bytes, manifest.columns = [part], part.rows, part.bytes, columns

    def _tested(self, name: str, model: Model, manifest: Manifest) -> list[TestResult]:
        with self._lake.scratch() as scratch:
            tables = self._tables.with_given(name, manifest)
            tester = Tester(tables, self._sandbox, scratch.parent, datetime.now(UTC))
            return tester.results(name, manifest, model.tests)
