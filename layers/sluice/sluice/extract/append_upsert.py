"""Append and upsert: what a run's records make of the version that is published."""

from __future__ import annotations

from collections.abc import Sequence

from sluice.domain.dataset import Manifest
from sluice.domain.schema import Column, are_numbers, column_type
from sluice.errors import UnreadableData
from sluice.lake.equality import identity_cell
from sluice.lake.parquet import LocalFile, literal, quoted, rows_of


def together(before: list[Column], new: list[Column], *, empty: bool, key: Sequence[str] = ()) -> list[Column]:
    """The columns of the version before with those of new records, each wide enough for both.

    Args:
        empty: whether the version before has no rows, so that no column of it lacks a value.
        key: the columns by which records are matched: of JSON, they tell a number from its text.
    """
    known = {column.name: column for column in before}
    fresh = {column.name: column for column in new}
    names = {**known, **fresh}
    return [_both(known.get(name), fresh.get(name), empty=empty, is_key=name in key) for name in names]


def _both(before: Column | None, new: Column | None, *, empty: bool, is_key: bool) -> Column:
    if before is None or new is None:
        only = before or new
        assert only is not None
        lacking = before is not None or not empty
        return only.model_copy(update={"nullable": only.nullable or lacking, "missing": only.missing or lacking})
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
    """The type of a key of two types; of JSON's values JSON, in which 7 and "7" are two keys."""
    kind = column_type([before, new])
    known = _known(before, new)
    mixed = kind == "string" and len({column.type for column in known}) > 1
    return "json" if mixed and all(map(_is_json, known)) else kind


def _known(before: Column, new: Column) -> list[Column]:
    """Those of two columns of whose type something is known; both where nothing is."""
    return [column for column in (before, new) if not column.guessed] or [before, new]


def _is_json(column: Column) -> bool:
    return column.from_json or column.type == "json"


def require_key(key: list[str], before: list[Column], new: list[Column]) -> None:
    """Refuse records that cannot be matched by the primary key.

    Raises:
        UnreadableData: they lack a column of it, or its types cannot be compared without making one key of
            two, or two of one: a double cannot tell large whole numbers apart, and a text not 7 from "7".
    """
    columns = {column.name: column for column in new}
    known = {column.name: column for column in before}
    for name in key:
        if name not in columns:
            raise UnreadableData(f"The records have no column {name!r}, which is part of the primary key.")
        was, now = known.get(name), columns[name]
        if was is None or was.guessed or now.guessed or was.type == now.type:
            continue
        if not _can_meet(was, now):
            raise UnreadableData(
                f"The primary key {name!r} was {was.type} and is {now.type} now; set its type in `types`."
            )


def _can_meet(was: Column, now: Column) -> bool:
    """Whether keys of two types can be compared, and none becomes another one's."""
    types, kind = {was.type, now.type}, _key_type(was, now)
    if are_numbers([was, now]):
        return "double" not in types and kind != "string"
    return "json" not in types or kind == "json"


def with_run(query: str, run: str) -> str:
    """New rows with the run that brought them."""
    return f"SELECT *, {literal(run)} AS _run FROM ({query}) ORDER BY _page, _row"


def upsert_query(before: list[LocalFile], fresh: list[LocalFile], columns: list[Column], key: list[str]) -> str:
    """The rows of both, the later one of each key, ordered by the key.

    Later is what a run that began later has brought: one that is redriven takes nothing back.
    """
    rows = rows_of([*before, *fresh], columns, ["_run", "_page", "_row", "_missing"])
    names = ", ".join(map(quoted, key))
    types = {column.name: column.type for column in columns}
    same = ", ".join(identity_cell(quoted(name), types[name]) for name in key)
    whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key)
    return f"""
        SELECT * FROM {rows} WHERE {whole}
        QUALIFY row_number() OVER (PARTITION BY {same} ORDER BY _run DESC, _page DESC, _row DESC) = 1
        ORDER BY {names}
    """


def others_query(file: LocalFile, columns: list[Column], run: str) -> str:
    """The rows of a file that another run has brought, in their order."""
    ordered = rows_of([file], columns, ["_run", "_page", "_row", "_missing"], numbered=True)
    return f"""
        SELECT * EXCLUDE (_file_index, file_row_number) FROM {ordered} WHERE _run <> {literal(run)}
        ORDER BY file_row_number
    """


def compacted_query(files: list[LocalFile], columns: list[Column]) -> str:
    """The rows of many files for one, in the order in which they came."""
    position = ["_run", "_page", "_row", "_missing"]
    ordered = rows_of(files, columns, position, numbered=True)
    return f"SELECT * EXCLUDE (_file_index, file_row_number) FROM {ordered} ORDER BY _file_index, file_row_number"


def seen_before(base: Manifest, page: str) -> bool:
    """Whether a file that is added now was added before: by `append` at any time, by `upsert` just now."""
    return page in base.pages if base.disposition == "append" else base.pages[-1:] == [page]
