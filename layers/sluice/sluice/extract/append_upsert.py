"""Append and upsert: combining the records of a run with the published version."""

from __future__ import annotations

from collections.abc import Sequence

from sluice.domain.dataset import Manifest
from sluice.domain.schema import Column, are_numbers, column_type
from sluice.errors import UnreadableData
from sluice.lake.equality import identity_cell
from sluice.lake.parquet import LocalFile, literal, quoted, rows_of


def merge_columns(before: list[Column], new: list[Column], *, empty: bool, key: Sequence[str] = ()) -> list[Column]:
    """The columns of a version that adds new records to an earlier one, each wide enough for both.

    Args:
        before: the columns of the earlier version.
        new: the columns of the new records.
        empty: whether the earlier version has no rows, so that it lacks no values of new columns.
        key: the columns of the primary key. In JSON keys, a number and its text are different.
    """
    old_columns = {column.name: column for column in before}
    new_columns = {column.name: column for column in new}
    names = {**old_columns, **new_columns}
    return [
        _merge_column(old_columns.get(name), new_columns.get(name), empty=empty, is_key=name in key) for name in names
    ]


def _merge_column(before: Column | None, new: Column | None, *, empty: bool, is_key: bool) -> Column:
    if before is None or new is None:
        only = before or new
        assert only is not None
        is_missing = before is not None or not empty
        return only.model_copy(update={"nullable": only.nullable or is_missing, "missing": only.missing or is_missing})
    return Column(
        name=before.name,
        type=_key_type(before, new) if is_key else column_type([before, new]),
        wide=before.wide or new.wide,
        missing=before.missing or new.missing,
        nullable=before.nullable or new.nullable,
        guessed=before.guessed and new.guessed,
        from_json=all(_is_json(column) for column in _known(before, new)),
    )


def _key_type(before: Column, new: Column) -> str:
    """The type of a key with two types; `json` if both are JSON, in which 7 and "7" are different keys."""
    kind = column_type([before, new])
    typed_columns = _known(before, new)
    mixed = kind == "string" and len({column.type for column in typed_columns}) > 1
    return "json" if mixed and all(map(_is_json, typed_columns)) else kind


def _known(before: Column, new: Column) -> list[Column]:
    """The columns whose types are known; both if neither is."""
    return [column for column in (before, new) if not column.guessed] or [before, new]


def _is_json(column: Column) -> bool:
    return column.from_json or column.type == "json"


def require_key(key: list[str], before: list[Column], new: list[Column]) -> None:
    """Refuse records that cannot be matched by the primary key.

    Args:
        key: the columns of the primary key.
        before: the columns of the earlier version.
        new: the columns of the new records.

    Raises:
        UnreadableData: the records lack a key column, or the types of a key cannot be compared without making one key
            of two or two of one: doubles cannot tell large integers apart, and text cannot tell 7 from "7".
    """
    columns = {column.name: column for column in new}
    old_columns = {column.name: column for column in before}
    for name in key:
        if name not in columns:
            raise UnreadableData(f"The records have no column {name!r}, which is part of the primary key.")
        old, current = old_columns.get(name), columns[name]
        if old is None or old.guessed or current.guessed or old.type == current.type:
            continue
        if not _is_comparable(old, current):
            raise UnreadableData(
                f"The type of the primary key {name!r} changed from {old.type} to {current.type}; set it in `types`."
            )


def _is_comparable(old: Column, current: Column) -> bool:
    """Whether keys of two types can be compared without confusing two of them."""
    types, kind = {old.type, current.type}, _key_type(old, current)
    if are_numbers([old, current]):
        return "double" not in types and kind != "string"
    return "json" not in types or kind == "json"


def with_run(query: str, run: str) -> str:
    """The SQL of new rows with the id of the run that brought them, in their order."""
    return f"SELECT *, {literal(run)} AS _run FROM ({query}) ORDER BY _page, _row"


def upsert_query(before: list[LocalFile], fresh: list[LocalFile], columns: list[Column], key: list[str]) -> str:
    """The SQL of the rows of an upserted version: the latest one of each key, ordered by the key.

    The latest row is that of the run that started last, so that redriving an old run does not undo newer ones.

    Args:
        before: the files of the earlier version.
        fresh: the files with the new records.
        columns: the columns of the version.
        key: the columns of the primary key.
    """
    rows = rows_of([*before, *fresh], columns, ["_run", "_page", "_row", "_missing"])
    names = ", ".join(map(quoted, key))
    types = {column.name: column.type for column in columns}
    # Keys are compared by value: 1 and 1.0 in JSON are one key.
    same = ", ".join(identity_cell(quoted(name), types[name]) for name in key)
    whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key)
    return f"""
        SELECT * FROM {rows} WHERE {whole}
        QUALIFY row_number() OVER (PARTITION BY {same} ORDER BY _run DESC, _page DESC, _row DESC) = 1
        ORDER BY {names}
    """


def other_runs_query(file: LocalFile, columns: list[Column], run: str) -> str:
    """The SQL of a file's rows from other runs than this one, in their order."""
    ordered = rows_of([file], columns, ["_run", "_page", "_row", "_missing"], numbered=True)
    return f"""
        SELECT * EXCLUDE (_file_index, file_row_number) FROM {ordered} WHERE _run <> {literal(run)}
        ORDER BY file_row_number
    """


def compacted_query(files: list[LocalFile], columns: list[Column]) -> str:
    """The SQL of the rows of many files, in their order."""
    position = ["_run", "_page", "_row", "_missing"]
    ordered = rows_of(files, columns, position, numbered=True)
    return f"SELECT * EXCLUDE (_file_index, file_row_number) FROM {ordered} ORDER BY _file_index, file_row_number"


def was_added_before(base: Manifest, page: str) -> bool:
    """Whether the version already contains a file.

    Args:
        base: the manifest of the version.
        page: the hash of the file. With `append` it may be any earlier file, with `upsert` only the latest: older
            ones may have been overwritten since.
    """
    return page in base.pages if base.disposition == "append" else base.pages[-1:] == [page]
