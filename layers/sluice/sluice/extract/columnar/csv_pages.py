"""CSV read by the engine: first everything as text, then each column in its type."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

from sluice.domain.run import PageReceipt
from sluice.extract.by_record.flatten import ColumnNames
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.column_decision import Observations
from sluice.extract.columnar.csv_columns import TextColumns
from sluice.extract.columnar.csv_files import count_bytes, store_page
from sluice.extract.columnar.pages import TABLE, NotColumnar, Pages, build_query, number_rows
from sluice.extract.records import Records
from sluice.formats.csv_format import CsvPage
from sluice.formats.parsed_page import open_page
from sluice.lake.parquet import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class CsvReader:
    """Reads CSV pages that all have the same dialect and columns."""

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, folder: Path) -> None:
        if pages.selected or pages.datasource.records != "@":
            raise NotColumnar
        options = pages.datasource.csv
        if options is not None and (options.date_format or options.timestamp_format):
            raise NotColumnar  # texts like numbers may be dates in a declared format
        self._pages = pages
        self._connection = connection
        self._folder = folder
        self._files: list[Path] = []
        self._numbers: list[int] = []
        self._notes: list[str] = []
        self._layout: tuple[object, ...] | None = None
        self._names: list[str] = []
        self._delimiter = ","
        # The engine ignores extra fields at the end of a line if they are null.
        self._trailing = bool(options is not None and options.null_strings)
        self._has_header = True

    def add_page(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Copy a page as UTF-8."""
        with open_page(self._pages.datasource, receipt, content, self._pages.limits) as page:
            if not isinstance(page.rows, CsvPage):
                raise NotColumnar
            self._take(page.rows, receipt)

    def _take(self, page: CsvPage, receipt: PageReceipt) -> None:
        names = list(page.columns())
        dialect = page.dialect
        written = (names, dialect.header, dialect.delimiter, dialect.quote, dialect.escape)
        # With one column the engine and Python disagree about empty lines.
        if self._layout not in (None, written) or len(names) < 2:
            raise NotColumnar
        if dialect.delimiter == " " or dialect.unnamed_first:
            raise NotColumnar  # the engine has no such dialect
        if page.guessed and len(self._pages.index.pages) > 1:
            raise NotColumnar  # then each page must have rows, or it may be an error message
        self._layout, self._names, self._delimiter = written, names, dialect.delimiter
        self._has_header = dialect.header
        self._notes += [note for note in page.notes if note not in self._notes]
        path = self._folder / f"page-{len(self._files)}.csv"
        self._trailing = (
            store_page(page.content, dialect.encoding, path, dialect.delimiter, dialect.quote) or self._trailing
        )
        self._files.append(path)
        self._numbers.append(receipt.number)

    def records(self) -> Records:
        """The records of all pages."""
        pages = self._pages
        column_names = ColumnNames(pages.limits.columns, pages.known)
        for name in pages.metadata:
            column_names.reserve(name)
        names = [column_names.column_for((name,)) for name in self._names]
        if len({name.lower() for name in [*names, *pages.metadata]}) < len(names) + len(pages.metadata):
            raise NotColumnar
        count = self._load(len(names))
        if count == 0:
            raise NotColumnar
        self._require_even(count)
        types = ColumnTypes(pages.datasource)
        types.doubts_dots = self._delimiter != ","
        texts = TextColumns(self._connection, names, count)
        classes = texts.summarize(types, {name: pages.datasource.declared_type(name) for name in names})
        pages.summarize_metadata(types, count)
        observed = Observations(types, column_names, self._notes)
        types, columns = pages.context.decide_columns(observed)
        cells = texts.cells(types, columns, classes)
        return Records(
            types.with_failures(columns),
            count,
            build_query(pages, columns, cells),
            observed.warnings(types),
            names_columns=True,
        )

    def _load(self, columns: int) -> int:
        """Create the table of all texts, and return its number of rows."""
        _, header, delimiter, quote, escape = self._layout or ()
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
        """Refuse rows with an extra delimiter at the end, which the engine ignores.

        Args:
            count: the number of rows.

        Raises:
            NotColumnar: the files have more delimiters than the rows explain.
        """
        if not self._trailing:
            return
        width, delimiter = len(self._names), self._delimiter
        headers = len(self._files) if self._has_header else 0
        columns = [f"t{number}" for number in range(width)]
        within = [
            f"coalesce(sum(length({column}) - length(replace({column}, {literal(delimiter)}, ''))), 0)"
            for column in columns
        ]
        answer = self._connection.execute(f"SELECT {' + '.join(within)} FROM {TABLE}_read").fetchone()
        in_names = headers * sum(name.count(delimiter) for name in self._names)
        expected = (count + headers) * (width - 1) + in_names + int(answer[0] if answer else 0)
        if sum(count_bytes(file, delimiter.encode()) for file in self._files) != expected:
            raise NotColumnar
