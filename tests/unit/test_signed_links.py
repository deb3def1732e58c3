"""Signed links, and how often a public endpoint may be called."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from sluice.container import Container
from support.client import Client
from support.documents import http_source, refresh
from support.upstream import Upstream


def open_link(link: dict[str, Any]) -> int:
    return Client().get(link["url"].partition("/v1")[2]).status


def test_links_are_listed_and_revoked(owned: Client) -> None:
    created = [owned.post("/projects/p/links", {"target": "data", "expires_in_seconds": 60}).json() for _ in range(3)]
    assert set(created[0]) == {"id", "url", "target", "created_at", "created_by", "expires_at"}
    assert [open_link(link) for link in created] == [200, 200, 200]
    assert owned.get("/projects/p/links").json()["items"] == created
    assert owned.delete(f"/projects/p/links/{created[1]['id']}").status == 204
    assert [open_link(link) for link in created] == [200, 404, 200]
    assert owned.delete(f"/projects/p/links/{created[1]['id']}").status == 404
    assert owned.get("/projects/p/links").json()["items"] == [created[0], created[2]]
    page = owned.get("/projects/p/links?limit=1").json()
    assert owned.get(f"/projects/p/links?limit=1&cursor={page['next']}").json()["items"] == [created[2]]


def test_link_ends_with_the_key_that_created_it(services: Container, admin: Client, upstream: Upstream) -> None:
    created = admin.post("/keys", {"name": "temporary", "role": "editor"}).json()
    holder = Client(created["key"])
    upstream.serve([{"id": 1}])
    holder.post("/datasources", http_source("a"))
    holder.post("/projects", {"name": "p"})
    holder.put("/projects/p/datasources/a", {})
    refresh(holder, "p")
    link = holder.post("/projects/p/links", {"target": "data"}).json()
    admins = admin.post("/projects/p/links", {"target": "data"}).json()
    assert (open_link(link), open_link(admins)) == (200, 200)
    admin.delete(f"/keys/{created['id']}")
    assert (open_link(link), open_link(admins)) == (404, 200)
    assert admin.get("/projects/p/links").json()["items"] == [admins]


def test_link_does_not_open_a_later_project_of_the_same_slug(owned: Client, admin: Client) -> None:
    link = admin.post("/projects/p/links", {"target": "data"}).json()
    admin.delete("/projects/p")
    admin.post("/projects", {"name": "p"})
    assert open_link(link) == 404
    assert admin.get("/projects/p/links").json()["items"] == []


def test_lifetime_and_number_of_links_are_limited(services: Container, owned: Client) -> None:
    days = services.settings.max_link_days
    too_long = owned.post("/projects/p/links", {"target": "data", "expires_in_seconds": days * 86400 + 1})
    assert (too_long.status, too_long.json()["errors"][0]["pointer"]) == (422, "/expires_in_seconds")
    services.settings.__dict__["max_links"] = 2
    assert [owned.post("/projects/p/links", {"target": "data"}).status for _ in range(3)] == [201, 201, 409]


def test_rate_limit_holds_in_any_period_of_a_minute(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1_000_030.0]
    monkeypatch.setattr("sluice.catalog.locks.time.time", lambda: clock[0])
    passed: list[float] = []
    for step in range(400):
        clock[0] = 1_000_030.0 + step * 0.37
        if services.locks.admit("rate#x", 40, 60) is None:
            passed.append(clock[0])
    worst = max(sum(1 for other in passed if moment <= other < moment + 60) for moment in passed)
    assert worst == 40
    assert len(passed) >= 80, "each slot is free again after a minute"


def test_rate_limited_answer_has_retry_after(services: Container, admin: Client, upstream: Upstream) -> None:
    services.settings.__dict__["public_requests_per_minute"] = 3
    admin.post("/projects", {"name": "p"})
    admin.put("/projects/p/endpoints/e", {"sql": "SELECT 1 AS x", "public": True})
    answers = [Client().get("/endpoints/p/e") for _ in range(5)]
    assert Counter(answer.status for answer in answers) == {200: 3, 429: 2}
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert admin.get("/endpoints/p/e").status == 200
