"""Pages and files that cannot be read: they fail with a reason, and replace no data."""

import gzip
from typing import Any

import pytest

from sluice.container import Container
from support.client import Client
from support.documents import http_source, ingest, rows
from support.files import BOOK, CSV, JSONL, ROWS, XML, Drop, workbook, zipped
from support.upstream import Upstream, raw


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
