"""Reading and writing Parquet with DuckDB."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.domain.dataset import DataObject
from sluice.domain.names import quoted as quoted
from sluice.domain.schema import Column, duckdb_type, is_decimal
from sluice.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# DuckDB's default row group, and the longest dictionary: with longer ones files are slower to write and larger.
ROW_GROUP = 122_880
LONGEST_DICTIONARY = 8_000
_TIMES = ("date", "timestamp")
# Otherwise times with an offset would be converted to the machine's time zone.
UTC_SESSION = "SET TimeZone = 'UTC'"


@contextmanager
def engine(settings: Settings, scratch: Path, memory: str | None = None) -> Iterator[DuckDBPyConnection]:
    """A DuckDB connection with an empty database, for SQL of our own; it reads and writes local files only.

    Args:
        settings: threads and memory.
        scratch: the folder for data that exceeds the memory.
        memory: the memory_limit; None: that of the settings.
    """
    from sluice.lake.engine_pool import POOL  # not all functions query

    configuration = (("threads", settings.duckdb_threads), ("memory_limit", memory or settings.duckdb_memory))
    with POOL.connection(configuration, scratch) as connection:
        connection.execute(UTC_SESSION)
        connection.execute("SET enable_progress_bar = false")
        yield connection


def engine_name() -> str:
    """The engine and its version, as manifests state it: another version may write other bytes."""
    import duckdb

    return f"duckdb {duckdb.__version__}"


def literal(text: str) -> str:
    """The text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"


@dataclass(frozen=True)
class LocalFile:
    """A Parquet file of a version on the local disk.

    Args:
        path: the file.
        columns: its columns and their types; None: those of the version.
        rows: the number of rows.
    """

    path: Path
    columns: dict[str, str] | None = None
    rows: int = 0


# The table of a datasource that never had a record. A table needs a column; `value` is the column of records that are
# not objects.
NO_ROWS = "(SELECT NULL::JSON AS value WHERE false)"


def rows_of(files: list[LocalFile], columns: list[Column], position: list[str], *, numbered: bool = False) -> str:
    """The SQL of a version's rows, with the version's column types whatever types a file has.

    Args:
        files: the files, in order.
        columns: the columns of the version.
        position: the provenance columns to include.
        numbered: whether to include `_file_index` and `file_row_number`, which order the rows.
    """
    selects = []
    for index, file in enumerate(files):
        cells = [_cell(column, file) for column in columns] + [_position(name, file, columns) for name in position]
        option = ", file_row_number = true" if numbered else ""
        cells += [f"{index} AS _file_index", "file_row_number"] if numbered else []
        selects.append(f"SELECT {', '.join(cells)} FROM read_parquet({literal(str(file.path))}{option})")
    return f"({' UNION ALL '.join(selects)})"


def placed_rows(files: list[LocalFile], columns: list[Column], more: list[str], first: int = 0) -> str:
    """The SQL of a version's rows with `__sluice_at`: the number of the row in the version.

    Args:
        files: the files, in order.
        columns: the columns of the version.
        more: the provenance columns to include.
        first: the number of the first file's first row.
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
    """The SQL of a provenance column. `_missing` includes the columns that a whole file lacks."""
    absent = [column.name for column in columns if file.columns is not None and column.name not in file.columns]
    if name != "_missing" or not absent:
        return name
    return f"list_concat(coalesce(_missing, []), [{', '.join(map(literal, absent))}]) AS _missing"


def _cell(column: Column, file: LocalFile) -> str:
    """The SQL of a file's column in the version's type; NaN and infinities, which some files have, become null."""
    name = quoted(column.name)
    if file.columns is not None and column.name not in file.columns:
        return f"NULL::{duckdb_type(column.type)} AS {name}"
    source_type = column.type if file.columns is None else file.columns[column.name]
    cell = finite_or_null(name) if source_type == "double" else name
    return f"{as_type(cell, source_type, column.type)} AS {name}"


def finite_or_null(cell: str) -> str:
    """The SQL of a double, null if it is NaN or infinite."""
    return f"(CASE WHEN isfinite({cell}) THEN {cell} END)"


def as_type(cell: str, source_type: str, target_type: str) -> str:
    """The SQL of a value in another type, with all digits that the type can have.

    JSON strings lose their quotes, and times become RFC 3339. A time in text may have an offset; a number is seconds
    since 1970, as for a datasource's `types`. A double counts as the number that its shortest representation shows.

    Args:
        cell: the SQL of the value.
        source_type: its column type.
        target_type: the column type of the result.
    """
    if source_type == target_type:
        return f"{cell}::{duckdb_type(target_type)}"
    if target_type == "json":
        return _as_json(cell, source_type)
    if (source_type, target_type) == ("json", "string"):
        return _json_text(cell)
    if source_type in _TIMES and target_type == "string":
        return time_text(cell, source_type)
    if source_type == "double" and is_decimal(target_type):
        return f"{cell}::VARCHAR::{duckdb_type(target_type)}"
    if target_type == "double" and source_type in ("string", "json"):
        return finite_or_null(f"{cell}::DOUBLE")
    if target_type == "timestamp" and source_type in ("string", "json"):
        return f"{as_type(cell, source_type, 'string')}::TIMESTAMPTZ::TIMESTAMP"
    if target_type == "timestamp" and (source_type in ("bigint", "double") or is_decimal(source_type)):
        return f"to_timestamp({cell}::DOUBLE)::TIMESTAMP"
    return f"{cell}::{duckdb_type(target_type)}"


def _json_text(cell: str) -> str:
    """The SQL of JSON as text. A cast by the engine would reformat its numbers with fewer digits."""
    text = f"{cell}::VARCHAR"
    return f"(CASE WHEN {text} = 'null' THEN NULL WHEN starts_with({text}, '\"') THEN {cell}->>'$' ELSE {text} END)"


def _as_json(cell: str, source_type: str) -> str:
    """The SQL of a value as JSON; numbers keep all digits."""
    if is_decimal(source_type):
        return f"{cell}::VARCHAR::JSON"
    return f"to_json({time_text(cell, source_type)})" if source_type in _TIMES else f"to_json({cell})"


def json_cell(cell: str, kind: str) -> str:
    """The SQL of a value as JSON text in the API's form: decimals and times are strings, NaN and infinities null.

    Args:
        cell: the SQL of the value.
        kind: its column type.
    """
    if kind == "json":
        return f"{cell}::VARCHAR"
    if kind == "double":
        return f"to_json({finite_or_null(cell)})::VARCHAR"
    if kind in _TIMES or is_decimal(kind):
        return f"to_json({as_type(cell, kind, 'string')})::VARCHAR"
    return f"to_json({cell})::VARCHAR"


def time_text(cell: str, kind: str) -> str:
    """The SQL of a date or timestamp as text, the same for readers, queries and merges.

    Within the years 1 to 9999 it is RFC 3339. Years before 1 are astronomical (`-0044` is 45 BC), and infinities are
    words; the engine can parse both.

    Args:
        cell: the SQL of the value.
        kind: `date` or `timestamp`.
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


def display_query(query: str, columns: list[Column], more: Sequence[str] = ()) -> str:
    """The SQL of a query's rows in its order, with dates and timestamps as the text that readers see.

    As values they could not be fetched: Python has no infinite times, no year 0 and no year 10000.

    Args:
        query: the query.
        columns: the columns to display.
        more: the names of other columns, which are unchanged.
    """
    cells = [
        f"{time_text(quoted(column.name), column.type)} AS {quoted(column.name)}"
        if column.type in _TIMES
        else quoted(column.name)
        for column in columns
    ]
    return f"SELECT {', '.join([*cells, *more])} FROM ({query})"


def copy_to(path: Path, *, partitioned_by: str | None = None) -> str:
    """The `TO …` clause of a COPY that writes Parquet, byte for byte the same each time.

    Args:
        path: the file.
        partitioned_by: a column; `path` is then a folder with a file per value, which lacks that column.
    """
    options = (
        # The encodings of version 2 are faster to write than dictionaries for everything, and smaller.
        f"FORMAT parquet, PARQUET_VERSION v2, COMPRESSION zstd, "
        f"ROW_GROUP_SIZE {ROW_GROUP}, DICTIONARY_SIZE_LIMIT {LONGEST_DICTIONARY}"
    )
    if partitioned_by is not None:
        options += f", PARTITION_BY ({partitioned_by})"
    return f"TO {literal(str(path))} ({options})"


def data_object(key: str, path: Path, rows: int) -> DataObject:
    """Describe a file for a manifest.

    Args:
        key: its key in the lake.
        path: the file.
        rows: the number of rows.
    """
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return DataObject(key=key, sha256=digest, bytes=path.stat().st_size, rows=rows)
