"""The tables that a project's SQL may read, each at one version of its dataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache

from sluice.catalog.assignments import Assigned
from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import Manifest, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.model import Model
from sluice.domain.run import Completeness, least_complete
from sluice.domain.sql_query import SqlQuery, parse_query
from sluice.domain.stale_input import StaleInput, distinct
from sluice.errors import NotPublished
from sluice.lake.parquet import NO_ROWS, rows_of
from sluice.lake.store import Lake
from sluice.models.graph import required_models, waves
from sluice.sandbox.sandbox import SandboxTable

MERGED = "merged"


@dataclass
class QueryTables:
    """The tables of one query.

    Args:
        tables: the tables for the sandbox; views come after the tables that they read.
        manifests: the manifests of the versions that are read, by table name; views have none.
        numbers: the numbers of these versions, as far as they are published.
        seen: when the data of each was fetched or last found unchanged, RFC 3339.
        stale: the versions among their inputs that stand in for datasources that could not be fetched.
    """

    tables: list[SandboxTable] = field(default_factory=list)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)
    stale: list[StaleInput] = field(default_factory=list)

    @property
    def completeness(self) -> Completeness:
        """The completeness of what a query of these tables returns."""
        states: list[Completeness] = [manifest.completeness for manifest in self.manifests.values()]
        return least_complete([*states, "stale"] if self.stale else states)


class ProjectTables:
    """The tables of one project.

    Args:
        project: the project's slug.
        assigned: its datasources.
        models: its models, by name.
        datasets: the catalog of versions.
        lake: where the versions are.
        algorithm_tables: the names of the tables of algorithms; called only if a query reads a table that is none of
            the above.
        unpublished: versions of the current run that are not published yet, by table name.
        as_of: read the versions that were published at this time.
    """

    def __init__(
        self,
        project: str,
        assigned: list[Assigned],
        models: Mapping[str, Model],
        datasets: Datasets,
        lake: Lake,
        *,
        algorithm_tables: Callable[[], set[str]] = set,
        unpublished: Mapping[str, Manifest] | None = None,
        as_of: datetime | None = None,
    ) -> None:
        self._algorithm_tables = cache(algorithm_tables)
        self._project = project
        self._assigned = assigned
        self._aliases = {assignment.table_name: assignment.datasource for assignment in assigned}
        self._models = models
        self._datasets = datasets
        self._lake = lake
        self.unpublished = dict(unpublished or {})
        self._as_of = as_of

    @property
    def names(self) -> set[str]:
        """The names of all tables."""
        return self._other_names | self._algorithm_tables()

    @property
    def _other_names(self) -> set[str]:
        return {MERGED, *self._aliases, *self._models}

    def for_query(self, query: SqlQuery) -> QueryTables:
        """Return the tables that a query reads, directly or through views.

        Raises:
            SqlError: a table does not exist.
            NotPublished: a table has no version yet.
        """
        stored, view_names, views = self._dependencies(query)
        query_tables = QueryTables()
        published = self._published_versions([name for name in sorted(stored) if name not in self.unpublished])
        for name in sorted(stored):
            self._add_stored(query_tables, name, published)
        query_tables.stale = distinct(query_tables.stale)
        for wave in waves({name: set(parse_query(views[name]).tables) for name in view_names}):
            query_tables.tables += [SandboxTable(name, view=parse_query(views[name]).sql) for name in wave]
        return query_tables

    def dependencies(self, query: SqlQuery) -> tuple[list[str], dict[str, str]]:
        """Return the names of the stored tables that a query reads, directly or through views, and the views' SQL.

        Raises:
            SqlError: a table does not exist.
        """
        stored, view_names, views = self._dependencies(query)
        return sorted(stored), {name: views[name] for name in sorted(view_names)}

    def _dependencies(self, query: SqlQuery) -> tuple[set[str], set[str], dict[str, str]]:
        """Return the stored tables and the views that a query needs, and the SQL of all views of the project."""
        query.require_tables(self._other_names if set(query.tables) <= self._other_names else self.names)
        tables = set(query.tables)
        views = {name: model.sql for name, model in self._models.items() if not model.materialize}
        view_names = required_models({name: set(parse_query(sql).tables) for name, sql in views.items()}, tables)
        read_by_views = {name for view in view_names for name in parse_query(views[view]).tables}
        return (tables | read_by_views) - set(views), view_names, views

    def with_version(self, name: str, manifest: Manifest) -> ProjectTables:
        """Return the same tables with one more version that is not published yet.

        Args:
            name: the model's name.
            manifest: the version's manifest.
        """
        unpublished = {**self.unpublished, name: manifest}
        models = {
            model_name: model for model_name, model in self._models.items() if model_name != name or model.materialize
        }
        # A view is read as a stored table here, so that its tests see the given version.
        models[name] = self._models[name].model_copy(update={"materialize": True})
        return ProjectTables(
            self._project,
            self._assigned,
            models,
            self._datasets,
            self._lake,
            algorithm_tables=self._algorithm_tables,
            unpublished=unpublished,
            as_of=self._as_of,
        )

    def dataset(self, name: str) -> DatasetId:
        """Return the dataset of a table."""
        if name == MERGED:
            return DatasetId.of_project(self._project)
        if name in self._aliases:
            return DatasetId.of_datasource(self._aliases[name])
        kind = "model" if name in self._models else "algorithm"
        return DatasetId.of_project_resource(self._project, kind, name)

    def _published_versions(self, names: list[str]) -> dict[str, Version]:
        """Return the published versions of tables, all at the same moment, so that no query reads half of a refresh."""
        datasets = {name: self.dataset(name) for name in names}
        if self._as_of is not None:
            return {name: self._datasets.version_as_of(dataset, self._as_of) for name, dataset in datasets.items()}
        versions = self._datasets.published_at_once(sorted(set(datasets.values())))
        return {name: versions[dataset] for name, dataset in datasets.items()}

    def _add_stored(self, query_tables: QueryTables, name: str, published: Mapping[str, Version]) -> None:
        manifest = self.unpublished.get(name)
        if manifest is not None and manifest.number is not None:
            query_tables.numbers[name] = manifest.number
        if manifest is None:
            version = published[name]
            query_tables.numbers[name] = version.number
            query_tables.seen[name] = version.data_as_of
            manifest = self._lake.manifest(version.manifest_key)
        if manifest.stage != "records" and not (manifest.columns and manifest.objects):
            raise NotPublished(f"The table {name} has no columns: its dataset is one document.")
        files = self._lake.local_files(manifest.objects) if manifest.columns else []
        rows = rows_of(files, manifest.columns, []) if manifest.columns else NO_ROWS
        query_tables.tables.append(SandboxTable(name, rows, files))
        query_tables.manifests[name] = manifest
        query_tables.seen.setdefault(name, manifest.data_as_of)
        query_tables.stale += self._stale_inputs(name, manifest, published.get(name))

    def _stale_inputs(self, name: str, manifest: Manifest, version: Version | None) -> list[StaleInput]:
        """Return the stale inputs of a table; of a datasource, whether its version itself stands in.

        Args:
            name: the table.
            manifest: the version that is read.
            version: its entry in the catalog; null for a version of the current run.
        """
        if manifest.stage != "records":
            return manifest.stale
        slug = manifest.dataset.owner
        if MERGED in self.unpublished:
            return [entry for entry in self.unpublished[MERGED].stale if entry.datasource == slug]
        return version.stands_in_for(slug) if version is not None else []
