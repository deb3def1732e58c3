"""The output formats of data, each with a function that writes it to a file in batches of rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from sluice.domain.json_text import dumps
from sluice.errors import Invalid
from sluice.lake.parquet import ROW_GROUP
from sluice.reads.csv_text import csv_header, csv_rows
from sluice.reads.reader import Reader
from sluice.reads.request import DataRequest
from sluice.reads.workbook import write_workbook


@dataclass(frozen=True)
class OutputFormat:
    """One output format.

    Args:
        media_type: the value of Content-Type.
        ending: the ending of file names.
        write: writes the rows of a request to a path; the last argument is a LIMIT and OFFSET clause.
        binary: whether API Gateway needs the body as base64.
    """

    media_type: str
    ending: str
    write: Callable[[Reader, DataRequest, Path, str], None]
    binary: bool = False


def _write_csv(reader: Reader, request: DataRequest, path: Path, window: str) -> None:
    with path.open("w", encoding="utf-8", newline="") as file, reader.batches(request, window) as batches:
        names, column_types = [column.name for column in request.select], [column.type for column in request.select]
        file.write(csv_header(names))
        for batch in batches:
            file.write(csv_rows(column_types, (row.values() for row in batch)))


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
    """Write the Arrow IPC stream format."""
    from nanoarrow import ArrayStream  # imported for this format only
    from nanoarrow.ipc import StreamWriter

    with reader.relation(request, window) as relation:
        if relation is None:
            raise _no_columns("Arrow")
        # By the Arrow C stream interface: batch by batch, and without pyarrow, which has 130 MB.
        with StreamWriter.from_path(str(path)) as writer:
            writer.write_stream(ArrayStream(relation))


def _write_xlsx(reader: Reader, request: DataRequest, path: Path, window: str) -> None:
    names, column_types = [column.name for column in request.select], [column.type for column in request.select]
    with path.open("wb") as file, reader.batches(request, window) as batches:
        write_workbook(file, names, column_types, (list(row.values()) for batch in batches for row in batch))


def _no_columns(form: str) -> Invalid:
    return Invalid(f"This version has no columns, which {form} requires; use format=json.")


OUTPUT_FORMATS = {
    "csv": OutputFormat("text/csv; charset=utf-8", "csv", _write_csv),
    "jsonl": OutputFormat("application/x-ndjson", "jsonl", _write_jsonl),
    "parquet": OutputFormat("application/vnd.apache.parquet", "parquet", _write_parquet, binary=True),
    "xlsx": OutputFormat(
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", _write_xlsx, binary=True
    ),
    "arrow": OutputFormat("application/vnd.apache.arrow.stream", "arrows", _write_arrow, binary=True),
}
FORMS = ("json", *OUTPUT_FORMATS)
