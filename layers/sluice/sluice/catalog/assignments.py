"""Which datasources take part in which projects."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sluice.catalog.definitions import Definition, Definitions, missing
from sluice.catalog.table import ConditionFailed, Item, Table
from sluice.catalog.upgrades import newest
from sluice.domain.base import Record
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now, rfc3339, sql_name_of
from sluice.domain.project import Assignment
from sluice.errors import Conflict, NotFound, PreconditionFailed, RequestError


class Assigned(Record):
    """One datasource in one project."""

    project: str
    datasource: str
    priority: int
    alias: str | None = None
    optional: bool = False
    created_at: str
    created_by: str
    version: int = 1

    @property
    def holder(self) -> str:
        """What claims the assignment's name in the project's SQL."""
        return DatasetId.of_datasource(self.datasource)

    @property
    def table_name(self) -> str:
        """The name that the datasource has in the project's SQL."""
        return self.alias or sql_name_of(self.datasource)

    def presented(self) -> dict[str, Any]:
        """The assignment as the API shows it."""
        return self.model_dump(mode="json", exclude={"version"}) | {"etag": str(self.version)}


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

    def put(
        self,
        project: Definition,
        datasource: str,
        assignment: Assignment,
        by: str,
        check: Callable[[Assigned | None, Assigned], None],
    ) -> tuple[Assigned, bool]:
        """Assign a datasource, or change how it takes part.

        Args:
            check: is given the stored assignment, if there is one, and the new one; raises when
                the change must not be made.

        Returns:
            The assignment and whether it is new.

        Raises:
            NotFound: there is no such project or datasource.
            Conflict: its name in SQL is another table's already.
            PreconditionFailed: somebody else has changed it since it was read.
        """
        stored = self.find(project.name, datasource)
        assigned = Assigned(
            project=project.name,
            datasource=datasource,
            **assignment.model_dump(),
            created_at=stored.created_at if stored else rfc3339(now()),
            created_by=stored.created_by if stored else by,
            # Not from 1 on: an old ETag must not fit an assignment that is made anew.
            version=stored.version if stored else int(1000 * time.time()),
        )
        check(stored, assigned)
        if stored == assigned:
            return stored, False
        self._require_free_name(assigned)
        assigned.version += 1
        self._store(project, assigned, stored)
        return assigned, stored is None

    def _require_free_name(self, assigned: Assigned) -> None:
        """Refuse a name in SQL that is taken; releases before 0.3 stored no claims of names, so tables are read."""
        if self._definitions.find("model", f"{assigned.project}#{assigned.table_name}") is not None:
            raise Conflict(f"The name {assigned.table_name!r} is taken by a model; give an alias.")
        for other in self.of_project(assigned.project):
            if other.datasource != assigned.datasource and other.table_name == assigned.table_name:
                raise Conflict(
                    f"The name {assigned.table_name!r} is taken by the datasource {other.datasource!r}; give an alias."
                )

    def _store(self, project: Definition, assigned: Assigned, stored: Assigned | None) -> None:
        item = {
            **self._key(assigned.project, assigned.datasource),
            "datasource_key": f"{self._workspace}#{assigned.datasource}",
            "schema_version": newest("assignment"),
            **assigned.model_dump(),
        }
        condition, values = "attribute_not_exists(#workspace)", {}
        if stored is not None:
            condition = "attribute_exists(#workspace) AND (attribute_not_exists(#version) OR #version = :read)"
            values = {"read": stored.version}
        writes = [
            self._definitions.made_at(project),
            self._definitions.counted(assigned.datasource, 0 if stored else 1),
            self._table.put(item, condition, values),
            self._definitions.claiming(project, assigned.table_name, assigned.holder),
        ]
        if stored is not None and stored.table_name != assigned.table_name:
            writes.append(self._definitions.releasing(project.name, stored.table_name, stored.holder))
        try:
            self._definitions.do_all(writes)
        except ConditionFailed as failure:
            raise self._refusal(failure, assigned) from None

    @staticmethod
    def _refusal(failure: ConditionFailed, assigned: Assigned) -> RequestError:
        match failure.position:
            case 0:
                return missing("project", assigned.project)
            case 1:
                return missing("datasource", assigned.datasource)
            case 3:
                holder = str((failure.item or {}).get("holder", "another table")).replace("/", " ")
                return Conflict(f"The name {assigned.table_name!r} is taken by the {holder}; give an alias.")
            case _:
                return PreconditionFailed("The assignment has changed; read it again and repeat.")

    def delete(self, assigned: Assigned) -> None:
        """Take a datasource out of a project; its data stays.

        Raises:
            NotFound: it is not part of the project any more.
            PreconditionFailed: somebody else has changed how it takes part.
        """
        condition = "attribute_exists(#workspace) AND (attribute_not_exists(#version) OR #version = :read)"
        writes = [
            self._table.delete(self._key(assigned.project, assigned.datasource), condition, {"read": assigned.version}),
            self._definitions.counted(assigned.datasource, -1),
            self._definitions.releasing(assigned.project, assigned.table_name, assigned.holder),
        ]
        try:
            self._definitions.do_all(writes)
        except ConditionFailed as failure:
            if failure.position == 0 and failure.item is not None:
                raise PreconditionFailed("The assignment has changed; read it again and repeat.") from None
            raise not_assigned(assigned.project, assigned.datasource) from None

    def remove(self, found: list[Assigned]) -> None:
        """Take datasources out of projects, however they take part by now."""
        for assigned in found:
            current: Assigned | None = assigned
            while current is not None:
                try:
                    self.delete(current)
                    break
                except (NotFound, PreconditionFailed):
                    current = self.find(assigned.project, assigned.datasource)


def not_assigned(project: str, datasource: str) -> NotFound:
    """The error for a datasource that is not part of a project."""
    return NotFound(f"The datasource {datasource!r} is not part of the project {project!r}.")
