"""What every reader of this package has in common."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.domain.schema import Column, convert, duckdb_type
from sluice.extract.by_record.flatten import METADATA_TYPES
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.column_decision import ALONE, Among
from sluice.extract.records import Records
from sluice.formats.limits import Limits
from sluice.lake.parquet import literal, quoted
from sluice.lake.store import Lake

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The engine's table of a run's records: `page`, the page's `place` among them, `nth` within it, and the values.
TABLE = "sluice_records"
ROWS = f"(SELECT *, rowid AS position FROM {TABLE}) AS {TABLE}"


class NotColumnar(Exception):
    """The pages cannot be read a column at a time, since the engine would read them otherwise than record by record."""


@dataclass(frozen=True)
class Pages:
    """The pages of a run, and how they are read.

    Args:
        known: the columns that the dataset has already, whose spelling stays.
        among: what is known of the run's other pages.
    """

    run: Run
    datasource: Datasource
    index: FetchIndex
    lake: Lake
    limits: Limits
    known: list[str]
    among: Among = ALONE

    def expected_type(self, name: str) -> str | None:
        """The type that a column must have: declared, or known; none where its values say it."""
        return self.datasource.declared_type(name) or self.among.types.get(name.lower())

    @property
    def metadata(self) -> dict[str, str]:
        """The fields that say something about the page of a record, and what they say."""
        fields = self.datasource.fields or {}
        return {name: text for name, text in fields.items() if text.startswith("$")}

    @property
    def selected(self) -> dict[str, str]:
        """The fields that an expression selects of a record."""
        return {name: text for name, text in (self.datasource.fields or {}).items() if not text.startswith("$")}

    def metadata_cell(self, name: str) -> str:
        """The SQL of what a field says about a record's page."""
        match self.metadata[name]:
            case "$position":
                return f"({TABLE}.position + {self.among.before + 1})::BIGINT"
            case "$page":
                return "page::BIGINT"
            case "$fetched_at":
                times = [literal(convert(page.fetched_at, "timestamp")) for page in self.index.pages]
                return f"([{', '.join(times)}])[place + 1]::TIMESTAMP"
            case _:
                return literal(self.run.id)

    def summarize_metadata(self, types: ColumnTypes, count: int) -> None:
        """Have the types take these fields into account.

        Raises:
            NotColumnar: the document gives one of them another type.
        """
        for name, text in self.metadata.items():
            if self.datasource.declared_type(name) not in (None, METADATA_TYPES[text]):
                raise NotColumnar
            types.summarize(name, [("", count)], count)


class Reader(Protocol):
    """Reads the pages of a run by the engine.

    Raises:
        NotColumnar, UnreadableData, duckdb.Error: they must be read record by record; each method may.
    """

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, folder: Path) -> None: ...

    def take(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Keep what is needed of a page."""
        ...

    def records(self) -> Records:
        """The records of all pages that were taken."""
        ...


@dataclass(frozen=True)
class Cell:
    """The value of a column as the engine makes it.

    Args:
        sql: its SQL, of a row of the table.
        join: the SQL of what must be joined for it; empty where nothing must.
    """

    sql: str
    join: str = ""


def query_of(
    pages: Pages,
    columns: list[Column],
    cells: dict[str, Cell],
    *,
    rows: str = ROWS,
    missing: str | None = None,
    join: str = "",
) -> str:
    """The SQL of a run's rows, as `Records` has it.

    Args:
        cells: of the columns that the pages have; the others say something about the page, or no record has them.
        rows: the SQL of the rows, with `position`, `page`, `place` and `nth`.
        missing: the SQL of the columns that a record lacks; none where no record lacks one that others have.
        join: the SQL of what must be joined for that.
    """
    absent = [one.name for one in columns if one.name not in cells and one.name not in pages.metadata]
    none_has = f"[{', '.join(map(literal, absent))}]" if absent else "NULL::VARCHAR[]"
    if missing is not None and absent:
        may_lack = ", ".join(literal(one.name) for one in columns if one.missing)
        every = f"list_concat(coalesce({missing}, []), {none_has})"
        missing = f"list_filter([{may_lack}], lambda name: list_contains({every}, name))"
    selected = []
    for column in columns:
        cell = cells[column.name].sql if column.name in cells else "NULL"
        cell = pages.metadata_cell(column.name) if column.name in pages.metadata else cell
        selected.append(f"({cell})::{duckdb_type(column.type)} AS {quoted(column.name)}")
    selected += ["page::BIGINT AS _page", "nth::BIGINT AS _row", f"{missing or none_has} AS _missing"]
    joins = [*(cell.join for cell in cells.values()), join]
    # The engine keeps the order of a table as long as nothing is joined to it.
    order = f"ORDER BY {TABLE}.position" if any(joins) else ""
    return f"SELECT {', '.join(selected)} FROM {rows} {' '.join(filter(None, joins))} {order}"


def number_rows(connection: DuckDBPyConnection, pages: list[int]) -> None:
    """Number the rows of the table that was read, which has `place`, within their pages.

    Args:
        pages: the numbers of the pages, by place.
    """
    found = connection.execute(f"SELECT place, min(rowid) FROM {TABLE}_read GROUP BY place").fetchall()
    before = dict(found)
    begins = f"[{', '.join(str(before.get(place, 0)) for place in range(len(pages)))}]"
    numbers = f"[{', '.join(map(str, pages))}]"
    connection.execute(f"""
        CREATE OR REPLACE VIEW {TABLE} AS
        SELECT *, rowid, ({numbers})[place + 1] AS page, rowid - ({begins})[place + 1] AS nth FROM {TABLE}_read
    """)


def link_or_copy(source: str, path: Path) -> None:
    """Have a file under another path, too: a link where both are in one file system."""
    try:
        os.link(source, path)
    except OSError:
        shutil.copyfile(source, path)
