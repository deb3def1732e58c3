"""The tables that a project's SQL may read, each at one version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sluice.catalog.assignments import Assigned
from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import Manifest, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.model import Model
from sluice.domain.sql_query import SqlQuery, parse_query
from sluice.errors import NotPublished
from sluice.lake.parquet import rows_of
from sluice.lake.store import Lake
from sluice.models.graph import needed, waves
from sluice.sandbox.sandbox import SandboxTable

MERGED = "merged"
# A datasource that never had a record: a table has a column, and this is the one of records without keys.
_NOTHING = "(SELECT NULL::JSON AS value WHERE false)"


@dataclass
class Chosen:
    """What the tables of one query are made of.

    Args:
        manifests: the versions that are read, by the tables' names; views have none.
        numbers: their numbers, where they are published.
        seen: as of when their data is.
    """

    tables: list[SandboxTable] = field(default_factory=list)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    seen: dict[str, str] = field(default_factory=dict)


class ProjectTables:
    """The tables of one project.

    Args:
        given: versions that are not published yet, by the tables' names: those of a run under way.
        as_of: read what was published then.
    """

    def __init__(
        self,
        project: str,
        assigned: list[Assigned],
        models: Mapping[str, Model],
        datasets: Datasets,
        lake: Lake,
        *,
        given: Mapping[str, Manifest] | None = None,
        as_of: datetime | None = None,
    ) -> None:
        self._project = project
        self._assigned = assigned
        self._aliases = {one.table_name: one.datasource for one in assigned}
        self._models = models
        self._datasets = datasets
        self._lake = lake
        self.given = dict(given or {})
        self._as_of = as_of

    @property
    def names(self) -> set[str]:
        """All tables that there are."""
        return {MERGED, *self._aliases, *self._models}

    def chosen(self, query: SqlQuery) -> Chosen:
        """The tables that a query reads, views with all that they read in turn.

        Raises:
            SqlError: there is no such table.
            NotPublished: one has no version yet.
        """
        stored, wanted, views = self._needed(query)
        chosen = Chosen()
        published = self._published([name for name in sorted(stored) if name not in self.given])
        for name in sorted(stored):
            self._add_stored(chosen, name, published)
        for wave in waves({name: set(parse_query(views[name]).tables) for name in wanted}):
            chosen.tables += [SandboxTable(name, view=parse_query(views[name]).sql) for name in wave]
        return chosen

    def read_by(self, query: SqlQuery) -> tuple[list[str], dict[str, str]]:
        """The tables with versions that a query reads, itself or through views; and the SQL of these views.

        Raises:
            SqlError: there is no such table.
        """
        stored, wanted, views = self._needed(query)
        return sorted(stored), {name: views[name] for name in sorted(wanted)}

    def _needed(self, query: SqlQuery) -> tuple[set[str], set[str], dict[str, str]]:
        """The stored tables and the views that a query needs, and the SQL of all views."""
        query.require_tables(self.names)
        tables = set(query.tables)
        views = {name: model.sql for name, model in self._models.items() if not model.materialize}
        wanted = needed({name: set(parse_query(sql).tables) for name, sql in views.items()}, tables)
        read = {name for view in wanted for name in parse_query(views[view]).tables}
        return (tables | read) - set(views), wanted, views

    def with_given(self, name: str, manifest: Manifest) -> ProjectTables:
        """The same tables, with one more version that is not published yet."""
        given = {**self.given, name: manifest}
        models = {one: model for one, model in self._models.items() if one != name or model.materialize}
        models[name] = self._models[name].model_copy(update={"materialize": True})
        return ProjectTables(
            self._project, self._assigned, models, self._datasets, self._lake, given=given, as_of=self._as_of
        )

    def dataset(self, name: str) -> DatasetId:
        """The dataset behind a table."""
        if name == MERGED:
            return DatasetId.of_project(self._project)
        if name in self._aliases:
            return DatasetId.of_datasource(self._aliases[name])
        return DatasetId.of_project_resource(self._project, "model", name)

    def _published(self, names: list[str]) -> dict[str, Version]:
        """The versions that tables have, all at the same moment: no query reads half of a refresh."""
        datasets = {name: self.dataset(name) for name in names}
        if self._as_of is not None:
            return {name: self._datasets.version_as_of(dataset, self._as_of) for name, dataset in datasets.items()}
        found = self._datasets.published_together(sorted(set(datasets.values())))
        return {name: found[dataset] for name, dataset in datasets.items()}

    def _add_stored(self, chosen: Chosen, name: str, published: Mapping[str, Version]) -> None:
        manifest = self.given.get(name)
        if manifest is not None and manifest.number is not None:
            chosen.numbers[name] = manifest.number
        if manifest is None:
            version = published[name]
            chosen.numbers[name] = version.number
            chosen.seen[name] = version.data_as_of
            manifest = self._lake.manifest(version.manifest_key)
        if manifest.stage != "records" and not (manifest.columns and manifest.objects):
            raise NotPublished(f"The table {name} has no columns: its dataset is one document.")
        files = self._lake.local_files(manifest.objects) if manifest.columns else []
        rows = rows_of(files, manifest.columns, []) if manifest.columns else _NOTHING
        chosen.tables.append(SandboxTable(name, rows, files))
        chosen.manifests[name] = manifest
        chosen.seen.setdefault(name, manifest.data_as_of)
