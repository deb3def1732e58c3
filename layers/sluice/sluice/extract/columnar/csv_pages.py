"""CSV read by the engine: all of it as text first, then each column as its type."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

from sluice.domain.run import PageReceipt
from sluice.extract.by_record.flatten import Columns
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.column_decision import Seen
from sluice.extract.columnar.csv_columns import TextColumns
from sluice.extract.columnar.csv_files import count_in, keep
from sluice.extract.columnar.pages import TABLE, NotColumnar, Pages, number_rows, query_of
from sluice.extract.records import Records
from sluice.formats.csv_format import CsvPage
from sluice.formats.parsed_page import open_page
from sluice.lake.parquet import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class CsvReader:
    """Reads pages of CSV that are all written alike."""

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, folder: Path) -> None:
        if pages.selected or pages.datasource.records != "@":
            raise NotColumnar
        options = pages.datasource.csv
        if options is not None and (options.date_format or options.timestamp_format):
            raise NotColumnar  # what looks like a number may be a date
        self._pages = pages
        self._connection = connection
        self._folder = folder
        self._files: list[Path] = []
        self._numbers: list[int] = []
        self._notes: list[str] = []
        self._written: tuple[object, ...] | None = None
        self._names: list[str] = []
        self._delimiter = ","
        # Fields that are null at the end of a line are overlooked where they are too many.
        self._trailing = bool(options is not None and options.null_strings)
        self._has_header = True

    def take(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Copy a page as UTF-8."""
        with open_page(self._pages.datasource, receipt, content, self._pages.limits) as page:
            if not isinstance(page.rows, CsvPage):
                raise NotColumnar
            self._take(page.rows, receipt)

    def _take(self, page: CsvPage, receipt: PageReceipt) -> None:
        names = list(page.columns())
        dialect = page.dialect
        written = (names, dialect.header, dialect.delimiter, dialect.quote, dialect.escape)
        if self._written not in (None, written) or len(names) < 2:
            raise NotColumnar
        if dialect.delimiter == " " or dialect.unnamed_first:
            raise NotColumnar  # blanks may stand side by side, and the header may lack a name
        if page.guessed and len(self._pages.index.pages) > 1:
            raise NotColumnar  # each of them must have rows
        self._written, self._names, self._delimiter = written, names, dialect.delimiter
        self._has_header = dialect.header
        self._notes += [note for note in page.notes if note not in self._notes]
        path = self._folder / f"page-{len(self._files)}.csv"
        self._trailing = keep(page.content, dialect.encoding, path, dialect.delimiter, dialect.quote) or self._trailing
        self._files.append(path)
        self._numbers.append(receipt.number)

    def records(self) -> Records:
        """The records of all pages."""
        pages = self._pages
        spelled = Columns(pages.limits.columns, pages.known)
        for name in pages.metadata:
            spelled.reserve(name)
        names = [spelled.name((name,)) for name in self._names]
        if len({name.lower() for name in [*names, *pages.metadata]}) < len(names) + len(pages.metadata):
            raise NotColumnar
        count = self._load(len(names))
        if count == 0:
            raise NotColumnar
        self._require_even(count)
        types = ColumnTypes(pages.datasource)
        types.doubts_dots = self._delimiter != ","
        columns = TextColumns(self._connection, names, count)
        classes = columns.summarize(types, {name: pages.datasource.declared_type(name) for name in names})
        pages.summarize_metadata(types, count)
        seen = Seen(types, spelled, self._notes)
        types, known = pages.among.reconcile(seen)
        cells = columns.cells(types, known, classes)
        return Records(
            types.with_failures(known),
            count,
            query_of(pages, known, cells),
            seen.warnings(types),
            names_columns=True,
        )

    def _load(self, columns: int) -> int:
        """Make the table of all texts; how many rows it has."""
        _, header, delimiter, quote, escape = self._written or ()
        options = self._pages.datasource.csv
        nulls = ["", *((options.null_strings if options else None) or [])]
        names = [f"t{number}" for number in range(columns)]
        types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        files = ", ".join(literal(str(file)) for file in self._files)
        place = "regexp_extract(filename, '([0-9]+)\\.csv$', 1)::INTEGER"
        self._connection.execute(f"""
            CREATE OR REPLACE TABLE {TABLE}_read AS
            SELECT {", ".join(names)}, {place if len(self._files) > 1 else "0"} AS place
            FROM read_csv([{files}], auto_detect = false, header = {header}, delim = {literal(str(delimiter))},
                          quote = {literal(str(quote))}, escape = {literal(str(escape or quote))},
                          nullstr = [{", ".join(map(literal, nulls))}], strict_mode = true, null_padding = false,
                          comment = '', filename = {len(self._files) > 1}, columns = {{{types}}})
        """)
        number_rows(self._connection, self._numbers)
        return int((self._connection.execute(f"SELECT count(*) FROM {TABLE}_read").fetchone() or (0,))[0])

    def _require_even(self, count: int) -> None:
        """Refuse rows with a delimiter too many at their end, which the engine overlooks.

        Raises:
            NotColumnar: there are more delimiters than stand between fields and within them.
        """
        if not self._trailing:
            return
        width, delimiter = len(self._names), self._delimiter
        headers = len(self._files) if self._has_header else 0
        columns = [f"t{number}" for number in range(width)]
        within = [
            f"coalesce(sum(length({one}) - length(replace({one}, {literal(delimiter)}, ''))), 0)" for one in columns
        ]
        answer = self._connection.execute(f"SELECT {' + '.join(within)} FROM {TABLE}_read").fetchone()
        named = headers * sum(name.count(delimiter) for name in self._names)
        expected = (count + headers) * (width - 1) + named + int(answer[0] if answer else 0)
        if sum(count_in(file, delimiter.encode()) for file in self._files) != expected:
            raise NotColumnar
