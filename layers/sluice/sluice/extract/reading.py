"""Reading the pages of one run: by the engine, or one record after the other where it would read them otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from sluice.domain.datasource import Datasource
from sluice.domain.run import FetchIndex, Run
from sluice.domain.schema import Column
from sluice.extract.by_record.record_reader import RecordReader
from sluice.extract.column_decision import ALONE, Among
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
        known: the columns that the dataset has already, whose spelling stays.
        tick: is told how many records were read, now and then; it may end the work by raising.
    """

    def __init__(self, lake: Lake, settings: Settings, known: list[str], tick: Callable[[int], None]) -> None:
        self._lake = lake
        self._settings = settings
        self._limits = Limits.of(settings)
        self.known = known
        self._tick = tick

    @property
    def most_columns(self) -> int:
        """How many columns the records may have."""
        return self._limits.columns

    def knowing(self, columns: Iterable[str]) -> PageReading:
        """The same for records of which more columns are known."""
        return PageReading(self._lake, self._settings, [*self.known, *columns], self._tick)

    @staticmethod
    def typed(datasource: Datasource, types: Mapping[str, str]) -> Datasource:
        """A datasource whose document says the types of more columns."""
        return datasource.model_copy(update={"types": {**datasource.types, **types}}) if types else datasource

    def read(
        self,
        run: Run,
        datasource: Datasource,
        index: FetchIndex,
        stack: ExitStack,
        scratch: Path,
        types: Mapping[str, str],
        among: Among = ALONE,
    ) -> tuple[Records, DuckDBPyConnection]:
        """The records of a run, and the connection for their query.

        Args:
            stack: closes the connection.
            scratch: a path whose folder may be written, and must stay until the records' query was run.
            types: the types of some columns, whatever the pages and the document say.
            among: what is known of the run's other pages.

        Raises:
            UnreadableData: a page is not what the datasource says; the detail names it.
        """
        datasource = with_known_types(datasource, index) if among is ALONE else datasource
        datasource = self.typed(datasource, types)
        pages = Pages(run, datasource, index, self._lake, self._limits, self.known, among)
        connection = stack.enter_context(self._engine(scratch))
        records = read_columns(pages, connection, scratch.parent, self._tick)
        if records is None:
            # What was made in vain goes with it, and a page may have brought it down.
            connection.close()
            connection = stack.enter_context(self._engine(scratch))
            reader = RecordReader(scratch.with_name("rows.jsonl"), self._tick, self.known, among)
            records = reader.read(run, datasource, index, self._lake, self._limits)
        _mark_wide(records, datasource, connection)
        return records, connection

    def _engine(self, scratch: Path) -> AbstractContextManager[DuckDBPyConnection]:
        return engine(self._settings, scratch.parent, self._settings.extract_memory)


def _mark_wide(records: Records, datasource: Datasource, connection: DuckDBPyConnection) -> None:
    """Find the whole numbers that a double does not hold in columns that the document declares: they may be texts."""
    found = [one.name for one in records.columns if one.type == "bigint" and datasource.declared_type(one.name)]
    if not found:
        return
    largest = ", ".join(f"max(abs({quoted(name)}::HUGEINT))" for name in found)
    answer = connection.execute(f"SELECT {largest} FROM ({records.query})").fetchone() or ()
    wide = {name for name, value in zip(found, answer, strict=True) if value is not None and value > _EXACT}
    records.columns = [
        one.model_copy(update={"wide": one.wide or one.name in wide}) if one.name in found else one
        for one in records.columns
    ]


def loses_text(have: Column | None, want: Column) -> bool:
    """Whether a column's values, made text of their type's values, may not be the text that was received."""
    return (
        have is not None
        and not have.guessed
        and have.type not in ("string", "json")
        and want.type in ("string", "json")
    )
