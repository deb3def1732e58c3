"""Bodies that are no document, and texts that are no names."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from urllib.parse import quote

from support.hostile.attack import BIDI, LONG, Attack
from support.workbooks import topology

# Each of these is malformed wherever a JSON document is expected.
MALFORMED: dict[str, str | bytes] = {
    "deep arrays": "[" * LONG + "]" * LONG,
    "deep objects": '{"a":' * LONG + "1" + "}" * LONG,
    "deep and unclosed": '{"a":[' * LONG,
    "NaN": '{"name": NaN}',
    "Infinity": '{"name": -Infinity}',
    "lone surrogate": '{"name": "\\ud800"}',
    "raw lone surrogate": '{"name": "\ud800"}',
    "overlong UTF-8": b'{"name": "\xc0\xae\xc0\xae/"}',
    "truncated UTF-8": b'{"name": "\xf0\x9f\x98"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "raw NUL": '{"name": "a\0b"}',
    "trailing text": '{"name": "x"} {"name": "y"}',
    "trailing comma": '{"name": "x",}',
    "single quotes": "{'name': 'x'}",
    "comment": '{"name": "x" /* y */}',
    "hexadecimal number": '{"name": 0x7f}',
    "control character": '{"name": "a\nb"}',
    "gzip": gzip.compress(b'{"name": "x"}'),
    "pickle": b"\x80\x04cos\nsystem\n.",
    "YAML": "!!python/object/apply:os.system ['id']",
    "XML": '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    "empty": "",
    "blank": " \r\n\t ",
    "too large": '"' + "x" * 3_000_001 + '"',
}
# These are JSON, but no document of any route.
WRONG: dict[str, str | bytes] = {
    "null": "null",
    "number": "1e999",
    "many digits": "9" * LONG,
    "string": '"x"',
    "true": "true",
    "prototype": '{"__proto__": {"role": "admin"}, "constructor": {}}',
    "many fields": json.dumps({f"f{number}": number for number in range(1_000)}),
    "long field": json.dumps({"f" * LONG: 1}),
    "field with NUL": '{"a\\u0000b": 1}',
    "field in RTL": json.dumps({BIDI: 1}),
}
# Routes that take a JSON document.
DOCUMENT_ROUTES = {
    "project": ("PUT", "/projects/hostile"),
    "datasource": ("PUT", "/datasources/hostile"),
    "query": ("POST", "/projects/top-coins/query"),
    "input": ("PUT", "/inputs/hostile"),
    "operation": ("POST", "/equipment/P-101/operations"),
    "algorithm": ("POST", "/projects/top-coins/algorithms/profile/runs"),
}
# Values in the place of a name or text of a document.
TEXTS = {
    "NUL": "a\0b",
    "line breaks": "a\r\nSet-Cookie: admin=1",
    "RTL": BIDI,
    "long": "x" * LONG,
    "nothing": "",
    "markup": "<script>alert(1)</script>",
    "template": "{{7*7}}${7*7}#{7*7}",
    "path": "../../../../etc/passwd",
    "format": "%s%n{0.__class__}",
    "combining": "Z\u0351" + "\u0351" * 5_000,
}


def bodies() -> Iterator[Attack]:
    for route, (method, path) in DOCUMENT_ROUTES.items():
        for name, body in MALFORMED.items():
            yield Attack(f"{route}: {name}", method, path, body)
        for name, body in WRONG.items():
            yield Attack(f"{route}: {name}", method, path, body)
        first, last = '{"name": "a", "sql": "SELECT 1", ', '"name": "b", "sql": "SELECT 2"}'
        yield Attack(f"{route}: duplicate keys", method, path, first + last, refused=False)
        yield Attack(f"{route}: byte order mark", method, path, b"\xef\xbb\xbf{}", refused=False)
        yield Attack(f"{route}: form", method, path, "name=x", {"content_type": "application/x-www-form-urlencoded"})
        yield Attack(f"{route}: multipart", method, path, "--x\r\n\r\n", {"content_type": "multipart/form-data"})
        yield Attack(f"{route}: chunked and empty", method, path, None, {"transfer_encoding": "chunked"}, refused=False)


def texts() -> Iterator[Attack]:
    for name, text in TEXTS.items():
        yield Attack(f"name of a project: {name}", "POST", "/projects", {"name": text}, refused=False)
        yield Attack(f"slug of a project: {name}", "POST", "/projects", {"name": "x", "slug": text})
        yield Attack(f"alias: {name}", "PUT", "/projects/site-settings/datasources/orders", {"alias": text})
        yield Attack(f"secret: {name}", "PUT", "/secrets/hostile", {"value": text}, refused=False)
        yield Attack(f"upload: {name}", "POST", "/datasources/price-list/uploads", {"filename": text}, refused=False)
        yield Attack(f"new site: {name}", "POST", "/sites", {"code": text, "type": "vessel", "name": "x"})
        yield Attack(f"new sensor: {name}", "POST", "/sensors", {"id": text, "equipment": "P-101", "metric": "m"})
        key = {"name": text, "role": "viewer"}
        yield Attack(f"name of a key: {name}", "POST", "/keys", key, refused=False)
        comment = {"kind": "topology", "document": topology("A", "B", "C"), "comment": text}
        yield Attack(f"comment of an input: {name}", "PUT", "/inputs/hostile", comment, refused=False)
        override = {"value": text, "reason": text}
        yield Attack(
            f"override: {name}", "PUT", f"/projects/site-settings/overrides/x?key={quote(text[:99])}", override
        )
