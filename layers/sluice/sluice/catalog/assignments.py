"""Which datasources take part in which projects."""

from __future__ import annotations

from typing import Any

from sluice.catalog.definitions import Definitions, missing
from sluice.catalog.table import ConditionFailed, Item, Table, transact
from sluice.catalog.upgrades import newest
from sluice.domain.base import Record
from sluice.domain.names import now, rfc3339, sql_name_of
from sluice.domain.project import Assignment
from sluice.errors import Conflict, NotFound, Unavailable

_TRIES = 20


class Assigned(Record):
    """One datasource in one project."""

    project: str
    datasource: str
    priority: int
    alias: str | None = None
    optional: bool = False
    created_at: str
    created_by: str

    @property
    def table_name(self) -> str:
        """The name that the datasource has in the project's SQL."""
        return self.alias or sql_name_of(self.datasource)

    def presented(self) -> dict[str, Any]:
        """The assignment as the API shows it."""
        return self.model_dump(mode="json")


class Assignments:
    """The table `Assignments`: `workspace` / `project#datasource`, and `ByDatasource`."""

    def __init__(self, table: Table, definitions: Definitions, workspace: str) -> None:
        self._table = table
        self._definitions = definitions
        self._workspace = workspace

    def _key(self, project: str, datasource: str) -> Item:
        return {"workspace": self._workspace, "project_datasource": f"{project}#{datasource}"}

    def find(self, project: str, datasource: str) -> Assigned | None:
        """The assignment; none if the datasource is not part of the project."""
        item = self._table.get(self._key(project, datasource))
        return Assigned.model_validate(item) if item else None

    def of_project(self, project: str) -> list[Assigned]:
        """A project's datasources, best ranked first."""
        items = self._table.query_all(
            "#workspace = :pk AND begins_with(#project_datasource, :prefix)",
            {"pk": self._workspace, "prefix": f"{project}#"},
        )
        return sorted((Assigned.model_validate(item) for item in items), key=lambda a: (a.priority, a.datasource))

    def of_datasource(self, datasource: str) -> list[Assigned]:
        """The projects that a datasource is part of, by name."""
        items = self._table.query_all(
            "#datasource_key = :pk", {"pk": f"{self._workspace}#{datasource}"}, index="ByDatasource"
        )
        return [Assigned.model_validate(item) for item in items]

    def put(self, project: str, datasource: str, assignment: Assignment, by: str) -> tuple[Assigned, bool]:
        """Assign a datasource, or change how it takes part.

        Returns:
            The assignment and whether it is new.

        Raises:
            NotFound: there is no such project or datasource.
            Conflict: its name in SQL is another datasource's already.
        """
        for _ in range(_TRIES):
            try:
                return self._put(project, datasource, assignment, by)
            except ConditionFailed:
                continue  # somebody else has assigned or freed it meanwhile
        raise Unavailable("The assignment keeps changing; try again.")

    def _put(self, project: str, datasource: str, assignment: Assignment, by: str) -> tuple[Assigned, bool]:
        found = self.find(project, datasource)
        assigned = Assigned(
            project=project,
            datasource=datasource,
            **assignment.model_dump(),
            created_at=found.created_at if found else rfc3339(now()),
            created_by=found.created_by if found else by,
        )
        if self._definitions.find("model", f"{project}#{assigned.table_name}") is not None:
            raise Conflict(f"The name {assigned.table_name!r} is taken by a model; give an alias.")
        for other in self.of_project(project):
            if other.datasource != datasource and other.table_name == assigned.table_name:
                raise Conflict(
                    f"The name {assigned.table_name!r} is taken by the datasource {other.datasource!r}; give an alias."
                )
        if found != assigned:
            self._store(assigned, new=found is None)
        return assigned, found is None

    def _store(self, assigned: Assigned, *, new: bool) -> None:
        item = {
            **self._key(assigned.project, assigned.datasource),
            "datasource_key": f"{self._workspace}#{assigned.datasource}",
            "schema_version": newest("assignment"),
            **assigned.model_dump(),
        }
        condition = "attribute_not_exists(#workspace)" if new else "attribute_exists(#workspace)"
        writes = [
            self._definitions.present("project", assigned.project),
            self._definitions.counted(assigned.datasource, 1 if new else 0),
            self._table.put(item, condition),
        ]
        try:
            transact(self._table.client, writes)
        except ConditionFailed as failure:
            if failure.position == 0:
                raise missing("project", assigned.project) from None
            if failure.position == 1:
                raise missing("datasource", assigned.datasource) from None
            raise

    def delete(self, project: str, datasource: str) -> None:
        """Take a datasource out of a project; its data stays.

        Raises:
            NotFound: it is not part of the project.
        """
        writes = [
            self._table.delete(self._key(project, datasource), "attribute_exists(#workspace)"),
            self._definitions.counted(datasource, -1),
        ]
        try:
            transact(self._table.client, writes)
        except ConditionFailed:
            raise NotFound(f"The datasource {datasource!r} is not part of the project {project!r}.") from None
