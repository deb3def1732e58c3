"""The forms in which data leaves: each written to a file, row after row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from sluice.domain.json_text import dumps
from sluice.errors import Invalid
from sluice.lake.parquet import ROW_GROUP
from sluice.reads.csv_text import csv_head, csv_rows
from sluice.reads.reader import Reader
from sluice.reads.request import DataRequest
from sluice.reads.workbook import write_workbook


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
    with path.open("w", encoding="utf-8", newline="") as file, reader.batches(request, window) as batches:
        names, kinds = [column.name for column in request.select], [column.type for column in request.select]
        file.write(csv_head(names))
        for batch in batches:
            file.write(csv_rows(kinds, (row.values() for row in batch)))


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
        write_workbook(file, names, kinds, (list(row.values()) for batch in batches for row in batch))


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
