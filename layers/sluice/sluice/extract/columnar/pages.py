"""What the readers of this package share."""

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
from sluice.extract.column_decision import WHOLE_RUN, ReadingContext
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
    """The pages cannot be read by column, since the engine would read something differently than by record."""


@dataclass(frozen=True)
class Pages:
    """The pages of a run, and how to read them.

    Args:
        run: the run.
        datasource: tells how pages are parsed.
        index: the pages.
        lake: the store of the pages.
        limits: the caps of the readers.
        known: the columns that the dataset already has, whose spelling is kept.
        context: what is known of the run's other pages.
    """

    run: Run
    datasource: Datasource
    index: FetchIndex
    lake: Lake
    limits: Limits
    known: list[str]
    context: ReadingContext = WHOLE_RUN

    def expected_type(self, name: str) -> str | None:
        """The type that a column must have: declared or known; None if its values decide."""
        return self.datasource.declared_type(name) or self.context.types.get(name.lower())

    @property
    def metadata(self) -> dict[str, str]:
        """The fields that contain metadata about a record's page, with their expressions."""
        fields = self.datasource.fields or {}
        return {name: text for name, text in fields.items() if text.startswith("$")}

    @property
    def selected(self) -> dict[str, str]:
        """The fields that contain what an expression selects, with their expressions."""
        return {name: text for name, text in (self.datasource.fields or {}).items() if not text.startswith("$")}

    def metadata_cell(self, name: str) -> str:
        """The SQL of a metadata field."""
        match self.metadata[name]:
            case "$position":
                return f"({TABLE}.position + {self.context.before + 1})::BIGINT"
            case "$page":
                return "page::BIGINT"
            case "$fetched_at":
                times = [literal(convert(page.fetched_at, "timestamp")) for page in self.index.pages]
                return f"([{', '.join(times)}])[place + 1]::TIMESTAMP"
            case _:
                return literal(self.run.id)

    def summarize_metadata(self, types: ColumnTypes, count: int) -> None:
        """Add the metadata fields to the types.

        Args:
            types: gets the summaries.
            count: the number of records.

        Raises:
            NotColumnar: a field is declared with another type.
        """
        for name, text in self.metadata.items():
            if self.datasource.declared_type(name) not in (None, METADATA_TYPES[text]):
                raise NotColumnar
            types.add_summary(name, [("", count)], count)


class Reader(Protocol):
    """Reads the pages of a run by the engine.

    Raises:
        NotColumnar, UnreadableData, duckdb.Error: any method may; the pages must then be read by record.
    """

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, folder: Path) -> None: ...

    def add_page(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Store what is needed of a page."""
        ...

    def records(self) -> Records:
        """The records of all added pages."""
        ...


@dataclass(frozen=True)
class Cell:
    """The value of a column.

    Args:
        sql: its SQL, for a row of the table.
        join: the SQL of a join that it needs; empty if none.
    """

    sql: str
    join: str = ""


def build_query(
    pages: Pages,
    columns: list[Column],
    cells: dict[str, Cell],
    *,
    rows: str = ROWS,
    missing: str | None = None,
    join: str = "",
) -> str:
    """The SQL of a run's rows, as `Records.query`.

    Args:
        pages: the pages.
        columns: the columns of the run.
        cells: the columns that the pages have. Others are metadata, or occur in no record.
        rows: the SQL of the rows, with `position`, `page`, `place` and `nth`.
        missing: the SQL of the list of columns that a record lacks; None if all records have the same ones.
        join: the SQL of a join that `missing` needs.
    """
    absent = [column.name for column in columns if column.name not in cells and column.name not in pages.metadata]
    none_has = f"[{', '.join(map(literal, absent))}]" if absent else "NULL::VARCHAR[]"
    if missing is not None and absent:
        may_lack = ", ".join(literal(column.name) for column in columns if column.missing)
        every = f"list_concat(coalesce({missing}, []), {none_has})"
        missing = f"list_filter([{may_lack}], lambda name: list_contains({every}, name))"
    selected = []
    for column in columns:
        cell = cells[column.name].sql if column.name in cells else "NULL"
        cell = pages.metadata_cell(column.name) if column.name in pages.metadata else cell
        selected.append(f"({cell})::{duckdb_type(column.type)} AS {quoted(column.name)}")
    selected += ["page::BIGINT AS _page", "nth::BIGINT AS _row", f"{missing or none_has} AS _missing"]
    joins = [*(cell.join for cell in cells.values()), join]
    # The engine keeps the order of a single table, and a sort would cost time and memory; joins lose the order.
    order = f"ORDER BY {TABLE}.position" if any(joins) else ""
    return f"SELECT {', '.join(selected)} FROM {rows} {' '.join(filter(None, joins))} {order}"


def number_rows(connection: DuckDBPyConnection, pages: list[int]) -> None:
    """Number the rows of the table within their pages.

    Args:
        connection: the engine with the table, whose rows have `place`.
        pages: the numbers of the pages by `place`.
    """
    # Rows are in page order, so a row's number within its page is its distance from the page's first row.
    first_rows = connection.execute(f"SELECT place, min(rowid) FROM {TABLE}_read GROUP BY place").fetchall()
    first_by_place = dict(first_rows)
    first_list = f"[{', '.join(str(first_by_place.get(place, 0)) for place in range(len(pages)))}]"
    number_list = f"[{', '.join(map(str, pages))}]"
    connection.execute(f"""
        CREATE OR REPLACE VIEW {TABLE} AS
        SELECT *, rowid, ({number_list})[place + 1] AS page, rowid - ({first_list})[place + 1] AS nth FROM {TABLE}_read
    """)


def link_or_copy(source: str, path: Path) -> None:
    """Make a file available under another path: a hard link if both are in one file system, else a copy.

    Args:
        source: the existing file.
        path: the new path.
    """
    try:
        os.link(source, path)
    except OSError:
        shutil.copyfile(source, path)
