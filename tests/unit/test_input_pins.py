"""Projects pin versions of inputs: what a pin needs and protects, and whom it shows the input."""

from __future__ import annotations

import pytest

from sluice.container import Container
from sluice.domain.identity import Principal
from sluice.errors import AlreadyExists, Conflict, Invalid, NotFound, PreconditionFailed
from sluice.inputs.references import resolve
from sluice.inputs.service import read_document
from support.client import Client, Reply, client_of
from support.inputs import NORTH, numbers, put
from support.workbooks import demand, matrix, service, topology


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
