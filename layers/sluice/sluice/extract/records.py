"""The result of reading a run's pages, by either way."""

from __future__ import annotations

from dataclasses import dataclass, field

from sluice.domain.dataset import DataObject
from sluice.domain.schema import Column


@dataclass
class Records:
    """The records of a run as rows.

    Args:
        columns: the columns.
        count: the number of records.
        query: the SQL of the rows in order, with `_page`, `_row`, and in `_missing` the columns that a record lacks;
            for the connection that the reader used.
        warnings: the warnings of the run about its data.
        names_columns: whether a page names its columns even without records.
        parts: objects in the lake that already contain the rows, in order; empty if `query` gives them.
    """

    columns: list[Column]
    count: int
    query: str
    warnings: list[str] = field(default_factory=list)
    names_columns: bool = False
    parts: list[DataObject] = field(default_factory=list)
