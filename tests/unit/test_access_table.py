"""Each route of the printed table, called with each role, as a member of each role, and with no credentials."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from test_access import ROUTES

from reference.access_page import access_table
from sluice.access.policy import ACTIONS
from sluice.container import Container
from sluice.domain.member import MEMBER_ROLES
from support.client import Client, client_of
from support.documents import http_source, refresh
from support.sharing import People, person
from support.upstream import Upstream

FLAGS = ("owner", "in_projects", "private", "shared")
# Each action with the lowest role, its flags, and the lowest role of a member.
DECIDED: dict[str, tuple[str, str, str | None]] = {
    "identity.read": ("viewer", "in_projects", None),
    "user.list": ("viewer", "in_projects", None),
    "key.manage": ("admin", "in_projects", None),
    "secret.manage": ("admin", "in_projects", None),
    "page.read": ("editor", "in_projects", None),
    "datasource.list": ("viewer", "in_projects", None),
    "datasource.create": ("editor", "in_projects", None),
    "datasource.try": ("editor", "in_projects", None),
    "datasource.read": ("viewer", "in_projects", "viewer"),
    "datasource.use": ("editor", "in_projects", "editor"),
    "datasource.update": ("editor", "owner in_projects", "editor"),
    "datasource.delete": ("editor", "owner in_projects", "owner"),
    "datasource.restore": ("editor", "owner in_projects", "owner"),
    "datasource.run": ("editor", "in_projects", "editor"),
    "datasource.replay": ("editor", "owner in_projects", "editor"),
    "datasource.erase": ("editor", "owner in_projects", "owner"),
    "datasource.push": ("editor", "owner in_projects", "editor"),
    "project.list": ("viewer", "in_projects", None),
    "project.create": ("editor", "in_projects", None),
    "project.read": ("viewer", "in_projects", "viewer"),
    "project.update": ("editor", "owner in_projects", "editor"),
    "project.delete": ("editor", "owner in_projects", "owner"),
    "project.assign": ("editor", "owner in_projects", "editor"),
    "project.override": ("editor", "owner in_projects", "editor"),
    "project.promote": ("editor", "owner in_projects", "editor"),
    "project.link": ("editor", "owner in_projects", "editor"),
    "project.run": ("editor", "in_projects", "editor"),
    "project.try": ("editor", "in_projects", "editor"),
    "project.fetch": ("viewer", "in_projects", "viewer"),
    "input.list": ("viewer", "in_projects", None),
    "input.create": ("editor", "in_projects", None),
    "input.read": ("viewer", "in_projects", "viewer"),
    "input.use": ("editor", "in_projects", "editor"),
    "input.update": ("editor", "in_projects shared", "designer"),
    "input.delete": ("editor", "in_projects shared", "editor"),
    "input.restore": ("editor", "in_projects shared", "designer"),
    "member.read": ("viewer", "in_projects", "viewer"),
    "member.manage": ("editor", "owner in_projects", "owner"),
    "reading.read": ("viewer", "", None),
    "reading.write": ("editor", "", None),
    "algorithm.read": ("viewer", "in_projects", None),
    "run.list": ("viewer", "in_projects", None),
    "run.read": ("viewer", "in_projects", "viewer"),
    "run.stop": ("editor", "owner in_projects", "editor"),
    "run.redrive": ("editor", "owner in_projects", "editor"),
    "run.read_pages": ("editor", "in_projects", "editor"),
    "asset.read": ("viewer", "", None),
    "asset.write": ("editor", "", None),
    "alarm.read": ("viewer", "", None),
    "alarm.acknowledge": ("editor", "", None),
    "audit.read": ("admin", "in_projects", None),
    "subscription.list": ("editor", "in_projects", None),
    "subscription.create": ("editor", "in_projects", None),
    "subscription.manage": ("editor", "owner in_projects private", None),
}
# Actions that routes check besides their own; see the tests of these routes.
WITHIN_ROUTES = {"datasource.replay", "datasource.use", "input.use"}
RANK = {"viewer": 0, "editor": 1, "admin": 2}


@pytest.fixture
def workspace(services: Container, admin: Client, upstream: Upstream) -> dict[str, str]:
    """One of each that paths name; what each parameter of a path is."""
    services.__dict__["tokens"] = People()
    upstream.serve([{"id": 1, "v": 2}])
    admin.post("/datasources", http_source("a"))
    admin.post("/projects", {"name": "p", "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    admin.put("/inputs/i", {"kind": "document", "document": {"x": 1}})
    run = refresh(admin, "p")
    return {"slug": "p", "datasource": "a", "run_id": run["id"], "project": "p", "input_slug": "i"}


def target(path: str, names: dict[str, str]) -> str:
    """A path with names for its parameters: those that exist, otherwise ones that could."""
    slug = {"datasources": "a", "inputs": "i"}.get(path.split("/")[1], "p")
    return re.sub(r"\{(\w+)\}", lambda match: {**names, "slug": slug}.get(match[1], "x1"), path)


def test_the_table_has_every_route() -> None:
    printed = "\n".join(access_table())
    for route in ROUTES:
        assert f"`{route.method} {route.path or '/'}`" in printed


def test_each_route_refuses_strangers_and_lower_roles(services: Container, workspace: dict[str, str]) -> None:
    clients = {role: client_of(services, role) for role in RANK}
    checked = 0
    for route in sorted(ROUTES, key=lambda route: route.method == "DELETE"):
        if route.action is None or route.anonymous:
            continue
        path = target(route.path, workspace)
        body: Any = None if route.method in ("GET", "DELETE") else {}
        assert Client().call(route.method, path, body).status == 401, (route.method, path)
        for role, client in clients.items():
            if RANK[role] >= RANK[DECIDED[route.action][0]]:
                continue
            assert client.call(route.method, path, body).status == 403, (route.method, path, role)
            checked += 1
    assert checked > 100


def test_the_policy_is_the_one_that_was_decided() -> None:
    """Written out once more, so that no cell changes without a change here."""
    assert {
        action: (rule.role, " ".join(flag for flag in FLAGS if getattr(rule, flag)), rule.member)
        for action, rule in ACTIONS.items()
    } == DECIDED


def test_each_route_of_what_is_shared_asks_for_the_members_role(
    services: Container, admin: Client, workspace: dict[str, str]
) -> None:
    """With none 404, with too low a role 403, and with enough the answer that an admin gets."""
    stranger = person("eve")
    members = {role: person(f"m{role}") for role in MEMBER_ROLES}
    for kind, slug in (("projects", "p"), ("datasources", "a"), ("inputs", "i")):
        for role in MEMBER_ROLES:
            admin.put(f"/{kind}/{slug}/members/user:m{role}", {"role": role})
    checked = Counter[str]()
    for route in ROUTES:
        member = DECIDED[route.action][2] if route.action else None
        if member is None or "{" not in route.path:
            continue
        path, body = target(route.path, workspace), None
        if route.method != "GET":
            # Refused after access is checked, so that nothing changes and each role gets the same answer.
            path, body = f"{path}?nothing=1", {"nothing": 1}
        if route.creates is None:
            assert stranger.call(route.method, path, body).status == 404, (route.method, path)
        allowed = admin.call(route.method, path, body).status
        assert allowed not in (401, 403), (route.method, path)
        assert route.method == "GET" or allowed >= 400, (route.method, path, "this would have changed something")
        for role, client in members.items():
            enough = MEMBER_ROLES.index(role) >= MEMBER_ROLES.index(member)
            status = client.call(route.method, path, body).status
            assert status == (allowed if enough else 403), (route.method, path, role)
            checked[str(route.action)] += 1
    not_routed = {action for action, (_, _, member) in DECIDED.items() if member is not None} - checked.keys()
    assert not_routed == WITHIN_ROUTES
