"""Inputs and their versions. The documents lie in the lake, by their hash."""

from __future__ import annotations

from typing import Any

import orjson

from sluice.catalog.definitions import PRESENT, Definition, changed, decode_definition, encode_document, missing
from sluice.catalog.table import ConditionFailed, Item, Table
from sluice.catalog.transactions import transact
from sluice.catalog.upgrades import newest
from sluice.domain.identity import Principal
from sluice.domain.input import InputVersion
from sluice.domain.names import now, rfc3339
from sluice.errors import AlreadyExists, Conflict, NotFound


class Inputs:
    """The inputs in the table `Definitions`.

    An input's item has its kind and its latest version; each version is an item `workspace#input/{slug}` / number.
    The item's attribute `assigned` is the number of projects that pin the input.
    """

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, slug: str) -> Item:
        return {"workspace_kind": f"{self._workspace}#input", "name": slug}

    def _partition(self, slug: str) -> str:
        return f"{self._workspace}#input/{slug}"

    def _version_key(self, slug: str, number: int) -> Item:
        return {"workspace_kind": self._partition(slug), "name": f"{number:012d}"}

    def existed(self, slug: str) -> Definition | None:
        """The input, even if it was deleted; None if there never was one of this slug."""
        item = self._table.get(self._key(slug))
        return decode_definition("input", item) if item else None

    def get(self, slug: str) -> Definition:
        """The input, even if it was deleted.

        Raises:
            NotFound: there never was one of this slug.
        """
        stored = self.existed(slug)
        if stored is None:
            raise missing("input", slug)
        return stored

    def version(self, slug: str, number: int) -> InputVersion:
        """A version of an input, even if the input was deleted.

        Raises:
            NotFound: there is no such version.
        """
        item = self._table.get(self._version_key(slug, number))
        if item is None:
            raise NotFound(f"The input {slug!r} has no version {number}; see GET /inputs/{slug}/versions.")
        return _decode(item)

    def versions(self, slug: str, limit: int, before: int | None) -> list[InputVersion]:
        """The newest versions of an input, the newest first.

        Args:
            slug: the input.
            limit: the most versions.
            before: a number; only versions before it are returned. None: all of them.
        """
        end = self._version_key(slug, before if before is not None else 10**12 - 1)
        page = self._table.query(
            "#workspace_kind = :pk AND #name < :end",
            {"pk": end["workspace_kind"], "end": end["name"]},
            limit=limit,
            newest_first=True,
        )
        return [_decode(item) for item in page.items]

    def add(self, slug: str, stored: Definition | None, kind: str, version: InputVersion, by: Principal) -> Definition:
        """Store a new version, and make it the latest; an input that was deleted is there again.

        Args:
            slug: the input.
            stored: the input as it was read, present or deleted; None to create it.
            kind: the kind of the input.
            version: the version, with the number after that of the latest.
            by: who writes it.

        Raises:
            AlreadyExists: there is already an input of this slug.
            PreconditionFailed: the input has changed since it was read.
        """
        document = {"kind": kind, "version": version.model_dump()}
        changes: Item = {
            "document": encode_document(document),
            "schema_version": newest("input"),
            "written_by": by.id,
            "written_by_role": by.role,
            "updated_at": version.created_at,
            "deleted_at": None,
        }
        once = {"created_at": version.created_at, "created_by": by.id, "assigned": 0}
        condition, values = "attribute_not_exists(#name)", dict[str, Any]()
        if stored is not None:
            condition, values = "#version = :read", {"read": stored.version}
        head = self._table.update(self._key(slug), changes, condition, values, add={"version": 1}, once=once)
        entry = {**self._version_key(slug, version.number), "entry": orjson.dumps(version.model_dump()).decode()}
        try:
            transact(self._table.client, [head, self._table.put(entry, "attribute_not_exists(#name)")])
        except ConditionFailed:
            raise _overtaken(slug, stored) from None
        # What was written, not what is there now: another request may have written meanwhile.
        written = stored or Definition(
            kind="input",
            name=slug,
            document=document,
            version=0,
            created_at=version.created_at,
            created_by=by.id,
            updated_at=version.created_at,
        )
        return written.model_copy(
            update={
                "document": document,
                "version": written.version + 1,
                "updated_at": version.created_at,
                "written_by": by.id,
                "written_by_role": by.role,
                "deleted_at": None,
            }
        )

    def delete(self, stored: Definition, by: Principal, *, even_pinned: bool) -> None:
        """Mark an input as deleted; its versions stay.

        Args:
            stored: the input as it was read.
            by: who deletes it.
            even_pinned: allow it even if projects pin it.

        Raises:
            Conflict: projects pin it.
            PreconditionFailed: it has changed since it was read.
        """
        moment = rfc3339(now())
        version = latest_version(stored).model_copy(update={"deleted_at": moment, "deleted_by": by.id})
        document = {**stored.document, "version": version.model_dump()}
        condition, values = f"{PRESENT} AND #version = :read", {"read": stored.version}
        if not even_pinned:
            condition, values = f"{condition} AND #assigned = :none", {**values, "none": 0}
        changes = {"deleted_at": moment, "updated_at": moment, "document": encode_document(document)}
        head = self._table.update(self._key(stored.name), changes, condition, values, add={"version": 1})
        entry = self._table.update(
            self._version_key(stored.name, version.number),
            {"entry": orjson.dumps(version.model_dump()).decode()},
            "attribute_exists(#name)",
        )
        try:
            transact(self._table.client, [head, entry])
        except ConditionFailed as failure:
            if failure.item and failure.item.get("version") == stored.version and failure.item.get("assigned"):
                raise Conflict(f"Projects pin the input {stored.name!r}.") from None
            raise changed(stored) from None


def latest_version(stored: Definition) -> InputVersion:
    """The latest version of an input."""
    return InputVersion.model_validate(stored.document["version"])


def _decode(item: Item) -> InputVersion:
    return InputVersion.model_validate_json(item["entry"])


def _overtaken(slug: str, stored: Definition | None) -> Exception:
    return changed(stored) if stored is not None else AlreadyExists(f"There is already an input {slug!r}.")
