"""Access: the policy, owners and hidden resources."""

from __future__ import annotations

from typing import Any

import pytest

from api.app import ROUTES as API_ROUTES
from authoring.app import ROUTES as AUTHORING_ROUTES
from console.app import ROUTES as CONSOLE_ROUTES
from probe.app import ROUTES as PROBE_ROUTES
from query.app import ROUTES as QUERY_ROUTES
from sluice.access.policy import ACTIONS, Resource, decide
from sluice.api.routes import Route
from sluice.container import Container
from sluice.domain.identity import KeyRequest, Principal, Role
from sluice.domain.member import MEMBER_ROLES, MemberRole
from support.client import Client, client_of_projects
from support.documents import http_source

ROUTES = [*API_ROUTES, *QUERY_ROUTES, *AUTHORING_ROUTES, *PROBE_ROUTES, *CONSOLE_ROUTES]


def keyed(services: Container, role: Role, projects: list[str] | None = None) -> Client:
    return Client(services.keys.issue(KeyRequest(name=role, role=role, projects=projects), "test")[1])


@pytest.fixture
def stranger(services: Container) -> Client:
    """An editor who owns nothing."""
    return keyed(services, "editor")


# In an order in which the owner may do every action.
OWNERS_ONLY: list[tuple[str, str, Any]] = [
    ("PATCH", "/projects/p", {"name": "x"}),
    ("PUT", "/projects/p/datasources/a", {"priority": 3}),
    ("PUT", "/projects/p/overrides/v?key=1", {"value": "x", "reason": "y"}),
    ("DELETE", "/projects/p/overrides/v?key=1", None),
    ("POST", "/projects/p/versions/1/promote", None),
    ("POST", "/projects/p/links", {"target": "data"}),
    ("GET", "/projects/p/links", None),
    ("DELETE", "/projects/p/links/x", None),
    ("PUT", "/projects/p/models/m2", {"sql": "SELECT 1 AS x"}),
    ("PUT", "/projects/p/models/m", {"sql": "SELECT 1 AS x"}),
    ("DELETE", "/projects/p/models/m", None),
    ("PUT", "/projects/p/endpoints/e", {"sql": "SELECT 1 AS x"}),
    ("PUT", "/projects/p/reports/r", {"title": "t", "sections": []}),
    ("PATCH", "/datasources/a", {"name": "x"}),
    ("POST", "/datasources/a/runs", {"replay": 1}),
    ("POST", "/datasources/a/restore", None),
    ("POST", "/datasources/pushed/records", [{"id": 1}]),
    ("POST", "/datasources/dropped/uploads", {"filename": "x.csv"}),
    ("DELETE", "/projects/p/datasources/a", None),
    ("DELETE", "/datasources/a", None),
    ("PUT", "/projects/p", {"name": "x"}),
    ("DELETE", "/projects/p", None),
]


def test_action_needs_the_owner(owned: Client, stranger: Client) -> None:
    def state() -> str:
        return owned.get("/projects/p").text + owned.get("/datasources/a").text + owned.get("/runs").text

    before = state()
    for method, path, body in OWNERS_ONLY:
        refused = stranger.call(method, path, body)
        assert (refused.status, refused.json()["type"]) == (403, "urn:sluice:problem:forbidden"), (method, path)
    assert state() == before, "a refused request changes nothing"
    for method, path, body in OWNERS_ONLY:
        assert owned.call(method, path, body).status in (200, 201, 202, 204, 404, 409, 422), (method, path)


def test_admin_may_do_everything(owned: Client, admin: Client) -> None:
    assert admin.put("/projects/p/models/m", {"sql": "SELECT id FROM merged"}).status == 200
    assert admin.post("/datasources/a/runs", {"replay": 1}).status == 202
    assert admin.post("/projects/p/links", {"target": "data"}).status == 201
    assert owned.put("/projects/p/models/m", {"sql": "SELECT v FROM merged"}).status == 200, (
        "a model belongs to the project, not to its author"
    )


def test_editor_may_run_visible_resources_and_cancel_own_runs(
    services: Container, owned: Client, stranger: Client
) -> None:
    assert stranger.post("/datasources/a/runs").status == 202
    assert stranger.post("/projects/p/runs", {}).status == 202
    assert stranger.post("/projects/p/models/m/runs", {}).status == 202
    assert stranger.post("/datasources/a/check").status == 200
    services.workflows.hold = True  # type: ignore[attr-defined]
    mine, theirs = stranger.post("/datasources/a/runs").json()["id"], owned.post("/datasources/a/runs").json()["id"]
    assert stranger.post(f"/runs/{theirs}/cancel").status == 403
    assert stranger.post(f"/runs/{theirs}/redrive").status == 403
    assert stranger.post(f"/runs/{mine}/cancel").status == 200
    assert owned.post(f"/runs/{theirs}/cancel").status == 200


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_every_route_declares_a_known_action(route: Route) -> None:
    documentation = {"openapi", "docs", "redoc", "docs_asset", "console", "console_asset"}
    open_to_all = {"root", "health", *documentation, "open_link", "call_endpoint"}
    if route.operation_id in open_to_all:
        assert route.action is None
    else:
        assert route.action in ACTIONS
    if route.method in ("POST", "PUT", "PATCH", "DELETE") and route.operation_id != "query_project":
        assert route.role != "viewer"


def test_route_with_unknown_action_is_refused_at_import() -> None:
    with pytest.raises(ValueError, match=r"unknown action 'datasource\.raed'"):
        Route("GET", "/x", lambda: None, "datasource.raed")  # type: ignore[arg-type, return-value]


ROLES: list[Role] = ["viewer", "editor", "admin"]


@pytest.mark.parametrize("action", ACTIONS)
def test_decision_depends_on_role_owner_and_projects(action: str) -> None:
    rule = ACTIONS[action]
    for role in ROLES:
        for projects in (None, ["p"], ["other"]):
            if role == "admin" and projects is not None:
                continue
            for owner in ("me", "else", None):
                principal = Principal(id="me", role=role, projects=projects)
                decision = decide(principal, action, Resource(owner, frozenset(["p"])))
                if ROLES.index(role) < ROLES.index(rule.role):
                    assert decision == "role_too_low"
                elif not rule.in_projects and projects is not None:
                    assert decision == "outside_projects"
                elif role == "admin":
                    assert decision == "allowed"
                elif owner is None or (owner != "me" and projects == ["other"]):
                    assert decision == "hidden"
                elif rule.owner and owner != "me":
                    assert decision == ("hidden" if rule.private else "not_owner")
                else:
                    used_elsewhere = rule.shared and projects == ["other"]
                    assert decision == ("used_elsewhere" if used_elsewhere else "allowed")


def test_hidden_slug_is_404_for_every_method(services: Container, admin: Client) -> None:
    admin.post("/projects", {"name": "secret-project"})
    admin.post("/datasources", http_source("secret-source"))
    guest = keyed(services, "editor", ["mine"])
    for path, body in (
        ("/projects", {"name": "secret-project"}),
        ("/datasources", http_source("secret-source")),
    ):
        slug = body["name"]
        assert guest.post(path, body).status == 404
        assert guest.put(f"{path}/{slug}", body).status == 404
        assert guest.get(f"{path}/{slug}").status == 404
        assert guest.delete(f"{path}/{slug}").status == 404
    admin.delete("/datasources/secret-source")
    assert guest.post("/datasources", http_source("secret-source")).status == 404, "reserved, and hidden"


def test_scoped_key_sees_only_datasources_of_its_projects(services: Container, admin: Client) -> None:
    for name in ("a", "b"):
        admin.post("/projects", {"name": name})
        admin.post("/datasources", http_source(f"of-{name}"))
        admin.put(f"/projects/{name}/datasources/of-{name}", {})
    guest = client_of_projects(services, ["a"])
    assert guest.get("/projects/a/datasources/of-a").status == 200
    assert guest.get("/projects/b/datasources/of-b").status == 404
    assert [item["project"] for item in guest.get("/datasources/of-a/projects").json()["items"]] == ["a"]


@pytest.mark.parametrize("action", [action for action, rule in ACTIONS.items() if rule.member is not None])
@pytest.mark.parametrize("held", [None, *MEMBER_ROLES])
def test_every_action_and_role_of_a_member(action: str, held: MemberRole | None) -> None:
    rule = ACTIONS[action]
    needed = rule.member
    assert needed is not None
    resource = Resource("user/ann", roles=frozenset([held] if held else []))
    decision = decide(Principal(id="user/bob", role="viewer"), action, resource)
    if held is None:
        assert decision == "hidden"
    elif MEMBER_ROLES.index(held) >= MEMBER_ROLES.index(needed):
        assert decision == "allowed"
    else:
        assert decision == "member_role_too_low"
    of_key = decide(Principal(id="key/k", role="viewer", projects=[]), action, resource)
    assert of_key != "allowed" or rule.role == "viewer"


def test_a_key_does_not_follow_the_name_of_a_deleted_project(services: Container, admin: Client) -> None:
    admin.post("/projects", {"name": "p"})
    limited = admin.post("/keys", {"name": "l", "role": "viewer", "projects": ["p", "q"]}).json()
    assert Client(limited["key"]).get("/projects/p").status == 200
    assert admin.delete("/projects/p").status == 204
    admin.post("/projects", {"name": "p"})
    assert Client(limited["key"]).get("/projects/p").status == 404
    assert admin.get(f"/keys/{limited['id']}").json()["projects"] == ["q"]
