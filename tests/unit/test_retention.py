"""Retention: what a datasource no longer keeps is removed, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.erasure import retention
from support.client import Client
from support.documents import Documents, http_source, ingest, refresh, rows
from support.traces import traces

BIRDS = DatasetId.of_datasource("birds")


def enforced() -> dict[str, int]:
    from erase.app import handler

    answer: dict[str, int] = handler({"retention": True}, None)
    return answer


def later(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    monkeypatch.setattr(retention, "now", lambda: datetime.now(UTC) + timedelta(days=days))


def ingested(admin: Client, documents: Documents, *values: int) -> list[dict[str, Any]]:
    runs = []
    for value in values:
        documents["birds"] = [{"id": 1, "size": value}]
        runs.append(ingest(admin, "birds"))
    return runs


def stored(services: Container, folder: str) -> int:
    return len(services.lake.list_keys(folder))


def test_without_the_setting_nothing_is_removed(
    services: Container, admin: Client, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.put("/datasources/birds", http_source("birds"))
    ingested(admin, documents, 1, 2)
    later(monkeypatch, 10_000)
    assert enforced() == {"pages": 0, "versions": 0}
    assert (stored(services, "raw"), stored(services, "records/birds")) == (2, 4)


def test_the_newest_versions_and_what_is_published_stay(
    services: Container, admin: Client, documents: Documents
) -> None:
    admin.put("/datasources/birds", http_source("birds", retention={"versions": 2}))
    admin.put("/projects/p", {"name": "p", "refresh_on": "manual"})
    admin.put("/projects/p/datasources/birds", {})
    ingested(admin, documents, 1, 2)
    refresh(admin, "p", ingest="none")
    ingested(admin, documents, 3, 4, 5, 6)
    services.datasets.promote(BIRDS, 3, "test")
    assert enforced() == {"pages": 0, "versions": 2}
    numbers = [item["number"] for item in admin.get("/datasources/birds/versions").json()["items"]]
    assert numbers == [6, 5, 3, 2], "version 2 was merged, and version 3 is published"
    assert stored(services, "records/birds") == 2 * len(numbers), "each has a manifest and a file"
    assert admin.get("/datasources/birds/versions/1").status == 404
    assert enforced() == {"pages": 0, "versions": 0}
    assert rows(admin, "projects/p") == [{"_source": "birds", "id": 1, "size": 2}]


def test_versions_that_add_to_removed_ones_stay_whole(services: Container, admin: Client, documents: Documents) -> None:
    document = http_source("birds", write_disposition="append", retention={"versions": 1})
    admin.put("/datasources/birds", document)
    ingested(admin, documents, 1, 2, 3)
    assert enforced()["versions"] == 2
    assert [row["size"] for row in rows(admin, "datasources/birds")] == [1, 2, 3]
    ingested(admin, documents, 4)
    assert ingest(admin, "birds", {"replay": 4})["status"] == "succeeded"
    assert [row["size"] for row in rows(admin, "datasources/birds")] == [1, 2, 3, 4]


def test_raw_pages_of_older_runs_are_removed(
    services: Container, admin: Client, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"], retention={"raw_days": 30}))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/birds", {})
    first, _ = ingested(admin, documents, 1, 2)
    refresh(admin, "p", ingest="none")
    documents["same"] = documents["birds"]
    admin.put("/datasources/same", http_source("same"))
    ingest(admin, "same")
    _, last = ingested(admin, documents, 3, 4)
    later(monkeypatch, 29)
    assert enforced()["pages"] == 0
    later(monkeypatch, 32)
    assert enforced()["pages"] == 2, "one is the published version's, and one is another datasource's"
    content = admin.get(f"/runs/{first['id']}/pages/1/content")
    assert (content.status, "retention" in content.text) == (410, True)
    assert admin.get(f"/runs/{last['id']}/pages/1/content").status == 200
    assert enforced()["pages"] == 0


def test_explain_says_that_a_page_was_removed(
    services: Container, admin: Client, documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"], retention={"raw_days": 1}))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/birds", {})
    ingested(admin, documents, 1)
    refresh(admin, "p", ingest="none")
    ingested(admin, documents, 2)
    later(monkeypatch, 3)
    assert enforced()["pages"] == 1
    (winner,) = admin.get("/projects/p/explain?key=1").json()["fields"]["size"]["winners"]
    assert (winner["value"], winner["page"]["removed"], winner["pointer"]) == (1, True, "")


@pytest.mark.parametrize("value", [0, -1, 1.5, "7"])
def test_retention_is_a_whole_number_from_one(admin: Client, value: Any) -> None:
    for name in ("raw_days", "versions"):
        answer = admin.post("/datasources", http_source("birds", retention={name: value}))
        assert answer.status == 422
        assert f"/retention/{name}" in answer.text


def test_what_was_made_of_removed_versions_is_erased_too(
    services: Container, admin: Client, documents: Documents, tmp_path: Path
) -> None:
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"], retention={"versions": 1}))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/birds", {})
    for records in ([{"id": "canary-31"}], [{"id": "other"}]):
        documents["birds"] = records
        refresh(admin, "p", ingest="all")
    assert enforced() == {"pages": 0, "versions": 1}
    assert traces(tmp_path, "canary-31")
    started = admin.post("/datasources/birds/erase", {"key": ["canary-31"], "reason": "x"}).json()
    run = admin.get(f"/runs/{started['id']}").json()
    assert run["status"] == "succeeded", run["error"]
    assert traces(tmp_path, "canary-31") == []
    assert [item["number"] for item in admin.get("/projects/p/versions").json()["items"]] == [2]
