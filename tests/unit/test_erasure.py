"""Erasing a record: nothing of it is left in any object, version of an object or item."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from sluice.container import Container
from sluice.runs.reconcile import sweep
from support.client import Client
from support.documents import Documents, drop, http_source, ingest, pushed, refresh, rows
from support.erasing import CANARY, CSV_TEXT, FIELD, TABLE, erased
from support.files import parquet, workbook, zipped
from support.traces import traces
from support.workflows import LocalWorkflows


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
    for slug, strategy in (("p", "join"), ("q", "union")):
        merge = {"strategy": strategy, "key": ["id"]}
        admin.put(f"/projects/{slug}", {"name": slug, "merge": merge, "refresh_on": "manual"})
        admin.put(f"/projects/{slug}/datasources/birds", {})
        admin.put(f"/projects/{slug}/datasources/sent", {})
        refresh(admin, slug, ingest="none")
    admin.put("/projects/q/models/notes", {"sql": "SELECT id, note FROM merged"})
    refresh(admin, "q", ingest="none")
    assert traces(tmp_path, CANARY)
    assert traces(tmp_path, FIELD)

    counted = erased(admin, "birds", key={"id": CANARY}, dry_run=True)
    before = traces(tmp_path, CANARY)
    assert counted["erasure"]["removed"]["records"] == 1
    assert traces(tmp_path, CANARY) == before

    run = erased(admin, "birds", key={"id": CANARY})
    assert run["erasure"]["removed"] == counted["erasure"]["removed"]
    # What the other datasource has of the same key is its own record.
    assert [row["size"] for row in rows(admin, "projects/p") if row["id"] == CANARY] == [2]
    erased(admin, "sent", key=[CANARY])
    assert traces(tmp_path, CANARY, FIELD) == []
    assert [row["id"] for row in rows(admin, "projects/p")] == ["a", "z"]
    assert [row["id"] for row in rows(admin, "projects/q/models/notes")] == ["a", "z"]


XML_TEXT = "".join(f"<x><id>{row['id']}</id><note>{row['note']}</note><size>{row['size']}</size></x>" for row in TABLE)


CELLS: list[list[Any]] = [["id", "note", "size"], *(list(row.values()) for row in TABLE)]


def parquet_file(folder: Path) -> bytes:
    values = ", ".join(f"('{row['id']}', '{row['note']}', {row['size']})" for row in TABLE)
    return parquet(f"SELECT * FROM (VALUES {values}) t(id, note, size)", folder)


FILES: dict[str, tuple[Callable[[Path], bytes], dict[str, Any]]] = {
    "birds.csv": (lambda _: CSV_TEXT.encode(), {}),
    "birds.csv.gz": (lambda _: gzip.compress(CSV_TEXT.encode("utf-16")), {}),
    "birds.zip": (lambda _: zipped(CSV_TEXT.encode(), "birds.csv"), {}),
    "birds.json": (lambda _: json.dumps({"data": TABLE}).encode(), {"records": "data"}),
    "filtered.json": (lambda _: json.dumps(TABLE).encode(), {"records": "[?note != 'y' && size >= `0`]"}),
    "birds.jsonl": (lambda _: "".join(json.dumps(row) + "\n" for row in TABLE).encode(), {}),
    "birds.xml": (lambda _: f"<r>{XML_TEXT}</r>".encode(), {"records": "r.x"}),
    "birds.xlsx": (lambda _: workbook(("Data", CELLS)), {}),
    "birds.parquet": (parquet_file, {}),
}


def test_a_record_of_dropped_files_of_all_formats_leaves_no_trace(
    services: Container, admin: Client, tmp_path: Path
) -> None:
    document = {"name": "birds", "kind": "file", "primary_key": ["id"]}
    admin.put("/datasources/same", {**document, "name": "same"})
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    versions, cited = [], {}
    for name, (make, more) in FILES.items():
        admin.put("/datasources/birds", {**document, **more})
        admin.put("/projects/p/datasources/birds", {})
        body = make(tmp_path)
        run = drop(services, f"birds/{name}", body)
        assert run is not None
        versions.append(run["version"])
        if name in ("filtered.json", "birds.xlsx"):
            drop(services, f"birds/{name}", body)
            number = refresh(admin, "p", ingest="none")["version"]
            cited[number] = admin.get("/projects/p/explain?key=z").json()["fields"]["note"]["winners"][0]
    # The other datasource is given bytes that are stored already.
    drop(services, "same/birds.csv", CSV_TEXT.encode())
    drop(services, "birds/bad.csv", CSV_TEXT.encode() + b"ragged")
    assert traces(tmp_path, CANARY)

    removed = erased(admin, "birds", key=[CANARY])["erasure"]["removed"]
    assert traces(tmp_path, CANARY, FIELD) == []
    assert removed["pages"] == len(FILES) + 1
    assert [row["id"] for row in rows(admin, "datasources/same")] == ["a", "z"]
    for number, before in cited.items():
        after = admin.get(f"/projects/p/explain?key=z&version={number}").json()["fields"]["note"]["winners"][0]
        assert (after["pointer"], after["value"]) == (before["pointer"], before["value"])
    for number, (_, more) in zip(versions, FILES.values(), strict=True):
        admin.put("/datasources/birds", {**document, **more})
        assert ingest(admin, "birds", {"replay": number})["status"] == "succeeded"
        assert rows(admin, "datasources/birds") == [row for row in TABLE if row["id"] != CANARY]


def test_a_tombstone_says_who_erased_what_and_why(services: Container, admin: Client, documents: Documents) -> None:
    documents["birds"] = TABLE
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}})
    admin.put("/projects/p/datasources/birds", {})
    refresh(admin, "p", ingest="all")
    run = erased(admin, "birds", key=[CANARY])
    for path in ("datasources/birds", "projects/p"):
        version = admin.get(f"/{path}/versions/1").json()
        assert [one["run"] for one in version["erased"]] == [run["id"]]
        assert version["rows"] == 2
    explained = admin.get(f"/projects/p/explain?key={CANARY}").json()
    assert explained["fields"] == {}
    (tombstone,) = explained["erased"]
    assert tombstone["reason"] == "the customer asked for it"
    assert tombstone["erased_by"] == admin.get("/me").json()["id"]
    assert tombstone["key_hash"] == run["erasure"]["key_hash"]
    assert "erased" not in admin.get("/projects/p/explain?key=a").json()
    assert admin.get("/projects/p/explain?key=b").status == 404
    # A later fetch brings the record again, as new data.
    ingest(admin, "birds")
    assert len(rows(admin, "datasources/birds")) == 3


def test_only_owners_and_admins_erase(admin: Client, editor: Client) -> None:
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    admin.put("/datasources/keyless", http_source("keyless"))
    request = {"key": [CANARY], "reason": "x"}
    assert editor.post("/datasources/birds/erase", request).status == 403
    assert admin.post("/datasources/keyless/erase", request).status == 409
    editor.put("/datasources/own", http_source("own", primary_key=["id"]))
    assert editor.post("/datasources/own/erase", request).status == 202


def test_documents_are_merged_again_without_the_record(
    services: Container, admin: Client, documents: Documents, tmp_path: Path
) -> None:
    documents |= {"birds": TABLE, "more": [{"id": "m", "note": "y"}]}
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "concatenation"}, "refresh_on": "manual"})
    for slug in ("birds", "more"):
        admin.put(f"/datasources/{slug}", http_source(slug, primary_key=["id"]))
        admin.put(f"/projects/p/datasources/{slug}", {})
    refresh(admin, "p", ingest="all")
    erased(admin, "birds", key=[CANARY])
    assert traces(tmp_path, CANARY, FIELD) == []
    (document,) = rows(admin, "projects/p")
    assert [record["id"] for record in document["0"]] == ["a", "z"]
    cited = admin.get("/projects/p/explain?pointer=/0/1/note").json()
    assert cited["winners"][0]["pointer"] == "/2/note", "the tombstone keeps its place"
    assert [one["datasource"] for one in cited["erased"]] == ["birds"]
    refresh(admin, "p", ingest="none")
    assert rows(admin, "projects/p") == [document]


def test_a_merge_in_parts_is_merged_again(
    services: Container, admin: Client, documents: Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(services.settings.__dict__, "merge_partition_rows", 2)
    documents["birds"] = [*TABLE, *({"id": f"n{number}", "size": number} for number in range(9))]
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/birds", {})
    refresh(admin, "p", ingest="all")
    assert len(admin.get("/projects/p/versions/1").json()["objects"]) > 1
    erased(admin, "birds", key=[CANARY])
    assert traces(tmp_path, CANARY, FIELD) == []
    assert CANARY not in {row["id"] for row in rows(admin, "projects/p")}
    explained = admin.get("/projects/p/explain?key=z").json()["fields"]["size"]["winners"][0]
    assert (explained["pointer"], explained["value"]) == ("/2/size", 2)


def test_pages_that_no_version_has_are_erased_too(
    services: Container, admin: Client, tmp_path: Path, workflows: LocalWorkflows
) -> None:
    admin.put("/datasources/sent", {"name": "sent", "kind": "push", "primary_key": ["id"]})
    admin.put("/datasources/files", {"name": "files", "kind": "file", "primary_key": ["id"]})
    pushed(admin, "sent", [{"id": "a"}])
    # A page without a receipt, as a process leaves it that is killed in between; and a push that waits.
    services.lake.put_raw(io.BytesIO(json.dumps([{"id": CANARY, "note": FIELD}]).encode()))
    time.sleep(1)  # S3 tells the second only: within one, the page could be of the run that is held
    workflows.hold = True
    pushed(admin, "sent", [{"id": "b"}, {"id": CANARY, "note": FIELD}])
    workflows.hold = False
    workflows.outcomes.popitem()
    assert erased(admin, "sent", key=[CANARY])["erasure"]["removed"]["batches"] == 1
    assert traces(tmp_path, CANARY, FIELD) == []
    sweep(services, 0)
    assert [row["id"] for row in rows(admin, "datasources/sent")] == ["a", "b"]
