"""Every value can be explained: the page, the pointer, the rule, and what lost."""

import json
import os
from typing import Any
from urllib.parse import quote

import jmespath
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.container import Container
from sluice.domain.schema import convert
from support.client import Client
from support.documents import drop, http_source, refresh, rows
from support.upstream import Upstream, ok


def resolved(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        document = document[int(part)] if isinstance(document, list) else document.get(part)
    return document


def check(editor: Client, explained: dict[str, Any]) -> int:
    """Each cited value stands in its page at its pointer, or the expression makes it there."""
    count = 0
    for name, field in explained["fields"].items():
        for source in [*field["winners"], *field["losers"]]:
            page = json.loads(editor.get(f"/pages/{source['page']['hash']}").text)
            value = resolved(page, source["pointer"])
            if not source["exact"]:
                value = jmespath.search(source["expression"], value)
            kind = "json" if isinstance(source["value"], list | dict) else None
            assert value == source["value"] or convert(value, "string") == source["value"], (name, source, kind)
            count += 1
    return count


def test_a_record_is_explained(services: Container, admin: Client, editor: Client, upstream: Upstream) -> None:
    documents = {
        "a": {"data": [{"sym": "X", "quote": {"usd": 1}}, {"sym": "B/C", "quote": {"usd": 2}, "n": None}]},
        "b": [{"symbol": "B/C", "price": 3, "n": [1], "at": "2026-01-01"}],
    }
    upstream.answer = lambda request: ok(documents[request.url.host.partition(".")[0]])
    fields = {"symbol": "sym", "price": "quote.usd", "n": "n", "double": "quote.usd == `2`"}
    admin.post("/datasources", http_source("a", records="data", fields=fields))
    admin.post("/datasources", http_source("b"))
    join = {
        "strategy": "join",
        "key": ["symbol"],
        "fields": {"price": {"rule": "max"}, "n": {"rule": "first_non_null"}},
    }
    admin.post("/projects", {"name": "p", "merge": join, "refresh_on": "manual"})
    for name in "ab":
        admin.put(f"/projects/p/datasources/{name}", {"priority": ord(name)})
    assert refresh(admin, "p")["status"] == "succeeded"
    explanation = admin.get("/projects/p/explain?key=B%2FC").json()
    assert (explanation["key"], explanation["version"]) == (["B/C"], 1)
    price = explanation["fields"]["price"]
    assert (price["value"], price["rule"]) == (3, "max")
    assert [
        (winner["datasource"], winner["value"], winner["pointer"], winner["exact"]) for winner in price["winners"]
    ] == [("b", 3, "/0/price", True)]
    assert [(loser["datasource"], loser["value"], loser["pointer"]) for loser in price["losers"]] == [
        ("a", 2, "/data/1/quote/usd")
    ]
    assert price["winners"][0]["page"]["url"].startswith("https://b.example.com")
    assert explanation["fields"]["n"]["winners"][0]["pointer"] == "/0/n"
    winner = explanation["fields"]["double"]["winners"][0]
    assert (winner["value"], winner["exact"], winner["pointer"]) == (True, False, "/data/1")
    assert explanation["fields"]["double"]["expression"] == "quote.usd == `2`"
    assert [winner_["datasource"] for winner_ in explanation["fields"]["symbol"]["winners"]] == ["a", "b"]
    assert set(explanation["fields"]) == {"symbol", "price", "n", "double", "at"}
    assert check(editor, explanation) == 8
    alone = admin.get("/projects/p/explain?key=X").json()
    assert alone["fields"]["at"] == {"value": None, "rule": "priority", "winners": [], "losers": [], "expression": None}
    assert admin.get("/projects/p/explain?key=Y").status == 404
    assert admin.get("/projects/p/explain").status == 422
    assert admin.get("/projects/p/explain?key=X&key=Y").status == 422
    assert admin.get("/projects/p/explain?key=X&version=7").status == 404


def test_values_of_other_formats(services: Container, admin: Client) -> None:
    from support.files import workbook

    files: dict[str, tuple[bytes, dict[str, Any], str]] = {
        "a.csv": (b"id;v\n1;2,5\n7;x\n", {}, "/1/v"),
        "b.jsonl": (b'{"id":1}\n\n{"id":7,"v":{"w":"x"}}\n', {"fields": {"id": "id", "v": "v.w"}}, "/1/v/w"),
        "c.xml": (b"<r><x><id>1</id></x><x><id>7</id><v>x</v></x></r>", {"records": "r.x"}, "/r/x[2]/v"),
        "d.xlsx": (
            workbook(("My Sheet", [[], [None, "id", "v"], [None, 1, "y"], [], [None, 7, "x"]])),
            {},
            "/My Sheet/5/C",
        ),
    }
    join = {"strategy": "join", "key": ["id"]}
    for name, (body, changes, pointer) in files.items():
        slug = name[0]
        admin.put(f"/datasources/{slug}", {"name": slug, "kind": "file", **changes})
        drop(services, f"{slug}/{name}", body)
        admin.put(f"/projects/p-{slug}", {"name": slug, "merge": join})
        admin.put(f"/projects/p-{slug}/datasources/{slug}", {})
        refresh(admin, f"p-{slug}", ingest="none")
        winner = admin.get(f"/projects/p-{slug}/explain?key=7").json()["fields"]["v"]["winners"][0]
        assert (winner["value"], winner["pointer"], winner["exact"]) == ("x", pointer, True), name


def test_version_without_provenance_is_refused(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source())
    admin.post("/projects", {"name": "p", "merge": {"strategy": "union"}})
    admin.put("/projects/p/datasources/coins", {})
    refresh(admin, "p")
    answer = admin.get("/projects/p/explain?key=1")
    assert (answer.status, "refresh the project" in answer.json()["detail"]) == (409, True)


values = st.none() | st.integers(-5, 5) | st.text("ab", max_size=2) | st.booleans()
records = st.lists(
    st.fixed_dictionaries(
        {"id": st.integers(0, 3)},
        optional={"v": values, "w": values, "deep": st.dictionaries(st.sampled_from("xy"), values, max_size=2)},
    ),
    max_size=5,
)


@settings(max_examples=50 if os.environ.get("PROOF") else 4, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(records, min_size=1, max_size=3),
    st.sampled_from(["priority", "first_non_null", "majority", "longest", "all"]),
)
def test_citations_of_random_merges_point_to_their_values(
    services: Container, admin: Client, editor: Client, upstream: Upstream, source_rows: list[list[Any]], rule: str
) -> None:
    upstream.answer = lambda request: ok(source_rows[int(request.url.host[1])])
    join = {"strategy": "join", "key": ["id"], "default_rule": rule}
    for assignment in admin.get("/projects/p/datasources").json().get("items", []):
        admin.delete(f"/projects/p/datasources/{assignment['datasource']}")
    admin.put("/projects/p", {"name": "p", "merge": join, "refresh_on": "manual"})
    for rank in range(len(source_rows)):
        admin.put(f"/datasources/s{rank}", http_source(f"s{rank}", types={"id": "bigint"}))
        admin.put(f"/projects/p/datasources/s{rank}", {"priority": rank})
    if refresh(admin, "p")["status"] == "failed":
        return
    for row in rows(admin, "projects/p"):
        explained = admin.get(f"/projects/p/explain?key={quote(str(row['id']))}").json()
        for name, value in row.items():
            assert explained["fields"][name]["value"] == value
        check(editor, explained)
