"""The columns of provenance: a Parquet file that says, row for row beside the data, where each value came from.

`row_{rank}` has the number of the source's row in the version that was merged, or null if the source does
not have the record. `winner_{position}` has the rank of the source that won the field; fields are numbered among
the columns that are not part of the key. Losers are not stored: `explain` derives them.
"""

from __future__ import annotations

# The column with the number of each merged row.
PLACE = "__sluice_place"


def row_column(rank: int) -> str:
    """Return the name of the column with the number of a source's row."""
    return f"row_{rank}"


def winner_column(position: int) -> str:
    """Return the name of the column with the winner of a field."""
    return f"winner_{position}"


def in_merge(column: str) -> str:
    """Return the name of a provenance column within the merge, where the data may have a column `row_0`, too."""
    return f"__sluice_{column}"


def provenance_columns(sources: int, fields: int) -> list[str]:
    """Return the names of all columns of the file.

    Args:
        sources: the number of sources.
        fields: the number of fields.
    """
    return [*map(row_column, range(sources)), *map(winner_column, range(fields))]
