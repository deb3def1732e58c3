"""Restoring, statistics, timelines, uploads, CORS and output formats."""

from datetime import timedelta
from typing import Any

import boto3
import httpx
import pytest

from sluice.container import Container
from sluice.domain.names import now
from support.client import Client
from support.documents import drop, http_source, ingest, paged_source, refresh, rows, take_again
from support.upstream import Upstream, ok, raw


def test_deleted_datasource_can_be_restored(
    services: Container, admin: Client, editor: Client, upstream: Upstream
) -> None:
    upstream.serve([{"id": 1}])
    schedule = {"expression": "rate(1 hour)"}
    admin.post("/datasources", http_source(schedule=schedule))
    ingest(admin, "coins")
    admin.delete("/datasources/coins")
    assert admin.get("/datasources/coins/data").status == 404
    assert editor.post("/datasources/coins/restore").status == 403
    answer = admin.post("/datasources/coins/restore")
    assert (answer.status, answer.json()["schedule"]["expression"]) == (200, "rate(1 hour)")
    assert answer.headers["ETag"] == f'"{answer.json()["etag"]}"'
    assert rows(admin, "datasources/coins") == [{"id": 1}]
    scheduler = boto3.client("scheduler")
    assert scheduler.get_schedule(GroupName="sluice", Name=services.schedules.name("datasource", "coins"))
    assert ingest(admin, "coins")["version"] == 2
    assert admin.post("/datasources/coins/restore").status == 409


def test_restoring_is_refused(services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert admin.post("/datasources/none/restore").status == 404
    admin.post("/datasources", http_source())
    admin.delete("/datasources/coins")
    later = now() + timedelta(days=31)
    with monkeypatch.context() as patch:
        patch.setattr("sluice.catalog.definitions.now", lambda: later)
        assert admin.post("/datasources/coins/restore").status == 404
    take_again(services, admin, http_source())
    assert admin.post("/datasources/coins/restore").status == 409, "another datasource has the slug now"


def test_restoring_a_hidden_datasource_is_404(services: Container, admin: Client) -> None:
    created = admin.post("/keys", {"name": "guest", "role": "editor", "projects": ["p"]}).json()
    guest = Client(created["key"])
    admin.post("/datasources", http_source())
    assert guest.post("/datasources/coins/restore").status == 404
    admin.delete("/datasources/coins")
    assert guest.post("/datasources/coins/restore").status == 404


def test_run_of_a_deleted_datasource_publishes_nothing_to_its_successor(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    admin.post("/datasources", http_source())
    upstream.serve([{"id": "old"}])
    workflows: Any = services.workflows

    def meanwhile(function: str, payload: dict[str, Any]) -> None:
        if function == "commit":
            workflows.before_task = lambda function, payload: None
            admin.delete("/datasources/coins")
            take_again(services, admin, http_source())

    workflows.before_task = meanwhile
    ingest_id = admin.post("/datasources/coins/runs").json()["id"]
    assert services.runs.get(ingest_id).status == "failed"
    assert admin.get("/datasources/coins/data").status == 404


def test_deletion_hides_existing_versions(services: Container, admin: Client, upstream: Upstream) -> None:
    for value in (1, 2):
        upstream.serve([{"id": value}])
        take_again(services, admin, http_source())
        ingest(admin, "coins")
        admin.delete("/datasources/coins")
    admin.post("/datasources/coins/restore")
    assert rows(admin, "datasources/coins") == [{"id": 2}]
    assert [item["number"] for item in admin.get("/datasources/coins/versions").json()["items"]] == [2]


def test_call_statistics(services: Container, admin: Client, viewer: Client, upstream: Upstream) -> None:
    admin.post("/datasources", http_source())
    nothing = viewer.get("/datasources/coins/stats").json()
    assert nothing == {
        "calls": 0,
        "average_success_ms": None,
        "success_rate": None,
        "timeout_rate": None,
        "error_rate": None,
        "first_call": None,
        "last_call": None,
    }
    answers = iter([raw(b"", 500), httpx.ReadTimeout("late"), ok([]), raw(b"", 403)])

    def answer(request: httpx.Request) -> Any:
        following = next(answers)
        if isinstance(following, Exception):
            raise following
        return following

    upstream.answer = answer
    ingest(admin, "coins")
    ingest(admin, "coins")
    stats = viewer.get("/datasources/coins/stats").json()
    assert (stats["calls"], stats["success_rate"], stats["timeout_rate"], stats["error_rate"]) == (4, 25.0, 25.0, 50.0)
    assert stats["average_success_ms"] >= 0
    assert stats["first_call"] <= stats["last_call"]
    admin.delete("/datasources/coins")
    take_again(services, admin, http_source())
    assert viewer.get("/datasources/coins/stats").json()["calls"] == 0, "it is a new datasource of the same name"


def test_timeline_of_an_ingest(services: Container, admin: Client, viewer: Client, upstream: Upstream) -> None:
    upstream.serve_pages([{"id": number} for number in range(15)])
    healthy = upstream.answer
    failed: list[httpx.Request] = []

    def answer(request: httpx.Request) -> Any:
        if not failed:
            failed.append(request)
            return raw(b"", 503)
        return healthy(request)

    upstream.answer = answer
    admin.post("/datasources", paged_source())
    run = ingest(admin, "coins")
    events = viewer.get(f"/runs/{run['id']}/events").json()["items"]
    names = [event["event"] for event in events]
    assert sorted(names) == sorted(
        ["created", "started", "page_failed", "page", "page", "fetch", "extract", "succeeded"]
    )
    assert (names[0], names[-1]) == ("created", "succeeded")
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    details = [event["detail"] for event in events if event["event"].startswith("page")]
    assert details[0] == {"number": 1, "status": 503, "reason": "HTTP status 503"}
    assert [detail["rows"] for detail in details[1:]] == [10, 5]
    first = viewer.get(f"/runs/{run['id']}/events?limit=2").json()
    assert (len(first["items"]), bool(first["next"])) == (2, True)


def test_timeline_of_a_refresh_and_a_redrive(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.answer = lambda request: raw(b"", 403)
    admin.post("/datasources", http_source())
    admin.post("/projects", {"name": "p"})
    admin.put("/projects/p/datasources/coins", {})
    run = refresh(admin, "p")
    assert run["status"] == "failed"
    upstream.serve([{"id": 1}])
    admin.post(f"/runs/{run['id']}/redrive")
    events = [event["event"] for event in admin.get(f"/runs/{run['id']}/events").json()["items"]]
    assert events.count("ingest_created") == events.count("ingest_finished") == 2
    assert [name for name in events if name in ("failed", "redriven", "succeeded")] == [
        "failed",
        "redriven",
        "succeeded",
    ]


def test_upload_form(services: Container, admin: Client, editor: Client, viewer: Client) -> None:
    editor.post("/datasources", {"name": "notes", "kind": "file"})
    answer = editor.post("/datasources/notes/uploads", {"filename": "prices 2026.csv"})
    assert answer.status == 200
    form = answer.json()
    assert form["fields"]["key"] == "notes/prices 2026.csv"
    assert {"policy", "x-amz-signature"} <= set(form["fields"])
    assert "inbox" in form["url"]
    assert viewer.post("/datasources/notes/uploads", {"filename": "a"}).status == 403
    assert admin.post("/datasources/none/uploads", {"filename": "a"}).status == 404
    for name in ("", "a/b", "../a", ".hidden", "a\x00", "x" * 201, 5):
        assert admin.post("/datasources/notes/uploads", {"filename": name}).status == 422, name
    admin.post("/datasources", http_source())
    assert admin.post("/datasources/coins/uploads", {"filename": "a"}).status == 409


def test_cors_allows_listed_origins(services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def allow(origins: str) -> None:
        monkeypatch.setenv("CORS_ORIGINS", origins)
        services.settings = services.settings.model_copy(update={"cors_origins": origins})

    allow("https://a.example.com, https://b")
    preflight = Client().call("OPTIONS", "/datasources", origin="https://b")
    assert (preflight.status, preflight.text) == (204, "")
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://b"
    assert "DELETE" in preflight.headers["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in preflight.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Origin" not in Client().call("OPTIONS", "/datasources", origin="https://c").headers
    answer = admin.get("/datasources", origin="https://a.example.com")
    assert (answer.headers["Access-Control-Allow-Origin"], answer.headers["Vary"]) == (
        "https://a.example.com",
        "Origin",
    )
    assert "X-Sluice-Version" in answer.headers["Access-Control-Expose-Headers"]
    failed = admin.get("/datasources/none", origin="https://b")
    assert (failed.status, failed.headers["Access-Control-Allow-Origin"]) == (404, "https://b")
    allow("*")
    assert Client().call("OPTIONS", "/me", origin="https://z").headers["Access-Control-Allow-Origin"] == "https://z"


def test_data_is_served_in_each_format(services: Container, admin: Client) -> None:
    import duckdb
    import nanoarrow

    admin.post("/datasources", {"name": "notes", "kind": "file"})
    drop(services, "notes/a.csv", b"id,day,name\n2,2026-01-02,x\n1,2026-01-01,\n3,2026-01-03,y\n")
    path = "/datasources/notes/data?order=id&where=id.lt:3"
    lines = admin.get(f"{path}&format=jsonl")
    assert lines.headers["Content-Type"] == "application/x-ndjson"
    assert lines.text == '{"id":1,"day":"2026-01-01","name":null}\n{"id":2,"day":"2026-01-02","name":"x"}\n'
    assert admin.get(f"{path}&format=csv").text == "id,day,name\r\n1,2026-01-01,\r\n2,2026-01-02,x\r\n"
    for form in ("parquet", "arrow"):
        answer = admin.get(f"{path}&format={form}&select=name,id")
        assert answer.status == 303
        assert answer.headers["X-Sluice-Version"] == "1"
        url = httpx.URL(answer.headers["Location"])
        assert "attachment" in url.params["response-content-disposition"]
        key = url.path.partition("/lake/")[2]
        body = boto3.client("s3").get_object(Bucket="lake", Key=key)["Body"].read()
        if form == "parquet":
            with services.lake.scratch() as file:
                file.write_bytes(body)
                assert duckdb.execute(f"SELECT * FROM read_parquet('{file}')").fetchall() == [(None, 1), ("x", 2)]
        else:
            stream = nanoarrow.ArrayStream.from_readable(body)
            assert [tuple(row.values()) for row in stream.read_all().to_pylist()] == [(None, 1), ("x", 2)]
    page = admin.get("/datasources/notes/data?order=id&format=jsonl&limit=2")
    assert page.text.count("\n") == 2
    rest = admin.get(f"/datasources/notes/data?order=id&format=jsonl&limit=2&cursor={page.headers['X-Sluice-Next']}")
    assert (rest.text, "X-Sluice-Next" in rest.headers) == ('{"id":3,"day":"2026-01-03","name":"y"}\n', False)
    assert admin.get("/datasources/notes/data?format=avro").status == 422


def test_large_text_answer_is_a_redirect(services: Container, admin: Client) -> None:
    services.settings = services.settings.model_copy(update={"max_inline_bytes": 30})
    admin.post("/datasources", {"name": "notes", "kind": "file"})
    drop(services, "notes/a.csv", b"id\n" + b"1\n" * 50)
    for form in ("csv", "jsonl"):
        answer = admin.get(f"/datasources/notes/data?format={form}")
        assert (answer.status, "Location" in answer.headers) == (303, True)


def test_empty_version_has_no_parquet_or_arrow(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.serve([])
    admin.post("/datasources", http_source())
    ingest(admin, "coins")
    assert admin.get("/datasources/coins/data?format=jsonl").text == ""
    for form in ("parquet", "arrow"):
        assert admin.get(f"/datasources/coins/data?format={form}").status == 422
