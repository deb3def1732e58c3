"""The rows of a run, one JSON line each: written as they come, then again with their types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO

from sluice.domain.datasource import Datasource
from sluice.domain.json_text import dumps, loads_with_digits
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.domain.schema import Column, duckdb_type
from sluice.errors import UnreadableData
from sluice.extract.by_record.flatten import Columns, RowMaker
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.column_decision import ALONE, Among, Seen
from sluice.extract.records import Records
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import Page, open_page
from sluice.lake.parquet import literal, quoted
from sluice.lake.store import Lake

# DuckDB sets aside a multiple of the longest line that it is told to expect.
_LINE = 1 << 20
_TICK = 10_000


class RecordReader:
    """Reads the records of a run into a file that DuckDB reads.

    Args:
        path: where they go; files beside it are scratch.
        known: the columns that the dataset has already, whose spelling stays.
        tick: is told how many records were read, now and then; it may end the work by raising.
        among: what is known of the run's other pages.
    """

    def __init__(self, path: Path, tick: Callable[[int], None], known: list[str], among: Among = ALONE) -> None:
        self._path = path
        self._tick = tick
        self._known = known
        self._among = among
        self._count = 0
        self._names_columns = False
        self._longest = 0

    def read(self, run: Run, datasource: Datasource, index: FetchIndex, lake: Lake, limits: Limits) -> Records:
        """Read all pages.

        Raises:
            UnreadableData: a page is not what the datasource says; the detail names it.
        """
        spelled = Columns(limits.columns, self._known)
        maker = RowMaker(datasource, run, spelled, self._among.before)
        seen = Seen(ColumnTypes(datasource), spelled)
        untyped = self._path.with_name("untyped.jsonl")
        with untyped.open("wb") as file:
            for receipt in index.pages:
                with lake.raw(receipt.hash or "") as content:
                    try:
                        with open_page(datasource, receipt, content, limits) as page:
                            self._page(file, receipt, page, maker, seen)
                            seen.notes.extend(note for note in page.notes if note not in seen.notes)
                            seen.repeated.update(page.repeated_keys())
                    except UnreadableData as error:
                        raise _naming_page(error, receipt.number, receipt.url) from None
        types, columns = self._among.reconcile(seen)
        self._convert(untyped, columns, types)
        untyped.unlink()
        query, warnings = self._query(columns), seen.warnings(types)
        return Records(types.with_failures(columns), self._count, query, warnings, self._names_columns)

    def _page(self, file: IO[bytes], receipt: PageReceipt, page: Page, maker: RowMaker, seen: Seen) -> None:
        datasource, types, spelled = page.datasource, seen.types, seen.spelled
        known = {spelled.spelling(name): kind for name, kind in known_columns(page).items()}
        self._names_columns = self._names_columns or bool(known)
        types.know(known, text=page.text)
        types.doubts_dots = types.doubts_dots or page.delimiter not in (None, ",")
        for position, record in enumerate(page.records()):
            row = maker.row(page.with_struct_nulls(record), receipt)
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
                typed = types.converted(row, columns, page, position)
                lacking = [name for name in may_lack if name not in row]
                text = dumps({"_page": page, "_row": position, "_missing": lacking or None, **typed}) + b"\n"
                self._longest = max(self._longest, len(text))
                target.write(text)

    def _query(self, columns: list[Column]) -> str:
        # JSON is read as text and declared afterwards: DuckDB would write its numbers anew.
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
    """The columns of a page's rows that are there without any record, under the datasource's names."""
    fields = page.datasource.fields or {}
    known = page.columns()
    if not page.datasource.selects_columns:
        return known
    return {name: known[expression] for name, expression in fields.items() if known.get(expression) is not None}


def _naming_page(error: UnreadableData, number: int, url: str) -> UnreadableData:
    return type(error)(f"Page {number} ({url}): {error.detail}")
