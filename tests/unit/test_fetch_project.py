"""`/projects/{slug}/fetch`: refreshing a project and returning its data and failures."""

from datetime import timedelta
from typing import Any

import pytest

from sluice.container import Container
from sluice.domain.names import now
from support.client import Client, Reply
from support.documents import http_source, refresh
from support.upstream import StubResponse, Upstream, ok, raw
from support.workflows import LocalWorkflows


@pytest.fixture
def answers(services: Container, admin: Client, upstream: Upstream) -> dict[str, StubResponse]:
    """A project of two datasources; a test can change their upstreams' responses."""
    responses = {"a": ok([{"id": 1, "v": "a"}]), "b": ok([{"id": 1, "w": "b"}, {"id": 2, "w": "c"}])}
    upstream.answer = lambda request: responses[request.url.host.partition(".")[0]]
    join = {"strategy": "join", "key": ["id"]}
    admin.post("/projects", {"name": "p", "merge": join, "refresh_on": "manual"})
    for name in responses:
        admin.post("/datasources", http_source(name))
        admin.put(f"/projects/p/datasources/{name}", {})
    return responses


def fetched(client: Client) -> Any:
    answer = client.get("/projects/p/fetch")
    assert answer.status == 200, answer.text
    return answer.json()


ALL = [{"id": 1, "v": "a", "w": "b"}, {"id": 2, "v": None, "w": "c"}]


def test_fetch_returns_the_merged_data(editor: Client, answers: dict[str, StubResponse], upstream: Upstream) -> None:
    assert fetched(editor) == {"result": {"size": 2, "data": ALL}, "errors": None}
    answers["a"] = ok([{"id": 2, "v": "new"}])
    assert fetched(editor)["result"]["data"][1] == {"id": 2, "v": "new", "w": "c"}
    assert len(upstream.requests) == 4, "each fetch calls the upstreams"


def test_failed_datasource_is_listed_and_the_rest_is_merged(editor: Client, answers: dict[str, StubResponse]) -> None:
    answers["b"] = raw(b"", 403)
    result = fetched(editor)
    assert result["result"] == {"size": 1, "data": [{"id": 1, "v": "a"}]}
    assert result["errors"]["size"] == 1
    assert result["errors"]["data"][0]["datasource"] == "b"
    assert "403" in result["errors"]["data"][0]["error"]


def test_last_version_of_a_failed_datasource_is_used(editor: Client, answers: dict[str, StubResponse]) -> None:
    fetched(editor)
    answers["b"] = raw(b"", 403)
    result = fetched(editor)
    assert (result["result"]["data"], result["errors"]["size"]) == (ALL, 1)


def test_healthy_datasources_are_current_if_a_new_one_fails(
    admin: Client, editor: Client, answers: dict[str, StubResponse]
) -> None:
    fetched(editor)
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    admin.put("/projects/p/datasources/notes", {})
    answers["a"] = ok([{"id": 1, "v": "new"}])
    answer = editor.get("/projects/p/fetch")
    assert answer.json()["result"]["data"][0]["v"] == "new"
    assert answer.headers["X-Sluice-Completeness"] == "partial"


def test_result_is_empty_if_all_datasources_fail(editor: Client, answers: dict[str, StubResponse]) -> None:
    answers |= {"a": raw(b"", 403), "b": raw(b"<html>", 200)}
    result = fetched(editor)
    assert result["result"] == {"size": 0, "data": None}
    assert [error["datasource"] for error in result["errors"]["data"]] == ["a", "b"]


def test_project_without_datasources(services: Container, editor: Client) -> None:
    editor.post("/projects", {"name": "p"})
    assert fetched(editor) == {"result": {"size": 0, "data": None}, "errors": None}


def test_datasource_without_a_file_is_listed(admin: Client, editor: Client, answers: dict[str, StubResponse]) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    admin.put("/projects/p/datasources/notes", {"optional": True})
    assert fetched(editor)["errors"]["data"] == [{"datasource": "notes", "error": "it has no data yet"}]


def test_viewers_get_published_data_without_upstream_calls(
    admin: Client, viewer: Client, answers: dict[str, StubResponse], upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert viewer.get("/projects/p/fetch").json()["type"].endswith("not-published")
    refresh(admin, "p")
    upstream.requests.clear()
    assert fetched(viewer) == {"result": {"size": 2, "data": ALL}, "errors": None}
    admin.patch("/datasources/a", {"max_age_seconds": 3600})
    assert fetched(viewer)["errors"] is None
    admin.patch("/datasources/a", {"max_age_seconds": 1})
    monkeypatch.setattr("sluice.runs.plan.now", lambda: now() + timedelta(hours=1))
    late = fetched(viewer)
    assert late["result"]["size"] == 2
    assert late["errors"]["data"] == [{"datasource": "a", "error": "its data is older than max_age_seconds"}]
    admin.patch("/datasources/a", {"max_age_seconds": 0})
    assert fetched(viewer)["errors"] is None, "it never expires"
    assert upstream.requests == []


def test_failed_merge_is_the_answer(admin: Client, answers: dict[str, StubResponse]) -> None:
    admin.patch("/projects/p", {"merge": {"key": ["nowhere"]}})
    answer = admin.get("/projects/p/fetch")
    assert (answer.status, answer.json()["type"]) == (422, "urn:sluice:problem:merge-failed")
    assert "nowhere" in answer.json()["detail"]


def test_slow_refresh_answers_202_with_the_run(
    services: Container, admin: Client, answers: dict[str, StubResponse], workflows: LocalWorkflows
) -> None:
    services.settings = services.settings.model_copy(update={"max_wait_seconds": 0})
    workflows.hold = True
    answer = admin.get("/projects/p/fetch")
    assert (answer.status, answer.json()["kind"], answer.json()["status"]) == (202, "refresh", "pending")
    assert answer.headers["Location"].endswith(f"/runs/{answer.json()['id']}")


def test_large_result_is_a_redirect(services: Container, admin: Client, answers: dict[str, StubResponse]) -> None:
    services.settings = services.settings.model_copy(update={"max_inline_bytes": 60})
    answer: Reply = admin.get("/projects/p/fetch")
    assert answer.status == 303
    assert answer.headers["Location"].startswith("https://")


def test_fetch_follows_the_rules_of_all_routes(
    services: Container, editor: Client, answers: dict[str, StubResponse]
) -> None:
    assert Client().get("/projects/p/fetch").status == 401
    assert editor.get("/projects/none/fetch").status == 404
    assert editor.get("/projects/p/fetch?odd=1").status == 422
