"""Writes with `If-None-Match`: the document names the header where it is honoured, and only there."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from sluice.container import Container
from support.client import Client
from support.conformance import DOCUMENT
from support.examples import seed_examples
from support.fuzzing import filled, known_values
from support.upstream import Upstream

PATHS = json.loads(DOCUMENT.read_text())["paths"]
# Each write that the document says to honour the header, by its id.
WRITES: dict[str, tuple[str, str]] = {
    operation["operationId"]: (path, method.upper())
    for path, methods in PATHS.items()
    for method, operation in methods.items()
    if method not in ("get", "head") and "If-None-Match" in {one["name"] for one in operation["parameters"]}
}

OVERRIDE = "/projects/top-coins/overrides/price_usd?key=BTC"


def example_path(template: str, method: str) -> str:
    """A path with the values that the document has as examples."""
    parameters = PATHS[template][method.lower()]["parameters"]
    values = {one["name"]: quote(one["example"], safe="") for one in parameters if one["in"] == "path"}
    return template.format_map(values).removeprefix("/v1")


def test_each_precondition_is_documented_with_its_answer() -> None:
    assert {"put_project", "patch_site", "delete_endpoint", "set_override", "import_input"} <= WRITES.keys()
    for path, methods in PATHS.items():
        for method, operation in methods.items():
            names = {one["name"] for one in operation["parameters"]}
            asks = method in ("get", "head")
            assert ("304" in operation["responses"]) == (asks and "If-None-Match" in names), (method, path)
            assert ("412" in operation["responses"]) == (not asks and "If-None-Match" in names), (method, path)
            assert asks or ("If-Match" in names) == ("If-None-Match" in names), (method, path)


def test_only_what_is_new_is_written_where_the_document_says_so(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    """A write that asks for a new resource is refused by each that exists, before its body is looked at."""
    assert seed_examples(services, admin, upstream) == []
    # The last one of the examples, an erasure, has removed that of the examples.
    assert admin.put(OVERRIDE, {"value": 1, "reason": "Known better."}).status == 201

    def get(path: str) -> Any:
        reply = admin.get(path)
        return reply.json() if reply.headers.get("Content-Type") == "application/json" else None

    known = known_values(get)
    for name, (template, method) in WRITES.items():
        query = "?key=BTC" if name.endswith("_override") else ""
        readable = "get" in PATHS[template]
        for path in [example_path(template, method), *filled(template, known)]:
            shown = (path if readable else path.rpartition("/")[0]) + query
            if (before := get(shown)) is not None:
                break
        else:
            pytest.fail(f"{method} {template}: nothing of this kind exists")
        refused = admin.call(method, path + query, b"PK" if name == "import_input" else {}, if_none_match="*")
        assert refused.status == 412, (method, path, refused.text)
        assert get(shown) == before, (method, path)
