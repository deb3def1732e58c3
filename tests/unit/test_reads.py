"""Reading published rows."""

from typing import Any
from urllib.parse import quote

import pytest

from support.client import Client
from support.documents import http_source, ingest
from support.upstream import Upstream

RECORDS = [
    {"n": number, "name": f"n{number % 3}", "price": None if number == 4 else number / 2, "at": f"2026-01-0{number}"}
    for number in range(1, 8)
]


@pytest.fixture
def published(admin: Client, upstream: Upstream) -> Client:
    upstream.serve(RECORDS)
    admin.post("/datasources", http_source("a", types={"at": "date"}))
    ingest(admin, "a")
    return admin


def numbers(client: Client, query: str) -> list[int]:
    answer = client.get(f"/datasources/a/data?{query}")
    assert answer.status == 200, answer.text
    return [row["n"] for row in answer.json()["items"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7]),
        ("where=n.eq:3", [3]),
        ("where=n.gt:2&where=n.le:5", [3, 4, 5]),
        ("where=price.null:true", [4]),
        ("where=price.null", [4]),
        ("where=price.null:false&where=n.ge:6", [6, 7]),
        ("where=price.ne:1.5&where=n.lt:5", [1, 2, 4]),
        ("where=name.in:n1,n2&where=n.lt:5", [1, 2, 4]),
        ("where=name.like:%252", [2, 5]),
        ("where=at.ge:2026-01-06", [6, 7]),
        ("order=-n&limit=2", [7, 6]),
        ("order=name,-n", [6, 3, 7, 4, 1, 5, 2]),
        ("order=price&limit=1", [1]),
        ("order=-price&limit=7", [7, 6, 5, 3, 2, 1, 4]),
    ],
)
def test_where_and_order(published: Client, query: str, expected: list[int]) -> None:
    assert numbers(published, query) == expected


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select=n,colour", "no column 'colour'"),
        ("order=colour", "no column 'colour'"),
        ("where=colour.eq:1", "no column 'colour'"),
        ("where=n.is:1", "no operator 'is'"),
        ("where=n.eq", "needs a value"),
        ("where=n.eq:abc", "cannot be compared"),
        ("where=nonsense", "is not <column>"),
        ("limit=0", "limit"),
        ("limit=1000", "limit"),
        ("version=x", "version"),
        ("format=xml", "format"),
        ("colour=red", "unknown"),
        ("select=n&select=n", "2 times"),
    ],
)
def test_invalid_parameters_are_422(published: Client, query: str, message: str) -> None:
    answer = published.get(f"/datasources/a/data?{query}")
    assert (answer.status, message in answer.json()["detail"]) == (422, True), answer.text
    assert answer.json()["errors"]


def test_response_names_the_versions_it_reads(published: Client) -> None:
    answer = published.get("/datasources/a/data?select=n&limit=1")
    document = answer.json()
    assert document["items"] == [{"n": 1}]
    assert (document["version"], document["completeness"]) == (1, "complete")
    run = published.get(f"/runs/{document['run']}").json()
    assert document["data_as_of"] >= run["created_at"]
    assert answer.headers["X-Sluice-Version"] == "1"


def test_pages_stay_on_their_version(published: Client, upstream: Upstream) -> None:
    first = published.get("/datasources/a/data?limit=3&order=-n").json()
    upstream.serve([{"n": 100, "name": "x", "price": 1, "at": None}])
    ingest(published, "a")
    second = published.get(f"/datasources/a/data?limit=3&order=-n&cursor={first['next']}").json()
    assert [row["n"] for row in second["items"]] == [4, 3, 2]
    assert second["version"] == 1
    last = published.get(f"/datasources/a/data?limit=3&order=-n&cursor={second['next']}").json()
    assert ([row["n"] for row in last["items"]], last["next"]) == ([1], None)
    assert published.get(f"/datasources/a/data?limit=3&cursor={first['next']}").status == 422, "bound to its order"
    assert numbers(published, "") == [100]
    assert numbers(published, "version=1&limit=1") == [1]
    assert published.get("/datasources/a/data?version=9").status == 404


def test_csv_has_all_rows(admin: Client, upstream: Upstream) -> None:
    records: list[Any] = [{"n": number, "t": 'a "b",\n', "ok": True, "l": [1], "z": None} for number in range(250)]
    upstream.serve(records)
    admin.post("/datasources", http_source("a"))
    ingest(admin, "a")
    answer = admin.get("/datasources/a/data?format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["X-Sluice-Completeness"] == "complete"
    assert answer.text.startswith('n,t,ok,l,z\r\n0,"a ""b"",\n",true,[1],\r\n1,')
    assert answer.text.count("\r\n") == 251
    some = admin.get("/datasources/a/data?format=csv&limit=2&select=n")
    assert some.text == "n\r\n0\r\n1\r\n"
    assert some.headers["X-Sluice-Next"]


def test_odd_column_names_are_quoted(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{'a"b': 1, "select": 2, "x.eq": 3, "é,ü": 4, "'; DROP": 5}])
    admin.post("/datasources", http_source("a"))
    ingest(admin, "a")
    path = "/datasources/a/data?where=x.eq.eq:3&where=select.eq:2&order=select&select=" + quote('a"b,"é,ü","\'; DROP"')
    assert admin.get(path).json()["items"] == [{'a"b': 1, "é,ü": 4, "'; DROP": 5}]


def test_unpublished_dataset_is_not_an_unknown_dataset(admin: Client) -> None:
    admin.post("/datasources", http_source("a"))
    assert admin.get("/datasources/a/data").json()["type"] == "urn:sluice:problem:not-published"
    assert admin.get("/datasources/b/data").json()["type"] == "urn:sluice:problem:not-found"
    assert admin.get("/datasources/a/versions").json() == {"items": [], "next": None}
    assert admin.get("/datasources/a/versions/1").status == 404
    assert admin.get("/datasources/a/versions/x").status == 404
