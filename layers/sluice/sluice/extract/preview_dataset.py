"""What the records of some pages would look like as a dataset, without making one."""

from __future__ import annotations

from typing import IO, Any

from sluice.domain.datasource import Datasource
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import PageReceipt, Run
from sluice.extract.by_record.flatten import Columns, Row, RowMaker
from sluice.extract.by_record.record_reader import known_columns
from sluice.extract.by_record.typing import ColumnTypes, shown
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import open_page


class Preview:
    """Gathers the first records; the types are those of all records seen.

    Args:
        most: the most records that are kept.
    """

    def __init__(self, run: Run, datasource: Datasource, limits: Limits, most: int) -> None:
        self._datasource = datasource
        self._limits = limits
        self._most = most
        self._spelled = Columns(limits.columns)
        self._maker = RowMaker(datasource, run, self._spelled)
        self._types = ColumnTypes(datasource)
        self._rows: list[tuple[int, int, Row]] = []
        self._notes: list[str] = []

    def look(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Take a page into account.

        Raises:
            UnreadableData: it is not what the datasource says.
        """
        for name, column in (receipt.columns or {}).items():
            if column.type is not None and not self._datasource.selects_columns:
                self._types.declare(name, column.type)
        with open_page(self._datasource, receipt, content, self._limits) as page:
            known = {self._spelled.spelling(name): kind for name, kind in known_columns(page).items()}
            self._types.know(known, text=page.text)
            self._types.doubts_dots = self._types.doubts_dots or page.delimiter not in (None, ",")
            for position, record in enumerate(page.records()):
                row = self._maker.row(page.with_struct_nulls(record), receipt)
                self._types.observe(row, text=page.text)
                if not isinstance(record, dict) and not self._datasource.selects_columns:
                    self._types.declare("value", "json")
                if len(self._rows) < self._most:
                    self._rows.append((receipt.number, position, row))
            self._notes += page.notes

    def presented(self, pages: int) -> dict[str, Any]:
        """The preview as the API shows it."""
        columns = self._types.columns(self._spelled)
        rows = [self._types.converted(row, columns, page, position) for page, position, row in self._rows]
        return {
            "records": [shown(row, columns) for row in rows],
            "schema": [{"name": one.name, "type": one.type, "nullable": one.nullable} for one in columns],
            "pages": pages,
            "warnings": [*self._notes, *self._types.warnings()],
        }


def preview_run(datasource: str) -> Run:
    """A run that is never stored, for the metadata of a preview's records."""
    return Run(id=new_run_id(), kind="ingest", datasource=datasource, created_at=rfc3339(now()), created_by="preview")
