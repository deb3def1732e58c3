"""Merges of whole documents."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.container import Container
from sluice.merge.documents import concatenate, merge_recursively, size
from support.client import Client
from support.documents import drop, http_source, ingest, refresh
from support.upstream import Upstream, ok

scalars = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from([0.0, 1.0, 1.5, "", "a"])
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("inputs", "expected"),
    [
        ([], None),
        ([None], None),
        ([None, None], None),
        ([1], 1),
        ([None, 1, None], 1),
        ([1, 1], 1),
        ([0, 0.0], 0),
        ([1, 2], [1, 2]),
        ([1, 2, 3], [1, 2, 3]),
        ([1, 2, 1], [1, 2]),
        ([1, True], [1, True]),
        ([0, False, ""], [0, False, ""]),
        ([{"a": 1}, {"b": 2}], {"a": 1, "b": 2}),
        ([{"a": {"x": 1}}, {"a": {"y": 2}}], {"a": {"x": 1, "y": 2}}),
        ([{"a": None}, {"a": 1}], {"a": 1}),
        ([{"a": 1}, {"a": None}], {"a": 1}),
        ([{"a": None}, {}], {"a": None}),
        ([{"a": 0}, {"a": False}], {"a": [0, False]}),
        ([[1, 2], [2, 3]], [1, 2, 3]),
        ([[1, {"a": 1}], [{"a": 1.0}, True, 1.0]], [1, {"a": 1}, True]),
        ([[1], 2], [1, 2]),
        ([[1], 1], [1]),
        ([1, [2]], [1, 2]),
        ([{"a": 1}, [2]], [{"a": 1}, 2]),
        ([{"a": 1}, 2], [{"a": 1}, 2]),
        ([{"a": 1}, 2, 3], [{"a": 1}, 2, 3]),
        ([1, 2, {"a": 1}], [1, 2, {"a": 1}]),
        ([[], {}], [{}]),
        ([{}, {}], {}),
    ],
    ids=str,
)
def test_recursive(inputs: list[Any], expected: Any) -> None:
    merged = merge_recursively(inputs)
    assert json.dumps(merged) == json.dumps(expected)


@given(st.lists(documents, max_size=4))
def test_merging_documents_keeps_inputs_and_values(inputs: list[Any]) -> None:
    before = copy.deepcopy(inputs)
    merged = merge_recursively(inputs)
    side_by_side = concatenate(inputs)
    assert json.dumps(inputs) == json.dumps(before)
    assert list(side_by_side) == [str(position) for position in range(len(inputs))]
    assert json.dumps(list(side_by_side.values())) == json.dumps(before)
    assert json.dumps(merge_recursively(inputs)) == json.dumps(merged)
    assert json.dumps(merge_recursively([*inputs, None])) == json.dumps(merged)
    if len(inputs) == 1:
        assert json.dumps(merged) == json.dumps(inputs[0])
    for document in inputs:
        assert json.dumps(merge_recursively([document, document])) == json.dumps(document)


@pytest.mark.parametrize(
    ("document", "expected"), [(None, 0), ({}, 0), ([], 0), ({"a": 1}, 1), ([1, 2], 2), (0, 1), ("", 1)]
)
def test_size(document: Any, expected: int) -> None:
    assert size(document) == expected


@pytest.fixture
def sources(services: Container, admin: Client, upstream: Upstream) -> dict[str, Any]:
    """Two datasources whose documents a test may change."""
    served: dict[str, Any] = {"a": {"x": [1], "y": None}, "b": {"x": [1.0, 2], "z": 0}}
    upstream.answer = lambda request: ok(served[request.url.host.partition(".")[0]])
    for name in served:
        admin.post("/datasources", http_source(name))
    return served


def project(admin: Client, strategy: str, *assigned: str) -> None:
    assert admin.put("/projects/p", {"name": "p", "merge": {"strategy": strategy}}).status in (200, 201)
    for priority, name in enumerate(assigned):
        admin.put(f"/projects/p/datasources/{name}", {"priority": priority})


@pytest.mark.parametrize(
    ("strategy", "order", "expected"),
    [
        ("recursive", "ab", {"x": [1, 2], "y": None, "z": 0}),
        ("recursive", "ba", {"x": [1.0, 2], "z": 0, "y": None}),
        ("concatenation", "ab", {"0": {"x": [1], "y": None}, "1": {"x": [1.0, 2], "z": 0}}),
        ("concatenation", "ba", {"0": {"x": [1.0, 2], "z": 0}, "1": {"x": [1], "y": None}}),
    ],
)
def test_a_project_merges_documents(
    admin: Client, sources: dict[str, Any], strategy: str, order: str, expected: Any
) -> None:
    project(admin, strategy, *order)
    run = refresh(admin, "p")
    assert (run["status"], run["rows"], run["completeness"]) == ("succeeded", 1, "complete")
    answer = admin.get("/projects/p/data").json()
    assert json.dumps(answer["items"]) == json.dumps([expected])
    assert (answer["next"], answer["version"]) == (None, 1)
    assert json.loads(admin.get("/projects/p/data?format=jsonl").text) == expected
    for form in ("csv", "parquet", "arrow"):
        assert admin.get(f"/projects/p/data?format={form}").status == 422
    assert admin.get("/projects/p/data?select=x").status == 422
    fetched = admin.get("/projects/p/fetch").json()
    assert fetched == {"result": {"size": len(expected), "data": expected}, "errors": None}
    published = admin.get("/projects/p/data").json()["version"]
    assert refresh(admin, "p", ingest="none")["version"] == published, "the same documents are the same version"
    sources["a"] = {"x": [9]}
    assert refresh(admin, "p")["version"] == published + 1


@pytest.mark.parametrize(("strategy", "expected"), [("recursive", None), ("concatenation", {})])
def test_documents_without_sources(services: Container, admin: Client, strategy: str, expected: Any) -> None:
    project(admin, strategy)
    assert refresh(admin, "p")["status"] == "succeeded"
    assert admin.get("/projects/p/data").json()["items"] == [expected]
    assert admin.get("/projects/p/fetch").json() == {"result": {"size": 0, "data": expected}, "errors": None}


@pytest.mark.parametrize("strategy", ["recursive", "concatenation"])
def test_a_document_may_be_null(admin: Client, sources: dict[str, Any], strategy: str) -> None:
    sources |= {"a": None, "b": [0]}
    project(admin, strategy, "a", "b")
    assert refresh(admin, "p")["status"] == "succeeded"
    expected = [0] if strategy == "recursive" else {"0": None, "1": [0]}
    assert admin.get("/projects/p/data").json()["items"] == [expected]


def test_rows_of_several_runs_are_a_list(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "log", "kind": "push"})
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    admin.post("/datasources/log/records", [{"id": 1, "tags": ["x"]}])
    admin.post("/datasources/log/records", [{"id": 2}])
    drop(services, "notes/a.csv", b"id;v\n3;2,5\n")
    project(admin, "concatenation", "log", "notes")
    refresh(admin, "p")
    assert admin.get("/projects/p/data").json()["items"] == [
        {"0": [{"id": 1, "tags": ["x"]}, {"id": 2, "tags": None}], "1": [{"id": 3, "v": 2.5}]}
    ]


def test_lists_of_several_pages_are_concatenated(admin: Client, sources: dict[str, Any], upstream: Upstream) -> None:
    upstream.answer = lambda request: ok({"data": [int(request.url.params["page"])], "pages": 3})
    pagination = {"type": "page", "page_param": "page", "total_pages": "pages"}
    admin.put("/datasources/a", http_source("a", records="data", http={"pagination": pagination}))
    assert ingest(admin, "a")["rows"] == 3
    project(admin, "recursive", "a")
    refresh(admin, "p", ingest="none")
    assert admin.get("/projects/p/data").json()["items"] == [[1, 2, 3]]


@pytest.mark.parametrize("strategy", ["recursive", "concatenation"])
def test_whole_numbers_of_any_size_stay(admin: Client, sources: dict[str, Any], strategy: str) -> None:
    sources["a"] = {"y": 12345678901234567890123}
    project(admin, strategy, "a")
    refresh(admin, "p")
    for path in ("data", "fetch", "data?format=jsonl"):
        answer = admin.get(f"/projects/p/{path}")
        assert (answer.status, "12345678901234567890123" in answer.text) == (200, True)
