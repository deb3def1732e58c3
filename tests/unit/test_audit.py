"""The audit: which requests are recorded, with what, and that no change is without an entry."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from ulid import ULID

from api.app import ROUTES as API_ROUTES
from authoring.app import ROUTES as AUTHORING_ROUTES
from console.app import ROUTES as CONSOLE_ROUTES
from probe.app import ROUTES as PROBE_ROUTES
from query.app import ROUTES as QUERY_ROUTES
from sluice.catalog import audit as catalog_audit
from sluice.catalog.audit import AuditTrail
from sluice.catalog.definitions import Definitions
from sluice.catalog.table import ConditionFailed
from sluice.container import Container
from sluice.domain.audit import AuditEntry, AuditFilter
from sluice.domain.member import MEMBER_ROLES
from sluice.errors import Unavailable
from support import permissions
from support.client import Client, client_of
from support.command_line import Commands
from support.documents import JOIN, http_source

ROUTES = [*API_ROUTES, *QUERY_ROUTES, *AUTHORING_ROUTES, *PROBE_ROUTES, *CONSOLE_ROUTES]
ENTRY = AuditEntry(
    id="",
    time="",
    principal="key/a",
    action="project.update",
    operation="put_project",
    method="PUT",
    path="/projects/p",
    resource="projects/p",
    outcome="succeeded",
    source_ip="",
    user_agent="",
    correlation_id=None,
)


def entries(admin: Client, query: str = "") -> list[dict[str, Any]]:
    """The recorded requests, newest first, without the reads of the audit."""
    reply = admin.get(f"/audit{query}")
    assert reply.status == 200, reply.text
    return [item for item in reply.json()["items"] if item["operation"] != "list_audit"]


def record(trail: AuditTrail, moment: datetime, **changes: Any) -> str:
    """Add an entry of a past time."""
    entry_id = str(ULID.from_datetime(moment))
    trail.end(ENTRY.model_copy(update={"id": entry_id, **changes}))
    return entry_id


def test_change_is_recorded_with_its_result(admin: Client, editor: Client) -> None:
    me = editor.get("/me").json()["id"]
    editor.post("/projects", {"name": "p", "merge": JOIN}, user_agent="curl/8" + "x" * 200)
    etag = editor.get("/projects/p").headers["ETag"].strip('"')
    editor.patch("/projects/p", {"description": "private words"})
    changed, created = entries(admin, "?resource=projects/p")
    assert created == {
        "id": created["id"],
        "time": created["time"],
        "principal": me,
        "role": "editor",
        "view_as": None,
        "action": "project.create",
        "operation": "create_project",
        "method": "POST",
        "path": "/projects",
        "resource": "projects/p",
        "fields": ["merge", "name"],
        "granted": None,
        "version_before": None,
        "version": etag,
        "created": "projects/p",
        "outcome": "succeeded",
        "status": 201,
        "error": None,
        "replayed": False,
        "source_ip": "",
        "user_agent": ("curl/8" + "x" * 200)[:120],
        "correlation_id": "request-1",
    }
    assert (changed["operation"], changed["fields"]) == ("patch_project", ["description"])
    assert changed["version_before"] == etag != changed["version"]
    assert "private words" not in json.dumps(entries(admin))


def test_routes_that_change_something_are_recorded() -> None:
    unrecorded = {route.operation_id for route in ROUTES if route.changes and not route.is_audited}
    assert unrecorded == {"query_project", "preview_merge"}, "which change nothing"
    reads = {route.operation_id for route in ROUTES if not route.changes and route.is_audited}
    assert reads == {
        "explain_record",
        "explain_row",
        "get_key",
        "get_page",
        "get_run_page_content",
        "list_audit",
        "list_keys",
        "list_secrets",
    }


def test_refused_changes_are_recorded_and_refused_reads_are_not(
    services: Container, admin: Client, editor: Client, viewer: Client
) -> None:
    editor.post("/projects", {"name": "p"})
    outsider = client_of(services, "editor", [])
    assert viewer.put("/projects/p", {"name": "x"}).status == 403
    assert outsider.patch("/projects/p", {"name": "x"}).status == 404
    assert editor.patch("/projects/p", {"name": 5}).status == 422
    assert outsider.get("/projects/p").status == 404
    recorded = [(item["operation"], item["outcome"], item["error"], item["status"]) for item in entries(admin)]
    assert recorded == [
        ("patch_project", "refused", "invalid", 422),
        ("patch_project", "refused", "not-found", 404),
        ("put_project", "refused", "forbidden", 403),
        ("create_project", "succeeded", None, 201),
    ]


def test_confidential_reads_are_recorded(admin: Client, viewer: Client) -> None:
    admin.get("/secrets")
    admin.get("/projects")
    viewer.get("/keys")
    admin.get("/audit?action=key.manage")
    items = admin.get("/audit").json()["items"]
    assert [(item["operation"], item["status"]) for item in items] == [
        ("list_audit", 200),
        ("list_keys", 403),
        ("list_secrets", 200),
    ]


def test_setting_adds_reads(services: Container, admin: Client) -> None:
    services.settings = services.settings.model_copy(update={"audit_reads": "datasource.list, project.list"})
    admin.get("/projects")
    assert [item["operation"] for item in entries(admin)] == ["list_projects"]


def test_reads_as_somebody_else_are_recorded(admin: Client, viewer: Client) -> None:
    me = viewer.get("/me").json()["id"]
    admin.get(f"/projects?view_as={me.replace('/', ':')}")
    admin.get("/projects?view_as=nobody")
    admin.get("/projects?view_as=user:bob")
    recorded = [(item["operation"], item["view_as"], item["status"]) for item in entries(admin)]
    assert recorded == [("list_projects", "user/bob", 200), ("list_projects", me, 200)]
    assert {item["role"] for item in entries(admin)} == {"admin"}


def test_audit_is_for_admins(viewer: Client, editor: Client) -> None:
    assert [client.get("/audit").status for client in (viewer, editor)] == [403, 403]


def test_names_that_the_api_does_not_know_are_not_kept(admin: Client) -> None:
    assert admin.post("/projects", {"name": "p", "hunter2-is-my-password": 1}).status == 422
    assert admin.put("/secrets/token", {"value": "hunter2"}).status == 201
    assert admin.post("/datasources", {**http_source("a"), "hunter2": 1}).status == 422
    assert admin.post("/datasources", http_source("a")).status == 201
    items = entries(admin)
    assert [item["fields"] for item in items[1:]] == [["kind", "name"], ["value"], ["name"]]
    assert "http" in items[0]["fields"]
    assert "hunter2" not in json.dumps(items)


def test_credentials_in_a_path_are_masked(services: Container, admin: Client) -> None:
    key = client_of(services, "viewer").key
    assert key is not None
    assert admin.delete(f"/keys/{key}").status == 404
    (item,) = entries(admin)
    assert item["path"] == f"/keys/{key[:16]}_********"
    assert item["resource"] == item["path"].strip("/")


def test_repeated_request_is_recorded_as_replayed(admin: Client) -> None:
    for _ in range(2):
        admin.post("/projects", {"name": "p"}, idempotency_key="k")
    assert [(item["status"], item["replayed"]) for item in entries(admin)] == [(201, True), (201, False)]


def test_vessel_is_recorded_as_the_site_that_it_is(admin: Client) -> None:
    admin.post("/vessels", {"code": "V-1"})
    admin.patch("/vessels/V-1", {"name": "Vessel"})
    admin.patch("/sites/V-1", {"name": "Ship"})
    for resource in ("sites/V-1", "/vessels/V-1", "vessels/V-1/equipment"):
        assert [item["method"] for item in entries(admin, f"?resource={resource}")] == ["PATCH", "PATCH", "POST"]


class Killed(BaseException):
    """The process ends."""


def test_change_whose_process_was_killed_is_recorded(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/projects", {"name": "p"})

    def kill(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(AuditTrail, "end", kill)
        with pytest.raises(Killed):
            admin.patch("/projects/p", {"description": "changed"})
    assert admin.get("/projects/p").json()["description"] == "changed"
    for query in ("", "?resource=projects/p", f"?principal={admin.get('/me').json()['id'].replace('/', ':')}"):
        item = entries(admin, query)[0]
        assert (item["operation"], item["outcome"], item["status"]) == ("patch_project", "unfinished", None)
        assert item["fields"] == ["description"]


def test_nothing_is_changed_that_cannot_be_recorded(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise Unavailable("DynamoDB throttled; try again.")

    with monkeypatch.context() as patched:
        patched.setattr(AuditTrail, "_add", fail)
        assert admin.post("/projects", {"name": "p"}).status == 503
        assert admin.get("/secrets").status == 503
        assert admin.get("/projects").json()["items"] == []
    with monkeypatch.context() as patched:
        patched.setattr(AuditTrail, "end", fail)
        assert admin.post("/projects", {"name": "p"}).status == 201, "it was changed, and the client must know"
    (item,) = entries(admin)
    assert (item["operation"], item["outcome"]) == ("create_project", "unfinished")


def test_unexpected_error_is_recorded(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(Definitions, "create", fail)
    assert admin.post("/datasources", http_source("a")).status == 500
    (item,) = entries(admin)
    assert (item["outcome"], item["status"], item["error"]) == ("failed", 500, "internal")


def test_reads_write_nothing(services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(AuditTrail, "_add", fail)
    assert admin.get("/projects").status == 200
    assert admin.get("/datasources").status == 200


def test_entries_are_only_added(services: Container) -> None:
    record(services.audit, datetime.now(UTC))
    entry_id = record(services.audit, datetime.now(UTC))
    with pytest.raises(ConditionFailed):
        services.audit.end(ENTRY.model_copy(update={"id": entry_id, "outcome": "failed"}))
    for function in permissions.FUNCTIONS:
        for verb in ("UpdateItem", "DeleteItem", "BatchWriteItem"):
            assert not permissions.allows(function, f"dynamodb:{verb}", "AuditTable"), function


def walk(trail: AuditTrail, audit_filter: AuditFilter, limit: int, most: int = 1_000) -> Iterator[str]:
    """The ids of all pages."""
    before: str | None = None
    while True:
        page, before = trail.page(audit_filter, limit, before, most)
        yield from (entry.id for entry in page)
        if before is None:
            return


def test_entries_of_several_months_come_in_pages(services: Container) -> None:
    trail, today = services.audit, datetime.now(UTC).replace(microsecond=0)  # a ULID has milliseconds
    ids = [record(trail, today - timedelta(days=20 * n), principal=f"key/{n % 2}") for n in range(8)]
    for limit in (1, 3, 8, 100):
        assert list(walk(trail, AuditFilter(), limit)) == ids
        assert list(walk(trail, AuditFilter(principal="key/1"), limit)) == ids[1::2]
        assert list(walk(trail, AuditFilter(principal="key/1", resource="projects/p"), limit)) == ids[1::2]
    since, until = today - timedelta(days=60), today - timedelta(days=20)
    assert list(walk(trail, AuditFilter(since=since, until=until), 2)) == ids[2:4]
    assert list(walk(trail, AuditFilter(action="project.update"), 2, most=3)) == ids
    assert list(walk(trail, AuditFilter(action="project.delete"), 2, most=3)) == []
    assert list(walk(trail, AuditFilter(until=datetime(1980, 1, 1, tzinfo=UTC)), 2)) == []


def test_entries_expire(services: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    table, moment = services.audit._table, datetime.now(UTC)
    record(AuditTrail(table, "main", 30), moment)
    kept = record(AuditTrail(table, "main", 0), moment)
    later = moment + timedelta(days=31)
    # TTL has not deleted the expired item yet.
    monkeypatch.setattr(time, "time", later.timestamp)
    assert list(walk(AuditTrail(table, "main", 0), AuditFilter(), 10)) == [kept]
    monkeypatch.setattr(catalog_audit, "now", lambda: later)
    assert list(walk(AuditTrail(table, "main", 30), AuditFilter(), 10)) == []


def test_audit_is_exported_as_a_file(services: Container, admin: Client) -> None:
    admin.post("/projects", {"name": "p", "merge": JOIN})
    admin.delete("/projects/p")
    lines = admin.get("/audit?format=jsonl").text.splitlines()
    assert [json.loads(line)["operation"] for line in lines] == ["delete_project", "create_project"]
    reply = admin.get("/audit?format=csv&limit=2")
    rows = list(csv.DictReader(io.StringIO(reply.text)))
    assert [row["operation"] for row in rows] == ["list_audit", "delete_project"]
    cursor = reply.headers["X-Sluice-Next"]
    (row,) = csv.DictReader(io.StringIO(admin.get(f"/audit?format=csv&cursor={cursor}").text))
    assert (row["operation"], row["status"], row["fields"]) == ("create_project", "201", '["merge","name"]')


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z",
        "format=xml",
        "limit=0",
        "cursor=x",
        "resource=" + "x" * 1001,
        "who=me",
    ],
)
def test_bad_parameter_is_refused(admin: Client, query: str) -> None:
    assert admin.get(f"/audit?{query}").status == 422


def test_command_line_shows_the_audit(sluice: Commands, admin: Client) -> None:
    admin.post("/projects", {"name": "p"})
    result = sluice("get", "audit?resource=projects/p", "-o", "csv")
    (row,) = csv.DictReader(io.StringIO(result.out))
    assert (row["method"], row["path"], row["outcome"], row["status"]) == ("POST", "/projects", "succeeded", "201")


def test_a_share_is_recorded_with_its_role(admin: Client, services: Container) -> None:
    admin.put("/projects/p", {"name": "p"})
    path = "/projects/p/members/user:bob"
    for role in (*MEMBER_ROLES, "CANARY", ["viewer"], {"a": 1}):
        admin.put(path, {"role": role})
    for body in ({}, {"role": "viewer", "CANARY": 1}):
        admin.put(path, body)
    admin.post("/keys", {"name": "k", "role": "editor"})
    admin.patch("/projects/p", {"name": "owner", "role": "owner"})
    answer = admin.get("/audit")
    granted = [item["granted"] for item in answer.json()["items"] if item["method"] != "GET"]
    assert granted[::-1] == [None, *MEMBER_ROLES, None, None, None, None, "viewer", "editor", None]
    assert "CANARY" not in answer.text
    assert ",granted," in admin.get("/audit?format=csv").text
