"""Parquet in and out of the lake, by DuckDB."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.domain.dataset import DataObject
from sluice.domain.schema import Column, duckdb_type, is_decimal
from sluice.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

ROW_GROUP = 122_880
LONGEST_DICTIONARY = 8_000
_TIMES = ("date", "timestamp")
# Else times with an offset would become those of the machine's own time zone.
UTC_SESSION = "SET TimeZone = 'UTC'"


@contextmanager
def engine(settings: Settings, scratch: Path, memory: str | None = None) -> Iterator[DuckDBPyConnection]:
    """A DuckDB of its own, which reads and writes local files only.

    Args:
        scratch: the folder for what is more than its memory.
        memory: its memory_limit; none: that of the settings.
    """
    import duckdb  # 136 ms: not for the functions that never query

    config: dict[str, str | bool | int | float | list[str]] = {
        "threads": settings.duckdb_threads,
        "memory_limit": memory or settings.duckdb_memory,
        "temp_directory": str(scratch),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection = duckdb.connect(":memory:", config=config)
    connection.execute(UTC_SESSION)
    connection.execute("SET enable_progress_bar = false")
    try:
        yield connection
    finally:
        connection.close()


def engine_name() -> str:
    """The engine and its version, as manifests state it: another version may write other bytes."""
    import duckdb

    return f"duckdb {duckdb.__version__}"


def quoted(name: str) -> str:
    """A name as SQL takes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL takes it."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class LocalFile:
    """A Parquet file of a version, here on disk.

    Args:
        columns: the columns it has, with their types; none stands for those of its version.
        rows: how many it has.
    """

    path: Path
    columns: dict[str, str] | None = None
    rows: int = 0


def rows_of(files: list[LocalFile], columns: list[Column], position: list[str], *, numbered: bool = False) -> str:
    """The SQL of a version's rows: its columns with their types, whatever types each file has.

    Args:
        position: the columns of provenance that are wanted besides.
        numbered: whether `_file_index` and `file_row_number`, which order the rows, are wanted.
    """
    selects = []
    for index, file in enumerate(files):
        cells = [_cell(column, file) for column in columns] + [_position(name, file, columns) for name in position]
        option = ", file_row_number = true" if numbered else ""
        cells += [f"{index} AS _file_index", "file_row_number"] if numbered else []
        selects.append(f"SELECT {', '.join(cells)} FROM read_parquet({literal(str(file.path))}{option})")
    return f"({' UNION ALL '.join(selects)})"


def placed_rows(files: list[LocalFile], columns: list[Column], more: list[str], first: int = 0) -> str:
    """The SQL of a version's rows, each with its place `__sluice_at`: its number, the files one after the other.

    Args:
        first: the place of the first file's first row.
    """
    selects, before = [], first
    for file in files:
        cells = [_cell(column, file) for column in columns] + [_position(name, file, columns) for name in more]
        cells += [f"(file_row_number + {before})::UINTEGER AS __sluice_at"]
        selects.append(
            f"SELECT {', '.join(cells)} FROM read_parquet({literal(str(file.path))}, file_row_number = true)"
        )
        before += file.rows
    return f"({' UNION ALL '.join(selects)})"


def _position(name: str, file: LocalFile, columns: list[Column]) -> str:
    """A column of provenance; to what a record lacks belongs what its whole file lacks."""
    absent = [column.name for column in columns if file.columns is not None and column.name not in file.columns]
    if name != "_missing" or not absent:
        return name
    return f"list_concat(coalesce(_missing, []), [{', '.join(map(literal, absent))}]) AS _missing"


def _cell(column: Column, file: LocalFile) -> str:
    """A column of a file as its version has it; NaN and the infinities, which some files have, are null."""
    name = quoted(column.name)
    if file.columns is not None and column.name not in file.columns:
        return f"NULL::{duckdb_type(column.type)} AS {name}"
    have = column.type if file.columns is None else file.columns[column.name]
    cell = finite(name) if have == "double" else name
    return f"{as_type(cell, have, column.type)} AS {name}"


def finite(cell: str) -> str:
    """The SQL of a double that is a number, else null."""
    return f"(CASE WHEN isfinite({cell}) THEN {cell} END)"


def as_type(cell: str, have: str, want: str) -> str:
    """The SQL of a value of one type as another, with every digit that the other type can have.

    Texts within JSON lose their quotes, and times are RFC 3339. A time in a text may have an offset; a
    number is seconds since 1970, as in a datasource's `types`. A double stands for the number that its
    shortest text says.
    """
    if have == want:
        return f"{cell}::{duckdb_type(want)}"
    if want == "json":
        return _as_json(cell, have)
    if (have, want) == ("json", "string"):
        return _json_text(cell)
    if have in _TIMES and want == "string":
        return time_text(cell, have)
    if have == "double" and is_decimal(want):
        return f"{cell}::VARCHAR::{duckdb_type(want)}"
    if want == "double" and have in ("string", "json"):
        return finite(f"{cell}::DOUBLE")
    if want == "timestamp" and have in ("string", "json"):
        return f"{as_type(cell, have, 'string')}::TIMESTAMPTZ::TIMESTAMP"
    if want == "timestamp" and (have in ("bigint", "double") or is_decimal(have)):
        return f"to_timestamp({cell}::DOUBLE)::TIMESTAMP"
    return f"{cell}::{duckdb_type(want)}"


def _json_text(cell: str) -> str:
    """The SQL of JSON as text; the engine itself would write its numbers anew, with fewer digits."""
    text = f"{cell}::VARCHAR"
    return f"(CASE WHEN {text} = 'null' THEN NULL WHEN starts_with({text}, '\"') THEN {cell}->>'$' ELSE {text} END)"


def _as_json(cell: str, have: str) -> str:
    """The SQL of a value as JSON: numbers are numbers, with all of their digits."""
    if is_decimal(have):
        return f"{cell}::VARCHAR::JSON"
    return f"to_json({time_text(cell, have)})" if have in _TIMES else f"to_json({cell})"


def json_cell(cell: str, kind: str) -> str:
    """The SQL of a value as JSON text, as the API has it: decimals and times are text, and lose no digit.

    What is no finite number has no JSON, and is null.
    """
    if kind == "json":
        return f"{cell}::VARCHAR"
    if kind == "double":
        return f"to_json({finite(cell)})::VARCHAR"
    if kind in _TIMES or is_decimal(kind):
        return f"to_json({as_type(cell, kind, 'string')})::VARCHAR"
    return f"to_json({cell})::VARCHAR"


def time_text(cell: str, kind: str) -> str:
    """The SQL of a date or timestamp as text: the one form in which readers, queries and merges show it.

    Within the years 1 to 9999 it is RFC 3339. Years before 1 are astronomical (`-0044` is 45 BC), and
    the infinities are words; the engine reads both back.
    """
    year = f"(CASE WHEN year({cell}) < 0 THEN '-' ELSE '' END || lpad(abs(year({cell}))::VARCHAR, 4, '0'))"
    day = f"({year} || strftime({cell}, '-%m-%d'))"
    if kind == "date":
        return f"CASE WHEN year({cell}) < 1 THEN {day} ELSE {cell}::VARCHAR END"
    return (
        f"CASE WHEN NOT isfinite({cell}) THEN {cell}::VARCHAR "
        f"WHEN year({cell}) < 1 THEN {day} || 'T' || ({cell})::TIME::VARCHAR || 'Z' "
        f"ELSE replace({cell}::VARCHAR, ' ', 'T') || 'Z' END"
    )


def shown_query(query: str, columns: list[Column], more: Sequence[str] = ()) -> str:
    """The SQL of a query's rows, in its order, with dates and timestamps as the text that readers see.

    Python has no infinity, no year 0 and no year 10000: `lake.rows` takes the text instead.

    Args:
        columns: those of the query that are shown.
        more: names of its other columns, which stay as they are.
    """
    cells = [
        f"{time_text(quoted(one.name), one.type)} AS {quoted(one.name)}" if one.type in _TIMES else quoted(one.name)
        for one in columns
    ]
    return f"SELECT {', '.join([*cells, *more])} FROM ({query})"


def copy_to(path: Path, *, partitioned_by: str | None = None) -> str:
    """The SQL after a query that writes it to a Parquet file, byte for byte the same each time.

    The encodings of version 2 are faster to write than dictionaries of everything, and smaller; so is
    a dictionary only where it is short.

    Args:
        partitioned_by: a column of the query: the path becomes a folder of files by its values, without it.
    """
    options = (
        f"FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, "
        f"ROW_GROUP_SIZE {ROW_GROUP}, DICTIONARY_SIZE_LIMIT {LONGEST_DICTIONARY}"
    )
    if partitioned_by is not None:
        options += f", PARTITION_BY ({partitioned_by})"
    return f"TO {literal(str(path))} ({options})"


def data_object(key: str, path: Path, rows: int) -> DataObject:
    """What a manifest says about a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return DataObject(key=key, sha256=digest, bytes=path.stat().st_size, rows=rows)
