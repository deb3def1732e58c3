"""Hostile queries, headers and paths."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from support.hostile.attack import BIDI, LONG, Attack

_CONFUSABLE = "t\u043ep-coins"  # with a Cyrillic o
CURSORS = {
    "nothing": "",
    "text": "x",
    "base64": "AAAAAAAAAAAAAAAAAAAAAAAA",
    "JSON": "eyJhZnRlciI6ICJ6In0",
    "padding": "====",
    "long": "A" * LONG,
    "path": "..%2f..%2f",
    "NUL": "%00",
    "surrogate": "\ud800",
}
NUMBERS = ("-1", "0", "1e3", "0x10", "99999999999999999999", "9" * 5_000, "NaN", "%D9%A3", "1%0A", "", "1.5", "%00")
TIMES = (
    *("infinity", "-1", "0000-00-00", "9999-12-31T23:59:59.999999999-23:59", "0001-01-01T00:00:00%2B14:00"),
    *("2026-02-30", "2026-01-01T25:00:00Z", "1" * 400, "now()", "2026-01-01T00:00:00Z%00"),
)
CONDITIONS = (
    *("price_usd", "price_usd.gt", ".gt:1", "price_usd.like:" + "%25" * 5_000, "price_usd.in:" + "," * 5_000),
    *("symbol.eq:' OR 1=1 --", 'symbol".eq:1', "symbol.drop:1", "price_usd.gt:1e999", "price_usd.gt:NaN"),
    *("symbol.in:%22", "rowid.eq:0", "_source.eq:x; DROP TABLE merged", "price_usd.eq:" + "9" * 5_000, "%00.eq:1"),
)
ETAGS = ('"', "W/", "*, *", '"' + "x" * LONG + '"', '"a\r\nX: y"', "é", ",,,,", "\ud800")


def cursors() -> Iterator[Attack]:
    for name, cursor in CURSORS.items():
        for path in ("/runs", "/projects/top-coins/data", "/readings/latest", "/inputs/north/versions"):
            yield Attack(f"cursor of {path}: {name}", "GET", f"{path}?cursor={cursor}")


def queries() -> Iterator[Attack]:
    for number in NUMBERS:
        yield Attack(f"limit {number[:20]} {len(number)}", "GET", f"/projects?limit={number}", refused=number == "-1")
        yield Attack(
            f"version {number[:20]} {len(number)}",
            "GET",
            f"/projects/top-coins/data?version={number}",
            refused=number != "",
        )
        yield Attack(
            f"version of an input {number[:20]} {len(number)}", "GET", f"/inputs/north?version={number}", refused=False
        )
    for moment in TIMES:
        yield Attack(f"as_of {moment[:40]}", "GET", f"/projects/top-coins/data?as_of={moment}")
        yield Attack(
            f"readings from {moment[:40]}", "GET", f"/sensors/P-101-temperature/readings?from={moment}", refused=False
        )
        yield Attack(f"operations to {moment[:40]}", "GET", f"/operations?to={moment}", refused=False)
    for condition in CONDITIONS:
        yield Attack(f"where {condition[:40]}", "GET", f"/projects/top-coins/data?where={condition}", refused=False)
    for column in ("*", 'a"b', "symbol,symbol", "symbol;", "(SELECT 1)", "-", "%00", "," * 5_000, "x" * LONG):
        yield Attack(f"select {column[:20]}", "GET", f"/projects/top-coins/data?select={column}", refused=False)
        yield Attack(f"order {column[:20]}", "GET", f"/projects/top-coins/data?order={column}", refused=False)
    many = "&".join(f"p{number}={number}" for number in range(10_000))
    for path in ("/projects/top-coins/data", "/endpoints/top-coins/top", "/me"):
        yield Attack(f"10,000 parameters to {path}", "GET", f"{path}?{many}")
    conditions = "&".join("where=price_usd.gt:1" for _ in range(10_000))
    yield Attack("10,000 conditions", "GET", f"/projects/top-coins/data?{conditions}", refused=False)
    keys = "&".join("key=x" for _ in range(10_000))
    yield Attack("10,000 keys of a record", "GET", f"/projects/top-coins/explain?{keys}")
    for form in ("../../x", "parquet%00", "exe", "JSON", "%0d%0aX:y"):
        yield Attack(f"format {form}", "GET", f"/projects/top-coins/data?format={form}")
    for token in ("", "x", "a.b.c", "A" * LONG, "%00", "../../me", "eyJhbGciOiJub25lIn0.e30.", "\ud800"):
        yield Attack(f"link {token[:20]}", "GET", f"/links?token={token}")


def headers() -> Iterator[Attack]:
    for tag in ETAGS:
        label = tag[:10].encode("unicode_escape").decode()
        changed = {"name": "CoinMarketCap listings"}
        yield Attack(f"If-Match {label}", "PATCH", "/datasources/cmc-listings", changed, {"if_match": tag}, tag == "é")
        yield Attack(f"If-None-Match {label}", "GET", "/projects/top-coins", None, {"if_none_match": tag}, False)
    for key in ("", "x" * 256, "x" * LONG, "a\0b", "a\r\nb", "\ud800", BIDI, "../../key"):
        label = key[:10].encode("unicode_escape").decode()
        send = {"idempotency_key": key}
        yield Attack(
            f"Idempotency-Key {label} {len(key)}", "POST", "/projects/top-coins/query", {"sql": "SELECT 1"}, send, False
        )
    for prefer in ("wait=" + "9" * LONG, "wait=-1", "wait=1e9", "wait" + " " * LONG, "wait=1;" * 20_000, "\0"):
        yield Attack(f"Prefer {prefer[:10]} {len(prefer)}", "POST", "/projects/none/runs", {}, {"prefer": prefer})
    for name in ("host", "x_forwarded_host", "x_forwarded_proto", "origin", "referer", "forwarded", "x_original_url"):
        for value in ("evil.example\r\nX-Evil: 1", "javascript:alert(1)", "\0"):
            label = value[:5].encode("unicode_escape").decode()
            yield Attack(f"{name} {label}", "GET", "/projects/top-coins", None, {name: value}, False)
    for media in ("application/json; charset=utf-7", "text/xml", "a" * 9_000, "\0", "multipart/form-data; boundary="):
        send = {"content_type": media}
        yield Attack(f"Content-Type {media[:30]}", "POST", "/projects/top-coins/query", '{"sql": "DROP"}', send)


def credentials() -> Iterator[Attack]:
    for credential in (
        *("Bearer " + "x" * LONG, "Bearer eyJhbGciOiJub25lIn0.eyJyb2xlIjoiYWRtaW4ifQ.", "Bearer a.b.c", "Bearer \0"),
        *("Basic !!!", "Basic " + "A" * LONG, "Basic /////w==", "Digest x", "", "Bearer", "Bearer slc_" + "a" * 60),
        *("Bearer ..", "Bearer \ud800", "Bearer eyJhbGciOiJIUzI1NiIsImp3ayI6e319.e30.AA"),
    ):
        label = credential[:18].encode("unicode_escape").decode()
        send = {"authorization": credential}
        yield Attack(f"Authorization {label} {len(credential)}", "GET", "/me", None, send)
    for key in ("", "\0", "x" * LONG, "slc_../../../../x", "é", "\ud800"):
        label = key[:10].encode("unicode_escape").decode()
        yield Attack(f"x-api-key {label} {len(key)}", "GET", "/me", None, {"x_api_key": key})


SEGMENTS = {
    "traversal": "..%2f..%2fetc%2fpasswd",
    "dots": "..",
    "encoded dots": "%2e%2e",
    "overlong dots": "%c0%ae%c0%ae",
    "twice encoded": "%252e%252e%252f",
    "NUL": "top-coins%00",
    "line break": "top-coins%0d%0aSet-Cookie:a",
    "confusable": quote(_CONFUSABLE),
    "raw confusable": _CONFUSABLE,
    "full width": quote("ｔｏｐ-coins"),
    "RTL": quote(BIDI),
    "long": "a" * 10_000,
    "wildcard": "*",
    "quote": "top-coins'--",
    "key of another item": "top-coins%23x",
    "key of a lock": "main%23project",
    "surrogate": "\ud800",
    "backslash": "..\\..\\x",
    "template": "{slug}",
    "semicolon": "top-coins;x=1",
}
PATHS = {
    "project": "/projects/{}",
    "datasource": "/datasources/{}/data",
    "run": "/runs/{}",
    "page": "/pages/{}",
    "file": "/runs/01JB5ZK3V6Q8Y0M2N4P6R8T0W2/files/{}",
    "asset of the documentation": "/docs/{}",
    "template of a workbook": "/inputs/templates/{}",
    "endpoint": "/endpoints/top-coins/{}",
    "report": "/projects/top-coins/reports/today/{}",
    "sensor": "/sensors/{}",
    "version": "/projects/top-coins/versions/{}",
    "key": "/keys/{}",
    "algorithm": "/algorithms/{}",
}


def paths() -> Iterator[Attack]:
    for place, template in PATHS.items():
        for name, segment in SEGMENTS.items():
            yield Attack(f"{place}: {name}", "GET", template.format(segment))
    for name, segment in SEGMENTS.items():
        yield Attack(f"new project: {name}", "PUT", f"/projects/{segment}", {"name": "x"})
        yield Attack(f"new secret: {name}", "PUT", f"/secrets/{segment}", {"value": "x"})
        yield Attack(f"deleted datasource: {name}", "DELETE", f"/datasources/{segment}")
