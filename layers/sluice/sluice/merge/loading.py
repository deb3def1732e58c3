"""Tables of the engine made of Python values: through a file, since that is the fast way in."""

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
    """Put the rows of a query in the place of the engine's table `merged`.

    An UPDATE would not do: it cannot tell a column named rowid from its own.
    """
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
    """Make a temporary table.

    Args:
        table: its name; it is replaced if it is there.
        columns: the engine's types by name.
        rows: the values by name.
        scratch: a path that may be written.
    """
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
