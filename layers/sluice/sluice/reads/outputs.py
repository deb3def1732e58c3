"""The forms in which data leaves: each written to a file, row after row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from sluice.domain.json_text import dumps
from sluice.errors import Invalid
from sluice.lake.parquet import ROW_GROUP
from sluice.reads.reader import Reader
from sluice.reads.request import DataRequest

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


def _no_columns(form: str) -> Invalid:
    return Invalid(f"This version has no columns, and {form} cannot be without; use format=json.")


OUTPUTS = {
    "csv": Output("text/csv; charset=utf-8", "csv", _write_csv),
    "jsonl": Output("application/x-ndjson", "jsonl", _write_jsonl),
    "parquet": Output("application/vnd.apache.parquet", "parquet", _write_parquet, binary=True),
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


def _csv_value(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return dumps(value).decode() if isinstance(value, orjson.Fragment | list | dict) else value
