"""Sharing: each role of a member on each resource, people and groups, and that nobody else knows of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sluice.container import Container
from support.client import Client, client_of
from support.documents import http_source
from support.sharing import MEMBERS, person


@pytest.mark.usefixtures("ann")
def test_an_unshared_resource_is_404_to_others_and_in_no_list() -> None:
    bob = person("bob", "editor", "planners")
    for path in ("/projects/p", "/projects/p/data", "/datasources/a", "/datasources/a/data", "/inputs/i", MEMBERS):
        assert bob.get(path).status == 404, path
    for path in ("/projects", "/datasources", "/inputs", "/runs"):
        assert bob.get(path).json()["items"] == [], path
    absent = bob.get("/projects/q").json()
    hidden = bob.get("/projects/p").json()
    assert {**hidden, "detail": "", "instance": ""} == {**absent, "detail": "", "instance": ""}
    assert hidden["detail"] == absent["detail"].replace("'q'", "'p'"), "one cannot tell which of the two exists"


@pytest.mark.parametrize("principal", ["user:bob", "group:planners", "group:viewer"])
def test_a_share_shows_the_project_and_what_it_uses(ann: Client, principal: str) -> None:
    bob = person("bob", "viewer", "planners")
    shared = ann.put(f"{MEMBERS}/{principal}", {"role": "viewer"})
    assert (shared.status, shared.json()["principal"], shared.json()["role"]) == (201, principal, "viewer")
    assert ann.put(f"{MEMBERS}/{principal}", {"role": "viewer"}).status == 200
    for path in ("/projects/p", "/projects/p/data", "/datasources/a", "/datasources/a/data", "/inputs/i", MEMBERS):
        assert bob.get(path).status == 200, path
    assert [item["slug"] for item in bob.get("/projects").json()["items"]] == ["p"]
    assert [item["slug"] for item in bob.get("/datasources").json()["items"]] == ["a"]
    assert len(bob.get("/runs").json()["items"]) >= 1
    for method, path, body in WRITES:
        assert bob.call(method, path, body).status == 403, (method, path)
    assert [member["principal"] for member in bob.get(MEMBERS).json()["items"]] == ["user:ann", principal]
    assert ann.delete(f"{MEMBERS}/{principal}").status == 204
    assert bob.get("/projects/p").status == 404, "at once"
    assert bob.get("/datasources/a").status == 404
    assert ann.delete(f"{MEMBERS}/{principal}").status == 404


WRITES: list[tuple[str, str, Any]] = [
    ("PATCH", "/projects/p", {"name": "other"}),
    ("POST", "/projects/p/runs", {}),
    ("PUT", "/projects/p/models/m", {"sql": "SELECT * FROM merged"}),
    ("PUT", "/projects/p/inputs/i", {"version": 1}),
    ("PUT", f"{MEMBERS}/user:eve", {"role": "owner"}),
    ("DELETE", f"{MEMBERS}/user:bob", None),
    ("DELETE", "/projects/p", None),
    ("PATCH", "/datasources/a", {"name": "other"}),
    ("POST", "/datasources/a/runs", {}),
    ("DELETE", "/datasources/a?force=true", None),
    ("PUT", "/inputs/i", {"kind": "document", "document": {"x": 2}}),
    ("DELETE", "/inputs/i?force=true", None),
]


def test_a_designer_writes_inputs_and_nothing_else(ann: Client) -> None:
    bob = person("bob")
    for kind, slug in (("projects", "p"), ("datasources", "a"), ("inputs", "i")):
        assert ann.put(f"/{kind}/{slug}/members/user:bob", {"role": "designer"}).status == 201
    assert bob.put("/inputs/i", {"kind": "document", "document": {"x": 2}}).status == 200
    assert bob.post("/inputs/i/restore", {"version": 1}).status == 200
    assert len(bob.get("/inputs/i/versions").json()["items"]) == 3
    for method, path, body in WRITES:
        if (method, path) != ("PUT", "/inputs/i"):
            assert bob.call(method, path, body).status == 403, (method, path)
    assert bob.post("/projects", {"name": "own"}).status == 403, "creates no project"


def test_an_editor_changes_and_runs_and_an_owner_shares_and_deletes(ann: Client) -> None:
    bob, carl = person("bob"), person("carl")
    ann.put(f"{MEMBERS}/user:bob", {"role": "editor"})
    ann.put(f"{MEMBERS}/user:carl", {"role": "owner"})
    assert bob.patch("/projects/p", {"name": "renamed"}).status == 200
    assert bob.post("/projects/p/runs", {}).status == 202
    assert bob.put("/projects/p/models/m", {"sql": "SELECT * FROM merged"}).status == 201
    assert bob.put(f"{MEMBERS}/user:eve", {"role": "viewer"}).status == 403
    assert bob.delete("/projects/p").status == 403
    assert bob.patch("/datasources/a", {"name": "x"}).status == 403, "the datasource is shared as far as it is seen"
    assert carl.put(f"{MEMBERS}/user:eve", {"role": "viewer"}).status == 201
    assert carl.delete("/projects/p").status == 204


def test_only_who_edits_something_has_a_project_use_it(ann: Client) -> None:
    dan = person("dan", "editor")
    dan.post("/projects", {"name": "d"})
    uses = [("/projects/d/datasources/a", "/datasources/a"), ("/projects/d/inputs/i", "/inputs/i")]
    for use, thing in uses:
        assert dan.put(use, {}).status == 404
        for role, status in (("viewer", 403), ("designer", 403), ("editor", 201)):
            ann.put(f"{thing}/members/user:dan", {"role": role})
            answer = dan.put(use, {})
            assert answer.status == status, (use, role)
            assert status == 201 or "needs the role editor of this resource" in answer.json()["detail"]
        ann.put(f"{thing}/members/user:dan", {"role": "viewer"})
        assert dan.put(use, {}).status == 200, "what is there already can be written again"


@pytest.mark.parametrize("through", ["user:dan", "group:planners"])
def test_a_share_ends_for_whom_it_was_passed_on_to(ann: Client, through: str) -> None:
    dan, eve = person("dan", "editor", "planners"), person("eve")
    dan.post("/projects", {"name": "d"})
    dan.put("/projects/d/members/user:eve", {"role": "viewer"})
    for use, thing in (("/projects/d/datasources/a", "/datasources/a"), ("/projects/d/inputs/i", "/inputs/i")):
        ann.put(f"{thing}/members/{through}", {"role": "editor"})
        assert dan.put(use, {}).status == 201
        assert eve.get(thing).status == 200
        used_by = [item["project"] for item in ann.get(f"{thing}/projects").json()["items"]]
        assert used_by == ["d", "p"], "the owner sees who uses it, although he does not see the project"
        assert [item["project"] for item in eve.get(f"{thing}/projects").json()["items"]] == ["d"]
        ann.delete(f"{thing}/members/{through}")
        for gone in (dan, eve):
            assert gone.get(thing).status == 404, thing
    assert ann.get("/projects/d").status == 404


def test_a_project_shows_what_its_editor_has_brought(ann: Client) -> None:
    """What counts is that who assigned it, or the owner of the project, still sees it by himself."""
    bob, eve = person("bob", "editor"), person("eve")
    bob.post("/datasources", http_source("bobs"))
    ann.put(f"{MEMBERS}/user:bob", {"role": "editor"})
    ann.put(f"{MEMBERS}/user:eve", {"role": "viewer"})
    assert bob.put("/projects/p/datasources/bobs", {}).status == 201
    assert (ann.get("/datasources/bobs").status, eve.get("/datasources/bobs").status) == (200, 200)


def test_what_an_admin_has_assigned_is_seen_as_long_as_he_is_one(ann: Client, admin: Client) -> None:
    root, eve = person("root", "admin"), person("eve")
    admin.post("/datasources", http_source("b"))
    root.post("/projects", {"name": "r"})
    root.put("/projects/r/datasources/b", {})
    root.put("/projects/r/members/user:eve", {"role": "viewer"})
    assert eve.get("/datasources/b").status == 200
    person("root", "editor").get("/me")
    assert eve.get("/datasources/b").status == 404


def test_a_link_ends_when_its_creator_may_no_longer_create_it(ann: Client) -> None:
    bob, nobody = person("bob", "viewer", "planners"), Client()
    for member, role, ends in (("user:bob", "editor", "viewer"), ("group:planners", "owner", None)):
        ann.put(f"{MEMBERS}/{member}", {"role": role})
        link = bob.post("/projects/p/links", {"target": "data"}).json()
        path = link["url"].partition("/v1")[2]
        assert nobody.get(path).status == 200
        assert link["id"] in ann.get("/projects/p/links").text
        assert ann.put(f"{MEMBERS}/{member}", {"role": ends}).status == 200 if ends else True
        assert ann.delete(f"{MEMBERS}/{member}").status == 204 if not ends else True
        assert nobody.get(path).status == 404
        assert ann.get("/projects/p/links").json()["items"] == []
        ann.delete(f"{MEMBERS}/{member}")
    own = ann.post("/projects/p/links", {"target": "data"}).json()["url"].partition("/v1")[2]
    assert nobody.get(own).status == 200


def test_the_creator_cannot_be_shut_out(ann: Client) -> None:
    carl = person("carl")
    ann.put(f"{MEMBERS}/user:carl", {"role": "owner"})
    assert carl.put(f"{MEMBERS}/user:ann", {"role": "viewer"}).status == 409
    assert carl.delete(f"{MEMBERS}/user:ann").status == 409


def test_a_key_never_may_more_than_its_role(ann: Client, services: Container) -> None:
    reader = client_of(services, "viewer", projects=[])
    key = reader.get("/me").json()["id"].replace("/", ":")
    assert reader.get("/projects/p").status == 404
    assert ann.put(f"{MEMBERS}/{key}", {"role": "owner"}).status == 201
    assert reader.get("/projects/p/data").status == 200
    assert reader.get("/datasources/a").status == 200
    assert reader.patch("/projects/p", {"name": "x"}).status == 403
    writer = client_of(services, "editor", projects=[])
    ann.put(f"{MEMBERS}/{writer.get('/me').json()['id'].replace('/', ':')}", {"role": "editor"})
    assert writer.patch("/projects/p", {"name": "x"}).status == 200
    assert writer.delete("/projects/p").status == 403


def test_bad_members_are_refused(ann: Client, services: Container) -> None:
    assert ann.put(f"{MEMBERS}/user:bob", {"role": "boss"}).status == 422
    assert ann.put(f"{MEMBERS}/bob", {"role": "viewer"}).status == 422
    assert ann.put(f"{MEMBERS}/key:000000000000", {"role": "viewer"}).status == 404
    assert ann.put("/projects/nothing/members/user:bob", {"role": "viewer"}).status == 404
    services.settings.__dict__["max_members"] = 1
    assert ann.put(f"{MEMBERS}/user:b1", {"role": "viewer"}).status == 201
    full = ann.put(f"{MEMBERS}/user:b2", {"role": "viewer"})
    assert full.status == 409
    assert "group" in full.json()["detail"]
    assert len(ann.get(MEMBERS).json()["items"]) == 2


def test_a_new_project_of_the_name_is_shared_with_nobody(ann: Client) -> None:
    bob = person("bob")
    ann.put(f"{MEMBERS}/user:bob", {"role": "owner"})
    ann.delete("/projects/p")
    assert ann.post("/projects", {"name": "p"}).status == 201
    assert bob.get("/projects/p").status == 404
    assert [member["principal"] for member in ann.get(MEMBERS).json()["items"]] == ["user:ann"]


def test_shares_are_no_definitions_that_the_api_shows(ann: Client, admin: Client) -> None:
    ann.put(f"{MEMBERS}/user:bob", {"role": "viewer"})
    assert "resource_created_at" not in json.dumps(admin.get(MEMBERS).json())


def test_fetching_runs_nothing_for_who_may_not_run(ann: Client) -> None:
    """What counts is as what the project is shared, not the role in the workspace."""
    before = len(ann.get("/runs").json()["items"])
    for role in ("viewer", "designer"):
        ann.put(f"{MEMBERS}/user:bob", {"role": role})
        assert person("bob", "editor").get("/projects/p/fetch").status == 200
    assert len(ann.get("/runs").json()["items"]) == before
    ann.put(f"{MEMBERS}/user:bob", {"role": "editor"})
    assert person("bob", "viewer").get("/projects/p/fetch").status == 200
    assert len(ann.get("/runs").json()["items"]) > before
