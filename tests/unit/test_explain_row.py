"""Where each value of a datasource's row was received."""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import urlencode

import jmespath
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.container import Container
from support.client import Client
from support.documents import drop, http_source, ingest, paged_source, pushed
from support.upstream import Upstream, ok

Explained = dict[str, Any]


def explain(client: Client, slug: str = "coins", **query: Any) -> Explained:
    answer = client.get(f"/datasources/{slug}/explain?{urlencode(query, doseq=True)}")
    assert answer.status == 200, answer.text
    explained: Explained = answer.json()
    return explained


def at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        document = document[int(part)] if isinstance(document, list) else document.get(part)
    return document


def received(client: Client, value: dict[str, Any]) -> Any:
    """What stands in the cited page at the cited place, or is computed of it."""
    found = at(json.loads(client.get(f"/pages/{value['page']['hash']}").text), value["pointer"])
    return found if value["exact"] else jmespath.search(value["expression"], found)


def test_values_of_several_pages_and_of_nested_fields(admin: Client, upstream: Upstream) -> None:
    records = [{"id": number, "deep": {"v": number / 4}} for number in range(23)]

    def answer(request: Any) -> Any:
        start = int(request.url.params["start"])
        return ok({"data": records[start : start + 10], "total": len(records)})

    upstream.answer = answer
    admin.post("/datasources", paged_source(fields={"id": "id", "v": "deep.v", "twice": "[deep.v, deep.v]"}))
    run = ingest(admin, "coins")
    explained = explain(admin, row=12)
    assert (explained["version"], explained["row"]) == (1, 12)
    number, value = explained["fields"]["id"], explained["fields"]["v"]
    assert (number["value"], number["pointer"], number["exact"]) == (12, "/data/2/id", True)
    assert (value["value"], value["pointer"]) == (3.0, "/data/2/deep/v")
    assert (number["page"]["number"], number["page"]["run"]) == (2, run["id"])
    computed = explained["fields"]["twice"]
    assert (computed["value"], computed["exact"]) == ([3.0, 3.0], False)
    assert received(admin, computed) == [3.0, 3.0]


def test_the_row_is_that_of_the_same_request_for_data(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": number, "group": "ab"[number % 2], "v": 9 - number} for number in range(10)])
    admin.post("/datasources", http_source())
    ingest(admin, "coins")
    query: dict[str, Any] = {"where": ["group.eq:b", "v.gt:0"], "order": "v"}
    items = admin.get(f"/datasources/coins/data?{urlencode(query, doseq=True)}").json()["items"]
    assert [item["id"] for item in items] == [7, 5, 3, 1]
    for row, item in enumerate(items):
        explained = explain(admin, row=row, **query)
        assert {name: field["value"] for name, field in explained["fields"].items()} == item
        assert (explained["row"], explained["fields"]["v"]["pointer"]) == (item["id"], f"/{item['id']}/v")
    assert explain(admin, where="id.eq:4")["row"] == 4, "the first one that fits, if none is named"


def test_rows_of_earlier_runs_name_their_run(admin: Client, upstream: Upstream) -> None:
    admin.post("/datasources", http_source(write_disposition="append", types={"v": "string"}))
    runs = []
    for records in ([{"v": "a"}, {"v": "b"}], [{"v": "c"}]):
        upstream.serve(records)
        runs.append(ingest(admin, "coins")["id"])
    values = [explain(admin, row=row)["fields"]["v"] for row in range(3)]
    assert [value["value"] for value in values] == ["a", "b", "c"]
    assert [value["page"]["run"] for value in values] == [runs[0], runs[0], runs[1]]
    assert explain(admin, row=1, version=1)["fields"]["v"]["value"] == "b"


def test_a_field_that_the_record_lacks_is_told_from_null(admin: Client) -> None:
    admin.post("/datasources", {"name": "log", "kind": "push"})
    pushed(admin, "log", [{"id": 1, "note": None}, {"id": 2}])
    notes = [explain(admin, "log", row=row)["fields"]["note"] for row in (0, 1)]
    assert [(note["value"], note["missing"]) for note in notes] == [(None, False), (None, True)]


def test_a_row_of_a_file(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "prices", "kind": "file"})
    drop(services, "prices/a.csv", b"item,price\nbolt,1.5\nnut,2\n")
    price = explain(admin, "prices", row=1)["fields"]["price"]
    assert (price["value"], price["pointer"], price["page"]["number"]) == (2.0, "/1/price", 1)


def test_no_such_row_version_or_column(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source())
    assert admin.get("/datasources/coins/explain").status == 404, "nothing is published"
    ingest(admin, "coins")
    for query, detail in (("row=1", "no row 1, counted from 0"), ("where=id.eq:9", "that fit the conditions")):
        answer = admin.get(f"/datasources/coins/explain?{query}")
        assert answer.status == 404
        assert detail in answer.json()["detail"]
    assert admin.get("/datasources/coins/explain?version=7").status == 404
    for query in ("row=-1", "row=x", "where=none.eq:1", "order=none", "version=1&as_of=2026-01-01T00:00:00Z"):
        assert admin.get(f"/datasources/coins/explain?{query}").status == 422, query


def test_a_version_without_records_has_no_row(admin: Client, upstream: Upstream) -> None:
    upstream.serve([])
    admin.post("/datasources", http_source())
    ingest(admin, "coins")
    assert admin.get("/datasources/coins/explain").status == 404


@pytest.mark.parametrize("disposition", ["replace", "append", "upsert"])
@settings(max_examples=40 if os.environ.get("PROOF") else 3, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    batches=st.lists(
        st.lists(
            st.fixed_dictionaries({"id": st.integers(0, 9)}, optional={"v": st.none() | st.integers(-3, 3)}), min_size=1
        ),
        min_size=1,
        max_size=3,
    ),
    order=st.sampled_from(["", "id", "-v,id"]),
)
def test_every_row_is_explained_as_it_is_read(
    services: Container, admin: Client, upstream: Upstream, disposition: str, batches: list[Any], order: str
) -> None:
    slug = f"s{len(admin.get('/datasources?limit=200').json()['items'])}"
    types = {"id": "bigint", "v": "bigint"}
    admin.post("/datasources", http_source(slug, write_disposition=disposition, primary_key=["id"], types=types))
    for records in batches:
        upstream.serve(records)
        run = ingest(admin, slug)
        if run["status"] == "failed":
            return
    items = admin.get(f"/datasources/{slug}/data?limit=200&order={order}").json()["items"]
    for row, item in enumerate(items):
        fields = explain(admin, slug, row=row, order=order)["fields"]
        assert {name: field["value"] for name, field in fields.items()} == item
        for field in fields.values():
            if not field["missing"]:
                assert received(admin, field) == field["value"]


def test_a_place_that_does_not_have_the_value_is_not_exact(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1, "a": 5}, {"id": 2}])
    admin.post("/datasources", http_source(fields={"id": "id", "a": "a", "b": "x.y"}))
    ingest(admin, "coins")
    fields = explain(admin, row=1)["fields"]
    for name, expression in (("a", "a"), ("b", "x.y")):
        field = fields[name]
        assert (field["value"], field["pointer"], field["exact"], field["expression"]) == (
            None,
            "/1",
            False,
            expression,
        )
    assert (fields["id"]["pointer"], fields["id"]["exact"]) == ("/1/id", True)


def test_a_column_of_another_run_is_not_cited_in_a_record_that_did_not_select_it(
    admin: Client, upstream: Upstream
) -> None:
    admin.put("/datasources/coins", http_source(write_disposition="append"))
    upstream.serve([{"id": 1, "new": "one"}])
    ingest(admin, "coins")
    admin.put("/datasources/coins", http_source(write_disposition="append", fields={"id": "id"}))
    upstream.serve([{"id": 2, "new": "two"}])
    ingest(admin, "coins")
    new = explain(admin, row=1)["fields"]["new"]
    assert (new["value"], new["missing"], new["pointer"], new["exact"]) == (None, True, "/0", False)


def test_records_without_fields_are_no_rows(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{}, {}])
    admin.post("/datasources", http_source())
    ingest(admin, "coins")
    assert admin.get("/datasources/coins/data").json()["items"] == []
    assert admin.get("/datasources/coins/explain?row=1").status == 404
