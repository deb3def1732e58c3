"""A project's resources, such as models and reports. Limits and names hold with concurrent writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluice.catalog.definitions import Definition, Definitions, Kind, missing
from sluice.catalog.reservations import Reservations
from sluice.catalog.table import ConditionFailed, Write
from sluice.errors import AlreadyExists, Conflict, SluiceError


def resource_name(project: str, name: str) -> str:
    """The name under which a project's model, report, endpoint or link is stored."""
    return f"{project}#{name}"


class ProjectResources:
    """Creates and deletes resources, each in one transaction with the project's count and the claim of its name."""

    def __init__(self, definitions: Definitions, reservations: Reservations) -> None:
        self._definitions = definitions
        self._reservations = reservations

    def all(self, kind: Kind, project: str) -> dict[str, Definition]:
        """A project's resources of one kind, by name."""
        definitions = self._definitions.with_prefix(kind, f"{project}#")
        return {resource.name.partition("#")[2]: resource for resource in definitions}

    def create(
        self,
        kind: Kind,
        project: Definition,
        name: str,
        document: dict[str, Any],
        by: str,
        limit: int,
        tables: Sequence[str] = (),
    ) -> Definition:
        """Store a new resource.

        Args:
            by: the principal that creates it.
            limit: the most resources of this kind in a project.
            tables: the names of its tables in the project's SQL.

        Raises:
            AlreadyExists: the project has a resource of this kind and name.
            Conflict: the project has `limit` of them, or another table has the name in the project's SQL.
            NotFound: the project was deleted meanwhile.
        """
        self._ensure_counted(kind, project.name)
        stored_name = resource_name(project.name, name)
        writes = [
            self._definitions.create_write(kind, stored_name, document, by),
            self._reservations.count_resource_write(project.name, kind, limit),
        ]
        writes += [self._reservations.claim_name_write(project, table, f"{kind}/{name}") for table in tables]
        try:
            self._definitions.transact(writes)
        except ConditionFailed as failure:
            table = tables[failure.position - 2] if failure.position > 1 else ""
            raise _refusal(failure, kind, project.name, name, limit, table) from None
        return self._definitions.get(kind, stored_name)

    def delete(self, resource: Definition, more: Sequence[Write] = (), tables: Sequence[str] = ()) -> None:
        """Delete a resource.

        Args:
            resource: the resource as it was read.
            more: further writes of the same transaction.
            tables: the names of its tables in the project's SQL.

        Raises:
            PreconditionFailed: it has changed since it was read.
        """
        project, _, name = resource.name.partition("#")
        self._ensure_counted(resource.kind, project)
        writes = [*more, self._reservations.discount_resource_write(project, resource.kind)]
        writes += [self._reservations.release_name_write(project, table, f"{resource.kind}/{name}") for table in tables]
        self._definitions.delete(resource, writes)

    def _ensure_counted(self, kind: Kind, project: str) -> None:
        """Count the resources of a project whose item has no count: releases before 0.3 did not store one."""
        if not self._reservations.is_counted(project, kind):
            self._reservations.recount(project, kind, len(self.all(kind, project)))


def _refusal(failure: ConditionFailed, kind: Kind, project: str, name: str, limit: int, table: str) -> SluiceError:
    """The error for the write of `create` whose condition did not hold.

    Args:
        table: the name in the project's SQL that the write would have claimed.
    """
    match failure.position:
        case 0:
            return AlreadyExists(f"The project {project!r} already has a {kind} {name!r}.")
        case 1 if failure.item is None or "deleted_at" in failure.item:
            return missing("project", project)
        case 1:
            return Conflict(f"A project can have at most {limit} {kind}s.")
        case _:
            holder = (failure.item or {}).get("holder", "another table")
            return Conflict(f"The name {table!r} is used by the {holder.replace('/', ' ')} in this project's SQL.")
