"""A project's parts: models, reports, endpoints and links. Caps and names hold while many write at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sluice.catalog.definitions import Definition, Definitions, Kind, missing
from sluice.catalog.table import ConditionFailed, Write
from sluice.errors import AlreadyExists, Conflict, SluiceError


def resource_name(project: str, name: str) -> str:
    """The name under which a project's model, report, endpoint or link is stored."""
    return f"{project}#{name}"


class ProjectResources:
    """Creates and deletes parts, each in one transaction with the project's count and the claim of its name."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions

    def all(self, kind: Kind, project: str) -> dict[str, Definition]:
        """A project's parts of one kind, by name."""
        stored = self._definitions.beginning(kind, f"{project}#")
        return {part.name.partition("#")[2]: part for part in stored}

    def create(
        self, kind: Kind, project: Definition, name: str, document: dict[str, Any], by: str, most: int
    ) -> Definition:
        """Store a new part.

        Args:
            most: how many of its kind a project may have.

        Raises:
            AlreadyExists: the project has it already.
            Conflict: the project has `most` of them, or the name is another table's in its SQL.
            NotFound: the project was deleted meanwhile.
        """
        self._count(kind, project.name)
        stored_name = resource_name(project.name, name)
        writes = [
            self._definitions.creating(kind, stored_name, document, by),
            self._definitions.one_more(project.name, kind, most),
        ]
        if kind == "model":
            writes.append(self._definitions.claiming(project, name, f"model/{name}"))
        try:
            self._definitions.do_all(writes)
        except ConditionFailed as failure:
            raise _refusal(failure, kind, project.name, name, most) from None
        return self._definitions.get(kind, stored_name)

    def delete(self, part: Definition, more: Sequence[Write] = ()) -> None:
        """Delete a part.

        Args:
            more: what must happen in the same transaction.

        Raises:
            PreconditionFailed: it changed since it was read.
        """
        project, _, name = part.name.partition("#")
        self._count(part.kind, project)
        writes = [*more, self._definitions.one_less(project, part.kind)]
        if part.kind == "model":
            writes.append(self._definitions.releasing(project, name, f"model/{name}"))
        self._definitions.delete(part, writes)

    def _count(self, kind: Kind, project: str) -> None:
        """Have the parts counted that a release before 0.3 stored, which did not count."""
        if not self._definitions.is_counted(project, kind):
            self._definitions.recount(project, kind, len(self.all(kind, project)))


def _refusal(failure: ConditionFailed, kind: Kind, project: str, name: str, most: int) -> SluiceError:
    match failure.position:
        case 0:
            return AlreadyExists(f"The project {project!r} has a {kind} {name!r} already.")
        case 1 if failure.item is None or "deleted_at" in failure.item:
            return missing("project", project)
        case 1:
            return Conflict(f"A project has at most {most} {kind}s.")
        case _:
            holder = (failure.item or {}).get("holder", "another table")
            return Conflict(f"The name {name!r} is that of the {holder.replace('/', ' ')} in this project's SQL.")
