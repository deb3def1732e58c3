"""What changed from one version of a merge to another: record by record, or pointer by pointer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from sluice.domain.base import json_pointer
from sluice.domain.dataset import Manifest
from sluice.domain.json_text import number_text, same_json
from sluice.domain.schema import Column, are_numbers, common_type, duckdb_type
from sluice.errors import Conflict
from sluice.lake.equality import key_cell, number_cell
from sluice.lake.json_values import json_row
from sluice.lake.parquet import as_type, engine, placed_rows, quoted, shown_query
from sluice.lake.store import Lake
from sluice.merge.documents import identity
from sluice.settings import Settings

Change = dict[str, Any]
ABSENT = object()


class Differ:
    """Compares two versions of one project.

    Raises:
        Conflict: the versions cannot be compared, since they have other keys or none.
    """

    def __init__(self, lake: Lake, settings: Settings, old: Manifest, new: Manifest) -> None:
        self._lake = lake
        self._settings = settings
        self._old, self._new = old, new
        self._documents = old.document is not None and new.document is not None
        if not self._documents and (not new.key or new.key != old.key):
            raise Conflict(
                f"The versions cannot be compared: one has the key {', '.join(old.key or []) or 'none'}, "
                f"the other {', '.join(new.key or []) or 'none'}."
            )

    def changes(self, limit: int, offset: int) -> tuple[list[Change], bool]:
        """Some of the changes, in the order of the keys or pointers, and whether more follow."""
        if self._documents:
            assert self._old.document is not None
            assert self._new.document is not None
            documents = self._lake.document(self._old.document), self._lake.document(self._new.document)
            found = list(islice(document_changes(*documents), offset, offset + limit + 1))
        else:
            found = self._rows(limit + 1, offset)
        # JSON is compared as text by the engine, though the order of keys means nothing.
        told = [one for one in found[:limit] if one.get("fields") != {} or one["change"] != "changed"]
        return told, len(found) > limit

    def counts(self) -> dict[str, int]:
        """How many records, or pointers, were added, removed and changed."""
        counted = {"added": 0, "removed": 0, "changed": 0}
        for change in self.changes(_ALL, 0)[0] if self._documents else self._rows_counted():
            counted[change["change"]] += change.get("count", 1)
        return counted

    def _rows(self, limit: int, offset: int) -> list[Change]:
        key, fields = self._key_columns(), self._fields()
        names = ", ".join(map(quoted, self._new.key or []))
        sides = [one.shown(side) for side in ("old", "new") for one in fields]
        selected = ", ".join([names, _CHANGE.name, *(quoted(one.name) for one in sides)])
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            query = f"SELECT {selected} FROM ({self._query()}) ORDER BY {names} LIMIT {limit} OFFSET {offset}"
            found = connection.execute(shown_query(query, [*key, _CHANGE, *sides])).fetchall()
        return [self._change(key, fields, row) for row in found]

    def _rows_counted(self) -> list[Change]:
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            query = f"SELECT __sluice_change, count(*) FROM ({self._query()}) GROUP BY ALL"
            return [{"change": change, "count": count} for change, count in connection.execute(query).fetchall()]

    def _change(self, key: list[Column], fields: list[_Field], row: tuple[Any, ...]) -> Change:
        told = list(json_row(key, row[: len(key)]).values())
        start, middle = len(key) + 1, len(key) + 1 + len(fields)
        before = json_row([one.shown("old") for one in fields], row[start:middle]).values()
        after = json_row([one.shown("new") for one in fields], row[middle:]).values()
        values = zip(fields, before, after, strict=True)
        changed = {one.name: [old, new] for one, old, new in values if not one.same(old, new)}
        return {"key": told, "change": row[len(key)], "fields": changed}

    def _key_columns(self) -> list[Column]:
        return [self._merged(name) for name in self._new.key or []]

    def _fields(self) -> list[_Field]:
        """The columns of both versions that are not of the key."""
        names: dict[str, str] = {}  # SQL does not tell N from n; the new version's spelling counts
        for one in [*self._new.columns, *self._old.columns]:
            names.setdefault(one.name.lower(), one.name)
        return [self._field(name) for name in names.values() if name not in (self._new.key or [])]

    def _field(self, name: str) -> _Field:
        both = self._both(name)
        if len({one.type for one in both}) > 1 and are_numbers(both):
            return _Field(name, both[0].type, both[-1].type)
        kind = self._merged(name).type
        return _Field(name, kind, kind)

    def _both(self, name: str) -> list[Column]:
        """A column of the old and the new version; one of nulls only says nothing of its type."""
        both = [one for one in (*self._old.columns, *self._new.columns) if one.name.lower() == name.lower()]
        return [one for one in both if not one.guessed] or both

    def _merged(self, name: str) -> Column:
        return Column(name=name, type=common_type([one.type for one in self._both(name)]))

    def _query(self) -> str:
        """The changed records: the key, what happened, and all fields as they were and are."""
        names = ", ".join(quoted(one.name) for one in self._key_columns())
        sides = {side: self._side(manifest, side) for side, manifest in (("old", self._old), ("new", self._new))}
        differs = " OR ".join(f"{one.compared('old')} IS DISTINCT FROM {one.compared('new')}" for one in self._fields())
        return f"""
            SELECT *, CASE WHEN __sluice_old IS NULL THEN 'added' WHEN __sluice_new IS NULL THEN 'removed'
                           ELSE 'changed' END AS __sluice_change
            FROM {sides["old"]} FULL JOIN {sides["new"]} USING ({names})
            WHERE __sluice_old IS NULL OR __sluice_new IS NULL OR {differs or "false"}
        """

    def _side(self, manifest: Manifest, side: str) -> str:
        have = {one.name.lower(): one for one in manifest.columns}

        def cell(name: str, want: str, convert: Callable[[str, str, str], str]) -> str:
            stored = have.get(name.lower())
            return convert(quoted(stored.name), stored.type, want) if stored else f"NULL::{duckdb_type(want)}"

        cells = [f"{cell(one.name, one.type, key_cell)} AS {quoted(one.name)}" for one in self._key_columns()]
        for one in self._fields():
            shown = one.shown(side)
            cells.append(f"{cell(one.name, shown.type, as_type)} AS {quoted(shown.name)}")
        rows = placed_rows(self._lake.local_files(manifest.objects), manifest.columns, [])
        return f"(SELECT {', '.join(cells)}, __sluice_at AS __sluice_{side} FROM {rows})"


@dataclass(frozen=True)
class _Field:
    """A column of two versions.

    Args:
        old: the type in which the old version's values are shown, and `new` the new one's: the type that holds
            both, unless they are numbers of two types, which are compared by their value.
    """

    name: str
    old: str
    new: str

    def shown(self, side: str) -> Column:
        """The column of a side's values."""
        return Column(name=f"__sluice_{side} {self.name}", type=self.old if side == "old" else self.new)

    def compared(self, side: str) -> str:
        """The SQL of what is the same in both versions if nothing has changed."""
        column = self.shown(side)
        cell = quoted(column.name)
        return cell if self.old == self.new else number_cell(cell, column.type)

    def same(self, before: Any, after: Any) -> bool:
        """Whether two values as JSON are the same."""
        if self.old == self.new or before is None or after is None:
            return same_json(before, after)
        return number_text(Decimal(str(before))) == number_text(Decimal(str(after)))


_ALL = 10**12
_CHANGE = Column(name="__sluice_change", type="string")


def document_changes(old: Any, new: Any, way: tuple[str | int, ...] = ()) -> Iterator[Change]:
    """What differs between two documents, by JSON Pointer; what was added or removed is named as a whole."""
    if old is ABSENT or new is ABSENT:
        kind = "added" if old is ABSENT else "removed"
        values = [None if value is ABSENT else value for value in (old, new)]
        yield {"pointer": json_pointer(way), "change": kind, "value": values}
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from document_changes(old.get(key, ABSENT), new.get(key, ABSENT), (*way, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else ABSENT
            after = new[index] if index < len(new) else ABSENT
            yield from document_changes(before, after, (*way, index))
    elif identity(old) != identity(new):
        yield {"pointer": json_pointer(way), "change": "changed", "value": [old, new]}
