"""Writes that overtake each other: preconditions, limits and unique names hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sluice.container import Container
from support.client import Client
from support.documents import http_source


def interleave(
    monkeypatch: pytest.MonkeyPatch, owner: Any, method: str, others: Callable[[], Any], times: int = 1
) -> None:
    """Let other requests act between what a request reads and what it writes by this method."""
    original, remaining = getattr(owner, method), [times]

    def write(*arguments: Any, **options: Any) -> Any:
        if remaining[0]:
            remaining[0] -= 1
            with monkeypatch.context() as patch:
                patch.setattr(owner, method, original)
                others()
        return original(*arguments, **options)

    monkeypatch.setattr(owner, method, write)


def test_overtaken_patch_without_precondition_is_retried_until_it_succeeds(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/projects", {"name": "p"})
    monkeypatch.setattr("sluice.api.resources._MAX_PAUSE_SECONDS", 0.001)
    numbers = iter(range(1000))

    def overtake() -> None:
        project = services.definitions.get("project", "p")
        services.definitions.replace(project, {**project.document, "description": f"theirs {next(numbers)}"})

    interleave(monkeypatch, services.definitions, "replace", overtake, times=49)
    answer = admin.patch("/projects/p", {"name": "mine"})
    assert (answer.status, answer.json()["name"], answer.json()["description"]) == (200, "mine", "theirs 48")


def test_overtaken_delete_without_precondition_is_retried(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/projects", {"name": "p"})
    admin.put("/projects/p/models/m", {"sql": "SELECT 1 AS x"})
    interleave(
        monkeypatch,
        services.definitions,
        "delete",
        lambda: admin.put("/projects/p/models/m", {"sql": "SELECT 2 AS x"}),
    )
    assert admin.delete("/projects/p/models/m").status == 204
    interleave(monkeypatch, services.definitions, "delete", lambda: admin.patch("/projects/p", {"name": "q"}))
    assert admin.delete("/projects/p").status == 204
    assert admin.get("/projects/p").status == 404


def test_write_that_is_overtaken_for_too_long_is_503(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sluice.errors import PreconditionFailed

    admin.post("/projects", {"name": "p"})

    def overtaken(*arguments: Any) -> None:
        raise PreconditionFailed("The project 'p' has changed; read it again and repeat.")

    monkeypatch.setattr(services.definitions, "replace", overtaken)
    monkeypatch.setattr("sluice.api.resources._RETRY_SECONDS", 0.1)
    answer = admin.patch("/projects/p", {"name": "q"})
    assert (answer.status, answer.headers["Retry-After"]) == (503, "1")
    assert admin.patch("/projects/p", {"name": "q"}, if_match='"1"').status == 412


@pytest.mark.parametrize(
    ("kind", "setting", "body"),
    [
        ("models", "max_models", {"sql": "SELECT 1 AS x"}),
        ("endpoints", "max_endpoints", {"sql": "SELECT 1 AS x"}),
        ("reports", "max_reports", {"title": "t", "sections": [{"type": "markdown", "text": "x"}]}),
    ],
)
def test_limit_holds_with_concurrent_writes(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch, kind: str, setting: str, body: dict[str, Any]
) -> None:
    services.settings.__dict__[setting] = 4
    admin.post("/projects", {"name": "p"})

    def fill() -> None:
        for number in range(4):
            assert admin.put(f"/projects/p/{kind}/part_{number}", body).status == 201

    with monkeypatch.context() as patch:
        interleave(patch, services.definitions, "transact", fill)
        assert admin.put(f"/projects/p/{kind}/late", body).status == 409
    listed = admin.get(f"/projects/p/{kind}").json()["items"]
    assert [part["name"] for part in listed] == [f"part_{number}" for number in range(4)]
    assert admin.delete(f"/projects/p/{kind}/{listed[0]['name']}").status == 204
    assert admin.put(f"/projects/p/{kind}/another", body).status == 201
    assert admin.put(f"/projects/p/{kind}/another", body).status == 200, "replacing does not count"
    assert admin.put(f"/projects/p/{kind}/more", body).status == 409


def test_resources_of_an_earlier_release_are_counted(services: Container, admin: Client) -> None:
    services.settings.__dict__["max_models"] = 3
    admin.post("/projects", {"name": "p"})
    for name in ("a", "b"):
        services.definitions.create("model", f"p#{name}", {"sql": "SELECT 1 AS x"}, "test")
    assert admin.put("/projects/p/models/c", {"sql": "SELECT 1 AS x"}).status == 201
    assert admin.put("/projects/p/models/d", {"sql": "SELECT 1 AS x"}).status == 409
    admin.delete("/projects/p")
    admin.post("/projects", {"name": "p"})
    for name in ("a", "b", "c"):
        assert admin.put(f"/projects/p/models/{name}", {"sql": "SELECT 1 AS x"}).status == 201


@pytest.mark.parametrize("path", ["datasources/b", "models/prices"])
def test_concurrent_writes_cannot_give_two_tables_one_name(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    admin.post("/projects", {"name": "p"})
    for name in ("a", "b"):
        admin.post("/datasources", http_source(name))
    body = {"alias": "prices"} if path == "datasources/b" else {"sql": "SELECT 1 AS x"}

    def take() -> None:
        assert admin.put("/projects/p/datasources/a", {"alias": "prices"}).status == 201

    interleave(monkeypatch, services.definitions, "transact", take)
    refused = admin.put(f"/projects/p/{path}", body)
    assert (refused.status, "datasource a" in refused.json()["detail"]) == (409, True)


def test_released_name_can_be_used_again(admin: Client) -> None:
    admin.post("/projects", {"name": "p"})
    for name in ("a", "b"):
        admin.post("/datasources", http_source(name))
    assert admin.put("/projects/p/datasources/a", {"alias": "prices"}).status == 201
    assert admin.put("/projects/p/models/prices", {"sql": "SELECT 1 AS x"}).status == 409
    assert admin.put("/projects/p/datasources/b", {"alias": "prices"}).status == 409
    assert admin.put("/projects/p/datasources/a", {"alias": "other"}).status == 200
    assert admin.put("/projects/p/models/prices", {"sql": "SELECT 1 AS x"}).status == 201
    assert admin.put("/projects/p/datasources/b", {"alias": "prices"}).status == 409
    assert admin.delete("/projects/p/models/prices").status == 204
    assert admin.put("/projects/p/datasources/b", {"alias": "prices"}).status == 201
    assert admin.delete("/projects/p/datasources/b").status == 204
    admin.delete("/projects/p")
    admin.post("/projects", {"name": "p"})
    assert admin.put("/projects/p/datasources/b", {"alias": "other"}).status == 201, (
        "the names of the deleted project are released"
    )


def test_table_that_is_read_cannot_be_renamed_or_removed(admin: Client) -> None:
    admin.post("/projects", {"name": "p"})
    admin.post("/datasources", http_source("a"))
    admin.put("/projects/p/datasources/a", {"alias": "prices"})
    admin.put("/projects/p/models/m", {"sql": "SELECT * FROM prices"})
    refused = admin.put("/projects/p/datasources/a", {"alias": "other"})
    assert (refused.status, "'m'" in refused.json()["detail"]) == (409, True)
    assert admin.delete("/projects/p/datasources/a").status == 409
    assert admin.put("/projects/p/datasources/a", {"alias": "prices", "priority": 3}).status == 200
    admin.delete("/projects/p/models/m")
    assert admin.put("/projects/p/datasources/a", {"alias": "other"}).status == 200


def test_assignments_honour_if_match(admin: Client) -> None:
    admin.post("/projects", {"name": "p"})
    admin.post("/datasources", http_source("a"))
    path = "/projects/p/datasources/a"
    assert admin.get(path).status == 404
    assert admin.put(path, {}, if_match='"1"').status == 412, "the assignment does not exist yet"
    created = admin.put(path, {})
    first = created.headers["ETag"]
    assert (created.status, created.json()["etag"]) == (201, first.strip('"'))
    assert admin.get(path).json() == created.json()
    assert admin.get(path, if_none_match=first).status == 304
    changed = admin.put(path, {"priority": 5}, if_match=first)
    second = changed.headers["ETag"]
    assert (changed.status, second != first) == (200, True)
    assert admin.put(path, {"priority": 6}, if_match=first).status == 412
    assert admin.put(path, {"priority": 5}).headers["ETag"] == second, "the assignment is unchanged"
    assert admin.put(path, {"priority": 6}, if_none_match="*").status == 412
    assert admin.delete(path, if_match=first).status == 412
    assert admin.delete(path, if_match=second).status == 204
    recreated = admin.put(path, {})
    assert recreated.headers["ETag"] not in (first, second), "an old ETag never fits a new assignment"
    assert admin.get(path, if_none_match=first).status == 200


def test_two_who_create_an_override_at_once_do_not_replace_each_other(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/projects", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    path = "/projects/p/overrides/v?key=1"

    def overtake() -> None:
        assert admin.put(path, {"value": 1, "reason": "theirs"}).status == 201

    interleave(monkeypatch, services.definitions, "create", overtake)
    refused = admin.put(path, {"value": 2, "reason": "mine"}, if_none_match="*")
    assert (refused.status, "#" in refused.json()["detail"]) == (412, False), "no internal name is shown"
    assert admin.get(path).json()["reason"] == "theirs"
    # Without a precondition, the last one wins.
    admin.delete(path)
    interleave(monkeypatch, services.definitions, "create", overtake)
    assert admin.put(path, {"value": 2, "reason": "mine"}).status == 200
    assert admin.get(path).json()["reason"] == "mine"


def test_overtaken_change_of_an_override_is_refused_or_repeated(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/projects", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    path = "/projects/p/overrides/v?key=1"
    first = admin.put(path, {"value": 1, "reason": "first"}).headers["ETag"]
    assert [item["etag"] for item in admin.get("/projects/p/overrides").json()["items"]] == [first.strip('"')]

    def overtake() -> None:
        assert admin.put(path, {"value": 2, "reason": "theirs"}).status == 200

    interleave(monkeypatch, services.definitions, "replace", overtake)
    assert admin.put(path, {"value": 3, "reason": "mine"}, if_match=first).status == 412
    assert admin.get(path).json()["reason"] == "theirs"
    assert admin.delete(path, if_match=first).status == 412
    interleave(
        monkeypatch, services.definitions, "delete", lambda: admin.put(path, {"value": 4, "reason": "theirs again"})
    )
    assert admin.delete(path).status == 204
    assert admin.get(path).status == 404


MEMBER = "/projects/p/members/group:planners"


def test_a_share_is_changed_only_as_it_was_seen(admin: Client) -> None:
    admin.post("/projects", {"name": "p"})
    made = admin.put(MEMBER, {"role": "viewer"}, if_none_match="*")
    assert (made.status, made.headers["ETag"]) == (201, f'"{made.json()["etag"]}"')
    assert admin.put(MEMBER, {"role": "owner"}, if_none_match="*").status == 412
    listed = admin.get("/projects/p/members").json()["items"]
    assert [item["role"] for item in listed] == ["owner", "viewer"]
    assert listed[1]["etag"] == made.json()["etag"]
    changed = admin.put(MEMBER, {"role": "editor"}, if_match=made.headers["ETag"])
    assert (changed.status, changed.json()["role"]) == (200, "editor")
    again = admin.put(MEMBER, {"role": "editor"})
    assert (again.status, again.headers["ETag"]) == (200, changed.headers["ETag"]), "the same again changes nothing"
    assert changed.headers["ETag"] != made.headers["ETag"]
    assert admin.put(MEMBER, {"role": "owner"}, if_match=made.headers["ETag"]).status == 412
    assert admin.delete(MEMBER, if_match=made.headers["ETag"]).status == 412
    assert [item["role"] for item in admin.get("/projects/p/members").json()["items"]] == ["owner", "editor"]
    assert admin.delete(MEMBER, if_match=changed.headers["ETag"]).status == 204
    assert admin.put(MEMBER, {"role": "viewer"}, if_match=changed.headers["ETag"]).status == 412
    owner = listed[0]
    refused = admin.put(f"/projects/p/members/{owner['principal']}", {"role": "viewer"}, if_none_match="*")
    assert refused.status == 412
    assert admin.put(f"/projects/p/members/{owner['principal']}", {"role": "viewer"}).status == 409


def test_two_who_share_at_once_do_not_replace_each_other(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.post("/projects", {"name": "p"})
    members = services.members
    interleave(monkeypatch, members, "put", lambda: admin.put(MEMBER, {"role": "owner"}))
    assert admin.put(MEMBER, {"role": "viewer"}, if_none_match="*").status == 412
    assert admin.get("/projects/p/members").json()["items"][1]["role"] == "owner"
    interleave(monkeypatch, members, "put", lambda: admin.put(MEMBER, {"role": "editor"}))
    assert admin.put(MEMBER, {"role": "viewer"}).status == 200, "without a precondition, the last one wins"
    interleave(monkeypatch, members, "remove", lambda: admin.put(MEMBER, {"role": "editor"}))
    assert admin.delete(MEMBER).status == 204
    assert len(admin.get("/projects/p/members").json()["items"]) == 1
