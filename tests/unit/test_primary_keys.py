"""Records that the primary key does not tell apart: left out or kept, and told in either case."""

from __future__ import annotations

import pytest

from sluice.container import Container
from support.client import Client
from support.documents import drop, http_source, ingest, rows
from support.upstream import Upstream

KEYLESS = [{"id": 1, "k": "a"}, {"id": None, "k": "a"}, {"id": 2, "k": None}, {"id": 1, "k": "a"}, {"id": 3}]


def test_upsert_that_omits_records_is_incomplete_but_published(admin: Client, upstream: Upstream) -> None:
    upstream.serve(KEYLESS[:1])
    admin.post("/datasources", http_source(primary_key=["id", "k"], write_disposition="upsert"))
    assert ingest(admin, "coins")["completeness"] == "complete"
    upstream.serve(KEYLESS)
    for _ in range(2):
        run = ingest(admin, "coins")
        assert (run["status"], run["completeness"]) == ("succeeded", "unproven")
        reasons = [
            "id: 1 record has no value in this column of the primary key; left out",
            "k: 2 records have no value in this column of the primary key; left out",
        ]
        assert run["completeness_reasons"] == reasons
        assert run["warnings"] == reasons
    assert admin.get("/datasources/coins/data").json()["version"] == 3
    assert rows(admin, "datasources/coins") == [{"id": 1, "k": "a"}]


def test_dropped_file_warns_about_records_omitted_by_upsert(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "primary_key": ["id"], "write_disposition": "upsert"})
    run = drop(services, "notes/a.csv", b"id,v\n1,a\n,b\n")
    assert run is not None
    assert (run["status"], run["completeness"], run["rows"]) == ("succeeded", "unproven", 2)
    assert rows(admin, "datasources/notes") == [{"id": 1, "v": "a"}]


@pytest.mark.parametrize("disposition", ["replace", "append"])
def test_key_that_does_not_identify_records_is_warned_about(
    admin: Client, upstream: Upstream, disposition: str
) -> None:
    upstream.serve(KEYLESS)
    admin.post("/datasources", http_source(primary_key=["id", "k"], write_disposition=disposition))
    run = ingest(admin, "coins")
    assert (run["completeness"], run["rows"]) == ("complete", 5), "all that was given is there"
    assert run["warnings"] == [
        "id: 1 record has no value in this column of the primary key",
        "k: 2 records have no value in this column of the primary key",
        "id, k: 1 record repeats the primary key of another record",
    ]


def test_key_column_missing_in_all_records_is_warned_about(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "primary_key": ["id"]})
    run = drop(services, "notes/a.csv", b"a,b\n1,2\n")
    assert run is not None
    assert run["warnings"] == ["id: no record has this column of the primary key"]
