"""What was computed, sent or named after a record that is erased."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import httpx
import pytest

from sluice.container import Container
from sluice.runs.reconcile import sweep
from support.client import Client
from support.documents import Documents, drop, http_source, ingest, refresh, rows
from support.erasing import CANARY, CSV_TEXT, FIELD, NAMES, TABLE, erased
from support.example_algorithms import add_example_algorithms
from support.functions import LocalFunctions
from support.traces import traces
from support.upstream import StubResponse, Upstream, ok, raw


def test_what_was_computed_of_a_record_is_removed_and_computed_again(
    services: Container,
    admin: Client,
    documents: Documents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add_example_algorithms(monkeypatch)
    documents["birds"] = TABLE
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}})
    admin.put("/projects/p/datasources/birds", {})
    admin.put("/projects/p/models/notes", {"sql": "SELECT id, note FROM merged"})
    sql = "SELECT id, note FROM notes ORDER BY id"
    admin.put("/projects/p/reports/birds", {"title": "Birds", "sections": [{"type": "table", "sql": sql}]})
    admin.put("/projects/p/endpoints/notes", {"sql": sql, "cache_seconds": 600})
    refresh(admin, "p", ingest="all")
    for key in (CANARY, "a"):
        body = {"value": FIELD if key == CANARY else "y", "reason": "seen"}
        assert admin.put(f"/projects/p/overrides/note?key={key}", body).status in (200, 201)
    admin.put(f"/projects/p/overrides/size?key={CANARY}", {"value": 7, "reason": FIELD})
    admin.delete(f"/projects/p/overrides/size?key={CANARY}")
    computed = {"inputs": {"data": "dataset:merged"}, "parameters": {"column": "size"}}
    started = admin.post("/projects/p/algorithms/smallest_sum/runs", computed)
    assert started.status == 202, started.text
    result = f"/runs/{started.json()['id']}/result"
    assert admin.get(result).status == 200
    assert CANARY in admin.get("/endpoints/p/notes").text
    asked = {"sql": "SELECT * FROM merged"}
    assert CANARY in admin.post("/projects/p/query", asked, idempotency_key="k").text

    removed = erased(admin, "birds", key=[CANARY])["erasure"]["removed"]
    assert {"models", "reports", "algorithm_results", "overrides", "answers", "merged_versions"} <= removed.keys()
    assert removed["overrides"] == 2
    assert traces(tmp_path, CANARY, FIELD) == []
    assert [row["note"] for row in rows(admin, "projects/p")] == ["y", "x"], "the other override stays"
    assert [item["id"] for item in admin.get("/endpoints/p/notes").json()["items"]] == ["a", "z"]
    assert "Birds" in admin.get("/projects/p/reports/birds/latest").text
    assert admin.get(result).status == 404
    assert admin.post("/projects/p/query", asked, idempotency_key="k").status == 410
    again = admin.post("/projects/p/algorithms/smallest_sum/runs", computed)
    assert again.status == 202, "the result that was removed is computed again"

    refresh(admin, "p", ingest="all")
    restored = admin.post("/projects/p/algorithms/smallest_sum/runs", computed)
    assert restored.status == 202, "the upstream still has the record, so the inputs are those of before"
    assert admin.get(f"/runs/{restored.json()['id']}/result").status == 200
    assert admin.get(result).status == 404


@pytest.mark.parametrize("ended", ["/projects/p/datasources/birds", "/projects/p"])
def test_results_of_a_project_that_no_longer_uses_the_datasource_are_removed(
    services: Container,
    admin: Client,
    documents: Documents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ended: str,
) -> None:
    add_example_algorithms(monkeypatch)
    documents["birds"] = TABLE
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    ingest(admin, "birds")
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/birds", {})
    computed = {"inputs": {"data": "dataset:birds"}, "parameters": {"column": "size"}}
    started = admin.post("/projects/p/algorithms/smallest_sum/runs", computed)
    assert admin.get(f"/runs/{started.json()['id']}/result").status == 200
    assert admin.delete(ended).status == 204
    removed = erased(admin, "birds", key=[CANARY])["erasure"]["removed"]
    assert removed["algorithm_results"] == 1
    assert [key for key in services.lake.list_keys("algorithms") if key.endswith("/result.json")] == []
    assert traces(tmp_path, CANARY, FIELD) == []


def test_webhooks_get_no_quotation_of_an_erased_record(
    services: Container, functions: LocalFunctions, upstream: Upstream, admin: Client, tmp_path: Path
) -> None:
    hooked: list[str] = []

    def answer(request: httpx.Request) -> StubResponse:
        if request.url.host == "hooks.example.com":
            hooked.append(request.content.decode())
            return raw(b"", 200)
        return ok(TABLE)

    upstream.answer = answer
    subscription = {"event": "run.failed", "webhook": "https://hooks.example.com/in"}
    path = f"/subscriptions/{admin.post('/subscriptions', subscription).json()['id']}/deliveries"
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    ingest(admin, "birds")
    wrong = {"records": "[?id != 'a']", "fields": {"id": "id", "note": "abs(note)"}}
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"], **wrong))
    assert ingest(admin, "birds")["status"] == "failed"
    functions.run()
    assert FIELD in hooked.pop()
    ingest(admin, "birds")
    assert functions.calls, "the second delivery waits"
    erased(admin, "birds", key=[CANARY])
    assert traces(tmp_path, CANARY, FIELD) == []
    functions.run()
    for delivery in admin.get(path).json()["items"]:
        assert admin.post(f"{path}/{delivery['id']}/redeliver").status == 202
    functions.run()
    assert len(hooked) == 3
    assert not any(FIELD in body for body in hooked)
    assert all("a note that quoted an erased record was removed" in body for body in hooked)


def test_names_and_links_that_have_the_key_are_removed(services: Container, admin: Client, tmp_path: Path) -> None:
    boto3.client("s3").put_bucket_versioning(Bucket="inbox", VersioningConfiguration={"Status": "Enabled"})
    key = "zoë o'neil@example.net"
    document = {"name": "birds", "kind": "file", "primary_key": ["id"]}
    admin.put("/datasources/birds", document)
    drop(services, "birds/other.csv", f"id,note\n{key},{FIELD}\nz,x\n".encode())
    drop(services, "birds/broken.csv", f"id,note\n{key},{FIELD}\nragged".encode())
    drop(services, f"birds/{key}.csv", b"id,note\nz,y\n")
    drop(services, f"birds/failed {key}.csv", b"id,note\nz,y\nragged,,,")
    services.s3.delete_object(Bucket="inbox", Key=f"birds/gone {key}.csv")
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/birds", {})
    refresh(admin, "p", ingest="none")
    target = f"data?where=id.eq:{quote(key)}"
    for _ in "ab":
        assert admin.post("/projects/p/links", {"target": target}, idempotency_key="k").status == 201
    assert admin.post("/projects/p/links", {"target": "data?where=id.eq:z"}).status == 201

    erased(admin, "birds", key=[key])
    assert traces(tmp_path, key, FIELD) == []
    assert [link["target"] for link in admin.get("/projects/p/links").json()["items"]] == ["data?where=id.eq:z"]
    assert admin.post("/projects/p/links", {"target": target}, idempotency_key="k").status == 410
    assert rows(admin, "datasources/birds") == [{"id": "z", "note": "y"}]
    sweep(services, 0)
    assert rows(admin, "datasources/birds") == [{"id": "z", "note": "y"}]
    assert traces(tmp_path, key, FIELD) == []


def test_a_file_that_was_not_read_yet_stays(services: Container, admin: Client) -> None:
    admin.put("/datasources/birds", {"name": "birds", "kind": "file", "primary_key": ["id"]})
    drop(services, "birds/a.csv", CSV_TEXT.encode())
    services.s3.put_object(Bucket="inbox", Key=f"birds/{CANARY}.csv", Body=b"id\nq\n")
    erased(admin, "birds", key=[CANARY])
    assert services.s3.get_object(Bucket="inbox", Key=f"birds/{CANARY}.csv")["Body"].read() == b"id\nq\n"


@pytest.mark.parametrize(
    ("form", "pagination"),
    [
        ("json", {"type": "cursor", "path": "page.next", "param": "after"}),
        ("json", {"type": "next_url", "path": "page.next"}),
        ("json", {"type": "cursor", "path": "data[-1].id", "param": "after"}),
        ("xml", {"type": "cursor", "path": "r.next", "param": "after"}),
    ],
)
def test_cursors_that_have_the_key_are_erased(
    services: Container, upstream: Upstream, admin: Client, tmp_path: Path, form: str, pagination: dict[str, Any]
) -> None:
    """Pages of two records, whose cursor is the key of their last record, or within the address of the next page."""

    def answer(request: httpx.Request) -> StubResponse:
        after = request.url.params.get("after")
        first = 0 if after is None else NAMES.index(after) + 1
        records = TABLE[first : first + 2]
        following = records[-1]["id"] if first + 2 < len(TABLE) else None
        if form == "xml":
            elements = "".join(f"<x><id>{row['id']}</id><note>{row['note']}</note></x>" for row in records)
            return raw(f"<r>{elements}<next>{following or ''}</next></r>".encode(), 200, "application/xml")
        if pagination["type"] == "next_url" and following is not None:
            following = f"https://birds.example.com/v1?after={following}"
        return ok({"data": records, "page": {"next": following}} if "page" in pagination["path"] else {"data": records})

    upstream.answer = answer
    document = http_source("birds", primary_key=["id"], records="r.x" if form == "xml" else "data")
    document["http"] |= {"pagination": pagination | ({"stop_when": "length(data) < `2`"} if form == "json" else {})}
    assert admin.put("/datasources/birds", document).status == 201
    ingest(admin, "birds")
    assert [row["id"] for row in rows(admin, "datasources/birds")] == list(NAMES)
    erased(admin, "birds", key=[CANARY])
    assert traces(tmp_path, CANARY, FIELD) == []
    assert ingest(admin, "birds", {"replay": 1})["status"] == "succeeded"
    assert [row["id"] for row in rows(admin, "datasources/birds")] == ["a", "z"]


@pytest.mark.parametrize("days", [30, 0])
def test_a_deleted_datasource_is_erased_once_it_is_back(
    services: Container,
    admin: Client,
    documents: Documents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    days: int,
) -> None:
    """It is restored, or, if that is no longer possible, created again."""
    monkeypatch.setitem(services.settings.__dict__, "restore_days", days)
    documents["birds"] = TABLE
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    ingest(admin, "birds")
    admin.delete("/datasources/birds")
    assert admin.post("/datasources/birds/erase", {"key": [CANARY], "reason": "x"}).status == 404
    if days:
        assert admin.post("/datasources/birds/restore").status == 200
    else:
        assert admin.put("/datasources/birds", http_source("birds", primary_key=["id"])).status == 201
    assert erased(admin, "birds", key=[CANARY])["erasure"]["removed"]["records"] == 1
    assert traces(tmp_path, CANARY, FIELD) == []
