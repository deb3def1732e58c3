"""Where each value of a merge came from: row for row beside the data, in a Parquet file of its own.

For each source, by its rank, the place of its row in the version that was merged; null where it
has none. For each field, by its place among the columns that are not of the key, the rank of the
source that has won. Losers are derived again when somebody asks.
"""

from __future__ import annotations

# The column with each row's place among all that were merged.
PLACE = "__sluice_place"


def row_column(rank: int) -> str:
    """The file's column with the place of a source's row."""
    return f"row_{rank}"


def winner_column(position: int) -> str:
    """The file's column with the winner of a field."""
    return f"winner_{position}"


def in_merge(column: str) -> str:
    """The name that a column of provenance has beside the data, which may have a column of that name, too."""
    return f"__sluice_{column}"


def provenance_columns(sources: int, fields: int) -> list[str]:
    """All columns of the file."""
    return [*map(row_column, range(sources)), *map(winner_column, range(fields))]
