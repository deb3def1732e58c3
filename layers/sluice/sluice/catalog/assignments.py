"""Assignments of datasources to projects."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sluice.catalog.definitions import Definition, Definitions, missing
from sluice.catalog.reservations import Reservations
from sluice.catalog.table import ConditionFailed, Item, Table
from sluice.catalog.upgrades import newest
from sluice.domain.base import Record
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import now, rfc3339, sql_name_of
from sluice.domain.project import Assignment
from sluice.errors import Conflict, NotFound, PreconditionFailed, RequestError


class Assigned(Record):
    """The assignment of a datasource to a project.

    Args:
        priority: the rank among the project's datasources; lower is better.
        alias: the datasource's name in the project's SQL; None for the name derived from its slug.
        optional: whether a merge is complete without it.
    """

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
        """The holder of the name's claim in the project's SQL, such as `datasource/{slug}`."""
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

    def __init__(self, table: Table, definitions: Definitions, reservations: Reservations, workspace: str) -> None:
        self._table = table
        self._definitions = definitions
        self._reservations = reservations
        self._workspace = workspace

    def _key(self, project: str, datasource: str) -> Item:
        return {"workspace": self._workspace, "project_datasource": f"{project}#{datasource}"}

    def find(self, project: str, datasource: str) -> Assigned | None:
        """The assignment; None if the datasource is not assigned to the project."""
        item = self._table.get(self._key(project, datasource))
        return Assigned.model_validate(item) if item else None

    def of_project(self, project: str) -> list[Assigned]:
        """A project's assignments, best ranked first."""
        items = self._table.query_all(
            "#workspace = :pk AND begins_with(#project_datasource, :prefix)",
            {"pk": self._workspace, "prefix": f"{project}#"},
        )
        return sorted((Assigned.model_validate(item) for item in items), key=lambda a: (a.priority, a.datasource))

    def of_datasource(self, datasource: str) -> list[Assigned]:
        """A datasource's assignments, ordered by project."""
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
        """Assign a datasource to a project, or change its assignment.

        Args:
            by: the principal that makes the change.
            check: called with the stored assignment (None if there is none) and the new one; it raises
                an error if the change is not allowed.

        Returns:
            The assignment, and whether it is new.

        Raises:
            NotFound: there is no such project or datasource.
            Conflict: another table of the project has its name in SQL.
            PreconditionFailed: another request has changed it since it was read.
        """
        stored = self.find(project.name, datasource)
        assigned = Assigned(
            project=project.name,
            datasource=datasource,
            **assignment.model_dump(),
            created_at=stored.created_at if stored else rfc3339(now()),
            created_by=stored.created_by if stored else by,
            # Versions do not begin at 1: an ETag of a deleted assignment must not match a new one.
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
        """Refuse a name that another table of the project has."""
        # The claim in the transaction is not enough: releases before 0.3 did not store claims.
        if self._definitions.find("model", f"{assigned.project}#{assigned.table_name}") is not None:
            raise Conflict(f"The name {assigned.table_name!r} is used by a model; set an alias.")
        for other in self.of_project(assigned.project):
            if other.datasource != assigned.datasource and other.table_name == assigned.table_name:
                raise Conflict(
                    f"The name {assigned.table_name!r} is used by the datasource {other.datasource!r}; set an alias."
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
        # `_refusal` tells by the position which condition failed.
        writes = [
            self._definitions.require_same_write(project),
            self._reservations.count_assignment_write(assigned.datasource, 0 if stored else 1),
            self._table.put(item, condition, values),
            self._reservations.claim_name_write(project, assigned.table_name, assigned.holder),
        ]
        if stored is not None and stored.table_name != assigned.table_name:
            writes.append(self._reservations.release_name_write(project.name, stored.table_name, stored.holder))
        try:
            self._definitions.transact(writes)
        except ConditionFailed as failure:
            raise self._refusal(failure, assigned) from None

    @staticmethod
    def _refusal(failure: ConditionFailed, assigned: Assigned) -> RequestError:
        """The error for the write of `_store` whose condition did not hold."""
        match failure.position:
            case 0:
                return missing("project", assigned.project)
            case 1:
                return missing("datasource", assigned.datasource)
            case 3:
                holder = str((failure.item or {}).get("holder", "another table")).replace("/", " ")
                return Conflict(f"The name {assigned.table_name!r} is used by the {holder}; set an alias.")
            case _:
                return PreconditionFailed("The assignment has changed; read it again and repeat.")

    def delete(self, assigned: Assigned) -> None:
        """Remove a datasource from a project; its data stays.

        Args:
            assigned: the assignment as it was read.

        Raises:
            NotFound: the datasource is no longer assigned to the project.
            PreconditionFailed: another request has changed the assignment.
        """
        condition = "attribute_exists(#workspace) AND (attribute_not_exists(#version) OR #version = :read)"
        writes = [
            self._table.delete(self._key(assigned.project, assigned.datasource), condition, {"read": assigned.version}),
            self._reservations.count_assignment_write(assigned.datasource, -1),
            self._reservations.release_name_write(assigned.project, assigned.table_name, assigned.holder),
        ]
        try:
            self._definitions.transact(writes)
        except ConditionFailed as failure:
            if failure.position == 0 and failure.item is not None:
                raise PreconditionFailed("The assignment has changed; read it again and repeat.") from None
            raise not_assigned(assigned.project, assigned.datasource) from None

    def remove(self, assignments: list[Assigned]) -> None:
        """Remove datasources from projects, even if the assignments have changed since they were read."""
        for assigned in assignments:
            current: Assigned | None = assigned
            while current is not None:
                try:
                    self.delete(current)
                    break
                except (NotFound, PreconditionFailed):
                    current = self.find(assigned.project, assigned.datasource)


def not_assigned(project: str, datasource: str) -> NotFound:
    """The error for a datasource that is not assigned to a project."""
    return NotFound(f"The datasource {datasource!r} is not assigned to the project {project!r}.")
