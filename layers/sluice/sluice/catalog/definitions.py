"""All that users write: projects, datasources, keys, names of secrets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Literal

import orjson

from sluice.catalog.table import ConditionFailed, Item, Page, Table, Write, transact
from sluice.catalog.upgrades import newest, upgraded
from sluice.domain.base import Record
from sluice.domain.json_text import identical
from sluice.domain.names import now, parse_time, rfc3339
from sluice.errors import Conflict, Invalid, NotFound, PreconditionFailed

Kind = Literal["project", "datasource", "key", "secret", "override", "model", "report", "endpoint"]
MAX_DOCUMENT_BYTES = 300_000

_PRESENT = "attribute_exists(#name) AND attribute_not_exists(#deleted_at)"


class Definition(Record):
    """A document with what the catalog knows about it."""

    kind: Kind
    name: str
    document: dict[str, Any]
    version: int
    created_at: str
    created_by: str
    updated_at: str
    assigned: int = 0

    @property
    def etag(self) -> str:
        """The version, as `ETag` and `If-Match` carry it."""
        return str(self.version)


class Definitions:
    """The table `Definitions`: `workspace#kind` / `name`."""

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, kind: Kind, name: str) -> Item:
        return {"workspace_kind": f"{self._workspace}#{kind}", "name": name}

    def find(self, kind: Kind, name: str) -> Definition | None:
        """The definition of that name; none if there is none or it was deleted."""
        item = self._table.get(self._key(kind, name))
        return _definition(kind, item) if item and "deleted_at" not in item else None

    def wanted(self, kind: Kind, name: str) -> tuple[Table, Item]:
        """The table and key of a definition, for reading it together with others."""
        return self._table, self._key(kind, name)

    def made_of(self, kind: Kind, item: Item | None) -> Definition | None:
        """The definition in an item that was read so; none if there is none, or it was deleted."""
        return _definition(kind, item) if item and "deleted_at" not in item else None

    def get(self, kind: Kind, name: str) -> Definition:
        """The definition of that name.

        Raises:
            NotFound: there is none.
        """
        found = self.find(kind, name)
        if found is None:
            raise missing(kind, name)
        return found

    def page(self, kind: Kind, limit: int, after: str | None) -> tuple[list[Definition], str | None]:
        """Definitions by name, beginning after one of them; and the name to go on from."""
        found: list[Definition] = []
        key = self._key(kind, after) if after is not None else None
        while True:
            page: Page = self._table.query(
                "#workspace_kind = :pk", {"pk": f"{self._workspace}#{kind}"}, limit=limit + 1, after=key
            )
            found += [_definition(kind, item) for item in page.items if "deleted_at" not in item]
            if len(found) > limit:
                return found[:limit], found[limit - 1].name
            if page.last_key is None:
                return found, None
            key = page.last_key

    def all(self, kind: Kind) -> list[Definition]:
        """Every definition of a kind, by name."""
        items = self._table.query_all("#workspace_kind = :pk", {"pk": f"{self._workspace}#{kind}"})
        return [_definition(kind, item) for item in items if "deleted_at" not in item]

    def beginning(self, kind: Kind, prefix: str) -> list[Definition]:
        """Every definition of a kind whose name begins so, by name."""
        condition = "#workspace_kind = :pk AND begins_with(#name, :prefix)"
        items = self._table.query_all(condition, {"pk": f"{self._workspace}#{kind}", "prefix": prefix})
        return [_definition(kind, item) for item in items if "deleted_at" not in item]

    def create(self, kind: Kind, name: str, document: dict[str, Any], created_by: str) -> Definition:
        """Store a new definition; one that was deleted under this name goes on counting versions.

        Raises:
            Conflict: the name is taken.
        """
        moment = rfc3339(now())
        changes = {
            "document": _encoded(document),
            "schema_version": newest(kind),
            "created_at": moment,
            "created_by": created_by,
            "updated_at": moment,
            "deleted_at": None,
            "assigned": 0,
        }
        condition = "attribute_not_exists(#name) OR attribute_exists(#deleted_at)"
        write = self._table.update(self._key(kind, name), changes, condition, add={"version": 1})
        try:
            item = self._table.do(write)
        except ConditionFailed:
            raise Conflict(f"There is a {kind} {name!r} already.") from None
        return _definition(kind, item or {})

    def replace(self, found: Definition, document: dict[str, Any]) -> Definition:
        """Store a new document in place of the one that was read.

        Raises:
            PreconditionFailed: it changed since it was read.
        """
        if identical(document, found.document):
            return found
        write = self._table.update(
            self._key(found.kind, found.name),
            {"document": _encoded(document), "schema_version": newest(found.kind), "updated_at": rfc3339(now())},
            f"{_PRESENT} AND #version = :read",
            {"read": found.version},
            add={"version": 1},
        )
        try:
            item = self._table.do(write)
        except ConditionFailed:
            raise changed(found) from None
        return _definition(found.kind, item or {})

    def delete(self, found: Definition, more: Sequence[Write] = (), *, even_assigned: bool = False) -> None:
        """Hide a definition; its version is kept so that an old ETag never fits a new one.

        Args:
            more: what must happen in the same transaction.
            even_assigned: whether it may be part of projects still.

        Raises:
            PreconditionFailed: it changed since it was read.
            Conflict: it is a datasource that was assigned to a project meanwhile.
        """
        condition = f"{_PRESENT} AND #version = :read"
        values: Item = {"read": found.version}
        if not even_assigned:
            condition += " AND #assigned = :none"
            values["none"] = 0
        write = self._table.update(
            self._key(found.kind, found.name), {"deleted_at": rfc3339(now())}, condition, values, add={"version": 1}
        )
        try:
            transact(self._table.client, [write, *more])
        except ConditionFailed as failure:
            if failure.item and failure.item.get("version") == found.version and failure.item.get("assigned"):
                raise Conflict(f"The {found.kind} {found.name!r} is assigned to a project.") from None
            raise changed(found) from None

    def restore(self, kind: Kind, name: str, within: timedelta, more: Callable[[], Sequence[Write]]) -> Definition:
        """Bring back a definition that was deleted.

        Args:
            within: how long ago that may have been.
            more: gives what must happen in the same transaction.

        Raises:
            NotFound: none was deleted under this name, or too long ago.
            Conflict: there is one of this name.
        """
        item = self._table.get(self._key(kind, name))
        if item is not None and "deleted_at" not in item:
            raise Conflict(f"There is a {kind} {name!r}: it is not deleted.")
        if item is None or parse_time(item["deleted_at"]) < now() - within:
            raise NotFound(f"No {kind} {name!r} was deleted within the last {within.days} days.")
        write = self._table.update(
            self._key(kind, name),
            {"deleted_at": None, "updated_at": rfc3339(now()), "assigned": 0},
            "#version = :read AND attribute_exists(#deleted_at)",
            {"read": item["version"]},
            add={"version": 1},
        )
        try:
            transact(self._table.client, [write, *more()])
        except ConditionFailed:
            raise Conflict(f"The {kind} {name!r} was changed meanwhile; look at it again.") from None
        return self.get(kind, name)

    def deleted(self, kind: Kind, name: str) -> Definition | None:
        """The definition that was deleted under this name; none if none was, or there is one now."""
        item = self._table.get(self._key(kind, name))
        return _definition(kind, item) if item and "deleted_at" in item else None

    def counted(self, name: str, by: int) -> Write:
        """The part of a transaction that counts a datasource's assignments."""
        return self._table.update(self._key("datasource", name), {}, _PRESENT, add={"assigned": by})

    def made_at(self, found: Definition) -> Write:
        """The part of a transaction that needs a definition to be there, and to be the one that was found."""
        condition = f"{_PRESENT} AND #created_at = :made"
        return self._table.check(self._key(found.kind, found.name), condition, {"made": found.created_at})

    def present(self, kind: Kind, name: str) -> Write:
        """The part of a transaction that needs a definition to be there."""
        return self._table.check(self._key(kind, name), _PRESENT)


def _definition(kind: Kind, item: Item) -> Definition:
    item = upgraded(kind, item)
    return Definition.model_validate({**item, "kind": kind, "document": orjson.loads(item["document"])})


def _encoded(document: dict[str, Any]) -> str:
    encoded = orjson.dumps(document)
    if len(encoded) > MAX_DOCUMENT_BYTES:
        raise Invalid(f"The document has {len(encoded)} bytes; at most {MAX_DOCUMENT_BYTES} can be stored.")
    return encoded.decode()


def missing(kind: str, name: str) -> NotFound:
    """The error for a name that nobody has."""
    return NotFound(f"There is no {kind} {name!r}.")


def changed(found: Definition) -> PreconditionFailed:
    """The error for a definition that somebody else changed first."""
    return PreconditionFailed(f"The {found.kind} {found.name!r} has changed; read it again and repeat.")
