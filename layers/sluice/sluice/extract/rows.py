"""The rows of a run, one JSON line each: written as they come, then again with their types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from sluice.domain.datasource import Datasource
from sluice.domain.json_text import dumps, loads
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.domain.schema import Column, duckdb_type
from sluice.errors import UnreadableData
from sluice.extract.document import DocumentFile
from sluice.extract.flatten import Columns, RowMaker
from sluice.extract.typing import ColumnTypes, shown
from sluice.formats.limits import Limits
from sluice.formats.page import Page, open_page
from sluice.lake.parquet import literal, quoted
from sluice.lake.store import Lake

# DuckDB sets aside a multiple of the longest line that it is told to expect.
_LINE = 1 << 20
_TICK = 10_000


class RowFile:
    """The typed rows of a run, in a file that DuckDB reads.

    Args:
        path: where they go; files beside it are scratch.
        document: where the selected document goes; none where none is kept.
        known: the columns that the dataset has already, whose spelling stays.
        tick: is told how many records were read, now and then; it may end the work by raising.

    Attributes:
        count: how many records the pages have.
        names_columns: whether a page names its columns even without records.
    """

    def __init__(
        self, path: Path, document: DocumentFile | None, tick: Callable[[int], None], known: list[str]
    ) -> None:
        self._tick = tick
        self._known = known
        self.path = path
        self.count = 0
        self.names_columns = False
        self._document = document
        self._longest = 0

    def fill(
        self, run: Run, datasource: Datasource, index: FetchIndex, lake: Lake, limits: Limits
    ) -> tuple[list[Column], list[str]]:
        """Read all pages.

        Returns:
            The columns, and what the run has to say about the data.

        Raises:
            UnreadableData: a page is not what the datasource says; the detail names it.
        """
        maker = RowMaker(datasource, run, Columns(limits.columns, self._known))
        types = ColumnTypes(datasource)
        notes: list[str] = []
        untyped = self.path.with_name("untyped.jsonl")
        typed_document = False
        with untyped.open("wb") as file:
            for receipt in index.pages:
                with lake.raw(receipt.hash or "") as content:
                    try:
                        with open_page(datasource, receipt, content, limits) as page:
                            typed_document = page.form == "csv"
                            alone = len(index.pages) == 1
                            self._page(file, receipt, page, maker, types, self._listener(alone, typed_document))
                            notes += [note for note in page.notes if note not in notes]
                    except UnreadableData as error:
                        raise _naming_page(error, receipt.number, receipt.url) from None
        columns = types.columns()
        self._convert(untyped, columns, types, self._document if typed_document else None)
        untyped.unlink()
        left_out = types.unconverted()
        columns = [
            column.model_copy(update={"nullable": column.nullable or column.name in left_out}) for column in columns
        ]
        return columns, [*notes, *types.warnings()]

    def _listener(self, alone: bool, typed: bool) -> _Listener:
        """Who hears of the selected values: of CSV, the typed rows are the document."""
        return _Listener(None if typed else self._document, alone)

    def _page(
        self,
        file: IO[bytes],
        receipt: PageReceipt,
        page: Page,
        maker: RowMaker,
        types: ColumnTypes,
        listener: _Listener,
    ) -> None:
        datasource = page.datasource
        known = known_columns(page)
        self.names_columns = self.names_columns or bool(known)
        types.know(known, text=page.text)
        types.doubts_dots = types.doubts_dots or page.delimiter not in (None, ",")
        exact = [name for name, kind in datasource.types.items() if kind.startswith("decimal")]
        for position, record in enumerate(listener.records(page)):
            row = maker.row(record, receipt)
            types.see(row, text=page.text)
            if not isinstance(record, dict) and not datasource.selects_columns:
                types.declare("value", "json")
            self.count += 1
            if self.count % _TICK == 0:
                self._tick(self.count)
            for name in exact:
                if isinstance(row.get(name), Decimal):
                    row[name] = str(row[name])
            file.write(dumps([receipt.number, position, row]) + b"\n")

    def _convert(self, untyped: Path, columns: list[Column], types: ColumnTypes, document: DocumentFile | None) -> None:
        may_lack = [column.name for column in columns if column.missing]
        with untyped.open("rb") as source, self.path.open("wb") as target:
            for number, line in enumerate(source, start=1):
                if number % _TICK == 0:
                    self._tick(self.count)
                page, position, row = loads(line)
                typed = types.converted(row, columns, page, position)
                lacking = [name for name in may_lack if name not in row]
                text = dumps({"_page": page, "_row": position, "_missing": lacking or None, **typed}) + b"\n"
                self._longest = max(self._longest, len(text))
                target.write(text)
                if document is not None:
                    document.element(shown(typed, columns))

    def query(self, columns: list[Column]) -> str:
        """The SQL of the rows in their order, with `_page`, `_row`, and the columns that each record lacks."""
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
            FROM read_json({literal(str(self.path))}, format = 'newline_delimited', columns = {{{declared}}},
                           maximum_object_size = {max(self._longest, _LINE)})
            ORDER BY _page, _row
        """


class _Listener:
    """Hands a page's records on, and the selected document to its file."""

    def __init__(self, document: DocumentFile | None, alone: bool) -> None:
        self._document = document
        self._alone = alone

    def records(self, page: Page) -> Iterator[Any]:
        """The page's records."""
        selected = page.selection()
        if isinstance(selected, list | Iterator):
            for record in selected:
                if self._document is not None:
                    self._document.element(record)
                yield record
            return
        if self._document is not None and self._alone:
            self._document.whole(selected)
        if selected is not None:
            if self._document is not None and not self._alone:
                self._document.element(selected)
            yield selected


def known_columns(page: Page) -> dict[str, str | None]:
    """The columns of a page's rows that are there without any record, under the datasource's names."""
    fields = page.datasource.fields or {}
    known = page.columns()
    if not page.datasource.selects_columns:
        return known
    return {name: known[expression] for name, expression in fields.items() if known.get(expression) is not None}


def _naming_page(error: UnreadableData, number: int, url: str) -> UnreadableData:
    return type(error)(f"Page {number} ({url}): {error.detail}")
