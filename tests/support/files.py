"""The same two rows as a file of each format, and files with other content."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import xlsxwriter

ROWS = [{"id": 1, "name": "Ada", "price": 1.5}, {"id": 2, "name": "Zoë", "price": 2.0}]


def zipped(body: bytes, name: str = "data.csv", **more: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, body)
        for other, content in more.items():
            archive.writestr(other, content)
    return packed.getvalue()


def workbook(*sheets: tuple[str, list[list[Any]]]) -> bytes:
    packed = io.BytesIO()
    book = xlsxwriter.Workbook(packed, {"in_memory": True, "default_date_format": "yyyy-mm-dd"})
    for name, cells in sheets:
        sheet = book.add_worksheet(name)
        for row, values in enumerate(cells):
            for column, value in enumerate(values):
                if value is not None:
                    sheet.write(row, column, value)
    book.close()
    return packed.getvalue()


def parquet(sql: str, folder: Path) -> bytes:
    file = folder / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({sql}) TO '{file}' (FORMAT parquet)")
    return file.read_bytes()


CSV = b"id,name,price\n1,Ada,1.5\n2,Zo\xc3\xab,2.0\n"


JSONL = b'{"id":1,"name":"Ada","price":1.5}\n\n{"id":2,"name":"Zo\xc3\xab","price":2.0}\n'


XML = b"<r><x><id>1</id><name>Ada</name><price>1.5</price></x>"


XML += b"<x><id>2</id><name>Zo\xc3\xab</name><price>2.0</price></x></r>"


BOOK = workbook(("Data", [["id", "name", "price"], [1, "Ada", 1.5], [2, "Zoë", 2.0]]))


TABLE = "SELECT * FROM (VALUES (1, 'Ada', 1.5::DOUBLE), (2, 'Zoë', 2.0)) t(id, name, price)"


Drop = Callable[..., dict[str, Any]]
