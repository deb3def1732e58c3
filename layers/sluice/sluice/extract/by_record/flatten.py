"""Flattening records to rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from sluice.domain.datasource import Datasource, is_reserved
from sluice.domain.expression import RecordContext, search
from sluice.domain.field_growth import FieldGrowth
from sluice.domain.run import PageReceipt, Run
from sluice.errors import DataTooLarge, UnreadableData

Row = dict[str, Any]
_LONGEST_NAME = 255


class ColumnNames:
    """The columns of records and the keys they stand for. Two keys must not share a column.

    DuckDB and Athena ignore the case of names, so a dataset must not have both `Price` and `price`: the first spelling
    is used, or that of the existing dataset.

    Args:
        most: the most columns.
        known: the columns that the dataset already has.
    """

    def __init__(self, most: int, known: Iterable[str] = ()) -> None:
        self._column_names = {name.lower(): name for name in known}
        self._paths: dict[str, tuple[str, ...]] = {}
        self._names: dict[tuple[str, ...], str] = {}
        self._places: dict[tuple[str, ...], tuple[int, ...]] = {}
        self._members: dict[tuple[str, ...], int] = {}
        self._siblings: Counter[tuple[str, ...]] = Counter()
        self._most = most

    def spelling(self, name: str) -> str:
        """The name of a column as the dataset spells it."""
        return self._column_names.setdefault(name.lower(), name)

    def reserve(self, name: str) -> None:
        """Reserve a column for something other than a key.

        Raises:
            UnreadableData: as `column_for`.
        """
        self.column_for((name,))
        self._places.pop((name,), None)

    def in_record_order(self, names: list[str]) -> list[str]:
        """Sort columns as their keys first occurred, with the members of an object side by side.

        Args:
            names: the columns. Those without a key keep their order, after the others.
        """
        places = {self._names[path].lower(): place for path, place in self._places.items()}
        keyed = [name for name in names if name.lower() in places]
        return [*sorted(keyed, key=lambda name: places[name.lower()]), *(name for name in names if name not in keyed)]

    def column_for(self, path: tuple[str, ...]) -> str:
        """The column for a key, or for keys within keys.

        Args:
            path: the keys from the outermost to the innermost.

        Raises:
            UnreadableData: another key has this column, its name is reserved, or there are too many columns.
        """
        known_column = self._names.get(path)
        if known_column is not None:
            return known_column
        column = "_".join(path)
        column = self._column_names.setdefault(column.lower(), column)
        owner = self._paths.setdefault(column.lower(), path)
        # Keys that differ only in case share the column; other keys with the same name would mix their values.
        if [part.lower() for part in owner] != [part.lower() for part in path]:
            raise UnreadableData(
                f"The keys {'.'.join(owner)} and {'.'.join(path)} would both become the column {column!r}; "
                "select the columns with `fields`."
            )
        if is_reserved(column) or not 0 < len(column.encode()) <= _LONGEST_NAME:
            raise UnreadableData(f"The key {column[:80]!r} cannot be a column name; select the columns with `fields`.")
        if len(self._paths) > self._most:
            raise UnreadableData(
                f"The records have more than {self._most} columns (MAX_COLUMNS); select some with `fields`."
            )
        self._names[path] = column
        self._places[path] = tuple(self._place(path[:length]) for length in range(1, len(path) + 1))
        return column

    def state(self) -> dict[str, Any]:
        """The keys and the spellings of their columns as JSON, for `merge_state` of another instance."""
        return {"paths": list(map(list, self._places)), "spelled": list(self._column_names.values())}

    def merge_state(self, state: dict[str, Any]) -> None:
        """Add the keys of later records.

        Args:
            state: the `state` of the instance that saw those records.

        Raises:
            UnreadableData: as `column_for`.
        """
        for name in state["spelled"]:  # includes header columns, which may occur in no record
            self.spelling(name)
        for path in state["paths"]:
            self.column_for(tuple(path))

    def _place(self, path: tuple[str, ...]) -> int:
        """The position of a key among its siblings, in the order of their first occurrence."""
        if path not in self._members:
            self._members[path] = self._siblings[path[:-1]]
            self._siblings[path[:-1]] += 1
        return self._members[path]


def flattener(columns: ColumnNames, *, nested: bool = True) -> Callable[[Any], Row]:
    """A function that flattens a record to a row: nested objects as `a_b`, lists unchanged.

    Args:
        columns: gets the columns.
        nested: whether to flatten nested objects; false: they stay as they are, as lists do.
    """

    def flatten(record: Any) -> Row:
        if not isinstance(record, dict):
            return {columns.column_for(("value",)): record}
        row: Row = {}
        _add(row, columns, (), record, nested=nested)
        return row

    return flatten


def _add(row: Row, columns: ColumnNames, path: tuple[str, ...], record: dict[str, Any], *, nested: bool) -> None:
    for key, value in record.items():
        here = (*path, key)
        # An empty object has no members, so it is a value of its own.
        if nested and isinstance(value, dict) and value:
            _add(row, columns, here, value, nested=nested)
        else:
            name = columns.column_for(here)
            if name in row:
                raise UnreadableData(
                    f"A record has several keys for the column {name!r}, which differ only in case; "
                    "select one with `fields`."
                )
            row[name] = value


class RowMaker:
    """Makes rows of the records of one run.

    Args:
        datasource: its `fields` select the columns.
        run: the run, for its metadata.
        columns: collects the column names.
        most_growth: what the fields of a page's records may write beyond what is usual; see `FieldGrowth`.
        before: how many records of the run precede these.
    """

    def __init__(
        self, datasource: Datasource, run: Run, columns: ColumnNames, most_growth: int, before: int = 0
    ) -> None:
        fields = datasource.fields or {}
        self._metadata = {name: text for name, text in fields.items() if text.startswith("$")}
        self._selected = {name: text for name, text in fields.items() if not text.startswith("$")}
        self._flatten = flattener(columns, nested=datasource.FLATTENS)
        self._run = run
        self._position = before
        self._page = self._nth = 0
        self._most_growth = most_growth
        self._growth = self._new_growth()
        for name in fields:
            columns.reserve(name)

    def row(self, record: Any, page: PageReceipt, context: RecordContext | None = None) -> Row:
        """Make the row of the run's next record.

        Args:
            record: the record.
            page: the receipt of its page.
            context: its place in the page; None if no field needs it.

        Raises:
            DataTooLarge: the fields of the page's records write too much.
            UnreadableData: an expression in `fields` fails, or a key cannot be a column.
        """
        self._position += 1
        if page.number != self._page:
            self._page, self._nth = page.number, 0
            self._growth = self._new_growth()
        self._nth += 1
        row = self._select(record, context) if self._selected else self._flatten(record)
        for name, metadata in self._metadata.items():
            row[name] = self._metadata_value(metadata, page)
        return row

    def _new_growth(self) -> FieldGrowth:
        return FieldGrowth(self._selected.values(), self._most_growth)

    def _select(self, record: Any, context: RecordContext | None) -> Row:
        try:
            row = {name: search(expression, record, context) for name, expression in self._selected.items()}
        except ValueError as error:
            raise UnreadableData(f"`fields`: record {self._nth}: {error}.") from None
        try:
            self._growth.add(record, row.values())
        except ValueError as error:
            raise DataTooLarge(f"`fields`: record {self._nth}: {error}.") from None
        return row

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
