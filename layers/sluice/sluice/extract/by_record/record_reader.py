"""Reads the rows of a run as JSON Lines: written as they come, then again with their types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

from sluice.domain.datasource import Datasource
from sluice.domain.json_text import dumps, loads_with_digits
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.domain.schema import Column, duckdb_type
from sluice.errors import UnreadableData
from sluice.extract.by_record.flatten import ColumnNames, RowMaker
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.column_decision import WHOLE_RUN, Observations, ReadingContext
from sluice.extract.records import Records
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import Page, open_page
from sluice.lake.parquet import literal, quoted
from sluice.lake.store import Lake

# DuckDB allocates a multiple of the maximum line length, so it is set as low as the data allows.
_LINE = 1 << 20
_TICK = 10_000


class RecordReader:
    """Reads the records of a run into a file that DuckDB reads.

    Two passes are needed because a column's type is known only after its last value.

    Args:
        path: the file to write; other files in its folder are temporary.
        tick: called now and then with the number of records; it may stop the work by raising.
        known: the columns that the dataset already has, whose spelling is kept.
        context: what is known of the run's other pages.
    """

    def __init__(
        self, path: Path, tick: Callable[[int], None], known: list[str], context: ReadingContext = WHOLE_RUN
    ) -> None:
        self._path = path
        self._tick = tick
        self._known = known
        self._context = context
        self._count = 0
        self._names_columns = False
        self._longest = 0

    def read(self, run: Run, datasource: Datasource, index: FetchIndex, lake: Lake, limits: Limits) -> Records:
        """Read all pages.

        Args:
            run: the run.
            datasource: tells how pages are parsed.
            index: the pages.
            lake: the store of the pages.
            limits: the caps of the readers.

        Raises:
            UnreadableData: a page is not what the datasource declares; the detail names the page.
        """
        column_names = ColumnNames(limits.columns, self._known)
        row_maker = RowMaker(datasource, run, column_names, limits.field_growth, self._context.before)
        observed = Observations(ColumnTypes(datasource), column_names)
        untyped = self._path.with_name("untyped.jsonl")
        with untyped.open("wb") as file:
            for receipt in index.pages:
                with lake.raw(receipt.hash or "") as content:
                    try:
                        with open_page(datasource, receipt, content, limits) as page:
                            self._page(file, receipt, page, row_maker, observed)
                            observed.notes.extend(note for note in page.notes if note not in observed.notes)
                            observed.repeated.update(page.repeated_keys())
                    except UnreadableData as error:
                        raise _naming_page(error, receipt.number, receipt.url) from None
        types, columns = self._context.decide_columns(observed)
        self._convert(untyped, columns, types)
        untyped.unlink()
        query, warnings = self._query(columns), observed.warnings(types)
        return Records(types.with_failures(columns), self._count, query, warnings, self._names_columns)

    def _page(
        self, file: IO[bytes], receipt: PageReceipt, page: Page, row_maker: RowMaker, observed: Observations
    ) -> None:
        datasource, types, column_names = page.datasource, observed.types, observed.column_names
        page_columns = {column_names.spelling(name): kind for name, kind in known_columns(page).items()}
        self._names_columns = self._names_columns or bool(page_columns)
        types.add_page_columns(page_columns, text=page.text)
        types.doubts_dots = types.doubts_dots or page.delimiter not in (None, ",")
        for position, record, context in page.positioned_records(receipt):
            row = row_maker.row(page.with_struct_nulls(record), receipt, context)
            types.observe(row, text=page.text)
            if not isinstance(record, dict) and not datasource.selects_columns:
                types.declare("value", "json")
            self._count += 1
            if self._count % _TICK == 0:
                self._tick(self._count)
            file.write(dumps([receipt.number, position, row]) + b"\n")

    def _convert(self, untyped: Path, columns: list[Column], types: ColumnTypes) -> None:
        may_lack = [column.name for column in columns if column.missing]
        with untyped.open("rb") as source, self._path.open("wb") as target:
            for number, line in enumerate(source, start=1):
                if number % _TICK == 0:
                    self._tick(self._count)
                page, position, row = loads_with_digits(line)
                converted = types.convert_row(row, columns, page, position)
                missing = [name for name in may_lack if name not in row]
                text = dumps({"_page": page, "_row": position, "_missing": missing or None, **converted}) + b"\n"
                self._longest = max(self._longest, len(text))
                target.write(text)

    def _query(self, columns: list[Column]) -> str:
        # JSON columns are read as text and cast afterwards: as JSON, DuckDB would reformat their numbers.
        types = {"_page": "BIGINT", "_row": "BIGINT", "_missing": "VARCHAR[]"}
        types |= {column.name: duckdb_type(column.type).replace("JSON", "VARCHAR") for column in columns}
        declared = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in types.items())
        selected = [
            f"{quoted(column.name)}::JSON AS {quoted(column.name)}" if column.type == "json" else quoted(column.name)
            for column in columns
        ]
        return f"""
            SELECT {", ".join([*selected, "_page", "_row", "_missing"])}
            FROM read_json({literal(str(self._path))}, format = 'newline_delimited', columns = {{{declared}}},
                           maximum_object_size = {max(self._longest, _LINE)})
            ORDER BY _page, _row
        """


def known_columns(page: Page) -> dict[str, str | None]:
    """The columns that a page has even without records, under the datasource's names."""
    fields = page.datasource.fields or {}
    columns = page.columns()
    if not page.datasource.selects_columns:
        return columns
    return {name: columns[expression] for name, expression in fields.items() if columns.get(expression) is not None}


def _naming_page(error: UnreadableData, number: int, url: str) -> UnreadableData:
    return type(error)(f"Page {number} ({url}): {error.detail}")
