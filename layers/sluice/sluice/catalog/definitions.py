"""All that users write: projects, datasources, names of secrets and, in a table of their own, keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Literal

import orjson

from sluice.catalog.table import ConditionFailed, Item, Page, Table, Write, transact
from sluice.catalog.upgrades import newest, upgraded
from sluice.domain.base import Record
from sluice.domain.identity import Role
from sluice.domain.json_text import same_json
from sluice.domain.names import now, parse_time, rfc3339
from sluice.errors import AlreadyExists, Conflict, Invalid, NotFound, PreconditionFailed

Kind = Literal["project", "datasource", "key", "secret", "override", "model", "report", "endpoint", "link"]
MAX_DOCUMENT_BYTES = 300_000

# What is counted on a project's item, so that a cap holds while many write at once.
COUNTED: tuple[Kind, ...] = ("model", "report", "endpoint", "link")

_PRESENT = "attribute_exists(#name) AND attribute_not_exists(#deleted_at)"


class Definition(Record):
    """A document with what the catalog knows about it.

    Args:
        written_by: who wrote the present document; null for one that a release before 0.3 stored.
        written_by_role: the role that they had.
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

    @property
    def etag(self) -> str:
        """The version, as `ETag` and `If-Match` carry it."""
        return str(self.version)


class Definitions:
    """The table `Definitions`, or `Access`, which has the same keys: `workspace#kind` / `name`."""

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

    def create(
        self,
        kind: Kind,
        name: str,
        document: dict[str, Any],
        created_by: str,
        role: Role | None = None,
        reserved: timedelta | None = None,
    ) -> Definition:
        """Store a new definition; one that was deleted under this name goes on counting versions.

        Args:
            role: the role of `created_by`.
            reserved: how long the name of a deleted definition stays reserved for its restoration.

        Raises:
            AlreadyExists: the name is taken.
            Conflict: the name is reserved.
        """
        try:
            item = self._table.do(self.creating(kind, name, document, created_by, role, reserved))
        except ConditionFailed as failure:
            raise _taken(kind, name, failure.item, reserved) from None
        return _definition(kind, item or {})

    def creating(
        self,
        kind: Kind,
        name: str,
        document: dict[str, Any],
        created_by: str,
        role: Role | None = None,
        reserved: timedelta | None = None,
    ) -> Write:
        """The part of a transaction that stores a new definition."""
        moment = now()
        changes: Item = {
            "document": _encoded(document),
            "schema_version": newest(kind),
            "created_at": rfc3339(moment),
            "created_by": created_by,
            "written_by": created_by,
            "written_by_role": role,
            "updated_at": rfc3339(moment),
            "deleted_at": None,
            "assigned": 0,
        }
        if kind == "project":  # a deleted one of this name may have counted
            changes |= {_count(counted): None for counted in COUNTED}
        condition, values = "attribute_not_exists(#name) OR attribute_exists(#deleted_at)", {}
        if reserved is not None:
            condition = "attribute_not_exists(#name) OR #deleted_at < :since"
            values = {"since": rfc3339(moment - reserved)}
        return self._table.update(self._key(kind, name), changes, condition, values, add={"version": 1})

    def replace(
        self, found: Definition, document: dict[str, Any], by: str | None = None, role: Role | None = None
    ) -> Definition:
        """Store a new document in place of the one that was read.

        The same document again changes nothing but who wrote it, where an admin takes over what
        somebody with a lower role wrote.

        Args:
            by: who writes it, with the role `role`.

        Raises:
            PreconditionFailed: it changed since it was read.
        """
        author = {"written_by": by, "written_by_role": role}
        if same_json(document, found.document):
            if role != "admin" or found.written_by_role == "admin":
                return found
            write = self._table.update(
                self._key(found.kind, found.name), author, f"{_PRESENT} AND #version = :read", {"read": found.version}
            )
        else:
            changes = {"document": _encoded(document), "schema_version": newest(found.kind), **author}
            write = self._table.update(
                self._key(found.kind, found.name),
                {**changes, "updated_at": rfc3339(now())},
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
            if (
                failure.position == 0
                and failure.item
                and failure.item.get("version") == found.version
                and failure.item.get("assigned")
            ):
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

    def recount(self, project: str, kind: Kind, present: int) -> None:
        """Begin to count a project's models, reports, endpoints or links, unless they are counted already.

        Raises:
            NotFound: there is no such project.
        """
        try:
            self._table.do(
                self._table.update(self._key("project", project), {}, _PRESENT, once={_count(kind): present})
            )
        except ConditionFailed:
            raise missing("project", project) from None

    def one_more(self, project: str, kind: Kind, most: int) -> Write:
        """The part of a transaction that counts one more of a project's parts, if fewer than `most` are there."""
        condition = f"{_PRESENT} AND #{_count(kind)} < :most"
        return self._table.update(self._key("project", project), {}, condition, {"most": most}, add={_count(kind): 1})

    def one_less(self, project: str, kind: Kind) -> Write:
        """The part of a transaction that counts one less of a project's parts."""
        condition = f"{_PRESENT} AND attribute_exists(#{_count(kind)})"
        return self._table.update(self._key("project", project), {}, condition, add={_count(kind): -1})

    def is_counted(self, project: str, kind: Kind) -> bool:
        """Whether a project's parts of this kind are counted on its item."""
        item = self._table.get(self._key("project", project))
        return item is not None and _count(kind) in item

    def claiming(self, project: Definition, name: str, holder: str) -> Write:
        """The part of a transaction that takes a name in a project's SQL for one datasource or model.

        A claim that a deleted project of the same slug has left counts for nothing.
        """
        claim = {**self._claim_key(project.name, name), "project_created_at": project.created_at, "holder": holder}
        condition = "attribute_not_exists(#name) OR #holder = :holder OR #project_created_at <> :created_at"
        return self._table.put(claim, condition, {"holder": holder, "created_at": project.created_at})

    def releasing(self, project: str, name: str, holder: str) -> Write:
        """The part of a transaction that gives a claimed name back; releases before 0.3 claimed none."""
        condition = "attribute_not_exists(#name) OR #holder = :holder"
        return self._table.delete(self._claim_key(project, name), condition, {"holder": holder})

    def _claim_key(self, project: str, name: str) -> Item:
        return {"workspace_kind": f"{self._workspace}#sql_name", "name": f"{project}#{name}"}

    def do_all(self, writes: Sequence[Write]) -> None:
        """Do the parts of a transaction: all of them, or nothing.

        Raises:
            ConditionFailed: with the position of the first whose condition did not hold.
        """
        transact(self._table.client, writes)

    def made_at(self, found: Definition) -> Write:
        """The part of a transaction that needs a definition to be there, and to be the one that was found."""
        condition = f"{_PRESENT} AND #created_at = :made"
        return self._table.check(self._key(found.kind, found.name), condition, {"made": found.created_at})

    def present(self, kind: Kind, name: str) -> Write:
        """The part of a transaction that needs a definition to be there."""
        return self._table.check(self._key(kind, name), _PRESENT)


def _count(kind: Kind) -> str:
    return f"{kind}_count"


def _taken(kind: Kind, name: str, item: Item | None, reserved: timedelta | None) -> Conflict:
    if item is None or "deleted_at" not in item or reserved is None:
        return AlreadyExists(f"There is a {kind} {name!r} already.")
    until = rfc3339(parse_time(item["deleted_at"]) + reserved)
    return Conflict(
        f"The {kind} {name!r} was deleted and can be restored until {until}, so its slug is reserved: "
        f"restore it by POST /{kind}s/{name}/restore, or choose another slug."
    )


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
