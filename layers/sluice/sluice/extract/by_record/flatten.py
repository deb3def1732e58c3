"""From one record to the columns of one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from sluice.domain.datasource import Datasource, is_reserved
from sluice.domain.expression import search
from sluice.domain.run import PageReceipt, Run
from sluice.errors import UnreadableData

Row = dict[str, Any]
_LONGEST_NAME = 255


class Columns:
    """Which key of the records each column stands for: no two keys may share a column.

    DuckDB and Athena do not tell `Price` from `price`, so neither may a dataset: the first
    spelling stays, or the one that the dataset has already.
    """

    def __init__(self, most: int, known: Iterable[str] = ()) -> None:
        self._spelled = {name.lower(): name for name in known}
        self._paths: dict[str, tuple[str, ...]] = {}
        self._names: dict[tuple[str, ...], str] = {}
        self._places: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._members: dict[tuple[str, ...], int] = {}
        self._siblings: Counter[tuple[str, ...]] = Counter()
        self._most = most

    def spelling(self, name: str) -> str:
        """A column's name as the dataset spells it."""
        return self._spelled.setdefault(name.lower(), name)

    def reserve(self, name: str) -> None:
        """Keep a column for something else than a key.

        Raises:
            UnreadableData: as `name`.
        """
        self.name((name,))
        self._places.pop((name,), None)

    def ordered(self, names: list[str]) -> list[str]:
        """The columns in their order: as their keys were first seen, the members of an object side by side.

        Args:
            names: the columns; those that no key has keep their order, behind the others.
        """
        places = {self._names[path].lower(): place for path, place in self._places.items()}
        keyed = [name for name in names if name.lower() in places]
        return [*sorted(keyed, key=lambda name: places[name.lower()]), *(one for one in names if one not in keyed)]

    def name(self, path: tuple[str, ...]) -> str:
        """The column for a key, or a key within keys.

        Raises:
            UnreadableData: another key has this column already, it is one of ours, or there
                are more columns than the setting allows.
        """
        known_column = self._names.get(path)
        if known_column is not None:
            return known_column
        column = "_".join(path)
        column = self._spelled.setdefault(column.lower(), column)
        known = self._paths.setdefault(column.lower(), path)
        if [part.lower() for part in known] != [part.lower() for part in path]:
            raise UnreadableData(
                f"The keys {'.'.join(known)} and {'.'.join(path)} would both be the column {column!r}; "
                "name the columns with `fields`."
            )
        if is_reserved(column) or not 0 < len(column.encode()) <= _LONGEST_NAME:
            raise UnreadableData(f"The key {column[:80]!r} cannot be a column; name the columns with `fields`.")
        if len(self._paths) > self._most:
            raise UnreadableData(f"The records have more than {self._most} columns; choose some with `fields`.")
        self._names[path] = column
        self._places[path] = tuple(self._place(path[:length]) for length in range(1, len(path) + 1))
        return column

    def state(self) -> dict[str, Any]:
        """The keys that have columns and how these are spelled, as JSON: for the `add` of others."""
        return {"paths": list(map(list, self._places)), "spelled": list(self._spelled.values())}

    def add(self, state: dict[str, Any]) -> None:
        """Take the keys into account of records behind those that were seen so far.

        Raises:
            UnreadableData: as `name`.
        """
        for name in state["spelled"]:  # those of a header, too, which no record has
            self.spelling(name)
        for path in state["paths"]:
            self.name(tuple(path))

    def _place(self, path: tuple[str, ...]) -> int:
        """The place of a key among its siblings, in the order in which they were first seen."""
        if path not in self._members:
            self._members[path] = self._siblings[path[:-1]]
            self._siblings[path[:-1]] += 1
        return self._members[path]


def flattener(columns: Columns) -> Callable[[Any], Row]:
    """A function from a record to its row: nested objects as `a_b`, lists as they are."""

    def flatten(record: Any) -> Row:
        if not isinstance(record, dict):
            return {columns.name(("value",)): record}
        row: Row = {}
        _add(row, columns, (), record)
        return row

    return flatten


def _add(row: Row, columns: Columns, path: tuple[str, ...], record: dict[str, Any]) -> None:
    for key, value in record.items():
        here = (*path, key)
        if isinstance(value, dict) and value:
            _add(row, columns, here, value)
        else:
            name = columns.name(here)
            if name in row:
                raise UnreadableData(
                    f"A record has several keys for the column {name!r}, which differ only in case; "
                    "select one with `fields`."
                )
            row[name] = value


class RowMaker:
    """Makes the rows of one run's records.

    Args:
        before: how many records the run has in front of these.
    """

    def __init__(self, datasource: Datasource, run: Run, columns: Columns, before: int = 0) -> None:
        fields = datasource.fields or {}
        self._metadata = {name: text for name, text in fields.items() if text.startswith("$")}
        self._selected = {name: text for name, text in fields.items() if not text.startswith("$")}
        self._flatten = flattener(columns)
        self._run = run
        self._position = before
        self._page = self._nth = 0
        for name in fields:
            columns.reserve(name)

    def row(self, record: Any, page: PageReceipt) -> Row:
        """The row of the run's next record."""
        self._position += 1
        self._page, self._nth = page.number, self._nth + 1 if page.number == self._page else 1
        row = self._select(record) if self._selected else self._flatten(record)
        for name, metadata in self._metadata.items():
            row[name] = self._metadata_value(metadata, page)
        return row

    def _select(self, record: Any) -> Row:
        try:
            return {name: search(expression, record) for name, expression in self._selected.items()}
        except ValueError as error:
            raise UnreadableData(f"`fields`: record {self._nth}: {error}.") from None

    def _metadata_value(self, name: str, page: PageReceipt) -> Any:
        match name:
            case "$position":
                return self._position
            case "$page":
                return page.number
            case "$fetched_at":
                return page.fetched_at
            case _:
                return self._run.id


METADATA_TYPES = {"$position": "bigint", "$page": "bigint", "$fetched_at": "timestamp", "$run": "string"}
