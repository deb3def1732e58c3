"""Small files that stand for gigabytes: refused before anything of them is built."""

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from sluice.container import Container
from sluice.domain.datasource import Datasource
from sluice.domain.file_format import XlsxOptions
from sluice.domain.run import PageReceipt
from sluice.errors import DataTooLarge, SluiceError
from sluice.formats.json_format import read_json
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import open_page
from sluice.formats.xlsx_format import XlsxPage
from sluice.settings import Settings
from support.client import Client
from support.documents import drop, inbox_keys

LIMITS = Limits.of(Settings())


def sparse_sheet(*cells: tuple[int, int, Any], sheets: int = 1) -> bytes:
    """A workbook whose last sheet has these cells; the other sheets have one cell each."""
    packed = io.BytesIO()
    with xlsxwriter.Workbook(packed) as book:
        for _ in range(sheets - 1):
            book.add_worksheet().write(0, 0, "id")
        sheet = book.add_worksheet()
        for row, column, value in cells:
            sheet.write(row, column, value)
    return packed.getvalue()


def parquet_of(folder: Path, sql: str) -> bytes:
    path = folder / "made.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({sql}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    return path.read_bytes()


def corners() -> bytes:
    return sparse_sheet((0, 0, "id"), (1_048_575, 16_383, 1))


def empty_lists() -> bytes:
    return gzip.compress(b"[" + b"[]," * 29_999_999 + b"[]]", compresslevel=9)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("cells.xlsx", lambda folder: corners()),
        ("lists.json.gz", lambda folder: empty_lists()),
        ("texts.parquet", lambda folder: parquet_of(folder, "SELECT repeat('a', 1000000) AS s FROM range(3000)")),
    ],
)
def test_drop_that_needs_too_much_memory_fails_with_a_reason(
    services: Container, admin: Client, tmp_path: Path, name: str, body: Callable[[Path], bytes]
) -> None:
    content = body(tmp_path)
    assert len(content) < 150_000
    admin.put("/datasources/d", {"name": "d", "kind": "file"})
    run = drop(services, f"d/{name}", content)
    assert run is not None
    assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:data-too-large")
    assert [key for key in inbox_keys() if key.startswith("_failed/")] == [
        f"_failed/d/{name}",
        f"_failed/d/{name}.reason.json",
    ]
    assert admin.get("/datasources/d/data").status == 404, "nothing is published"


def count(form: str, body: bytes, limits: Limits, **more: Any) -> int:
    """How many records a page has."""
    datasource = Datasource.model_validate({"name": "d", "slug": "d", "kind": "file", "format": form, **more})
    receipt = PageReceipt(number=1, url="x", ok=True, fetched_at="2026-01-01T00:00:00Z")
    with open_page(datasource, receipt, io.BytesIO(body), limits) as page:
        return sum(1 for _ in page.records())


TIGHT = replace(LIMITS, document_memory=1_000_000, cells=1_000, directory_bytes=1_000)
DENSE = {
    "json: lists": ("json", b"[" + b"[]," * 20_000 + b"1]"),
    "json: one list of numbers": ("json", b"[[" + b"1," * 40_000 + b"1]]"),
    "json: objects": ("json", b"[" + b'{"a":1},' * 5_000 + b"1]"),
    "json: strings": ("json", b"[" + b'"abc",' * 12_000 + b"1]"),
    "jsonl: one line of lists": ("jsonl", b'{"id":1}\n{"id":[' + b"[]," * 20_000 + b"1]}\n"),
    "xml: elements": ("xml", b"<r>" + b"<a/>" * 10_000 + b"</r>"),
    "xml: attributes": ("xml", b"<r>" + b'<a b=""/>' * 5_000 + b"</r>"),
    "xml: UTF-16": ("xml", ("<r>" + "<a/>" * 10_000 + "</r>").encode("utf-16")),
    "csv: a million columns": ("csv", b"a" + b"," * 1_000_000 + b"\n1\n"),
    "csv: a million fields in a row": ("csv", b"a,b\n1,2\n" + b"," * 1_000_000 + b"\n"),
    "csv: a quote that is never closed": ("csv", b"a,b\n" + b'1,"' + b"x,y\n" * 100_000),
}


@pytest.mark.parametrize(("form", "body"), DENSE.values(), ids=DENSE)
def test_dense_documents_are_refused_in_every_format(form: str, body: bytes) -> None:
    with pytest.raises(DataTooLarge, match=r"MAX_DOCUMENT_(MEMORY|BYTES)"):
        count(form, body, TIGHT)


@pytest.mark.parametrize(
    ("form", "body"), [("csv", b"a,b\n" + b"1,2\n" * 10_000), ("jsonl", b'{"a":[[],[]]}\n' * 10_000)]
)
def test_expression_over_the_whole_page_is_limited_by_memory(form: str, body: bytes) -> None:
    assert count(form, body, TIGHT) == 10_000
    with pytest.raises(DataTooLarge, match="MAX_DOCUMENT_MEMORY"):
        count(form, body, TIGHT, records="[?a]")
    assert count(form, body[: body.index(b"\n", 400) + 1], TIGHT, records="[?a]") > 0


SPACIOUS = {
    "json: marks within strings": ("json", json.dumps([{"id": "[]{},:" * 5_000, "b": '\\" [,'}]).encode(), 1),
    "json: one long string": ("json", json.dumps(["x" * 900_000]).encode(), 1),
    "jsonl: many lines": ("jsonl", b'{"id":[[],[],[]]}\n' * 20_000, 20_000),
    "csv: many rows": ("csv", b"a,b\n" + b"1,2\n" * 50_000, 50_000),
    "csv: a long text with delimiters": ("csv", b"a,b\n1," + b'"' + b"x," * 10_000 + b'"\n', 1),
}


@pytest.mark.parametrize(("form", "body", "records"), SPACIOUS.values(), ids=SPACIOUS)
def test_large_but_sparse_documents_are_read(form: str, body: bytes, records: int) -> None:
    assert count(form, body, TIGHT) == records


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def shallow_bytes(value: Any) -> int:
    """What CPython takes for a value and all that is in it."""
    size: int = value.__sizeof__() + 8
    if isinstance(value, dict):
        size += 16 + sum(8 + key.__sizeof__() + shallow_bytes(inner) for key, inner in value.items())
    elif isinstance(value, list):
        size += 16 + sum(map(shallow_bytes, value))
    return size


@given(JSON)
def test_json_that_takes_twice_the_limit_is_always_refused(value: Any) -> None:
    body = json.dumps([value] * 200, ensure_ascii=False).encode()
    needed = shallow_bytes(json.loads(body))
    with pytest.raises(DataTooLarge):
        read_json(io.BytesIO(body), replace(LIMITS, document_memory=needed // 2))


def test_sheet_size_counts_cells_with_values() -> None:
    limits = replace(LIMITS, cells=1_000)

    def page(body: bytes, sheet: str | None = None) -> XlsxPage:
        return XlsxPage(io.BytesIO(body), XlsxOptions(sheet=sheet), limits)

    assert next(page(sparse_sheet((0, 0, "id"), (499, 1, 1), (1, 0, 7))).rows()) == {"id": 7}
    with pytest.raises(DataTooLarge, match=r"row 501 and column 2, which makes 1002 cells.*MAX_CELLS"):
        page(sparse_sheet((0, 0, "id"), (500, 1, 1)))
    far = sparse_sheet((0, 0, "id"), (1_048_575, 16_383, 1), sheets=2)
    assert page(far).columns() == {"id": None}, "a sheet that is not read costs nothing"
    with pytest.raises(DataTooLarge):
        page(far, "Sheet2")


def test_cells_without_value_or_reference_are_counted_as_they_are_read() -> None:
    limits = replace(LIMITS, cells=1_000)
    styled = rewritten(sparse_sheet((0, 0, "id"), (1, 0, 7)), b"</sheetData>", b'<row r="9999"><c r="XFD9999" s="0"/>')
    assert list(XlsxPage(io.BytesIO(styled), XlsxOptions(), limits).rows()) == [{"id": 7}]
    unplaced = b"<row>" + b"<c><v>1</v></c>" * 400 + b"</row>"
    body = rewritten(sparse_sheet((0, 0, "id"), (1, 0, 7)), b"</sheetData>", unplaced)
    with pytest.raises(DataTooLarge, match="row 3 and column 400"):
        XlsxPage(io.BytesIO(body), XlsxOptions(), limits)


def rewritten(book: bytes, before: bytes, added: bytes) -> bytes:
    """A workbook whose sheet has more before its end."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            closing = b"</row>" if added.startswith(b'<row r="9999"') else b""
            if name == "xl/worksheets/sheet1.xml":
                content = content.replace(before, added + closing + before)
            target.writestr(name, content)
    return packed.getvalue()


def test_shared_string_counts_for_each_cell() -> None:
    cells = [(row, 0, "x" * 10_000) for row in range(200)]
    with pytest.raises(DataTooLarge, match="MAX_DOCUMENT_MEMORY"):
        XlsxPage(io.BytesIO(sparse_sheet(*cells)), XlsxOptions(), replace(LIMITS, document_memory=1_000_000))


def test_archive_with_a_large_directory_is_refused() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for number in range(100):
            archive.writestr(f"{number}.csv", b"")
    with pytest.raises(DataTooLarge, match="MAX_DIRECTORY_BYTES"):
        count("csv", packed.getvalue(), TIGHT)


def test_truncated_archive_is_unreadable() -> None:
    with pytest.raises(SluiceError, match="broken or truncated"):
        count("csv", b"PK\x03\x04" + b"\0" * 50 + b"PK\x05\x06", TIGHT)


DECODED = {
    "texts": "SELECT repeat('a', 10000) AS s FROM range(3000)",
    "bytes": "SELECT repeat('a', 10000)::BLOB AS s FROM range(3000)",
    "a text in a struct": "SELECT {'a': repeat('a', 10000)} AS s FROM range(3000)",
    "texts in a list": "SELECT [repeat('a', 10000)] AS s FROM range(3000)",
    "texts in a map": "SELECT MAP {'k': repeat('a', 10000)} AS s FROM range(3000)",
    "a list in lists": "SELECT [[1 FOR x IN range(300)]] AS s FROM range(1000)",
    "one long list": "SELECT [1 FOR x IN range(300000)] AS s",
}


@pytest.mark.parametrize("sql", DECODED.values(), ids=DECODED)
def test_parquet_size_is_measured_after_decoding(tmp_path: Path, sql: str) -> None:
    body = parquet_of(tmp_path, sql)
    for setting in ("decoded_bytes", "unpacked_bytes"):
        with pytest.raises(DataTooLarge, match=r"MAX_(DECODED|UNPACKED)_BYTES"):
            count("parquet", body, replace(LIMITS, **{setting: 20_000_000}))
    assert count("parquet", body, LIMITS) in (1, 1000, 3000)


def test_parquet_numbers_do_not_count_for_the_size(tmp_path: Path) -> None:
    body = parquet_of(tmp_path, "SELECT i, i * 1.5 AS d, 'x' AS s FROM range(10000) t(i)")
    assert count("parquet", body, replace(LIMITS, decoded_bytes=10_000)) == 10_000


def test_parquet_footer_size_is_checked_before_reading_it(tmp_path: Path) -> None:
    body = parquet_of(tmp_path, "SELECT 1 AS a")
    claimed = body[:-8] + struct.pack("<L", 2_000_000_000) + b"PAR1"
    with pytest.raises(DataTooLarge, match="MAX_DIRECTORY_BYTES"):
        count("parquet", claimed, LIMITS)
