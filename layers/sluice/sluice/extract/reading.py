"""Reading the pages of one run: by column with the engine, or by record where that would differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, Run
from sluice.domain.schema import Column
from sluice.extract.by_record.record_reader import RecordReader
from sluice.extract.column_decision import WHOLE_RUN, ReadingContext
from sluice.extract.columnar.pages import Pages
from sluice.extract.columnar.reader import read_columns
from sluice.extract.known_types import with_known_types
from sluice.extract.records import Records
from sluice.formats.limits import Limits
from sluice.lake.parquet import engine, quoted
from sluice.lake.store import Lake
from sluice.settings import Settings

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_EXACT = 2**53


class PageReading:
    """Reads the pages of runs of one datasource.

    Args:
        lake: the store of the pages.
        settings: the settings.
        known: the columns that the dataset already has, whose spelling is kept.
        tick: called now and then with the number of records; it may stop the work by raising.
    """

    def __init__(self, lake: Lake, settings: Settings, known: list[str], tick: Callable[[int], None]) -> None:
        self._lake = lake
        self._settings = settings
        self._limits = Limits.of(settings)
        self.known = known
        self._tick = tick

    @property
    def most_columns(self) -> int:
        """The most columns that records may have."""
        return self._limits.columns

    def with_known_columns(self, columns: Iterable[str]) -> PageReading:
        """A copy for which more columns are known."""
        return PageReading(self._lake, self._settings, [*self.known, *columns], self._tick)

    @staticmethod
    def with_types(datasource: Datasource, types: Mapping[str, str]) -> Datasource:
        """The datasource with the types of more columns; they override declared ones."""
        return datasource.model_copy(update={"types": {**datasource.types, **types}}) if types else datasource

    def read(
        self,
        run: Run,
        datasource: Datasource,
        index: FetchIndex,
        stack: ExitStack,
        scratch: Path,
        types: Mapping[str, str],
        context: ReadingContext = WHOLE_RUN,
    ) -> tuple[Records, DuckDBPyConnection]:
        """Read the records of a run.

        Args:
            run: the run.
            datasource: tells how pages are parsed.
            index: the pages.
            stack: closes the connection.
            scratch: a path in a folder for temporary files, which must exist until the records' query has run.
            types: types of some columns, which override pages and document.
            context: what is known of the run's other pages.

        Returns:
            The records, and the connection for their query.

        Raises:
            UnreadableData: a page is not what the datasource declares; the detail names the page.
        """
        datasource = with_known_types(datasource, index) if context is WHOLE_RUN else datasource
        datasource = self.with_types(datasource, types)
        pages = Pages(run, datasource, index, self._lake, self._limits, self.known, context)
        first_engine = stack.enter_context(ExitStack())
        connection = first_engine.enter_context(self._engine(scratch))
        records = read_columns(pages, connection, scratch.parent, self._tick)
        if records is None:
            # Another engine: this frees the tables, and a page may have invalidated the engine.
            first_engine.close()
            connection = stack.enter_context(self._engine(scratch))
            reader = RecordReader(scratch.with_name("rows.jsonl"), self._tick, self.known, context)
            records = reader.read(run, datasource, index, self._lake, self._limits)
        _mark_wide(records, datasource, connection)
        return records, connection

    def _engine(self, scratch: Path) -> AbstractContextManager[DuckDBPyConnection]:
        return engine(self._settings, scratch.parent, self._settings.extract_memory)


def _mark_wide(records: Records, datasource: Datasource, connection: DuckDBPyConnection) -> None:
    """Mark declared bigint columns with integers that a double cannot represent; inference finds only the others."""
    declared = [
        column.name for column in records.columns if column.type == "bigint" and datasource.declared_type(column.name)
    ]
    if not declared:
        return
    largest = ", ".join(f"max(abs({quoted(name)}::HUGEINT))" for name in declared)
    answer = connection.execute(f"SELECT {largest} FROM ({records.query})").fetchone() or ()
    wide = {name for name, value in zip(declared, answer, strict=True) if value is not None and value > _EXACT}
    records.columns = [
        column.model_copy(update={"wide": column.wide or column.name in wide}) if column.name in declared else column
        for column in records.columns
    ]


def loses_original_text(stored: Column | None, target: Column) -> bool:
    """Whether converting a column to text may give other texts than were received.

    Args:
        stored: the column as it was read; None if it is new.
        target: the column in the version.
    """
    return (
        stored is not None
        and not stored.guessed
        and stored.type not in ("string", "json")
        and target.type in ("string", "json")
    )
