"""A preview of the dataset that the records of some pages would become, without making it."""

from __future__ import annotations

from itertools import islice
from typing import IO, Any

from sluice.domain.datasource import Datasource
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import PageReceipt, Run
from sluice.extract.by_record.flatten import ColumnNames, Row, RowMaker
from sluice.extract.by_record.record_reader import known_columns
from sluice.extract.by_record.typing import ColumnTypes, display_row
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import open_page


class Preview:
    """Collects the first records; the types are those of all records that are read.

    Args:
        run: a run for metadata; see `preview_run`.
        datasource: tells how pages are parsed.
        limits: the caps of the readers.
        most: the most records to collect.
        most_read: the most records of a page to read; None: all.
    """

    def __init__(
        self, run: Run, datasource: Datasource, limits: Limits, most: int, most_read: int | None = None
    ) -> None:
        self._datasource = datasource
        self._limits = limits
        self._most = most
        self._most_read = most_read
        self._column_names = ColumnNames(limits.columns)
        self._maker = RowMaker(datasource, run, self._column_names, limits.field_growth)
        self._types = ColumnTypes(datasource)
        self._rows: list[tuple[int, int, Row]] = []
        self._notes: list[str] = []

    def add_page(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Add a page.

        Args:
            receipt: its receipt.
            content: the page as received, at its beginning.

        Raises:
            UnreadableData: it is not what the datasource declares.
        """
        for name, column in (receipt.columns or {}).items():
            if column.type is not None and not self._datasource.selects_columns:
                self._types.declare(name, column.type)
        with open_page(self._datasource, receipt, content, self._limits) as page:
            page_columns = {self._column_names.spelling(name): kind for name, kind in known_columns(page).items()}
            self._types.add_page_columns(page_columns, text=page.text)
            self._types.doubts_dots = self._types.doubts_dots or page.delimiter not in (None, ",")
            records = islice(page.records_in_context(), self._most_read)
            for position, (record, context) in enumerate(records):
                row = self._maker.row(page.with_struct_nulls(record), receipt, context)
                self._types.observe(row, text=page.text)
                if not isinstance(record, dict) and not self._datasource.selects_columns:
                    self._types.declare("value", "json")
                if len(self._rows) < self._most:
                    self._rows.append((receipt.number, position, row))
            self._notes += page.notes

    def response(self, pages: int) -> dict[str, Any]:
        """The preview as the API returns it.

        Args:
            pages: the number of pages.
        """
        columns = self._types.columns(self._column_names)
        rows = [self._types.convert_row(row, columns, page, position) for page, position, row in self._rows]
        return {
            "records": [display_row(row, columns) for row in rows],
            "schema": [{"name": column.name, "type": column.type, "nullable": column.nullable} for column in columns],
            "pages": pages,
            "warnings": [*self._notes, *self._types.warnings()],
        }


def preview_run(datasource: str) -> Run:
    """A run that is not stored, for the metadata of a preview's records."""
    return Run(id=new_run_id(), kind="ingest", datasource=datasource, created_at=rfc3339(now()), created_by="preview")
