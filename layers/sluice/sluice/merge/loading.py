"""Create engine tables from Python values, by way of a JSON Lines file: DuckDB inserts single rows slowly."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.domain.json_text import dumps
from sluice.lake.parquet import literal
from sluice.merge.provenance import PLACE

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

BATCH = 10_000


def replace_merged(connection: DuckDBPyConnection, query: str) -> None:
    """Replace the engine's table `merged` by the rows of a query, in the order of their places.

    UPDATE cannot be used: it mistakes a column named `rowid` for DuckDB's own.

    Args:
        connection: the engine.
        query: a query whose FROM clause names `merged`.
    """
    # The query reads `merged`, so the table cannot be replaced in one statement.
    connection.execute(f"CREATE TEMP TABLE following AS {query} ORDER BY merged.{PLACE}")
    connection.execute("DROP TABLE merged")
    connection.execute("ALTER TABLE following RENAME TO merged")


def load(
    connection: DuckDBPyConnection,
    table: str,
    columns: dict[str, str],
    rows: Iterable[dict[str, str | int | None]],
    scratch: Path,
) -> None:
    """Create or replace a temporary table.

    Args:
        connection: the engine.
        table: the table's name, quoted if necessary.
        columns: the engine's type of each column.
        rows: the values of each row, by column.
        scratch: a temporary file, which is overwritten.
    """
    # read_json refuses lines longer than `maximum_object_size`, so it is set to the longest line.
    longest = 1 << 20
    with scratch.open("wb") as file:
        for row in rows:
            line = dumps(row) + b"\n"
            longest = max(longest, len(line))
            file.write(line)
    types = ", ".join(f"{name}: '{kind}'" for name, kind in columns.items())
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE {table} AS FROM read_json({literal(str(scratch))},
            format = 'newline_delimited', columns = {{{types}}}, maximum_object_size = {longest})
        """
    )
