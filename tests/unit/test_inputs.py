"""Inputs of algorithms: versions, restoration, differences, pins and who may do what."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.container import Container
from sluice.domain.identity import Principal
from sluice.errors import AlreadyExists, Conflict, Invalid, NotFound, PreconditionFailed
from sluice.inputs.references import resolve
from sluice.inputs.service import read_document
from support.client import Client, Reply, client_of
from support.workbooks import demand, matrix, node, service, topology, topology_workbook, traffic_workbook, workbook

NORTH = topology("A", "B", "C")
XLSX = {"content_type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}


def put(client: Client, slug: str, document: Any, kind: str = "document", **fields: Any) -> Reply:
    headers = {name: fields.pop(name) for name in ("if_match", "if_none_match") if name in fields}
    return client.put(f"/inputs/{slug}", {"kind": kind, "document": document, **fields}, **headers)


def numbers(client: Client, slug: str) -> list[int]:
    return [version["number"] for version in client.get(f"/inputs/{slug}/versions").json()["items"]]


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


def pin(client: Client, project: str, slug: str, version: int | None = None, **headers: str) -> Reply:
    return client.put(f"/projects/{project}/inputs/{slug}", {"version": version}, **headers)


@pytest.fixture
def plan(editor: Client) -> Client:
    """An editor with a project and a topology of two versions."""
    editor.put("/projects/plan", {"name": "Plan"})
    put(editor, "north", NORTH, "topology")
    put(editor, "north", topology("A", "B", "C", "D"), "topology", comment="D")
    return editor


def test_project_pins_a_version_or_follows_the_latest(plan: Client, viewer: Client) -> None:
    pinned = pin(plan, "plan", "north", 1)
    assert pinned.status == 201
    assert (pinned.json()["version"], pinned.json()["current"], pinned.json()["latest"]) == (1, 1, 2)
    assert viewer.get("/projects/plan/inputs").json()["items"] == [pinned.json()]
    assert pin(plan, "plan", "north", 1).json() == pinned.json()
    following = pin(plan, "plan", "north")
    assert (following.status, following.json()["version"], following.json()["current"]) == (200, None, 2)
    assert following.json()["comment"] == "D"
    assert pin(plan, "plan", "north", 1, if_match=pinned.headers["ETag"]).status == 412
    assert viewer.get("/projects/plan/inputs/north").json() == following.json()
    assert plan.delete("/projects/plan/inputs/north").status == 204
    assert plan.delete("/projects/plan/inputs/north").status == 404
    assert viewer.get("/projects/plan/inputs").json()["items"] == []
    assert pin(plan, "plan", "north", 1, if_match=following.headers["ETag"]).status == 412


def test_pin_needs_an_input_a_version_and_the_project(plan: Client, viewer: Client) -> None:
    assert pin(plan, "plan", "south").status == 404
    assert pin(plan, "plan", "north", 3).json()["errors"][0]["pointer"] == "/version"
    assert pin(plan, "other", "north").status == 404
    assert pin(viewer, "plan", "north").status == 403
    plan.delete("/inputs/north")
    assert pin(plan, "plan", "north").status == 404


def test_pinned_input_is_deleted_by_force_only_and_stays_readable(plan: Client, services: Container) -> None:
    pin(plan, "plan", "north", 1)
    refused = plan.delete("/inputs/north")
    assert refused.status == 409
    assert "plan" in refused.json()["detail"]
    assert plan.delete("/inputs/north?force=true").status == 204
    (pinned,) = plan.get("/projects/plan/inputs").json()["items"]
    assert (pinned["deleted"], pinned["current"]) == (True, 1)
    assert read_document(services, resolve(services, "north", "plan").sha256) == NORTH
    with pytest.raises(NotFound, match="restore it"):
        resolve(services, "north@1")
    plan.post("/inputs/north/restore", {})
    assert plan.delete("/inputs/north").status == 409, "the pin still counts"
    plan.delete("/projects/plan/inputs/north")
    assert plan.delete("/inputs/north").status == 204


def test_deleted_project_pins_nothing(plan: Client) -> None:
    pin(plan, "plan", "north", 1)
    plan.delete("/projects/plan")
    plan.put("/projects/plan", {"name": "Plan"})
    assert plan.get("/projects/plan/inputs").json()["items"] == []
    assert plan.delete("/inputs/north").status == 204


def test_pinned_matrix_must_fit_a_pinned_topology(plan: Client) -> None:
    put(plan, "traffic", matrix(demand("1", "A", "D", service("GE", "1"))), "traffic_matrix")
    put(plan, "south", topology("S", "T", "U"), "topology")
    assert pin(plan, "plan", "traffic").status == 201, "there is no topology yet"
    refused = pin(plan, "plan", "north", 1)
    assert refused.status == 422
    assert [fault["pointer"] for fault in refused.json()["errors"]] == ["/demands/1/destination"]
    assert "'D'" in refused.json()["detail"]
    assert pin(plan, "plan", "north", 2).status == 201
    assert pin(plan, "plan", "south").status == 201, "the matrix fits the other topology"
    put(plan, "traffic", matrix(demand("1", "A", "X", service("GE", "1"))), "traffic_matrix")
    assert pin(plan, "plan", "traffic", 2).status == 422
    assert pin(plan, "plan", "traffic", 1).status == 200


def test_references_are_resolved(plan: Client, services: Container) -> None:
    latest = resolve(services, "north")
    assert (latest.slug, latest.version, latest.kind) == ("north", 2, "topology")
    assert read_document(services, latest.sha256) == topology("A", "B", "C", "D")
    assert latest.sha256 == plan.get("/inputs/north").json()["hash"]
    assert read_document(services, resolve(services, "north@1").sha256) == NORTH
    pin(plan, "plan", "north", 1)
    assert resolve(services, "north", "plan").version == 1
    assert resolve(services, "north@2", "plan").version == 2
    for reference in ("north@3", "south"):
        with pytest.raises(NotFound):
            resolve(services, reference)
    for reference in ("north@", "north@0", "north@x", "", "run:1"):
        with pytest.raises(Invalid):
            resolve(services, reference)
    stranger = Principal(id="key/1", role="editor", projects=["other"])
    with pytest.raises(NotFound, match="no input 'north'"):
        resolve(services, "north", "other", stranger)


def test_keys_for_some_projects(plan: Client, services: Container) -> None:
    plan.put("/projects/other", {"name": "Other"})
    reader, limited = client_of(services, "viewer", ["plan"]), client_of(services, "editor", ["plan"])
    assert reader.get("/inputs/north").status == 404
    assert reader.get("/inputs").json()["items"] == []
    pin(plan, "plan", "north", 1)
    assert reader.get("/inputs/north").status == 200
    assert [item["slug"] for item in reader.get("/inputs").json()["items"]] == ["north"]
    assert put(limited, "north", NORTH, "topology").status == 200
    pin(plan, "other", "north", 1)
    refused = put(limited, "north", topology("A", "B", "D"), "topology")
    assert refused.status == 403
    assert "other projects" in refused.json()["detail"]
    assert limited.delete("/inputs/north").status == 403
    assert put(limited, "own", {}).status == 201
    assert put(limited, "own", {"a": 1}).status == 200


def test_writes_of_what_others_have_changed_are_refused(plan: Client, services: Container) -> None:
    by = Principal(id="key/1", role="editor")
    stale, version = services.inputs.get("north"), services.inputs.version("north", 2)
    project = services.definitions.get("project", "plan")
    put(plan, "north", NORTH, "topology")
    with pytest.raises(PreconditionFailed):
        services.inputs.add("north", stale, "topology", version.model_copy(update={"number": 3}), by)
    with pytest.raises(PreconditionFailed):
        services.inputs.delete(stale, by, even_pinned=False)
    with pytest.raises(AlreadyExists):
        services.inputs.add("north", None, "topology", version, by)
    unpinned = services.inputs.get("north")
    stored = services.pins.put(project, "north", 1, None, by.id)
    with pytest.raises(PreconditionFailed):
        services.pins.put(project, "north", 2, None, by.id)
    with pytest.raises(Conflict):
        services.inputs.delete(unpinned, by, even_pinned=False)
    services.pins.delete(stored)
    with pytest.raises(PreconditionFailed):
        services.pins.delete(stored)
    services.inputs.delete(unpinned, by, even_pinned=False)
    with pytest.raises(NotFound, match="no input"):
        services.pins.put(project, "north", 1, None, by.id)
    assert numbers(plan, "north") == [3, 2, 1]


def import_(client: Client, slug: str, content: bytes, query: str = "") -> Reply:
    return client.call("POST", f"/inputs/{slug}/import?{query}", content, **XLSX)


def test_workbook_is_imported_as_a_version(editor: Client) -> None:
    content = topology_workbook(NORTH)
    checked = import_(editor, "north", content, "kind=topology&check=true")
    assert (checked.status, checked.json()["stored"], checked.json()["version"]) == (200, False, None)
    assert checked.json()["document"] == NORTH
    assert editor.get("/inputs/north").status == 404
    created = import_(editor, "north", content, "kind=topology&comment=From+the+survey")
    assert (created.status, created.json()["version"], created.json()["document"]) == (201, 1, NORTH)
    assert editor.get("/inputs/north").json()["comment"] == "From the survey"
    assert import_(editor, "north", content).json()["version"] == 1
    changed = import_(editor, "north", topology_workbook(topology("A", "B", "D")))
    assert (changed.status, changed.json()["version"]) == (200, 2)


def test_faulty_workbook_stores_nothing_and_names_each_cell(editor: Client) -> None:
    nodes: list[list[Any]] = [["ID", "Node", "lat", "lng", "ROADM_Type"], [1, "A", "x", 4, "CDC"]]
    content = workbook({"Nodes": nodes, "Links": [["ID", "Source", "Destination", "Length", "Fiber Type"]]})
    refused = import_(editor, "north", content, "kind=topology")
    assert refused.status == 422
    assert refused.json()["errors"] == [
        {
            "pointer": "/nodes/0/lat",
            "sheet": "Nodes",
            "row": 2,
            "column": "lat",
            "cell": "C2",
            "code": 1,
            "message": "Input should be a valid number.",
        }
    ]
    assert "document" not in refused.json()
    assert editor.get("/inputs/north").status == 404
    checked = import_(editor, "north", content, "kind=topology&check=true")
    assert (checked.status, checked.json()["errors"]) == (422, refused.json()["errors"])
    assert checked.json()["document"]["nodes"][0]["lat_error"]["code"] == 1


def test_import_needs_a_kind_and_a_workbook(editor: Client, viewer: Client) -> None:
    content = traffic_workbook(matrix(demand("1", "A", "B")))
    assert import_(editor, "new", content).json()["errors"][0]["pointer"] == "?kind"
    assert import_(editor, "new", content, "kind=document").json()["errors"][0]["pointer"] == "?kind"
    assert import_(editor, "new", content, "kind=traffic_matrix&check=yes").status == 422
    assert "Content-Type" in editor.post("/inputs/new/import?kind=topology", "PK").json()["detail"]
    assert import_(viewer, "new", content, "kind=traffic_matrix").status == 403
    put(editor, "doc", {})
    assert import_(editor, "doc", content, "kind=traffic_matrix").json()["errors"][0]["pointer"] == "/kind"


def test_blank_workbooks_are_downloaded(viewer: Client) -> None:
    assert viewer.get("/inputs/templates/topology").status == 303
    assert viewer.head("/inputs/templates/topology").status == 303
    assert viewer.get("/inputs/templates/document").status == 404


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
