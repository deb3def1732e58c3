"""Pages of each format, packed and not: detected, read and typed."""

import base64
import datetime
import gzip
from pathlib import Path
from typing import Any

import pytest

from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.formats.limits import Limits
from sluice.merge.selected import Selected, selected_document
from support.client import Client
from support.documents import drop, http_source, ingest, rows
from support.files import BOOK, CSV, JSONL, ROWS, TABLE, XML, Drop, parquet, workbook, zipped
from support.upstream import Upstream, raw


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
