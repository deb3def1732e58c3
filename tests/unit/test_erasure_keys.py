"""Which records an erasure finds by their key, and which it refuses."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from sluice.container import Container
from support.client import Client
from support.documents import Documents, drop, http_source, ingest, rows
from support.erasing import CANARY, CSV_TEXT, FIELD, NAMES, TABLE, erased
from support.traces import traces


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
