"""The forms in which data leaves: each written to a file, row after row."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import orjson

from sluice.domain.json_text import dumps
from sluice.errors import Invalid
from sluice.lake.parquet import ROW_GROUP
from sluice.reads.reader import Reader
from sluice.reads.request import DataRequest

_SHEET_ROWS = 1_048_575
# A spreadsheet's numbers are doubles, which show fifteen digits.
_EXACT, _SHEET_DIGITS = 10**15, 15
_SHEET_TIME = r"(19(0[1-9]|[1-9]\d)|[2-8]\d{3}|2\d{3})-\d\d-\d\d(T[\d:.]+Z)?"
# The same rows are the same bytes.
_EPOCH = datetime(2000, 1, 1)
_FORMULA_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r", "\n")


@dataclass(frozen=True)
class Output:
    """One form of output.

    Args:
        binary: whether a gateway that knows text only cannot carry it.
    """

    media_type: str
    ending: str
    write: Callable[[Reader, DataRequest, Path, str], None]
    binary: bool = False


def _write_csv(reader: Reader, request: DataRequest, path: Path, window: str) -> None:
    """RFC 4180, UTF-8; null is an empty field."""
    with path.open("w", encoding="utf-8", newline="") as file, reader.batches(request, window) as batches:
        file.write(csv_text([[column.name for column in request.select]]))
        for batch in batches:
            file.write(csv_text([list(row.values()) for row in batch]))


def _write_jsonl(reader: Reader, request: DataRequest, path: Path, window: str) -> None:
    with path.open("wb") as file:
        if reader.is_document:
            file.write(dumps(reader.document()) + b"\n")
            return
        with reader.batches(request, window) as batches:
            for batch in batches:
                file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in batch)


def _write_parquet(reader: Reader, request: DataRequest, path: Path, window: str) -> None:
    with reader.relation(request, window) as relation:
        if relation is None:
            raise _no_columns("Parquet")
        relation.write_parquet(str(path), compression="zstd", row_group_size=ROW_GROUP)


def _write_arrow(reader: Reader, request: DataRequest, path: Path, window: str) -> None:
    """The Arrow IPC stream format."""
    from nanoarrow import ArrayStream  # only for this form
    from nanoarrow.ipc import StreamWriter

    with reader.relation(request, window) as relation:
        if relation is None:
            raise _no_columns("Arrow")
        with StreamWriter.from_path(str(path)) as writer:
            writer.write_stream(ArrayStream(relation))


def _write_xlsx(reader: Reader, request: DataRequest, path: Path, window: str) -> None:
    names, kinds = [one.name for one in request.select], [one.type for one in request.select]
    with path.open("wb") as file, reader.batches(request, window) as batches:
        workbook(file, names, kinds, (list(row.values()) for batch in batches for row in batch))


def workbook(file: IO[bytes], heads: list[str], kinds: list[str], rows: Iterable[list[Any]]) -> None:
    """Write rows as a workbook of one sheet: numbers and times as such, and no text as a formula.

    Args:
        kinds: the columns' types.

    Raises:
        Invalid: there are more rows than a sheet has.
    """
    import xlsxwriter  # only for this form

    options = {"constant_memory": True, "in_memory": False, "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"created": _EPOCH})
        sheet = book.add_worksheet("data")
        sheet.freeze_panes(1, 0)
        formats = {"date": book.add_format({"num_format": "yyyy-mm-dd"}), "head": book.add_format({"bold": True})}
        formats["timestamp"] = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        for column, head in enumerate(heads):
            sheet.write_string(0, column, head, formats["head"])
        for number, row in enumerate(rows, start=1):
            if number > _SHEET_ROWS:
                raise Invalid(f"A sheet has at most {_SHEET_ROWS} rows; ask for fewer, or for format=csv.")
            for column, (kind, value) in enumerate(zip(kinds, row, strict=True)):
                _write_cell(sheet, number, column, kind, value, formats)


def _write_cell(sheet: Any, row: int, column: int, kind: str, value: Any, formats: dict[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float) and abs(value) <= _EXACT:
        sheet.write_number(row, column, value)
    elif kind.startswith("decimal") and abs(float(value)) <= _EXACT and len(value.strip("-0.")) <= _SHEET_DIGITS:
        sheet.write_number(row, column, float(value))
    elif kind in ("date", "timestamp") and re.fullmatch(_SHEET_TIME, value):
        moment = datetime.fromisoformat(value).replace(tzinfo=None)
        sheet.write_datetime(row, column, moment, formats[kind])
    else:
        sheet.write_string(row, column, value if isinstance(value, str) else _csv_value(value))


def _no_columns(form: str) -> Invalid:
    return Invalid(f"This version has no columns, and {form} cannot be without; use format=json.")


OUTPUTS = {
    "csv": Output("text/csv; charset=utf-8", "csv", _write_csv),
    "jsonl": Output("application/x-ndjson", "jsonl", _write_jsonl),
    "parquet": Output("application/vnd.apache.parquet", "parquet", _write_parquet, binary=True),
    "xlsx": Output(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", _write_xlsx, binary=True
    ),
    "arrow": Output("application/vnd.apache.arrow.stream", "arrows", _write_arrow, binary=True),
}
FORMS = ("json", *OUTPUTS)


def csv_text(rows: list[list[Any]]) -> str:
    """Rows of JSON values as lines of CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows([_csv_value(value) for value in row] for row in rows)
    return text.getvalue()


def safe_for_spreadsheets(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula: a text that begins like one gets a quote before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_BEGINNINGS) else value


def safe_rows(columns: list[dict[str, str]], items: list[dict[str, Any]], names: list[str]) -> list[list[Any]]:
    """Rows that no spreadsheet takes for formulas; a negative decimal is a number, though JSON has it as text."""
    texts = {one["name"] for one in columns if one["type"] in ("string", "json")}
    return [[safe_for_spreadsheets(row[name]) if name in texts else row[name] for name in names] for row in items]


def _csv_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return dumps(value).decode() if isinstance(value, orjson.Fragment | list | dict) else value
