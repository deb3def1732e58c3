"""Each route of the printed table, called with each role, as a member of each role, and with no credentials."""

from __future__ import annotations

import re
from typing import Any

import pytest
from test_access import ROUTES
from test_members import People, person

from reference.access_page import access_table
from sluice.access.policy import ACTIONS
from sluice.container import Container
from sluice.domain.member import MEMBER_ROLES
from support.client import Client, client_of
from support.documents import http_source, refresh
from support.upstream import Upstream

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
            if RANK[role] >= RANK[ACTIONS[route.action].role]:
                continue
            assert client.call(route.method, path, body).status == 403, (route.method, path, role)
            checked += 1
    assert checked > 100


def test_each_route_of_what_is_shared_asks_for_the_members_role(
    services: Container, admin: Client, workspace: dict[str, str]
) -> None:
    """With too low a role 403, with none 404; with enough the request is judged by its content, and never refused."""
    strangers = person("eve")
    members = {role: person(f"m{role}") for role in MEMBER_ROLES}
    for kind, slug in (("projects", "p"), ("datasources", "a"), ("inputs", "i")):
        for role in MEMBER_ROLES:
            admin.put(f"/{kind}/{slug}/members/user:m{role}", {"role": role})
    checked = 0
    for route in ROUTES:
        rule = ACTIONS.get(route.action or "")
        shared = rule is not None and rule.member is not None and "{" in route.path
        if not shared or route.method not in ("GET", "PUT", "PATCH") or route.path.startswith("/datasources/{slug}/re"):
            continue
        assert rule is not None
        path = target(route.path, workspace)
        body: Any = None if route.method == "GET" else {"nothing": 1}
        if route.creates is None:
            assert strangers.call(route.method, path, body).status == 404, (route.method, path)
        for role, client in members.items():
            status = client.call(route.method, path, body).status
            enough = MEMBER_ROLES.index(role) >= MEMBER_ROLES.index(rule.member or "owner")
            assert (status != 403) == enough, (route.method, path, role, status)
            checked += 1
    assert checked > 100
