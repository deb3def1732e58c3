"""The versions of inputs that projects pin for the runs of their algorithms."""

from __future__ import annotations

from sluice.catalog.definitions import PRESENT, Definition, Definitions, changed, decode_definition, encode_document
from sluice.catalog.definitions import missing as missing_definition
from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.catalog.transactions import transact
from sluice.catalog.upgrades import newest
from sluice.domain.names import now, rfc3339
from sluice.errors import NotFound, PreconditionFailed, SluiceError


class Pins:
    """The pins in the table `Definitions`: `workspace#pin` / `project#input`, and its index `ByOwner`.

    A pin's document is `{"version": n}`, or with null for the latest version. Each input's item counts its pins.
    """

    def __init__(self, table: Table, definitions: Definitions, workspace: str) -> None:
        self._table = table
        self._definitions = definitions
        self._workspace = workspace

    def _key(self, project: str, slug: str) -> Item:
        return {"workspace_kind": f"{self._workspace}#pin", "name": f"{project}#{slug}"}

    def _owner(self, slug: str) -> str:
        return f"{self._workspace}#input/{slug}"

    def find(self, project: str, slug: str) -> Definition | None:
        """The pin of an input in a project; None if the project does not pin it."""
        return self._definitions.find("pin", f"{project}#{slug}")

    def of_project(self, project: str) -> list[Definition]:
        """A project's pins, ordered by input."""
        return self._definitions.with_prefix("pin", f"{project}#")

    def of_input(self, slug: str) -> list[Definition]:
        """The pins of an input, ordered by project; the read is not consistent."""
        items = self._table.query_all("#owner = :owner", {"owner": self._owner(slug)}, index="ByOwner")
        return [decode_definition("pin", item) for item in items]

    def put(
        self, project: Definition, slug: str, version: int | None, stored: Definition | None, by: str
    ) -> Definition:
        """Pin an input, or change its pin.

        Args:
            project: the project.
            slug: the input.
            version: the version; None for the latest.
            stored: the pin as it was read; None if there is none.
            by: who pins it.

        Raises:
            NotFound: the project or the input was deleted meanwhile.
            PreconditionFailed: the pin has changed since it was read.
        """
        moment = rfc3339(now())
        changes: Item = {
            "document": encode_document({"version": version}),
            "schema_version": newest("pin"),
            "owner": self._owner(slug),
            "updated_at": moment,
            "deleted_at": None,
        }
        condition, values = f"{PRESENT} AND #version = :read", {"read": stored.version if stored else 0}
        if stored is None:
            changes |= {"created_at": moment, "created_by": by}
            condition, values = "attribute_not_exists(#name) OR attribute_exists(#deleted_at)", {}
        writes = [
            self._definitions.require_same_write(project),
            self._count_write(slug, 0 if stored else 1, PRESENT),
            self._table.update(self._key(project.name, slug), changes, condition, values, add={"version": 1}),
        ]
        try:
            transact(self._table.client, writes)
        except ConditionFailed as failure:
            raise _refusal(failure, project.name, slug) from None
        return self._definitions.get("pin", f"{project.name}#{slug}")

    def _count_write(self, slug: str, by: int, condition: str) -> Write:
        key = {"workspace_kind": f"{self._workspace}#input", "name": slug}
        return self._table.update(key, {}, condition, add={"assigned": by})

    def delete(self, pin: Definition) -> None:
        """Remove a pin; the input stays.

        Args:
            pin: the pin as it was read.

        Raises:
            PreconditionFailed: it has changed since it was read.
        """
        project, _, slug = pin.name.partition("#")
        removed = self._table.update(
            self._key(project, slug),
            {"deleted_at": rfc3339(now()), "owner": None},
            f"{PRESENT} AND #version = :read",
            {"read": pin.version},
            add={"version": 1},
        )
        # The input may be deleted: its count stays right for its restoration.
        counted = self._count_write(slug, -1, "attribute_exists(#name)")
        try:
            transact(self._table.client, [removed, counted])
        except ConditionFailed:
            raise changed(pin) from None

    def remove_all(self, project: str) -> None:
        """Remove all pins of a deleted project; it is safe to repeat."""
        for pin in self.of_project(project):
            current: Definition | None = pin
            while current is not None:
                try:
                    self.delete(current)
                    break
                except PreconditionFailed:
                    current = self._definitions.find("pin", pin.name)


def not_pinned(project: str, slug: str) -> NotFound:
    """The error for an input that a project does not pin."""
    return NotFound(f"The project {project!r} does not pin the input {slug!r}.")


def _refusal(failure: ConditionFailed, project: str, slug: str) -> SluiceError:
    """The error for the write of `put` whose condition did not hold."""
    match failure.position:
        case 0:
            return missing_definition("project", project)
        case 1:
            return missing_definition("input", slug)
        case _:
            return PreconditionFailed("The pin has changed; read it again and repeat.")
