"""The columns of a version without records. They are kept from the version before, so that queries still work."""

from __future__ import annotations

from sluice.domain.schema import Column, duckdb_type
from sluice.lake.parquet import quoted


def columns_without_records(new: list[Column], before: list[Column], *, named: bool) -> list[Column]:
    """The columns of a version whose pages have no records.

    Args:
        new: the columns that the document and the pages state.
        before: the columns of the version before.
        named: whether the document or the pages name all columns, so that no others are kept.

    Returns:
        Declared columns as declared, others with their type in the version before.
    """
    old_columns = {column.name.lower(): column for column in before}
    columns = [old_columns.get(column.name.lower(), column) if column.guessed else column for column in new]
    if named:
        return columns
    names = {column.name.lower() for column in new}
    declared = {column.name.lower(): column for column in columns}
    kept = [declared.get(column.name.lower(), column) for column in before]
    return [*kept, *(column for column in columns if column.name.lower() in names - set(old_columns))]


def nothing_query(columns: list[Column]) -> str:
    """The SQL of no rows with these columns and those that every record has."""
    cells = [f"NULL::{duckdb_type(column.type)} AS {quoted(column.name)}" for column in columns]
    place = "0::BIGINT AS _page, 0::BIGINT AS _row, NULL::VARCHAR[] AS _missing"
    return f"SELECT {', '.join([*cells, place])} WHERE false"
