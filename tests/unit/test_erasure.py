"""Erasing a record: nothing of it is left in any object, version of an object or item."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
import httpx
import pytest

from sluice.container import Container
from sluice.domain.names import new_run_id
from sluice.domain.run import Run
from sluice.erasure.derived import Derived
from sluice.erasure.requests import claim_turn
from sluice.erasure.retention import enforce_retention
from sluice.errors import CannotErase
from sluice.runs.reconcile import sweep
from support.client import Client
from support.documents import Documents, drop, http_source, ingest, pushed, refresh, rows
from support.example_algorithms import add_example_algorithms
from support.files import parquet, workbook, zipped
from support.functions import LocalFunctions
from support.killing import Killer, watched_calls
from support.traces import traces
from support.upstream import StubResponse, Upstream, ok, raw
from support.workflows import LocalWorkflows

# The most calls of AWS that the erasure of the test makes; `PROOF=1` kills it after each.
MOST_CALLS = 337
STEP = 1 if os.environ.get("PROOF") else 113
CANARY = "canary-7f3a91"
FIELD = "Kanarienvogel-5b2e"


def erased(client: Client, slug: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/datasources/{slug}/erase", {"reason": "the customer asked for it", **body})
    assert answer.status == 202, answer.text
    run: dict[str, Any] = client.get(f"/runs/{answer.json()['id']}").json()
    assert run["status"] == "succeeded", run["error"]
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


NAMES = ("a", CANARY, "z")
TABLE = [{"id": name, "note": FIELD if name == CANARY else "x", "size": size} for size, name in enumerate(NAMES)]
CSV_TEXT = "id,note,size\n" + "".join(f"{row['id']},{row['note']},{row['size']}\n" for row in TABLE)
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


@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        ({"key": [CANARY]}, 422, "reason"),
        ({"key": [CANARY], "reason": ""}, 422, "reason"),
        ({"key": [CANARY], "reason": "x" * 501}, 422, "reason"),
        ({"key": [CANARY, 1], "reason": "x"}, 422, "give one value for each"),
        ({"key": {"note": 1}, "reason": "x"}, 422, "The key has the columns id"),
        ({"key": {"id": None}, "reason": "x"}, 422, "texts, numbers or booleans"),
    ],
)
def test_a_request_without_a_key_or_reason_is_refused(admin: Client, body: Any, status: int, says: str) -> None:
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    answer = admin.post("/datasources/birds/erase", body)
    assert answer.status == status
    assert says in answer.text


def test_only_owners_and_admins_erase(admin: Client, editor: Client) -> None:
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    admin.put("/datasources/keyless", http_source("keyless"))
    request = {"key": [CANARY], "reason": "x"}
    assert editor.post("/datasources/birds/erase", request).status == 403
    assert admin.post("/datasources/keyless/erase", request).status == 409
    editor.put("/datasources/own", http_source("own", primary_key=["id"]))
    assert editor.post("/datasources/own/erase", request).status == 202


@pytest.mark.parametrize("after", range(0, MOST_CALLS, STEP))
def test_an_erasure_that_is_killed_is_completed(
    services: Container,
    workflows: LocalWorkflows,
    admin: Client,
    documents: Documents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    boto3.client("s3").put_bucket_versioning(Bucket="lake", VersioningConfiguration={"Status": "Enabled"})
    documents["birds"] = TABLE
    documents["same"] = TABLE
    for slug in ("birds", "same"):
        admin.put(f"/datasources/{slug}", http_source(slug, primary_key=["id"]))
        ingest(admin, slug)
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/birds", {})
    admin.put("/projects/p/models/notes", {"sql": "SELECT id, note FROM merged"})
    refresh(admin, "p", ingest="none")
    killer = Killer(after, effective=bool(after % 2))
    with watched_calls(monkeypatch, killer):
        workflows.before_task = lambda function, payload: killer.begin()
        started = admin.post("/datasources/birds/erase", {"key": [CANARY], "reason": "test"}).json()
    workflows.before_task = lambda function, payload: None
    assert killer.killed, f"only {killer.calls} calls"
    run = admin.get(f"/runs/{started['id']}").json()
    assert run["status"] == "succeeded", run["error"]
    assert traces(tmp_path, CANARY, FIELD) == []
    for path in ("datasources/birds", "datasources/same", "projects/p", "projects/p/models/notes"):
        assert [row["id"] for row in rows(admin, path)] == ["a", "z"]
    assert admin.get("/projects/p/versions/1").json()["erased"][0]["run"] == run["id"]


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
    workflows.hold = True
    pushed(admin, "sent", [{"id": "b"}, {"id": CANARY, "note": FIELD}])
    workflows.hold = False
    workflows.outcomes.popitem()
    assert erased(admin, "sent", key=[CANARY])["erasure"]["removed"]["batches"] == 1
    assert traces(tmp_path, CANARY, FIELD) == []
    sweep(services, 0)
    assert [row["id"] for row in rows(admin, "datasources/sent")] == ["a", "b"]


def test_a_record_that_cannot_be_removed_by_itself_changes_nothing(
    services: Container, admin: Client, documents: Documents, tmp_path: Path
) -> None:
    documents["birds"] = {"names": ["a", CANARY], "sizes": [1, 2]}
    made = http_source("birds", records="[{id: names[0]}, {id: names[1]}]", primary_key=["id"])
    assert admin.put("/datasources/birds", made).status == 201
    ingest(admin, "birds")
    before = traces(tmp_path, CANARY)
    answer = admin.post("/datasources/birds/erase", {"key": [CANARY], "reason": "x"})
    run = admin.get(f"/runs/{answer.json()['id']}").json()
    assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:cannot-erase")
    assert set(before) <= set(traces(tmp_path, CANARY))
    assert len(rows(admin, "datasources/birds")) == 2


EARLIER: dict[str, tuple[dict[str, Any], str]] = {
    "a renamed column": ({"fields": {"who": "m", "note": "note"}, "primary_key": ["who"]}, "m"),
    "no primary key": ({"fields": {"who": "m", "note": "note"}}, "m"),
    "no column": ({"fields": {"note": "note"}}, "m"),
    "a field that the upstream has renamed": ({"primary_key": ["who"]}, "who"),
}


@pytest.mark.parametrize("earlier", EARLIER)
def test_versions_with_another_primary_key_are_erased_too(
    services: Container, admin: Client, documents: Documents, tmp_path: Path, earlier: str
) -> None:
    before, column = EARLIER[earlier]
    documents["birds"] = [{column: name, "note": FIELD if name == CANARY else "x"} for name in NAMES]
    admin.put("/datasources/birds", http_source("birds", **before))
    ingest(admin, "birds")
    documents["birds"] = [{"m": name, "note": FIELD if name == CANARY else "y"} for name in NAMES]
    present = http_source("birds", fields={"mail": "m", "note": "note"}, primary_key=["mail"])
    admin.put("/datasources/birds", present)
    ingest(admin, "birds")
    removed = erased(admin, "birds", key=[CANARY])["erasure"]["removed"]
    assert (removed["pages"], removed["records"], removed["versions"]) == (2, 2, 2)
    assert traces(tmp_path, CANARY, FIELD) == []
    for version in (1, 2):
        assert len(admin.get(f"/datasources/birds/data?version={version}").json()["items"]) == 2


def test_a_page_whose_records_lack_the_key_but_have_it_elsewhere_is_not_passed_over(
    services: Container, admin: Client, documents: Documents, tmp_path: Path
) -> None:
    documents["birds"] = [{"who": name, "note": FIELD if name == CANARY else "x"} for name in NAMES]
    admin.put("/datasources/birds", http_source("birds"))
    ingest(admin, "birds")
    documents["birds"] = TABLE
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    ingest(admin, "birds")
    started = admin.post("/datasources/birds/erase", {"key": [CANARY], "reason": "x"}).json()
    run = admin.get(f"/runs/{started['id']}").json()
    assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:cannot-erase")
    assert "its records have no id; let `fields` name that" in run["error"]["detail"]
    fields = {"id": "id || who", "note": "note"}
    admin.put("/datasources/birds", http_source("birds", fields=fields, primary_key=["id"]))
    erased(admin, "birds", key=[CANARY])
    assert traces(tmp_path, CANARY, FIELD) == []


@pytest.mark.parametrize("keyed", [True, False])
def test_rows_whose_page_is_not_kept_are_erased_or_the_run_fails(
    services: Container, admin: Client, documents: Documents, tmp_path: Path, keyed: bool
) -> None:
    documents["birds"] = [{"who": name, "note": FIELD if name == CANARY else "x"} for name in NAMES]
    admin.put("/datasources/birds", http_source("birds", **({"primary_key": ["who"]} if keyed else {})))
    ingest(admin, "birds")
    for key in list(services.lake.list_keys("raw")):
        services.s3.delete_object(Bucket=services.lake.bucket, Key=services.lake.full_key(key))
    documents["birds"] = TABLE
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    ingest(admin, "birds")
    started = admin.post("/datasources/birds/erase", {"key": [CANARY], "reason": "x"}).json()
    run = admin.get(f"/runs/{started['id']}").json()
    if keyed:
        assert run["status"] == "succeeded", run["error"]
        assert traces(tmp_path, CANARY, FIELD) == []
    else:
        assert run["error"]["type"] == "urn:sluice:problem:cannot-erase"
        assert "remove old versions by `retention`" in run["error"]["detail"]


@pytest.mark.parametrize(
    ("column_type", "value", "key"),
    [
        ("date", "2026-01-03", " 2026-01-03"),
        ("timestamp", "2026-01-02T03:04:05Z", "2026-01-02 04:04:05+01:00"),
        ("decimal(10,2)", "2.50", 2.5),
        ("double", 2.5, "2.50"),
        ("bigint", 7, "7"),
        ("boolean", True, "TRUE"),
    ],
)
def test_a_key_may_be_written_as_its_column_allows(
    services: Container, admin: Client, documents: Documents, tmp_path: Path, column_type: str, value: Any, key: Any
) -> None:
    documents["birds"] = [{"k": value, "note": FIELD}, {"k": None, "note": "x"}]
    admin.put("/datasources/birds", http_source("birds", primary_key=["k"], types={"k": column_type}))
    ingest(admin, "birds")
    hashes = {erased(admin, "birds", key=[one], dry_run=True)["erasure"]["key_hash"] for one in (key, value)}
    assert len(hashes) == 1, "both are the same key"
    removed = erased(admin, "birds", key=[key])["erasure"]["removed"]
    assert (removed["pages"], removed["records"]) == (1, 1)
    assert traces(tmp_path, FIELD) == []


@pytest.mark.parametrize(
    ("column_type", "key"),
    [("date", "2026-01-03T00:00:00Z"), ("bigint", "x"), ("bigint", 10**30), ("boolean", 1), ("timestamp", "soon")],
)
def test_a_key_that_no_row_can_have_is_refused(admin: Client, column_type: str, key: Any) -> None:
    admin.put("/datasources/birds", http_source("birds", primary_key=["k"], types={"k": column_type}))
    answer = admin.post("/datasources/birds/erase", {"key": [key], "reason": "x"})
    assert answer.status == 422
    assert f"The value of k does not fit its type, {column_type}" in answer.text


def test_a_record_whose_page_does_not_show_it_is_not_erased_from_versions_only(
    services: Container, admin: Client, documents: Documents
) -> None:
    documents["birds"] = TABLE
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    ingest(admin, "birds")
    (key,) = services.lake.list_keys("raw")
    services.s3.put_object(Bucket=services.lake.bucket, Key=services.lake.full_key(key), Body=gzip.compress(b"[]"))
    started = admin.post("/datasources/birds/erase", {"key": [CANARY], "reason": "x"}).json()
    run = admin.get(f"/runs/{started['id']}").json()
    assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:cannot-erase")
    assert len(rows(admin, "datasources/birds")) == 3


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


@pytest.mark.parametrize("end", ["cancelled", "failed"])
def test_what_an_erasure_has_left_that_has_ended_is_erased_by_the_next(
    services: Container,
    admin: Client,
    documents: Documents,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    end: str,
) -> None:
    add_example_algorithms(monkeypatch)
    documents["birds"] = TABLE
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/birds", {})
    admin.put("/projects/p/models/notes", {"sql": "SELECT id, note FROM merged"})
    refresh(admin, "p", ingest="all")
    computed = {"inputs": {"data": "dataset:merged"}, "parameters": {"column": "size"}}
    started = admin.post("/projects/p/algorithms/smallest_sum/runs", computed)
    result = f"/runs/{started.json()['id']}/result"
    assert admin.get(result).status == 200

    def ends(self: Derived, by: str) -> None:
        if end == "cancelled":
            assert admin.post(f"/runs/{by}/cancel").status == 200
        raise CannotErase("the function was stopped")

    with monkeypatch.context() as patch:
        patch.setattr(Derived, "remove", ends)
        stopped = admin.post("/datasources/birds/erase", {"key": [CANARY], "reason": "x"}).json()["id"]
    assert admin.get(f"/runs/{stopped}").json()["status"] == end
    assert len(rows(admin, "datasources/birds")) == 2
    assert len(rows(admin, "projects/p/models/notes")) == 3, "what was computed still has the record"
    erased(admin, "birds", key=["a"])
    enforce_retention(services)
    again = erased(admin, "birds", key=[CANARY])
    assert again["erasure"]["removed"]["models"] == 1
    assert again["warnings"] == []
    assert admin.get(result).status == 404
    assert traces(tmp_path, CANARY, FIELD) == []
    assert list(services.lake.list_keys("erasures")) == []


def test_the_key_of_an_erasure_that_has_not_begun_is_removed_within_a_day(
    services: Container, workflows: LocalWorkflows, admin: Client, documents: Documents, tmp_path: Path
) -> None:
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    workflows.hold = True
    started = admin.post("/datasources/birds/erase", {"key": [CANARY], "reason": "x"}).json()["id"]
    enforce_retention(services)
    assert traces(tmp_path, CANARY), "the run still needs it"
    admin.post(f"/runs/{started}/cancel")
    enforce_retention(services)
    assert traces(tmp_path, CANARY) == []


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


def test_only_the_run_says_what_its_error_quotes(
    services: Container,
    workflows: LocalWorkflows,
    admin: Client,
    documents: Documents,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Logs and histories of executions cannot be erased."""
    documents["birds"] = [{"id": CANARY, "note": FIELD}]
    admin.put("/datasources/birds", http_source("birds", fields={"note": "abs(note)"}))
    run = ingest(admin, "birds")
    assert FIELD in run["error"]["detail"]
    (outcome,) = workflows.outcomes.values()
    assert (outcome.status, outcome.error) == ("FAILED", "UnreadableData")
    assert f"GET /runs/{run['id']} says why." == outcome.cause
    assert "the run has failed" in caplog.text
    assert FIELD not in caplog.text


def test_a_dropped_file_whose_page_is_not_kept_is_erased_by_its_earlier_key(
    services: Container, admin: Client, tmp_path: Path
) -> None:
    for column in ("who", "id"):
        admin.put("/datasources/birds", {"name": "birds", "kind": "file", "primary_key": [column]})
        drop(services, f"birds/{column}.csv", CSV_TEXT.replace("id", column, 1).encode())
    for key in list(services.lake.list_keys("raw")):
        services.s3.delete_object(Bucket=services.lake.bucket, Key=services.lake.full_key(key))
    removed = erased(admin, "birds", key=[CANARY])["erasure"]["removed"]
    assert removed["files"] == 2
    assert traces(tmp_path, CANARY, FIELD) == []


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


def test_erasures_take_turns(services: Container, admin: Client, documents: Documents) -> None:
    documents["birds"] = TABLE
    admin.put("/datasources/birds", http_source("birds", primary_key=["id"]))
    ingest(admin, "birds")
    first, second = (
        Run(id=new_run_id(), kind="erase", datasource="birds", created_at="2026-01-01T00:00:00.000Z", created_by="x")
        for _ in range(2)
    )
    services.runs.create(first)
    assert claim_turn(services, first)
    assert claim_turn(services, first)
    assert not claim_turn(services, second)
    services.runs.finish(first, status="failed", finished_at="2026-01-01T00:00:00.000Z")
    assert claim_turn(services, second)
