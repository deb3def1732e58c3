"""The changes from one version of a merge to another: by record, or by JSON Pointer for documents."""

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
from sluice.lake.parquet import as_type, display_query, engine, placed_rows, quoted
from sluice.lake.store import Lake
from sluice.merge.documents import identity
from sluice.settings import Settings

Change = dict[str, Any]
ABSENT = object()


class Differ:
    """Compares two versions of one project.

    Args:
        lake: where the versions are read.
        settings: the engine's limits.
        old: the manifest of the earlier version.
        new: the manifest of the later version.

    Raises:
        Conflict: the versions cannot be compared, since they have different keys or no key.
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
        """Return one page of the changes, in the order of the keys or pointers.

        Args:
            limit: the most changes to return.
            offset: the number of changes to skip.

        Returns:
            The changes, and whether more follow.
        """
        if self._documents:
            assert self._old.document is not None
            assert self._new.document is not None
            documents = self._lake.document(self._old.document), self._lake.document(self._new.document)
            changes = list(islice(document_changes(*documents), offset, offset + limit + 1))
        else:
            changes = self._rows(limit + 1, offset)
        # The engine compares JSON as text, where the order of keys matters. `_change` compares by value, so
        # some rows have no changed fields after all.
        shown = [change for change in changes[:limit] if change.get("fields") != {} or change["change"] != "changed"]
        return shown, len(changes) > limit

    def counts(self) -> dict[str, int]:
        """Count the records or pointers: `{"added", "removed", "changed"}`."""
        counts = {"added": 0, "removed": 0, "changed": 0}
        for change in self.changes(_ALL, 0)[0] if self._documents else self._count_rows():
            counts[change["change"]] += change.get("count", 1)
        return counts

    def _rows(self, limit: int, offset: int) -> list[Change]:
        key, fields = self._key_columns(), self._fields()
        names = ", ".join(map(quoted, self._new.key or []))
        sides = [field.shown(side) for side in ("old", "new") for field in fields]
        selected = ", ".join([names, _CHANGE.name, *(quoted(field.name) for field in sides)])
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            query = f"SELECT {selected} FROM ({self._query()}) ORDER BY {names} LIMIT {limit} OFFSET {offset}"
            rows = connection.execute(display_query(query, [*key, _CHANGE, *sides])).fetchall()
        return [self._change(key, fields, row) for row in rows]

    def _count_rows(self) -> list[Change]:
        with self._lake.scratch() as scratch, engine(self._settings, scratch.parent) as connection:
            query = f"SELECT __sluice_change, count(*) FROM ({self._query()}) GROUP BY ALL"
            return [{"change": change, "count": count} for change, count in connection.execute(query).fetchall()]

    def _change(self, key: list[Column], fields: list[_Field], row: tuple[Any, ...]) -> Change:
        key_values = list(json_row(key, row[: len(key)]).values())
        start, middle = len(key) + 1, len(key) + 1 + len(fields)
        before = json_row([field.shown("old") for field in fields], row[start:middle]).values()
        after = json_row([field.shown("new") for field in fields], row[middle:]).values()
        values = zip(fields, before, after, strict=True)
        changed = {field.name: [old, new] for field, old, new in values if not field.same(old, new)}
        return {"key": key_values, "change": row[len(key)], "fields": changed}

    def _key_columns(self) -> list[Column]:
        return [self._merged_column(name) for name in self._new.key or []]

    def _fields(self) -> list[_Field]:
        """Return the columns of either version that are not part of the key."""
        names: dict[str, str] = {}  # names are case-insensitive in SQL; the new version's spelling is used
        for column in [*self._new.columns, *self._old.columns]:
            names.setdefault(column.name.lower(), column.name)
        return [self._field(name) for name in names.values() if name not in (self._new.key or [])]

    def _field(self, name: str) -> _Field:
        both = self._both(name)
        if len({column.type for column in both}) > 1 and are_numbers(both):
            return _Field(name, both[0].type, both[-1].type)
        type_ = self._merged_column(name).type
        return _Field(name, type_, type_)

    def _both(self, name: str) -> list[Column]:
        """Return a column as the old and the new version have it, without one that has only nulls and no type."""
        both = [column for column in (*self._old.columns, *self._new.columns) if column.name.lower() == name.lower()]
        return [column for column in both if not column.guessed] or both

    def _merged_column(self, name: str) -> Column:
        return Column(name=name, type=common_type([column.type for column in self._both(name)]))

    def _query(self) -> str:
        """Return the query of the changed records: the key, the kind of change, and all fields, old and new."""
        names = ", ".join(quoted(column.name) for column in self._key_columns())
        sides = {side: self._side(manifest, side) for side, manifest in (("old", self._old), ("new", self._new))}
        # IS DISTINCT FROM, since a comparison with null is null and would hide a change from or to null.
        differs = " OR ".join(
            f"{field.compared_sql('old')} IS DISTINCT FROM {field.compared_sql('new')}" for field in self._fields()
        )
        return f"""
            SELECT *, CASE WHEN __sluice_old IS NULL THEN 'added' WHEN __sluice_new IS NULL THEN 'removed'
                           ELSE 'changed' END AS __sluice_change
            FROM {sides["old"]} FULL JOIN {sides["new"]} USING ({names})
            WHERE __sluice_old IS NULL OR __sluice_new IS NULL OR {differs or "false"}
        """

    def _side(self, manifest: Manifest, side: str) -> str:
        stored_columns = {column.name.lower(): column for column in manifest.columns}

        def cell(name: str, target_type: str, convert: Callable[[str, str, str], str]) -> str:
            stored = stored_columns.get(name.lower())
            return (
                convert(quoted(stored.name), stored.type, target_type)
                if stored
                else f"NULL::{duckdb_type(target_type)}"
            )

        cells = [f"{cell(key.name, key.type, key_cell)} AS {quoted(key.name)}" for key in self._key_columns()]
        for field in self._fields():
            shown = field.shown(side)
            cells.append(f"{cell(field.name, shown.type, as_type)} AS {quoted(shown.name)}")
        rows = placed_rows(self._lake.local_files(manifest.objects), manifest.columns, [])
        return f"(SELECT {', '.join(cells)}, __sluice_at AS __sluice_{side} FROM {rows})"


@dataclass(frozen=True)
class _Field:
    """A column of two versions.

    Args:
        name: the column's name.
        old: the type in which values of the old version are shown.
        new: the type in which values of the new version are shown. It is the same as `old`, unless the two are
            different types of numbers, which are compared by value.
    """

    name: str
    old: str
    new: str

    def shown(self, side: str) -> Column:
        """Return the column with the values of a side, `old` or `new`."""
        return Column(name=f"__sluice_{side} {self.name}", type=self.old if side == "old" else self.new)

    def compared_sql(self, side: str) -> str:
        """Return the SQL by which a side's value is compared with the other side's."""
        column = self.shown(side)
        cell = quoted(column.name)
        return cell if self.old == self.new else number_cell(cell, column.type)

    def same(self, before: Any, after: Any) -> bool:
        """Return whether two JSON values are equal: numbers of different types by value."""
        if self.old == self.new or before is None or after is None:
            return same_json(before, after)
        return number_text(Decimal(str(before))) == number_text(Decimal(str(after)))


_ALL = 10**12
_CHANGE = Column(name="__sluice_change", type="string")


def document_changes(old: Any, new: Any, path: tuple[str | int, ...] = ()) -> Iterator[Change]:
    """Yield the differences of two documents, in the order of their JSON Pointers.

    Args:
        old: the earlier document.
        new: the later document.
        path: the keys and indexes that lead to the two, if they are parts of documents.

    Yields:
        `{"pointer", "change", "value"}`, where `value` is `[old, new]`. A part that was added or removed is one
        change, without its children.
    """
    if old is ABSENT or new is ABSENT:
        kind = "added" if old is ABSENT else "removed"
        values = [None if value is ABSENT else value for value in (old, new)]
        yield {"pointer": json_pointer(path), "change": kind, "value": values}
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            yield from document_changes(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for index in range(max(len(old), len(new))):
            before = old[index] if index < len(old) else ABSENT
            after = new[index] if index < len(new) else ABSENT
            yield from document_changes(before, after, (*path, index))
    elif identity(old) != identity(new):
        yield {"pointer": json_pointer(path), "change": "changed", "value": [old, new]}
