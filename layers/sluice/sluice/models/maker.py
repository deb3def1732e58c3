"""The model stage: execute one model's SQL and write one version of its dataset."""

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
from sluice.models.project_tables import ProjectTables, QueryTables
from sluice.models.testing import Tester
from sluice.models.versions import draft_derived
from sluice.sandbox.sandbox import Sandbox
from sluice.settings import Settings
from sluice.versions.draft import reuse_contents


class ModelMaker:
    """Makes the models of one project in one run.

    Args:
        run: the refresh.
        tables: the project's tables, with the versions that this run has written so far.
        datasets: the catalog of versions.
        lake: receives the versions.
        sandbox: executes the SQL.
        settings: limits.
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
        """Execute a model's SQL, write the version and test it.

        If the published version has the same fingerprint, the manifest names its objects and nothing is computed.

        Args:
            name: the model's name.
            model: the model.

        Returns:
            The key of the manifest, for the commit; the manifest; and the results of the model's tests.

        Raises:
            ModelFailed: the SQL or a test does not fit the tables.
        """
        dataset = self._tables.dataset(name)
        query = parse_query(model.sql)
        try:
            query_tables = self._tables.for_query(query)
            spec = {"name": name, "sql": model.sql, "materialize": model.materialize}
            manifest, unchanged_version = draft_derived(self._run, "model", dataset, spec, query_tables, self._datasets)
            folder = object_keys.output_folder(self._run, "models", name, manifest.fingerprint)
            if unchanged_version is not None:
                reuse_contents(manifest, unchanged_version, [], self._datasets, self._lake)
            else:
                self._write(folder, model, query.ordered, query_tables, manifest)
        except (SqlError, Invalid, NotPublished) as error:
            raise ModelFailed(f"The model {name}: {error}") from None
        results = self._run_tests(name, model, manifest)
        manifest.warnings = [
            result.message for result in results if result.status == "failed" and result.severity == "warn"
        ]
        key = object_keys.manifest(folder)
        self._lake.put_json(key, manifest.model_dump(mode="json"))
        return key, manifest, results

    def _write(self, folder: str, model: Model, ordered: bool, query_tables: QueryTables, manifest: Manifest) -> None:
        with self._lake.scratch() as scratch:
            target = scratch.with_name("data.parquet")
            seconds = self._settings.model_seconds
            sql, tables = parse_query(model.sql).sql, query_tables.tables
            columns, rows = self._sandbox.write(sql, tables, scratch.parent, target, ordered=ordered, seconds=seconds)
            data = data_object(object_keys.data(folder, 0), target, rows)
            self._lake.put_file(data.key, target)
        manifest.objects, manifest.rows, manifest.bytes, manifest.columns = [data], data.rows, data.bytes, columns

    def _run_tests(self, name: str, model: Model, manifest: Manifest) -> list[TestResult]:
        with self._lake.scratch() as scratch:
            tables = self._tables.with_version(name, manifest)
            tester = Tester(tables, self._sandbox, scratch.parent, datetime.now(UTC))
            return tester.results(name, manifest, model.tests)
