"""Inputs of algorithms: versions, restoration, differences and who may do what."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.container import Container
from support.client import Client, client_of
from support.inputs import NORTH, numbers, put
from support.workbooks import node, topology


def documents(client: Client, slug: str) -> list[Any]:
    """The documents of all versions, oldest first."""
    return [client.get(f"/inputs/{slug}?version={n}").json()["document"] for n in reversed(numbers(client, slug))]


def test_each_change_is_a_new_version_with_its_comment(editor: Client, viewer: Client) -> None:
    created = put(editor, "north", NORTH, "topology", comment="First survey")
    assert created.status == 201
    assert created.headers["Location"].endswith("/inputs/north")
    assert (created.json()["version"], created.json()["document"]) == (1, NORTH)
    changed = topology("A", "B", "C", "D")
    again = put(editor, "north", changed, "topology", comment="D was built")
    assert (again.status, again.json()["version"]) == (200, 2)
    latest = viewer.get("/inputs/north")
    assert latest.json() == again.json()
    assert latest.headers["ETag"] == f'"{latest.json()["etag"]}"'
    assert viewer.get("/inputs/north", if_none_match=latest.headers["ETag"]).status == 304
    assert viewer.get("/inputs/north?version=1").json()["document"] == NORTH
    versions = viewer.get("/inputs/north/versions").json()["items"]
    assert [(item["number"], item["comment"]) for item in versions] == [(2, "D was built"), (1, "First survey")]
    assert versions[0]["size"] > versions[1]["size"]
    assert versions[0]["hash"] == latest.json()["hash"]


def test_slug_that_is_used_cannot_be_created_again(editor: Client, services: Container) -> None:
    body = {"slug": "doc", "kind": "document", "document": {"a": 1.5}, "comment": "First"}
    created = editor.post("/inputs", body)
    assert (created.status, created.json()["version"], created.json()["comment"]) == (201, 1, "First")
    assert created.headers["Location"].endswith("/inputs/doc")
    assert editor.get("/inputs/doc").json() == created.json()
    assert editor.post("/inputs", body).status == 409
    assert client_of(services, "editor", ["plan"]).post("/inputs", body).status == 404
    editor.delete("/inputs/doc")
    assert "restore" in editor.post("/inputs", body).json()["detail"]
    assert editor.post("/inputs", {**body, "slug": "templates"}).status == 422
    assert editor.post("/inputs", {**body, "slug": "A"}).json()["errors"][0]["pointer"] == "/slug"
    assert editor.post("/inputs", {"kind": "document", "document": {}}).json()["errors"][0]["pointer"] == "/slug"


def test_same_document_makes_no_version(editor: Client) -> None:
    first = put(editor, "doc", {"a": 1, "b": [1.5]}).json()
    same = put(editor, "doc", {"a": 1, "b": [1.50]}, comment="Again")
    assert (same.status, same.json()) == (200, first)
    assert editor.put("/inputs/doc", first).json() == first, "an answer can be sent back"
    assert put(editor, "doc", {"b": [1.5], "a": 1}).json()["version"] == 2, "the order of keys may matter"


def test_numbers_keep_their_digits(editor: Client) -> None:
    text = '{"kind": "document", "document": {"big": 123456789012345678901234567890, "exact": 0.1234567890123456789}}'
    assert editor.put("/inputs/doc", text).status == 201
    assert '"big":123456789012345678901234567890,"exact":0.1234567890123456789' in editor.get("/inputs/doc").text
    editor.put("/inputs/doc", text.replace("789}}", "788}}"))
    assert editor.get("/inputs/doc/diff").json()["items"][0]["label"] == "/exact"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"kind": "document", "document": []}, ["/document"]),
        ({"kind": "document"}, ["/document"]),
        ({"kind": "map", "document": {}}, ["/kind"]),
        ({"kind": "document", "document": {}, "note": "x"}, ["/note"]),
        (
            {"kind": "topology", "document": {"nodes": [node("A"), node("A")]}},
            ["/document/links", "/document/nodes/1/name"],
        ),
        ({"kind": "document", "document": {}, "comment": 1.5}, ["/comment"]),
        ([], None),
    ],
)
def test_invalid_bodies_store_nothing(editor: Client, body: Any, pointers: list[str] | None) -> None:
    refused = editor.put("/inputs/north", body)
    assert refused.status == 422
    assert [fault["pointer"] for fault in refused.json().get("errors", [])] == (pointers or [])
    assert editor.get("/inputs/north").status == 404


def test_kind_and_reserved_slugs_are_refused(editor: Client) -> None:
    put(editor, "doc", {})
    assert put(editor, "doc", NORTH, "topology").json()["errors"][0]["pointer"] == "/kind"
    assert put(editor, "templates", {}).status == 422
    assert put(editor, "Upper", {}).status == 422


def test_deeply_nested_and_large_documents_are_refused(services: Container, editor: Client) -> None:
    deep = '{"kind": "document", "document": {"a": ' + "[" * 300 + "]" * 300 + "}}"
    assert editor.put("/inputs/doc", deep).status == 422
    services.settings = services.settings.model_copy(update={"max_input_bytes": 20})
    assert put(editor, "doc", {"a": "x" * 20}).status == 422


def test_preconditions(editor: Client) -> None:
    assert put(editor, "doc", {}, if_match='"1"').status == 412
    etag = put(editor, "doc", {}, if_none_match="*").headers["ETag"]
    assert put(editor, "doc", {"a": 1}, if_none_match="*").status == 412
    assert put(editor, "doc", {"a": 1}, if_match='"other"').status == 412
    assert put(editor, "doc", {"a": 1}, if_match=etag).status == 200
    assert put(editor, "doc", {"a": 2}, if_match=etag).status == 412
    assert editor.delete("/inputs/doc", if_match=etag).status == 412
    assert numbers(editor, "doc") == [2, 1]


def test_list_has_summaries_by_kind_in_pages(editor: Client) -> None:
    for slug in ("a", "b", "c"):
        put(editor, slug, NORTH, "topology")
        put(editor, f"doc-{slug}", {})
    first = editor.get("/inputs?kind=topology&limit=2").json()
    rest = editor.get(f"/inputs?kind=topology&limit=2&cursor={first['next']}").json()
    assert [item["slug"] for item in first["items"] + rest["items"]] == ["a", "b", "c"]
    assert rest["next"] is None
    assert "document" not in first["items"][0]
    assert len(editor.get("/inputs").json()["items"]) == 6
    assert editor.get("/inputs?kind=map").status == 422
    assert editor.get(f"/inputs?cursor={first['next']}").status == 422


def test_deleted_input_keeps_its_versions_and_is_restored(editor: Client) -> None:
    put(editor, "doc", {"v": 1})
    put(editor, "doc", {"v": 2})
    assert editor.delete("/inputs/doc").status == 204
    assert editor.get("/inputs/doc").status == 404
    assert editor.delete("/inputs/doc").status == 404
    assert editor.get("/inputs").json()["items"] == []
    put(editor, "other", {})
    assert [item["slug"] for item in editor.get("/inputs?deleted=true").json()["items"]] == ["doc"]
    assert editor.get("/inputs/doc?version=1").json()["document"] == {"v": 1}
    versions = editor.get("/inputs/doc/versions").json()["items"]
    assert [version["deleted_at"] is None for version in versions] == [False, True]
    restored = editor.post("/inputs/doc/restore", {"version": 1, "comment": "Needed after all"}).json()
    assert (restored["version"], restored["restored_from"], restored["document"]) == (3, 1, {"v": 1})
    assert restored["comment"] == "Needed after all"
    assert editor.get("/inputs/doc").json() == restored
    assert numbers(editor, "doc") == [3, 2, 1]
    assert editor.post("/inputs/doc/restore", {"version": 1}).json() == restored, "nothing changes"
    assert editor.post("/inputs/doc/restore", {"version": 9}).json()["errors"][0]["pointer"] == "/version"
    assert editor.post("/inputs/none/restore", {}).status == 404


def test_put_recovers_a_deleted_input_with_its_history(editor: Client) -> None:
    put(editor, "doc", {"v": 1})
    editor.delete("/inputs/doc")
    assert put(editor, "doc", {"v": 1}, if_match='"1"').status == 412
    again = put(editor, "doc", {"v": 1})
    assert (again.status, again.json()["version"]) == (201, 2)
    editor.delete("/inputs/doc")
    assert editor.post("/inputs/doc/restore").json()["comment"] == "Restored version 2."


def test_differences_are_paged_and_capped(services: Container, editor: Client) -> None:
    put(editor, "north", NORTH, "topology")
    changed = deepcopy(NORTH)
    changed["nodes"][1]["lat"] = 1
    changed["links"].pop(0)
    put(editor, "north", changed, "topology")
    diff = editor.get("/inputs/north/diff?limit=1").json()
    assert (diff["from"], diff["to"], diff["truncated"]) == (1, 2, False)
    assert diff["items"] == [
        {
            "change": "changed",
            "pointer": "/nodes/1/lat",
            "old_pointer": "/nodes/1/lat",
            "label": "/nodes/B/lat",
            "old": 52.5,
            "new": 1,
        }
    ]
    following = editor.get(f"/inputs/north/diff?limit=1&cursor={diff['next']}").json()
    assert [(item["change"], item["label"]) for item in following["items"]] == [("removed", "/links/A–B")]
    assert editor.get("/inputs/north/diff?from=2&to=1").json()["items"][0]["new"] == 52.5
    assert editor.get("/inputs/north/diff?from=1&to=1").json()["items"] == []
    assert editor.get("/inputs/north/diff?from=7").status == 404
    services.settings = services.settings.model_copy(update={"max_input_changes": 1})
    assert editor.get("/inputs/north/diff").json()["truncated"]


def test_large_document_comes_back_whole(services: Container, editor: Client) -> None:
    services.settings = services.settings.model_copy(update={"max_inline_bytes": 5_000})
    large = {"text": "x" * 6_000}
    assert put(editor, "doc", large).json()["document"] is None
    answer = editor.get("/inputs/doc")
    assert answer.status == 303
    assert "/answers/" in answer.headers["Location"]


def test_roles(admin: Client, editor: Client, viewer: Client) -> None:
    assert put(viewer, "doc", {}).status == 403
    put(editor, "doc", {})
    assert viewer.delete("/inputs/doc").status == 403
    assert viewer.post("/inputs/doc/restore", {}).status == 403
    assert put(admin, "doc", {"a": 1}).json()["created_by"] != put(admin, "doc", {"a": 1}).json()["updated_by"]
    assert Client().get("/inputs").status == 401


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 2)),
        st.tuples(st.just("restore"), st.integers(1, 6)),
        st.tuples(st.just("delete"), st.just(0)),
    ),
    max_size=12,
)


@pytest.mark.usefixtures("services")
def test_any_sequence_of_changes_keeps_the_whole_history(editor: Client) -> None:
    slugs = iter(range(10_000))

    @settings(max_examples=15, deadline=None)
    @given(STEPS)
    def run(steps: list[tuple[str, int]]) -> None:
        slug, history, deleted = f"doc-{next(slugs)}", list[dict[str, int]](), True
        for action, value in steps:
            if action == "put":
                document = {"v": value}
                answer = put(editor, slug, document)
                assert answer.status == (201 if deleted else 200)
                if deleted or history[-1] != document:
                    history.append(document)
                deleted = False
            elif action == "restore":
                answer = editor.post(f"/inputs/{slug}/restore", {"version": value})
                if not history:
                    assert answer.status == 404
                elif value > len(history):
                    assert answer.status == 422
                else:
                    if deleted or history[-1] != history[value - 1]:
                        history.append(history[value - 1])
                    deleted = False
            else:
                assert editor.delete(f"/inputs/{slug}").status == (404 if deleted else 204)
                deleted = True
        assert editor.get(f"/inputs/{slug}").status == (404 if deleted else 200)
        if history:
            assert json.dumps(documents(editor, slug)) == json.dumps(history)

    run()
