"""What reading a run's pages gives, whichever way they were read."""

from __future__ import annotations

from dataclasses import dataclass, field

from sluice.domain.dataset import DataObject
from sluice.domain.schema import Column


@dataclass
class Records:
    """The records of a run as rows.

    Args:
        query: the SQL of the rows in their order, with `_page`, `_row`, and in `_missing` the
            columns that each record lacks; for the connection that was given to the reader.
        warnings: what the run has to say about the data.
        names_columns: whether a page names its columns even without records.
        parts: objects of the lake that have the rows already, one after the other; none where there are none.
    """

    columns: list[Column]
    count: int
    query: str
    warnings: list[str] = field(default_factory=list)
    names_columns: bool = False
    parts: list[DataObject] = field(default_factory=list)
