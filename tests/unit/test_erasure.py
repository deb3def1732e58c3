"""Erasing a record: nothing of it is left in any object, version of an object or item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3

from sluice.container import Container
from support.client import Client
from support.documents import Documents, http_source, ingest, pushed, refresh, rows
from support.traces import traces

CANARY = "canary-7f3a91"
FIELD = "Kanarienvogel-5b2e"


def erased(client: Client, slug: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/datasources/{slug}/erase", {"reason": "the customer asked for it", **body})
    assert answer.status == 202, answer.text
    run: dict[str, Any] = client.get(f"/runs/{answer.json()['id']}").json()
    assert run["status"] == "succeeded", run
    return run


def test_a_record_leaves_no_trace(services: Container, admin: Client, documents: Documents, tmp_path: Path) -> None:
    boto3.client("s3").put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    records = [{"id": name, "note": note} for name, note in (("a", "Amsel"), (CANARY, FIELD), ("z", "Zeisig"))]
    documents["birds"] = records
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    ingest(admin, "birds")
    admin.put(
        "/datasources/sent", {"name": "sent", "kind": "push", "primary_key": ["id"], "write_disposition": "upsert"}
    )
    pushed(admin, "sent", [{"id": "a", "size": 1}, {"id": CANARY, "size": 2, "seen": FIELD}])
    pushed(admin, "sent", [{"id": "z", "size": 3}])
    for slug in ("p", "q"):
        admin.put(f"/projects/{slug}", {"name": slug, "merge": {"strategy": "join", "key": ["id"]}})
        admin.put(f"/projects/{slug}/datasources/birds", {})
        admin.put(f"/projects/{slug}/datasources/sent", {})
        admin.put(f"/projects/{slug}/models/notes", {"sql": "SELECT id, note FROM merged"})
        refresh(admin, slug)
    assert traces(tmp_path, CANARY)
    assert traces(tmp_path, FIELD)

    counted = erased(admin, "birds", key={"id": CANARY}, dry_run=True)
    before = traces(tmp_path, CANARY)
    assert counted["erasure"]["removed"]["records"] == 3, "one in each version"
    assert traces(tmp_path, CANARY) == before

    run = erased(admin, "birds", key={"id": CANARY})
    assert run["erasure"]["removed"] == counted["erasure"]["removed"]
    # What the other datasource has of the same key is its own record.
    assert [row["size"] for row in rows(admin, "projects/p") if row["id"] == CANARY] == [2]
    erased(admin, "sent", key=[CANARY])
    assert traces(tmp_path, CANARY, FIELD) == []
    assert [row["id"] for row in rows(admin, "projects/p")] == ["a", "z"]
    assert [row["id"] for row in rows(admin, "projects/q/models/notes")] == ["a", "z"]
