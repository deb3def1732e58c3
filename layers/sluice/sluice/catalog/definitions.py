"""Definitions: documents that users write, such as projects and datasources. API keys have their own table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal

import orjson

from sluice.catalog.table import ConditionFailed, Item, Page, Table, Write
from sluice.catalog.transactions import MAX_BATCH_ITEMS, batch_get, transact
from sluice.catalog.upgrades import newest, upgraded
from sluice.domain.base import Record
from sluice.domain.identity import Role
from sluice.domain.json_text import same_json
from sluice.domain.names import now, parse_time, rfc3339
from sluice.errors import AlreadyExists, Conflict, Invalid, NotFound, PreconditionFailed

Kind = Literal[
    "project",
    "datasource",
    "key",
    "secret",
    "override",
    "model",
    "report",
    "endpoint",
    "link",
    "algorithm",
    "member",
    "share",
    "site",
    "equipment",
    "sensor",
    "subscription",
    "input",
    "pin",
]
MAX_DOCUMENT_BYTES = 300_000

# The kinds that a project's item counts, so that their limits hold with concurrent writes.
COUNTED: tuple[Kind, ...] = ("model", "report", "endpoint", "link", "algorithm")

# The condition that an item is a definition and not deleted.
PRESENT = "attribute_exists(#name) AND attribute_not_exists(#deleted_at)"


class Definition(Record):
    """A stored document with its metadata.

    Args:
        version: increases with every change, deletions included.
        assigned: the number of projects that a datasource is assigned to or that pin an input, or of assets that refer
            to an asset.
        written_by: the principal that wrote the current document; None if a release before 0.3 stored it.
        written_by_role: the role that this principal had.
        history: the newest changes of an asset, as JSON; see `catalog/assets.py`.
        moved_entries: how many earlier changes of an asset have items of their own.
        deleted_at: when it was deleted; None if it was not.
        last_used_at: when an API key was used, about; it is no part of the document, so that a use changes no version.
    """

    kind: Kind
    name: str
    document: dict[str, Any]
    version: int
    created_at: str
    created_by: str
    updated_at: str
    assigned: int = 0
    written_by: str | None = None
    written_by_role: Role | None = None
    history: Sequence[str] = ()
    moved_entries: int = 0
    deleted_at: str | None = None
    last_used_at: str | None = None

    @property
    def etag(self) -> str:
        """The version, as the headers `ETag` and `If-Match` contain it."""
        return str(self.version)


class Definitions:
    """The table `Definitions`, or `Access`, which has the same keys: `workspace#kind` / `name`."""

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, kind: Kind, name: str) -> Item:
        return {"workspace_kind": f"{self._workspace}#{kind}", "name": name}

    def find(self, kind: Kind, name: str) -> Definition | None:
        """The definition; None if there is none or it was deleted."""
        item = self._table.get(self._key(kind, name))
        return decode_definition(kind, item) if item and "deleted_at" not in item else None

    def location(self, kind: Kind, name: str) -> tuple[Table, Item]:
        """The table and key of a definition, for `batch_get`."""
        return self._table, self._key(kind, name)

    def from_item(self, kind: Kind, item: Item | None) -> Definition | None:
        """The definition in an item that `batch_get` has read; None if there is none or it was deleted."""
        return decode_definition(kind, item) if item and "deleted_at" not in item else None

    def get(self, kind: Kind, name: str) -> Definition:
        """The definition.

        Raises:
            NotFound: there is none or it was deleted.
        """
        definition = self.find(kind, name)
        if definition is None:
            raise missing(kind, name)
        return definition

    def page(
        self, kind: Kind, limit: int, after: str | None, *, deleted: bool = False
    ) -> tuple[list[Definition], str | None]:
        """One page of the definitions of a kind, ordered by name.

        Args:
            after: a name; the page begins after it.
            deleted: whether those that were deleted are read instead.

        Returns:
            The definitions, and the name that the next page begins after; None if there is none.
        """
        definitions: list[Definition] = []
        key = self._key(kind, after) if after is not None else None
        while True:
            page: Page = self._table.query(
                "#workspace_kind = :pk", {"pk": f"{self._workspace}#{kind}"}, limit=limit + 1, after=key
            )
            # A page of items may have fewer definitions: deleted ones are still there.
            definitions += [decode_definition(kind, item) for item in page.items if ("deleted_at" in item) == deleted]
            if len(definitions) > limit:
                return definitions[:limit], definitions[limit - 1].name
            if page.last_key is None:
                return definitions, None
            key = page.last_key

    def all(self, kind: Kind) -> list[Definition]:
        """Every definition of a kind, ordered by name."""
        items = self._table.query_all("#workspace_kind = :pk", {"pk": f"{self._workspace}#{kind}"})
        return [decode_definition(kind, item) for item in items if "deleted_at" not in item]

    def with_prefix(self, kind: Kind, prefix: str) -> list[Definition]:
        """Every definition of a kind whose name begins with a prefix, ordered by name."""
        condition = "#workspace_kind = :pk AND begins_with(#name, :prefix)"
        items = self._table.query_all(condition, {"pk": f"{self._workspace}#{kind}", "prefix": prefix})
        return [decode_definition(kind, item) for item in items if "deleted_at" not in item]

    def find_all(self, kind: Kind, names: Sequence[str]) -> dict[str, Definition]:
        """Those of these definitions that exist, by name; a request reads a hundred of them."""
        by_name: dict[str, Definition] = {}
        distinct = list(dict.fromkeys(names))
        for begin in range(0, len(distinct), MAX_BATCH_ITEMS):
            keys = [self.location(kind, name) for name in distinct[begin : begin + MAX_BATCH_ITEMS]]
            definitions = [self.from_item(kind, item) for item in batch_get(self._table.client, keys)]
            by_name |= {definition.name: definition for definition in definitions if definition is not None}
        return by_name

    def create(
        self,
        kind: Kind,
        name: str,
        document: dict[str, Any],
        created_by: str,
        role: Role | None = None,
        reserved: timedelta | None = None,
    ) -> Definition:
        """Store a new definition.

        If one of the same name was deleted, the version continues after its last one, so that an old
        ETag never matches the new definition.

        Args:
            created_by: the principal that creates it.
            role: the role of `created_by`.
            reserved: how long the name of a deleted definition is reserved for its restoration.

        Raises:
            AlreadyExists: there is a definition of this name.
            Conflict: the name is reserved.
        """
        try:
            item = self._table.execute(self.create_write(kind, name, document, created_by, role, reserved))
        except ConditionFailed as failure:
            raise _name_taken(kind, name, failure.item, reserved) from None
        return decode_definition(kind, item or {})

    def create_write(
        self,
        kind: Kind,
        name: str,
        document: dict[str, Any],
        created_by: str,
        role: Role | None = None,
        reserved: timedelta | None = None,
    ) -> Write:
        """A write that stores a new definition; see `create`."""
        moment = now()
        changes: Item = {
            "document": encode_document(document),
            "schema_version": newest(kind),
            "created_at": rfc3339(moment),
            "created_by": created_by,
            "written_by": created_by,
            "written_by_role": role,
            "updated_at": rfc3339(moment),
            "deleted_at": None,
            "last_used_at": None,
            "assigned": 0,
        }
        if kind == "project":  # a deleted project of this name may have left its counts
            changes |= {count_field(counted): None for counted in COUNTED}
        condition, values = "attribute_not_exists(#name) OR attribute_exists(#deleted_at)", {}
        if reserved is not None:
            condition = "attribute_not_exists(#name) OR #deleted_at < :since"
            values = {"since": rfc3339(moment - reserved)}
        return self._table.update(self._key(kind, name), changes, condition, values, add={"version": 1})

    def replace(
        self, stored: Definition, document: dict[str, Any], by: str | None = None, role: Role | None = None
    ) -> Definition:
        """Replace a definition's document.

        An equal document changes nothing, except its author: an admin takes over what somebody with a
        lower role wrote.

        Args:
            stored: the definition as it was read.
            by: the principal that writes the document.
            role: the role of `by`.

        Raises:
            PreconditionFailed: it has changed since it was read.
        """
        author = {"written_by": by, "written_by_role": role}
        if same_json(document, stored.document):
            if role != "admin" or stored.written_by_role == "admin":
                return stored
            write = self._table.update(
                self._key(stored.kind, stored.name),
                author,
                f"{PRESENT} AND #version = :read",
                {"read": stored.version},
            )
        else:
            changes = {"document": encode_document(document), "schema_version": newest(stored.kind), **author}
            write = self._table.update(
                self._key(stored.kind, stored.name),
                {**changes, "updated_at": rfc3339(now())},
                f"{PRESENT} AND #version = :read",
                {"read": stored.version},
                add={"version": 1},
            )
        try:
            item = self._table.execute(write)
        except ConditionFailed:
            raise changed(stored) from None
        return decode_definition(stored.kind, item or {})

    def record_use(self, stored: Definition, moment: datetime, interval: timedelta) -> None:
        """Store when a definition was last used, without a new version, unless that was stored within the interval.

        A definition that was deleted or moved meanwhile stays as it is.
        """
        condition = f"{PRESENT} AND (attribute_not_exists(#last_used_at) OR #last_used_at < :since)"
        write = self._table.update(
            self._key(stored.kind, stored.name),
            {"last_used_at": rfc3339(moment)},
            condition,
            {"since": rfc3339(moment - interval)},
        )
        with suppress(ConditionFailed):
            self._table.execute(write)

    def delete(self, stored: Definition, more: Sequence[Write] = (), *, even_assigned: bool = False) -> None:
        """Mark a definition as deleted.

        The item stays, so that it can be restored, and so that a new definition of the same name
        continues its versions.

        Args:
            stored: the definition as it was read.
            more: further writes of the same transaction.
            even_assigned: allow it even if the datasource is assigned to a project.

        Raises:
            PreconditionFailed: it has changed since it was read.
            Conflict: it is a datasource that is assigned to a project.
        """
        condition = f"{PRESENT} AND #version = :read"
        values: Item = {"read": stored.version}
        if not even_assigned:
            condition += " AND #assigned = :none"
            values["none"] = 0
        write = self._table.update(
            self._key(stored.kind, stored.name), {"deleted_at": rfc3339(now())}, condition, values, add={"version": 1}
        )
        try:
            transact(self._table.client, [write, *more])
        except ConditionFailed as failure:
            if (
                failure.position == 0
                and failure.item
                and failure.item.get("version") == stored.version
                and failure.item.get("assigned")
            ):
                raise Conflict(f"The {stored.kind} {stored.name!r} is assigned to a project.") from None
            raise changed(stored) from None

    def restore(self, kind: Kind, name: str, within: timedelta, more: Callable[[], Sequence[Write]]) -> Definition:
        """Restore a deleted definition.

        Args:
            within: the time since its deletion must not be longer than this.
            more: returns further writes of the same transaction.

        Raises:
            NotFound: there is no deleted definition of this name, or it was deleted too long ago.
            Conflict: the definition of this name is not deleted, or changed meanwhile.
        """
        item = self._table.get(self._key(kind, name))
        if item is not None and "deleted_at" not in item:
            raise Conflict(f"The {kind} {name!r} is not deleted.")
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
            raise Conflict(f"The {kind} {name!r} was changed meanwhile; read it again.") from None
        return self.get(kind, name)

    def deleted(self, kind: Kind, name: str) -> Definition | None:
        """The deleted definition of this name; None if there is none, or it is not deleted."""
        item = self._table.get(self._key(kind, name))
        return decode_definition(kind, item) if item and "deleted_at" in item else None

    def transact(self, writes: Sequence[Write]) -> None:
        """Execute all writes or none.

        Raises:
            ConditionFailed: a condition did not hold; `position` is the index of the first such write.
        """
        transact(self._table.client, writes)

    def require_same_write(self, stored: Definition) -> Write:
        """A write that requires a definition to exist, and not to be another one that was created under its name."""
        condition = f"{PRESENT} AND #created_at = :made"
        return self._table.check(self._key(stored.kind, stored.name), condition, {"made": stored.created_at})

    def require_present_write(self, kind: Kind, name: str) -> Write:
        """A write that requires a definition to exist."""
        return self._table.check(self._key(kind, name), PRESENT)


def count_field(kind: Kind) -> str:
    """The attribute of a project's item that counts its resources of a kind."""
    return f"{kind}_count"


def _name_taken(kind: Kind, name: str, item: Item | None, reserved: timedelta | None) -> Conflict:
    if item is None or "deleted_at" not in item or reserved is None:
        return AlreadyExists(f"There is already a {kind} {name!r}.")
    until = rfc3339(parse_time(item["deleted_at"]) + reserved)
    return Conflict(
        f"The {kind} {name!r} was deleted and can be restored until {until}, so its slug is reserved: "
        f"restore it by POST /{kind}s/{name}/restore, or choose another slug."
    )


def decode_definition(kind: Kind, item: Item) -> Definition:
    """The definition in an item of any release's format."""
    item = upgraded(kind, item)
    return Definition.model_validate({**item, "kind": kind, "document": orjson.loads(item["document"])})


def encode_document(document: dict[str, Any]) -> str:
    """A document as an item stores it.

    Raises:
        Invalid: it has more than `MAX_DOCUMENT_BYTES`.
    """
    encoded = orjson.dumps(document)
    if len(encoded) > MAX_DOCUMENT_BYTES:
        raise Invalid(f"The document has {len(encoded)} bytes; at most {MAX_DOCUMENT_BYTES} can be stored.")
    return encoded.decode()


def missing(kind: str, name: str) -> NotFound:
    """The error for a definition that does not exist."""
    return NotFound(f"There is no {kind} {name!r}.")


def changed(stored: Definition) -> PreconditionFailed:
    """The error for a definition that has changed since it was read."""
    return PreconditionFailed(f"The {stored.kind} {stored.name!r} has changed; read it again and repeat.")
