"""Merges of refreshes: which values win, which rows and types result, and what is refused."""

import itertools
from typing import Any

import pytest

from support.assigned import JOIN, project, serve_by_host
from support.client import Client
from support.documents import http_source, refresh, rows
from support.upstream import Upstream


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"rule": "priority"}, [None, 4, 6]),
        ({"rule": "first_non_null"}, [2, 4, 6]),
        ({"rule": "newest", "by": "at"}, [2, 5, 6]),
        ({"rule": "oldest", "by": "at"}, [2, 4, 6]),
    ],
    ids=lambda value: value["rule"] if isinstance(value, dict) else "",
)
def test_rule_of_a_field_chooses_its_value(
    admin: Client, upstream: Upstream, rule: dict[str, Any], expected: list[Any]
) -> None:
    serve_by_host(
        upstream,
        {
            "a": [{"symbol": "1", "v": None, "at": 9}, {"symbol": "2", "v": 4, "at": 1}],
            "b": [
                {"symbol": "1", "v": 2, "at": 1},
                {"symbol": "2", "v": 5, "at": 2},
                {"symbol": "3", "v": 6, "at": None},
            ],
            "c": [{"symbol": "3", "at": 1}],
        },
    )
    for name in "abc":
        admin.post("/datasources", http_source(name))
    project(admin, {name: {"priority": rank} for rank, name in enumerate("abc")}, {**JOIN, "fields": {"v": rule}})
    refresh(admin, "p")
    assert [row["v"] for row in rows(admin, "projects/p")] == expected


def test_missing_field_does_not_compete_and_types_are_unified(admin: Client, upstream: Upstream) -> None:
    serve_by_host(upstream, {"a": [{"symbol": 1}], "b": [{"symbol": "1", "v": 1.5}, {"symbol": "x", "v": 2}]})
    for name in "ab":
        admin.post("/datasources", http_source(name))
    project(admin, {"a": {"priority": 1}, "b": {"priority": 2}})
    refresh(admin, "p")
    assert rows(admin, "projects/p") == [{"symbol": "1", "v": 1.5}, {"symbol": "x", "v": 2.0}]


def test_last_row_of_a_duplicate_key_wins_with_a_warning(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"symbol": "A", "v": 1}, {"symbol": "A", "v": 2}, {"symbol": None, "v": 3}])
    admin.post("/datasources", http_source("a"))
    project(admin, {"a": {}})
    run = refresh(admin, "p")
    assert rows(admin, "projects/p") == [{"symbol": "A", "v": 2}]
    assert any("1 row has a key that a later row has again" in text for text in run["warnings"])
    assert any("1 row lacks a value in the key and was left out" in text for text in run["warnings"])


def test_order_of_assignment_does_not_change_the_bytes(admin: Client, upstream: Upstream) -> None:
    records = [[{"symbol": str((number * step) % 50), "v": number} for number in range(40)] for step in (3, 7, 11)]
    serve_by_host(upstream, dict(zip("abc", records, strict=True)))
    for name in "abc":
        admin.post("/datasources", http_source(name))
    hashes = set()
    for order in itertools.permutations("abc"):
        project(admin, {name: {"priority": "abc".index(name)} for name in order}, JOIN)
        run = refresh(admin, "p", ingest="all")
        objects = admin.get(f"/projects/p/versions/{run['version']}").json()["objects"]
        hashes.add(tuple(part["sha256"] for part in objects))
        admin.delete("/projects/p")
    assert len(hashes) == 1


def test_union_is_the_default_and_may_have_a_key(admin: Client, upstream: Upstream) -> None:
    serve_by_host(
        upstream, {"a": [{"k": 1, "v": "a"}, {"k": 1, "v": "b"}], "b": [{"k": 5, "w": True}, {"k": 1, "w": False}]}
    )
    for name in "ab":
        admin.post("/datasources", http_source(name))
    admin.post("/projects", {"name": "p", "refresh_on": "manual"})
    for name in "ab":
        admin.put(f"/projects/p/datasources/{name}", {})
    refresh(admin, "p")
    assert rows(admin, "projects/p") == [
        {"_source": "a", "k": 1, "v": "a", "w": None},
        {"_source": "a", "k": 1, "v": "b", "w": None},
        {"_source": "b", "k": 5, "v": None, "w": True},
        {"_source": "b", "k": 1, "v": None, "w": False},
    ]
    admin.patch("/projects/p", {"merge": {"key": ["k"]}})
    refresh(admin, "p")
    assert [(row["_source"], row["k"], row["v"]) for row in rows(admin, "projects/p")] == [
        ("a", 1, "b"),
        ("b", 5, None),
    ]


def test_error_of_a_merge_names_the_missing_column(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"name": "A"}])
    admin.post("/datasources", http_source("a"))
    project(admin, {"a": {}})
    run = refresh(admin, "p")
    assert run["error"]["type"] == "urn:sluice:problem:merge-failed"
    assert "no column 'symbol'" in run["error"]["detail"]
    project(admin, {"a": {}}, {"strategy": "join", "key": ["name"], "fields": {"x": {"rule": "priority"}}})
    assert "'x', which no datasource" in refresh(admin, "p")["error"]["detail"]


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ([{"symbol": "A", "Price": 1}], [{"symbol": "A", "price": 2}], "use the same spelling"),
        ([{"symbol": 9007199254740993}], [{"symbol": 1.5}], "one type"),
    ],
    ids=["case", "bigint and double"],
)
def test_merge_that_would_lose_values_is_refused(
    admin: Client, upstream: Upstream, first: Any, second: Any, says: str
) -> None:
    serve_by_host(upstream, {"a": first, "b": second})
    for name in "ab":
        admin.post("/datasources", http_source(name))
    project(admin, {"a": {}, "b": {}})
    assert says in refresh(admin, "p")["error"]["detail"]


def test_datasource_without_records_does_not_fail_the_merge(admin: Client, upstream: Upstream) -> None:
    serve_by_host(upstream, {"a": [], "b": [{"symbol": "A"}]})
    for name in "ab":
        admin.post("/datasources", http_source(name))
    project(admin, {"a": {}, "b": {}})
    run = refresh(admin, "p")
    assert (run["status"], rows(admin, "projects/p")) == ("succeeded", [{"symbol": "A"}])
    assert any("no records" in text for text in run["warnings"])


def test_merge_of_empty_datasources_is_published_empty(admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"symbol": "A"}])
    admin.post("/datasources", http_source("a"))
    project(admin, {"a": {}})
    refresh(admin, "p")
    upstream.serve([])
    run = refresh(admin, "p")
    assert (run["status"], run["rows"], rows(admin, "projects/p")) == ("succeeded", 0, [])
    project(admin, {"a": {}}, {"strategy": "union"})
    assert refresh(admin, "p")["rows"] == 0


def test_column_of_nulls_does_not_determine_the_type(admin: Client, upstream: Upstream) -> None:
    serve_by_host(upstream, {"a": [{"symbol": "A", "v": None}], "b": [{"symbol": "A", "v": 1.5}]})
    for name in "ab":
        admin.post("/datasources", http_source(name))
    project(admin, {"a": {}, "b": {}}, {**JOIN, "default_rule": "first_non_null"})
    refresh(admin, "p")
    assert rows(admin, "projects/p") == [{"symbol": "A", "v": 1.5}]


def test_names_in_sql_are_unique_within_a_project(admin: Client) -> None:
    for name in ("a-b", "a b"):
        admin.put(f"/datasources/{name.replace(' ', '--').replace('--', '-x-')}", {"name": name, "kind": "file"})
    admin.post("/projects", {"name": "p"})
    assert admin.put("/projects/p/datasources/a-b", {"alias": "same"}).status == 201
    assert admin.put("/projects/p/datasources/a-x-b", {"alias": "same"}).status == 409
    assert admin.put("/projects/p/datasources/a-x-b", {"alias": "merged"}).status == 422
    assert admin.put("/projects/p/datasources/a-x-b", {"alias": "Not SQL"}).status == 422
    assert admin.put("/projects/p/datasources/none", {}).status == 404
    assert admin.put("/projects/none/datasources/a-b", {}).status == 404
