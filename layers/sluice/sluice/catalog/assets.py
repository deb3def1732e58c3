"""Sites, equipment and sensors: definitions that refer to each other, each with the history of its changes.

An asset's newest history is in its own item, so that a change and its entry are one write, and a transaction can
change 100 assets. Older entries are moved to items of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import orjson

from sluice.catalog.definitions import PRESENT, Definition, changed, decode_definition, encode_document, missing
from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.catalog.transactions import transact
from sluice.catalog.upgrades import newest
from sluice.domain.assets.history import HistoryEntry, history_entry
from sluice.domain.assets.kinds import ASSET_TYPES, AssetKind, AssetType
from sluice.domain.identity import Principal
from sluice.domain.names import now, rfc3339
from sluice.errors import AlreadyExists, Conflict, Invalid, SluiceError

# DynamoDB's limit for a transaction.
MAX_WRITES = 100
# Each entry takes about 250 bytes, and every read of the asset reads them.
_MAX_ENTRIES = 10
_ANY = "attribute_exists(#name) OR attribute_not_exists(#name)"
_ABSENT = "attribute_not_exists(#name) OR attribute_exists(#deleted_at)"
Key = tuple[AssetKind, str]


@dataclass(frozen=True)
class Change:
    """The creation, change or deletion of one asset.

    Args:
        kind: the asset's kind.
        name: its code or id.
        before: the asset as it was read; None to create it.
        after: the new document; None to delete the asset.
    """

    kind: AssetKind
    name: str
    before: Definition | None
    after: dict[str, Any] | None

    @property
    def type(self) -> AssetType:
        """The asset's type."""
        return ASSET_TYPES[self.kind]


class Assets:
    """The assets in the table `Definitions`, and its index `ByOwner`: `owner` / `name`.

    An item's attribute `assigned` is the number of assets that refer to it.
    """

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def _key(self, kind: str, name: str) -> Item:
        return {"workspace_kind": f"{self._workspace}#{kind}", "name": name}

    def _owner(self, kind: AssetKind, document: dict[str, Any]) -> str | None:
        owners = list(ASSET_TYPES[kind].referred(document).values())
        return self._owner_key(*owners[0]) if owners else None

    def _owner_key(self, kind: AssetKind, name: str) -> str:
        return f"{self._workspace}#{kind}/{name}"

    def walk(
        self, kind: AssetKind, owner: Key | None = None, after: str | None = None, page_size: int | None = None
    ) -> Iterator[Definition]:
        """The assets of a kind, ordered by name; they are read in pages, as they are needed.

        Args:
            kind: their kind.
            owner: only those of this site or equipment; such a read is not consistent.
            after: a name; begin after it.
            page_size: how many to read at once; None for as many as DynamoDB returns.
        """
        key = self._key(kind, after) if after is not None else None
        condition, values, index = "#workspace_kind = :pk", {"pk": f"{self._workspace}#{kind}"}, None
        if owner is not None:
            condition, values, index = "#owner = :owner", {"owner": self._owner_key(*owner)}, "ByOwner"
            key = {**key, **values} if key else None
        while True:
            page = self._table.query(condition, values, index=index, limit=page_size, after=key)
            for item in page.items:
                if "deleted_at" not in item and item["workspace_kind"] == f"{self._workspace}#{kind}":
                    yield decode_definition(kind, item)
            if page.last_key is None:
                return
            key = page.last_key

    def write(self, changes: Sequence[Change], by: Principal) -> None:
        """Make changes, all or none, each with its entry in the history.

        Args:
            changes: with the assets that they begin or cease to refer to, at most `MAX_WRITES`; none do nothing.
            by: who makes them.

        Raises:
            Invalid: an asset that a new document refers to does not exist.
            AlreadyExists: an asset to create exists.
            PreconditionFailed: an asset has changed since it was read.
            Conflict: other assets refer to an asset to delete.
        """
        if not changes:
            return
        for change in changes:
            if change.before is not None and len(change.before.history) >= _MAX_ENTRIES:
                self._move_entries(change.kind, change.before)
        counts = reference_counts(changes)
        own = {(change.kind, change.name): change for change in changes}
        moment = rfc3339(now())
        # References come first: a missing one is 422, which comes before the 409 of a name that is taken.
        writes = [(self._count_write(*key, count), key) for key, count in counts.items() if key not in own]
        writes += [(self._write(change, counts.get(key, 0), by, moment), key) for key, change in own.items()]
        try:
            transact(self._table.client, [write for write, _ in writes])
        except ConditionFailed as failure:
            key = writes[failure.position][1]
            raise _refusal(changes, key, own.get(key), failure.item) from None

    def _count_write(self, kind: AssetKind, name: str, count: int) -> Write:
        return self._table.update(self._key(kind, name), {}, PRESENT, add={"assigned": count})

    def _write(self, change: Change, count: int, by: Principal, moment: str) -> Write:
        """The write of one asset.

        Args:
            count: by how much the number of assets that refer to it changes.
        """
        before, after = change.before, change.after
        entry = history_entry(before.document if before else None, after, moment, by.id)
        append = {"history": [orjson.dumps(entry.model_dump()).decode()]}
        author = {"written_by": by.id, "written_by_role": by.role, "updated_at": moment}
        condition, values, add = f"{PRESENT} AND #version = :read", {}, {"version": 1}
        if after is None:
            changes: Item = {"deleted_at": moment, "owner": None}
            condition += " AND #assigned = :none"
            values = {"none": 0}
        else:
            changes = {
                "document": encode_document(after),
                "schema_version": newest(change.kind),
                "owner": self._owner(change.kind, after),
                **author,
            }
        if before is None:
            created = {"created_at": moment, "created_by": by.id, "deleted_at": None, "assigned": count}
            return self._table.update(
                self._key(change.kind, change.name), {**changes, **created}, _ABSENT, add=add, append=append
            )
        if count:
            add["assigned"] = count
        values["read"] = before.version
        return self._table.update(
            self._key(change.kind, change.name), changes, condition, values, add=add, append=append
        )

    def require_owner_write(self, kind: AssetKind, name: str, owner: Key) -> Write:
        """A write that requires an asset to exist and to belong to an owner."""
        condition = f"{PRESENT} AND #owner = :owner"
        return self._table.check(self._key(kind, name), condition, {"owner": self._owner_key(*owner)})

    def existed(self, kind: AssetKind, name: str) -> Definition | None:
        """The asset, even if it was deleted; None if there never was one."""
        item = self._table.get(self._key(kind, name))
        return decode_definition(kind, item) if item else None

    def history(self, kind: AssetKind, name: str, limit: int, before: int | None) -> list[tuple[int, HistoryEntry]]:
        """The newest changes of an asset, the newest first; also of one that was deleted.

        Args:
            kind: the asset's kind.
            name: its code or id.
            limit: the most entries.
            before: the number of an entry; only those before it are returned.

        Returns:
            The entries with their numbers, which count from 0.
        """
        stored = self.existed(kind, name)
        if stored is None:
            return []
        first, numbered = stored.moved_entries, list(enumerate(stored.history, stored.moved_entries))
        entries = [(number, text) for number, text in reversed(numbered) if before is None or number < before]
        if len(entries) < limit:
            # Entries that were moved since the item was read are not read twice.
            older = first if before is None else min(first, before)
            page = self._table.query(
                "#workspace_kind = :pk AND #name < :end",
                {"pk": self._history_partition(kind, name), "end": _entry_name(older)},
                limit=limit - len(entries),
                newest_first=True,
            )
            entries += [(int(item["name"]), item["entry"]) for item in page.items]
        return [(number, HistoryEntry.model_validate_json(text)) for number, text in entries[:limit]]

    def _history_partition(self, kind: AssetKind, name: str) -> str:
        return f"{self._workspace}#history/{kind}/{name}"

    def _move_entries(self, kind: AssetKind, stored: Definition) -> None:
        """Move the history in an asset's item to items of its own; the asset does not change."""
        partition, first = self._history_partition(kind, stored.name), stored.moved_entries
        moved = [
            self._table.put({"workspace_kind": partition, "name": _entry_name(number), "entry": entry}, _ANY)
            for number, entry in enumerate(stored.history, first)
        ]
        # Every change adds an entry and increases the version, so the same version has the same entries.
        condition, values = "#version = :read AND attribute_exists(#history)", {"read": stored.version}
        emptied = self._table.update(
            self._key(kind, stored.name),
            {"history": None, "moved_entries": first + len(stored.history)},
            condition,
            values,
        )
        with suppress(ConditionFailed):  # another request has changed the asset or moved its entries
            transact(self._table.client, [emptied, *moved])


def reference_counts(changes: Sequence[Change]) -> dict[Key, int]:
    """By how much changes alter the number of assets that refer to an asset; 0 for one that gains as many as it loses.

    Args:
        changes: of one transaction.
    """
    counts: dict[Key, int] = {}
    for change in changes:
        old = change.type.referred(change.before.document if change.before else None)
        new = change.type.referred(change.after)
        for referred, by in ((old, -1), (new, 1)):
            for field, key in referred.items():
                if old.get(field) != new.get(field):
                    counts[key] = counts.get(key, 0) + by
    return counts


def _entry_name(number: int) -> str:
    return f"{number:012d}"


def _refusal(changes: Sequence[Change], key: Key, change: Change | None, item: Item | None) -> SluiceError:
    """The error for changes of which a write's condition did not hold.

    Args:
        key: the asset of that write.
        change: its change; None if it is only referred to.
        item: the stored item.
    """
    kind, name = key
    if change is None:
        message = missing(kind, name).detail
        fields = [
            field for other in changes for field, named in other.type.referred(other.after).items() if named == key
        ]
        return Invalid(message, [{"pointer": f"/{field}", "message": message} for field in dict.fromkeys(fields)])
    if change.before is None:
        return AlreadyExists(f"There is already {change.type.noun} {name!r}.")
    if change.after is None and item and item.get("version") == change.before.version and item.get("assigned"):
        return Conflict(change.type.in_use.format(name=name))
    return changed(change.before)
