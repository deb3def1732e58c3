"""Pages of each format, packed and not: detected, read, typed, and refused when they are broken."""

import base64
import datetime
import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import xlsxwriter

from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.formats.limits import Limits
from sluice.merge.selected import Selected, selected_document
from support.client import Client
from support.documents import drop, http_source, ingest, rows
from support.upstream import Upstream, raw

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


@pytest.fixture
def notes(services: Container, admin: Client) -> Callable[..., dict[str, Any]]:
    """Drops a file for a datasource of its own; the run it started."""

    def dropped(name: str, body: bytes, **changes: Any) -> dict[str, Any]:
        answer = admin.put("/datasources/notes", {"name": "notes", "kind": "file", **changes})
        assert answer.status in (200, 201), answer.text
        run = drop(services, f"notes/{name}", body)
        assert run is not None
        return run

    return dropped


Drop = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("name", "body", "changes"),
    [
        ("a.csv", CSV, {}),
        ("a.jsonl", JSONL, {}),
        ("a", JSONL, {}),
        ("a.xml", XML, {"records": "r.x"}),
        ("a", XML, {"records": "r.x"}),
        ("a.xlsx", BOOK, {}),
        ("a", BOOK, {}),
        ("a.csv.gz", gzip.compress(CSV), {}),
        ("a", gzip.compress(JSONL), {}),
        ("a.zip", zipped(CSV), {}),
        ("a.zip", zipped(JSONL, "x/data.jsonl", **{"__MACOSX/odd": b"", ".hidden": b"x"}), {}),
        ("a.zip", zipped(BOOK, "book.xlsx"), {}),
        ("a.gz", gzip.compress(zipped(CSV)), {}),
        ("odd.name", CSV, {"format": "csv"}),
        ("a.tsv", CSV.replace(b",", b"\t"), {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_all_formats_give_the_same_rows(
    admin: Client, notes: Drop, name: str, body: bytes, changes: dict[str, Any]
) -> None:
    run = notes(name, body, **changes)
    assert (run["status"], run["completeness"], run["warnings"]) == ("succeeded", "complete", []), run["error"]
    assert rows(admin, "datasources/notes") == ROWS
    schema = admin.get("/datasources/notes/versions").json()["items"][0]["schema"]
    assert [column["type"] for column in schema] == ["bigint", "string", "double"]


def test_parquet_gives_the_same_rows(admin: Client, notes: Drop, tmp_path: Path) -> None:
    for name in ("a.parquet", "a", "a.parquet.gz"):
        body = parquet(TABLE, tmp_path)
        run = notes(name, gzip.compress(body) if name.endswith("gz") else body)
        assert run["status"] == "succeeded", run["error"]
        assert rows(admin, "datasources/notes") == ROWS


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("application/x-ndjson", JSONL),
        ("text/csv; charset=utf-8", CSV),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", BOOK),
        ("application/octet-stream", gzip.compress(CSV)),
        ("application/zip", zipped(CSV)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_formats_over_http(admin: Client, upstream: Upstream, media_type: str, body: bytes) -> None:
    upstream.answer = lambda request: raw(body, media_type=media_type)
    admin.post("/datasources", http_source())
    assert ingest(admin, "coins")["status"] == "succeeded"
    assert rows(admin, "datasources/coins") == ROWS


def test_csv_pages_can_be_paginated(admin: Client, upstream: Upstream) -> None:
    def answer(request: Any) -> Any:
        at = int(request.url.params["start"])
        lines = CSV.splitlines(keepends=True)
        return raw(b"".join([lines[0], *lines[1 + at : 2 + at]]), media_type="text/csv")

    upstream.answer = answer
    pagination = {"type": "offset", "offset_param": "start"}
    admin.post("/datasources", http_source(http={"pagination": pagination}))
    run = ingest(admin, "coins")
    assert (run["completeness"], run["rows"]) == ("unproven", 2)


def test_parquet_types_are_kept(admin: Client, notes: Drop, tmp_path: Path) -> None:
    sql = """
        SELECT 9007199254740993::BIGINT AS big, 12345678901234567890::UBIGINT AS huge, 1.10::DECIMAL(5,2) AS money,
               DATE '2026-01-31' AS day, TIMESTAMP '2026-01-31 12:00:00.123456' AS at_time,
               TIMESTAMPTZ '2026-01-31 12:00:00+02' AS zoned, true AS ok, 'x'::BLOB AS bytes, [1, 2] AS list,
               {'a': 1, 'b': {'c': 'd'}} AS struct, MAP {'k': 1} AS map, 'nan'::DOUBLE AS odd, NULL::INTEGER AS none
    """
    assert notes("a.parquet", parquet(sql, tmp_path))["status"] == "succeeded"
    found = rows(admin, "datasources/notes")[0]
    assert found == {
        "big": 9007199254740993,
        "huge": "12345678901234567890",
        "money": "1.10",
        "day": "2026-01-31",
        "at_time": "2026-01-31T12:00:00.123456Z",
        "zoned": "2026-01-31T10:00:00Z",
        "ok": True,
        "bytes": base64.b64encode(b"x").decode(),
        "list": [1, 2],
        "struct_a": 1,
        "struct_b_c": "d",
        "map_k": 1,
        "odd": None,
        "none": None,
    }
    schema = admin.get("/datasources/notes/versions").json()["items"][0]["schema"]
    types = {column["name"]: column["type"] for column in schema}
    assert (types["huge"], types["money"], types["none"]) == ("decimal(20,0)", "decimal(5,2)", "bigint")
    assert len(admin.get("/datasources/notes/data?where=odd.null").json()["items"]) == 1, "NaN is shown as null"


def test_parquet_without_rows_has_columns(admin: Client, notes: Drop, tmp_path: Path) -> None:
    assert notes("a.parquet", parquet(f"{TABLE} WHERE false", tmp_path))["rows"] == 0
    schema = admin.get("/datasources/notes/versions").json()["items"][0]["schema"]
    assert [(column["name"], column["type"]) for column in schema] == [
        ("id", "bigint"),
        ("name", "string"),
        ("price", "double"),
    ]


def test_selected_fields_of_parquet_keep_their_types(admin: Client, notes: Drop, tmp_path: Path) -> None:
    body = parquet("SELECT DATE '2026-01-31' AS day, 5 AS n", tmp_path)
    assert notes("a.parquet", body, fields={"when": "day", "twice": "n"})["status"] == "succeeded"
    schema = admin.get("/datasources/notes/versions").json()["items"][0]["schema"]
    assert [(column["name"], column["type"]) for column in schema] == [("when", "date"), ("twice", "bigint")]


def test_a_workbook_has_dates_blank_rows_and_errors(admin: Client, notes: Drop) -> None:
    day = datetime.date(2026, 1, 2)
    cells: list[list[Any]] = [[], [None, "id", "day", "note"], [None, 7, day, "x"], [], [None, 8.5, day, "=1/0"]]
    assert notes("a.xlsx", workbook(("First", cells), ("Second", [["a"], [1]])))["status"] == "succeeded"
    found = rows(admin, "datasources/notes")
    assert [(row["id"], row["day"]) for row in found] == [(7.0, "2026-01-02"), (8.5, "2026-01-02")]
    assert notes("b.xlsx", workbook(("First", cells), ("Second", [["a"], [1]])), xlsx={"sheet": "Second"})["rows"] == 1
    assert rows(admin, "datasources/notes") == [{"a": 1}]
    titled = workbook(("S", [["A report"], ["id", "n"], [1, 2]]))
    assert notes("c.xlsx", titled, xlsx={"header_row": 2})["status"] == "succeeded"
    assert rows(admin, "datasources/notes") == [{"id": 1, "n": 2}]


def test_xml_has_attributes_text_and_lists(admin: Client, notes: Drop) -> None:
    body = b'<?xml version="1.0" encoding="iso-8859-1"?><r><x id="1"><n>\xe9</n></x><x id="2"><n>a</n><n>b</n></x></r>'
    fields = {"id": '"@id"', "n": "n"}
    assert notes("a.xml", body, records="r.x", fields=fields)["status"] == "succeeded"
    assert rows(admin, "datasources/notes") == [{"id": 1, "n": "é"}, {"id": 2, "n": ["a", "b"]}]


@pytest.mark.parametrize(
    ("body", "options", "expected"),
    [
        (b"a;b\n1;x\n", None, [{"a": 1, "b": "x"}]),
        (b"a\tb\n1\tx\n", None, [{"a": 1, "b": "x"}]),
        (b"a|b\n1|x\n", None, [{"a": 1, "b": "x"}]),
        (b"a:b\n1:x\n", {"delimiter": ":"}, [{"a": 1, "b": "x"}]),
        (b"text\nhello\n", None, [{"text": "hello"}]),
        (b'a;b\n"1;2";x\n', None, [{"a": "1;2", "b": "x"}]),
        (b"a,b\n'p,q','x'\n'r','y'\n", None, [{"a": "p,q", "b": "x"}, {"a": "r", "b": "y"}]),
        (b"a,b\n1,'x'\n", {"quote": ""}, [{"a": 1, "b": "'x'"}]),
        (b'a,b\n1,"x\\"y"\n', {"escape": "\\"}, [{"a": 1, "b": 'x"y'}]),
        (b"1,x\n2,y\n", {"header": False}, [{"column_1": 1, "column_2": "x"}, {"column_1": 2, "column_2": "y"}]),
        ("\ufeffa,b\n1,é\n".encode(), None, [{"a": 1, "b": "é"}]),
        ("a,b\n1,é\n".encode("utf-16"), None, [{"a": 1, "b": "é"}]),
        ("a,b\n1,é\n".encode("utf-16-le"), {"encoding": "utf-16-le"}, [{"a": 1, "b": "é"}]),
        ("a;b\n1;Müller\n".encode("cp1252"), None, [{"a": 1, "b": "Müller"}]),
        ("a;b\n1;Łódź\n2;Gdańsk\n".encode("cp1250"), None, [{"a": 1, "b": "Łódź"}, {"a": 2, "b": "Gdańsk"}]),
        ("имя;город\nИван;Москва\n".encode("cp1251"), None, [{"имя": "Иван", "город": "Москва"}]),
        ("a\n太郎\n".encode("shift_jis"), {"encoding": "shift_jis"}, [{"a": "太郎"}]),
        (b"p;q\n1,5;1\n-2,25;2\n", None, [{"p": 1.5, "q": 1}, {"p": -2.25, "q": 2}]),
        (b"p;q\n1.234,5;1\n7;2\n", None, [{"p": 1234.5, "q": 1}, {"p": 7.0, "q": 2}]),
        (b'p,q\n"12,50",1\n', None, [{"p": 12.5, "q": 1}]),
        (b"p;q\n1,234;1\n", None, [{"p": "1,234", "q": 1}]),
        (b"p;q\n1,234;1\n", {"decimal": ","}, [{"p": 1.234, "q": 1}]),
        (b"p;q\n1.234;1\n", {"decimal": ","}, [{"p": 1234.0, "q": 1}]),
        (b"p;q\n1,5;1\n", {"decimal": "."}, [{"p": "1,5", "q": 1}]),
        (b"n,c\nNA,NA\n1,x\n", None, [{"n": None, "c": "NA"}, {"n": 1, "c": "x"}]),
        (b"n,c\n?,?\n1,x\n", {"null_strings": ["?"]}, [{"n": None, "c": None}, {"n": 1, "c": "x"}]),
        (b"n,c\nNA,y\n1,x\n", {"null_strings": []}, [{"n": "NA", "c": "y"}, {"n": "1", "c": "x"}]),
    ],
    ids=str,
)
def test_csv_dialects(
    admin: Client, notes: Drop, body: bytes, options: dict[str, Any] | None, expected: list[dict[str, Any]]
) -> None:
    run = notes("a.csv", body, csv=options)
    assert run["status"] == "succeeded", run["error"]
    assert rows(admin, "datasources/notes") == expected


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("a;b\n1;Müller\n".encode("cp1252"), "not UTF-8 and was read as cp1252"),
        (b"n\nNA\n1\n", "n: 'NA' was read as null 1 times"),
        (b"p;q\n1,234;1\n", "set csv.decimal"),
    ],
)
def test_guesses_are_warned_about(notes: Drop, body: bytes, says: str) -> None:
    run = notes("a.csv", body)
    assert (run["status"], len(run["warnings"])) == ("succeeded", 1)
    assert says in run["warnings"][0]


def test_declared_decimal_comma_is_used(admin: Client, notes: Drop) -> None:
    notes("a.csv", b"p;q\n1,10;1\n-;2\n", types={"p": "decimal(10,2)"})
    assert rows(admin, "datasources/notes") == [{"p": "1.10", "q": 1}, {"p": None, "q": 2}]


def test_csv_value_not_of_the_declared_type_becomes_null(admin: Client, notes: Drop) -> None:
    run = notes("a.csv", b"id,x\n1,abc\n2,5\n", types={"x": "bigint"})
    assert (run["status"], "x: 1 values are not bigint" in run["warnings"][0]) == ("succeeded", True)
    assert rows(admin, "datasources/notes") == [{"id": 1, "x": None}, {"id": 2, "x": 5}]


@pytest.mark.parametrize(
    "text",
    [
        "España;niño;Ñandú",
        "café crème;à la carte",
        "20 °C;5 µm;£5",
        "¿Qué?;1º;½",
        "x" * 3000 + ";Müller;",
        "Åse;Ærø;Þór",
    ],
)
def test_western_encoding_is_detected(admin: Client, notes: Drop, text: str) -> None:
    body = "\n".join([";".join("abc"[: text.count(";") + 1]), text, text]).encode("cp1252")
    assert notes("a.csv", body)["status"] == "succeeded"
    assert ";".join(rows(admin, "datasources/notes")[0][name] or "" for name in "abc"[: text.count(";") + 1]) == text


def test_dot_that_may_be_a_thousands_separator_is_warned_about(admin: Client, notes: Drop) -> None:
    run = notes("a.csv", b"id;x\n1;1.234\n2;2.500\n")
    assert "may be a thousands separator" in run["warnings"][0]
    assert notes("b.csv", b"id;x\n1;1.234\n2;2.5\n")["warnings"] == []


def test_integers_among_fractions_keep_their_digits(admin: Client, notes: Drop) -> None:
    notes("a.json", b'[{"a": 9007199254740993}, {"a": 1.5}]')
    assert rows(admin, "datasources/notes") == [{"a": 9007199254740993}, {"a": 1.5}]


@pytest.mark.parametrize(
    "body", [b"PK\x05\x06" + b"\0" * 18, b'{"error":"rate limited"}', b"Service unavailable, try later"]
)
@pytest.mark.parametrize("media_type", ["text/plain", "application/octet-stream"])
def test_error_page_never_replaces_data(admin: Client, upstream: Upstream, body: bytes, media_type: str) -> None:
    upstream.answer = lambda request: raw(CSV, media_type="text/csv")
    admin.post("/datasources", http_source(records="@"))
    ingest(admin, "coins")
    upstream.answer = lambda request: raw(body, media_type=media_type)
    if body.startswith(b"{"):
        admin.patch("/datasources/coins", {"format": "csv"})
    run = ingest(admin, "coins")
    assert run["status"] == "failed", run
    assert rows(admin, "datasources/coins") == ROWS


def test_single_xml_element_is_a_list_of_one(admin: Client, notes: Drop) -> None:
    assert notes("a.xml", b"<r><x><id>1</id></x></r>", records="r.x[]")["rows"] == 1


def test_a_cancelled_run_stops_reading(services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluice.stages.extract._REPORT_SECONDS", 0)
    monkeypatch.setattr("sluice.extract.by_record.record_reader._TICK", 10)
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    seen: list[int] = []

    def cancelled(run: Any, **changes: Any) -> Any:
        if changes.get("progress", {}).get("stage") == "extract" and changes["progress"]["total"] is None:
            seen.append(changes["progress"]["current"])
            services.runs.finish(run, status="cancelled")
        return advance(run, **changes)

    advance = services.runs.advance
    monkeypatch.setattr(services.runs, "advance", cancelled)
    run = drop(services, "notes/a.csv", b"a\n" + b"1\n" * 1000)
    assert run is not None
    assert (run["status"], seen) == ("cancelled", [10])


BOMB = gzip.compress(b"[" + b" " * 30_000_000 + b"]")
CUT_PARQUET = b"PAR1" + b"\0" * 100


@pytest.mark.parametrize(
    ("name", "body", "code", "says"),
    [
        # truncated
        ("a.jsonl", JSONL[:-20], "unreadable-data", "Line 3 is not JSON"),
        ("a.json", b'[{"a": 1}, {"b', "unreadable-data", "truncated"),
        ("a.xml", XML[:-9], "unreadable-data", "not XML"),
        ("a.parquet", CUT_PARQUET, "unreadable-data", "truncated"),
        ("a.parquet", b"PAR1", "unreadable-data", "truncated"),
        ("a.xlsx", BOOK[:-200], "unreadable-data", "broken or truncated"),
        ("a.gz", gzip.compress(CSV)[:-10], "unreadable-data", "gzip data is broken or truncated"),
        ("a.zip", zipped(CSV)[:-30], "unreadable-data", "broken or truncated"),
        ("a.csv", "a\né".encode()[:-1], "unreadable-data", "middle of a character"),
        ("a.csv", b'a,b\n1,"x', "unreadable-data", "not CSV"),
        # mislabelled
        ("a.csv", BOOK, "unreadable-data", "not CSV"),
        ("a.csv", b"PAR1\0\0\0\0PAR1", "unreadable-data", "Parquet, not CSV"),
        ("a.json", CSV, "unreadable-data", "not JSON"),
        ("a.json", XML, "unreadable-data", "XML, not JSON"),
        ("a.jsonl", b"<html></html>", "unreadable-data", "HTML, not JSON lines"),
        ("a.xml", b'{"a": 1}', "unreadable-data", "JSON, not XML"),
        ("a.xml", b"<!DOCTYPE html><html></html>", "unreadable-data", "HTML, not XML"),
        ("a.parquet", CSV, "unreadable-data", "not Parquet"),
        ("a.xlsx", CSV, "unreadable-data", "not a workbook"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "unreadable-data", "old Office file"),
        ("a.csv", b"%PDF-1.4 x", "unreadable-data", "PDF, not CSV"),
        # bombs
        ("a.json.gz", BOMB, "data-too-large", "MAX_UNPACKED_BYTES"),
        ("a.zip", zipped(b" " * 30_000_000), "data-too-large", "MAX_UNPACKED_BYTES"),
        ("a.gz", gzip.compress(gzip.compress(gzip.compress(gzip.compress(CSV)))), "unreadable-data", "several times"),
        ("a.xlsx", zipped(b"", "xl/workbook.xml", bomb=b"\0" * 30_000_000), "data-too-large", "workbook"),
        (
            "a.xml",
            b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 99 + b'"><!ENTITY b "&a;&a;&a;">]><x>&b;</x>',
            "unreadable-data",
            "entities",
        ),
        ("a.xml", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>', "unreadable-data", "entities"),
        ("a.xml", b"<a>" * 300 + b"</a>" * 300, "unreadable-data", "nested more than"),
        ("a.jsonl", b"[" * 300 + b"]" * 300, "unreadable-data", "nested more than"),
        ("a.zip", zipped(b"a\n1\n", "a.csv", b=b"x"), "unreadable-data", "holds 2 files"),
        ("a.zip", zipped(b"x", "folder/"), "unreadable-data", "holds 0 files"),
        # wrong encoding
        ("a.json", b'[{"a": "\xe9"}]', "unreadable-data", "not UTF-8"),
        ("a.jsonl", b'{"a": "\xe9"}\n', "unreadable-data", "not JSON"),
        ("a.xml", b'<?xml version="1.0" encoding="utf-8"?><a>\xe9</a>', "unreadable-data", "not XML"),
        ("a.xml", b'<?xml version="1.0" encoding="nonsense"?><a/>', "unreadable-data", "encoding"),
        ("a.csv", b"a\n\x00\x01\xfe\n", "unreadable-data", "set csv.encoding"),
        # nothing in it
        ("a.jsonl", b"\n\n", "empty-data", "empty"),
        ("a.xml", b" ", "empty-data", "empty"),
        ("a.gz", gzip.compress(b""), "empty-data", "empty"),
        ("a.xlsx", workbook(("S", [])), "empty-data", "no header row"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_unreadable_file_fails_with_a_reason_and_publishes_nothing(
    services: Container, admin: Client, notes: Drop, name: str, body: bytes, code: str, says: str
) -> None:
    services.settings = services.settings.model_copy(
        update={"max_unpacked_bytes": 10_000_000, "max_document_bytes": 20_000_000}
    )
    notes("good.csv", b"a\n1\n")
    run = notes(name, body)
    assert run["error"], run
    assert run["error"]["type"] == f"urn:sluice:problem:{code}", run["error"]
    assert says in run["error"]["detail"]
    assert rows(admin, "datasources/notes") == [{"a": 1}]
    assert admin.get(f"/runs/{run['id']}/pages").json()["items"][0]["bytes"] == len(body), "every byte is kept"


@pytest.mark.parametrize(
    "changes",
    [
        {"csv": {"delimiter": "ab"}},
        {"csv": {"delimiter": '"'}},
        {"csv": {"encoding": "nonsense"}},
        {"csv": {"encoding": "base64"}},
        {"csv": {"delimiter": "'", "quote": "'"}},
        {"csv": {"odd": 1}},
        {"xlsx": {"sheet": ""}},
        {"xlsx": {"header_row": 0}},
        {"format": "avro"},
    ],
    ids=str,
)
def test_invalid_options_are_refused(admin: Client, changes: dict[str, Any]) -> None:
    assert admin.post("/datasources", {"name": "n", "kind": "file", **changes}).status == 422


def test_error_names_the_option_that_does_not_fit_the_page(notes: Drop) -> None:
    run = notes("a.csv", "a\né\n".encode(), csv={"encoding": "ascii"})
    assert "not ascii text" in run["error"]["detail"]
    run = notes("a.xlsx", BOOK, csv=None, xlsx={"sheet": "Nowhere"})
    assert "no sheet 'Nowhere'; it has Data" in run["error"]["detail"]


def test_selected_document_is_read_from_the_raw_pages(services: Container, admin: Client, notes: Drop) -> None:
    for name, body, changes, expected in (
        ("a.json", b'{"data": {"x": [1, 2.50]}}', {"records": "data"}, Selected({"x": [1, 2.5]})),
        ("b.jsonl", b'{"a": 1}\n{"a": null}\n', {"records": "@"}, Selected([{"a": 1}, {"a": None}])),
        ("c.csv", b"a;b\n1;2,5\nNA;x\n", {}, None),  # its texts have no types but those of the rows
        ("d.json", b"[]", {}, Selected([])),
    ):
        notes(name, body, **changes)
        version = services.datasets.published(DatasetId.of_datasource("notes"))
        manifest = services.lake.manifest(version.manifest_key)
        assert manifest.document is None
        assert selected_document(manifest, services.lake, Limits.of(services.settings)) == expected
