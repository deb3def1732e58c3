"""CRUD of datasources by the rules of the contract; projects share the code."""

from typing import Any

import boto3
import pytest

from sluice.container import Container
from sluice.domain.identity import KeyRequest
from support.client import Client

LISTINGS: dict[str, Any] = {
    "slug": "listings",
    "name": "Listings",
    "description": None,
    "enabled": True,
    "kind": "http",
    "http": {
        "url": "https://pro-api.example.com/v1/listings",
        "method": "GET",
        "headers": {"Accept": "application/json"},
        "params": {"convert": "USD"},
        "body": None,
        "auth": {"type": "api_key", "in": "header", "name": "X-CMC_PRO_API_KEY", "secret": "cmc"},
        "pagination": {
            "type": "offset",
            "offset_param": "start",
            "start": 1,
            "limit_param": "limit",
            "limit": 100,
            "total": "status.total_count",
        },
        "timeout_seconds": 60,
    },
    "format": "json",
    "records": "data[]",
    "fields": {"symbol": "symbol", "price_usd": "quote.USD.price", "updated_at": "last_updated"},
    "types": {"price_usd": "double", "updated_at": "timestamp"},
    "primary_key": ["symbol"],
    "write_disposition": "replace",
    "schema_contract": "evolve",
    "incremental": None,
    "max_age_seconds": None,
    "schedule": {"expression": "rate(10 minutes)", "timezone": "UTC"},
    "retention": {"raw_days": None, "versions": None},
}


def test_example_of_the_contract_is_stored_and_returned(admin: Client) -> None:
    created = admin.post("/datasources", LISTINGS)
    assert created.status == 201
    assert created.headers["Location"] == "https://api.example.com/live/v1/datasources/listings"
    document = created.json()
    stored = {name: document[name] for name in LISTINGS}
    expected = {**LISTINGS, "http": {**LISTINGS["http"], "concurrency": 4}}
    defaults = {"max_pages": None, "has_more": None, "stop_when": None, "verify": "on_evidence"}
    expected["http"]["pagination"] |= defaults
    assert stored == expected
    assert document["etag"] == created.headers["ETag"].strip('"')
    assert document["created_by"].startswith("key/")
    assert admin.get("/datasources/listings").json() == document


def test_writing_back_an_answer_changes_nothing(admin: Client) -> None:
    document = admin.post("/datasources", LISTINGS).json()
    answer = admin.put("/datasources/listings", document, if_match=f'"{document["etag"]}"')
    assert (answer.status, answer.json()) == (200, document)


def test_put_creates_then_replaces(admin: Client) -> None:
    body = {"name": "A", "kind": "http", "http": {"url": "https://example.com/a"}}
    assert admin.put("/datasources/a", body).status == 201
    replaced = admin.put("/datasources/a", {**body, "name": "B"})
    assert (replaced.status, replaced.json()["name"], replaced.json()["etag"]) == (200, "B", "2")


def test_patch_merges_and_null_restores_the_default(admin: Client) -> None:
    admin.post("/datasources", LISTINGS)
    patched = admin.patch("/datasources/listings", {"name": "New", "schedule": None, "http": {"timeout_seconds": 5}})
    assert patched.status == 200
    document = patched.json()
    assert (document["name"], document["schedule"], document["http"]["timeout_seconds"]) == ("New", None, 5)
    assert document["http"]["url"] == LISTINGS["http"]["url"]


def test_slug_is_derived_from_the_name_and_unique(admin: Client) -> None:
    body = {"name": "Žluťoučký kůň, 2!", "kind": "file"}
    assert admin.post("/datasources", body).json()["slug"] == "zlutoucky-kun-2"
    assert admin.post("/datasources", body).status == 409


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": 5}, "/name"),
        ({"colour": "red"}, "/colour"),
        ({"records": "data[?"}, "/records"),
        ({"fields": {"a": "a.["}}, "/fields/a"),
        ({"fields": {"a": "$nothing"}}, "/fields/a"),
        ({"types": {"symbol": "float"}}, "/types/symbol"),
        ({"types": {"symbol": "decimal(3,9)"}}, "/types/symbol"),
        ({"schedule": {"expression": "every day"}}, "/schedule/expression"),
        ({"schedule": {"expression": "rate(1 minutes)"}}, "/schedule/expression"),
        ({"schedule": {"expression": "rate(1 hour)", "timezone": "Mars/X"}}, "/schedule/timezone"),
        ({"http": {"url": "ftp://example.com"}}, "/http/url"),
        ({"http": {"url": "https://user:pass@example.com/"}}, "/http/url"),
        ({"http": {"url": "https://e.com", "headers": {"Host": "x"}}}, "/http"),
        ({"http": {"url": "https://e.com", "headers": {"X": "a\nb"}}}, "/http/headers/X"),
        ({"http": {"url": "https://e.com", "auth": {"type": "magic"}}}, "/http/auth"),
        ({"http": {"url": "https://e.com", "auth": {"type": "api_key", "in": "body"}}}, "/http/auth/in"),
        ({"http": {"url": "https://e.com", "pagination": {"type": "offset", "limit": 0}}}, "/http/pagination/limit"),
        ({"http": None}, "/http"),
        ({"kind": "smoke"}, "/kind"),
        ({"slug": "Not A Slug"}, "/slug"),
        ({"write_disposition": "merge"}, "/write_disposition"),
        ({"primary_key": []}, ""),
    ],
    ids=lambda value: str(value)[:60],
)
def test_invalid_documents_are_refused_with_a_pointer(admin: Client, change: dict[str, Any], pointer: str) -> None:
    answer = admin.post("/datasources", {**LISTINGS, **change})
    assert answer.status == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert pointer in [fault["pointer"] for fault in problem["errors"]]
    assert problem["type"] == "urn:sluice:problem:invalid"
    assert admin.get("/datasources/listings").status == 404


def test_checks_follow_the_order_of_the_contract(services: Container, admin: Client, viewer: Client) -> None:
    path, stale = "/datasources/listings", {"if_match": '"99"'}
    assert Client().put(path, "{", **stale).status == 401
    assert viewer.put(path, "{", **stale).status == 403
    assert admin.patch(path, "{", **stale).status == 404
    admin.post("/datasources", LISTINGS)
    assert admin.patch(path, "{", **stale).status == 400
    assert admin.patch(path, {"name": 5}, **stale).status == 412
    assert admin.patch(path, {"name": 5}).status == 422
    assert admin.post("/datasources", LISTINGS).status == 409
    assert admin.get("/datasources/none?colour=red").status == 404
    assert admin.get("/datasources/listings?colour=red").status == 422


def test_old_etag_does_not_match_a_new_project_of_the_same_name(admin: Client) -> None:
    admin.post("/projects", {"name": "p"})
    assert admin.delete("/projects/p", if_match='"1"').status == 204
    assert admin.get("/projects/p").status == 404
    assert admin.post("/projects", {"name": "p"}).json()["etag"] != "1"
    assert admin.delete("/projects/p", if_match='"1"').status == 412


def test_slug_of_a_deleted_datasource_is_reserved(admin: Client, editor: Client) -> None:
    admin.post("/datasources", LISTINGS)
    assert admin.delete("/datasources/listings", if_match='"1"').status == 204
    for client in (admin, editor):
        refused = client.post("/datasources", {"name": "Listings", "kind": "file"})
        assert (refused.status, "restore it" in refused.json()["detail"]) == (409, True)
        assert client.put("/datasources/listings", {"name": "Listings", "kind": "file"}).status == 409
    restored = admin.post("/datasources/listings/restore")
    assert (restored.status, restored.json()["kind"]) == (200, "http")


def test_get_answers_304_if_the_etag_is_current(admin: Client) -> None:
    admin.post("/datasources", LISTINGS)
    assert admin.get("/datasources/listings", if_none_match='"1"').status == 304
    assert admin.get("/datasources/listings", if_none_match='"2"').status == 200


def test_kind_and_slug_cannot_be_changed(admin: Client) -> None:
    admin.post("/datasources", {"name": "A", "kind": "file"})
    assert admin.patch("/datasources/a", {"slug": "b"}).status == 422
    changed = admin.patch("/datasources/a", {"kind": "http", "http": {"url": "https://example.com"}})
    assert (changed.status, changed.json()["errors"][0]["pointer"]) == (422, "/kind")


def test_lists_are_paged_by_signed_cursors(admin: Client) -> None:
    for name in "abcde":
        admin.post("/datasources", {"name": name, "kind": "file"})
    admin.delete("/datasources/c")
    slugs: list[str] = []
    cursor = ""
    while True:
        page = admin.get(f"/datasources?limit=2{cursor}").json()
        slugs += [item["slug"] for item in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert slugs == ["a", "b", "d", "e"]
    cursor_of_datasources = admin.get("/datasources?limit=2").json()["next"]
    assert admin.get(f"/datasources?cursor={cursor_of_datasources[:-2]}xx").status == 422
    assert admin.get(f"/projects?cursor={cursor_of_datasources}").status == 422
    assert admin.get("/datasources?limit=201").status == 422
    assert admin.get("/datasources?limit=0").status == 422


def test_schedule_is_created_changed_paused_and_deleted(services: Container, admin: Client) -> None:
    scheduler = boto3.client("scheduler")

    def state() -> tuple[str, str] | None:
        names = [item["Name"] for item in scheduler.list_schedules(GroupName="sluice")["Schedules"]]
        if not names:
            return None
        schedule = scheduler.get_schedule(GroupName="sluice", Name=names[0])
        assert len(schedule["Name"]) <= 64
        return schedule["ScheduleExpression"], schedule["State"]

    admin.post("/datasources", LISTINGS)
    assert state() == ("rate(10 minutes)", "ENABLED")
    admin.patch("/datasources/listings", {"schedule": {"expression": "rate(1 hour)"}})
    assert state() == ("rate(1 hour)", "ENABLED")
    admin.patch("/datasources/listings", {"enabled": False})
    assert state() == ("rate(1 hour)", "DISABLED")
    admin.patch("/datasources/listings", {"schedule": None})
    assert state() is None
    admin.put("/datasources/listings", LISTINGS)
    admin.delete("/datasources/listings")
    assert state() is None


def test_editor_owns_what_they_create(services: Container, admin: Client, editor: Client, viewer: Client) -> None:
    admin.post("/datasources", {"name": "theirs", "kind": "file"})
    editor.post("/datasources", {"name": "mine", "kind": "file"})
    assert editor.patch("/datasources/theirs", {"name": "x"}).status == 403
    assert editor.delete("/datasources/theirs").status == 403
    assert editor.patch("/datasources/mine", {"name": "x"}).status == 200
    assert admin.patch("/datasources/mine", {"name": "y"}).status == 200
    assert viewer.get("/datasources/theirs").status == 200
    assert viewer.post("/datasources", {"name": "no", "kind": "file"}).status == 403


def test_deletion_of_an_assigned_datasource_names_the_projects_that_the_caller_sees(
    services: Container, admin: Client
) -> None:
    key = services.keys.issue(KeyRequest(name="editor", role="editor", projects=["mine"]), "test")[1]
    editor = Client(key)
    editor.post("/datasources", LISTINGS | {"http": {"url": "https://pro-api.example.com"}})
    for project in ("mine", "other"):
        admin.put(f"/projects/{project}", {"name": project, "merge": {"strategy": "union"}})
        admin.put(f"/projects/{project}/datasources/listings", {})
    refused = editor.delete("/datasources/listings")
    assert refused.status == 409
    detail = refused.json()["detail"]
    assert "the project mine." in detail
    assert "DELETE /projects/mine/datasources/listings" in detail
    assert "other" not in detail
    assert "projects mine, other." in admin.delete("/datasources/listings").json()["detail"]
    admin.delete("/projects/mine/datasources/listings")
    assert "projects that you cannot see" in editor.delete("/datasources/listings").json()["detail"]
