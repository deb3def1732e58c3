"""The size of a Parquet file after decoding: a few kilobytes can stand for gigabytes."""

from __future__ import annotations

import struct
from typing import IO, TYPE_CHECKING, cast

from sluice.errors import DataTooLarge
from sluice.formats.limits import Limits

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from duckdb.sqltypes import DuckDBPyType

# The rows that DuckDB decodes at a time, and the bytes of a list element in Python and in DuckDB.
_VECTOR, _ELEMENT, _ENGINE_ELEMENT = 2_048, 100, 16


def require_small_footer(content: IO[bytes], limits: Limits) -> None:
    """Refuse a file whose footer, which is read at once, is too large.

    Args:
        content: the file; it is left at any position.
        limits: its `directory_bytes` is the cap.

    Raises:
        DataTooLarge: the footer exceeds the cap.
    """
    content.seek(-8, 2)
    (size,) = struct.unpack("<L", content.read(4))
    if size > limits.directory_bytes:
        raise DataTooLarge(
            f"The Parquet file's footer has {size} bytes; at most {limits.directory_bytes} are read "
            "(MAX_DIRECTORY_BYTES). Write larger row groups, or split the file."
        )


def require_decodable(connection: DuckDBPyConnection, path: str, types: dict[str, DuckDBPyType], limits: Limits) -> int:
    """Refuse a file with more bytes after decoding than a function can hold.

    Args:
        connection: a connection that reads the file.
        path: the file.
        types: DuckDB's types of the columns.
        limits: its `decoded_bytes` caps the whole file, and its `unpacked_bytes` what DuckDB decodes at a time.

    Returns:
        The bytes of the largest row: text, binary data and lists; numbers are not counted.

    Raises:
        DataTooLarge: a cap is exceeded.
    """
    _require_few_elements(connection, path, limits)
    sizes = [size for name, kind in types.items() if (size := _size(_quoted(name), kind)) is not None]
    if not sizes:
        return 0
    # The engine decodes consecutive rows together, and file_row_number tells which.
    query = f"""
        SELECT coalesce(sum(size), 0), coalesce(max(largest), 0), coalesce(max(size), 0) FROM (
            SELECT sum(size) AS size, max(size) AS largest FROM (
                SELECT {" + ".join(sizes)} AS size, file_row_number AS position
                FROM read_parquet($path, file_row_number = true))
            GROUP BY position // {_VECTOR})
    """
    decoded, largest_row, vector = connection.execute(query, {"path": path}).fetchone() or (0, 0, 0)
    for actual, cap, what, setting in (
        (decoded, limits.decoded_bytes, "once decoded", "MAX_DECODED_BYTES"),
        (vector, limits.unpacked_bytes, f"in {_VECTOR} consecutive rows", "MAX_UNPACKED_BYTES"),
    ):
        if actual > cap:
            raise DataTooLarge(
                f"The Parquet file has {actual} bytes of text, lists and binary data {what}; at most {cap} are allowed "
                f"({setting}). Split the file, or drop columns."
            )
    return int(largest_row)


def _require_few_elements(connection: DuckDBPyConnection, path: str, limits: Limits) -> None:
    """Refuse lists whose elements DuckDB could not hold if they were all in one row."""
    query = """
        SELECT max(num_values) FROM parquet_metadata($path)
        WHERE path_in_schema IN (SELECT path_in_schema FROM parquet_metadata($path)
                                 WHERE num_values > row_group_num_rows)
    """
    most = (connection.execute(query, {"path": path}).fetchone() or (0,))[0] or 0
    if most * _ENGINE_ELEMENT > limits.unpacked_bytes:
        raise DataTooLarge(
            f"A row group of the Parquet file has lists of {most} elements; at most "
            f"{limits.unpacked_bytes // _ENGINE_ELEMENT} are read (MAX_UNPACKED_BYTES). Write smaller row groups."
        )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _size(value: str, kind: DuckDBPyType, depth: int = 0) -> str | None:
    """The SQL of a value's size in bytes; None for types of a small, fixed size."""
    match kind.id:
        case "varchar":
            return f"coalesce(strlen({value}), 0)"
        case "blob":
            return f"coalesce(octet_length({value}), 0)"
        case "struct" | "union":
            children = cast("list[tuple[str, DuckDBPyType]]", kind.children)
            parts = [_size(f"{value}.{_quoted(name)}", inner, depth) for name, inner in children]
            sizes = [part for part in parts if part is not None]
            return f"({' + '.join(sizes)})" if sizes else None
        case "list" | "array":
            element_type = cast("list[tuple[str, DuckDBPyType]]", kind.children)[0][1]
            return _list_size(value, element_type, depth)
        case "map":
            keys, values = (inner for _, inner in cast("list[tuple[str, DuckDBPyType]]", kind.children))
            sizes = [_list_size(f"map_keys({value})", keys, depth), _list_size(f"map_values({value})", values, depth)]
            return f"({' + '.join(sizes)})"
        case _:
            return None


def _list_size(value: str, kind: DuckDBPyType, depth: int) -> str:
    elements = f"{_ELEMENT} * coalesce(len({value}), 0)"
    name = f"__sluice_{depth}"
    inner = _size(name, kind, depth + 1)
    if inner is None:
        return f"({elements})"
    return f"({elements} + coalesce(list_sum(list_transform({value}, lambda {name}: {inner})), 0)::BIGINT)"
