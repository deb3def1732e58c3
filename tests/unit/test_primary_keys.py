"""Records that the primary key does not tell apart: left out or kept, and told in either case."""

from __future__ import annotations

import pytest

from sluice.container import Container
from support.client import Client
from support.documents import drop, http_source, ingest, rows
from support.upstream import Upstream

KEYLESS = [{"id": 1, "k": "a"}, {"id": None, "k": "a"}, {"id": 2, "k": None}, {"id": 1, "k": "a"}, {"id": 3}]


def test_an_upsert_that_leaves_records_out_is_not_complete_and_is_published(admin: Client, upstream: Upstream) -> None:
    upstream.serve(KEYLESS[:1])
    admin.post("/datasources", http_source(primary_key=["id", "k"], write_disposition="upsert"))
    assert ingest(admin, "coins")["completeness"] == "complete"
    upstream.serve(KEYLESS)
    for _ in range(2):
        run = ingest(admin, "coins")
        assert (run["status"], run["completeness"]) == ("succeeded", "unproven")
        reasons = [
            "id: 1 records have no value in this column of the primary key and were left out",
            "k: 2 records have no value in this column of the primary key and were left out",
        ]
        assert run["completeness_reasons"] == reasons
        assert run["warnings"] == reasons
    assert admin.get("/datasources/coins/data").json()["version"] == 3
    assert rows(admin, "datasources/coins") == [{"id": 1, "k": "a"}]


def test_a_dropped_file_is_told_of_what_an_upsert_left_out(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "primary_key": ["id"], "write_disposition": "upsert"})
    run = drop(services, "notes/a.csv", b"id,v\n1,a\n,b\n")
    assert run is not None
    assert (run["status"], run["completeness"], run["rows"]) == ("succeeded", "unproven", 2)
    assert rows(admin, "datasources/notes") == [{"id": 1, "v": "a"}]


@pytest.mark.parametrize("disposition", ["replace", "append"])
def test_a_key_that_does_not_tell_records_apart_is_told(admin: Client, upstream: Upstream, disposition: str) -> None:
    upstream.serve(KEYLESS)
    admin.post("/datasources", http_source(primary_key=["id", "k"], write_disposition=disposition))
    run = ingest(admin, "coins")
    assert (run["completeness"], run["rows"]) == ("complete", 5), "all that was given is there"
    assert run["warnings"] == [
        "id: 1 records have no value in this column of the primary key",
        "k: 2 records have no value in this column of the primary key",
        "id, k: 1 records repeat the primary key of another record",
    ]


def test_a_key_of_which_no_record_has_a_column_is_told(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "primary_key": ["id"]})
    run = drop(services, "notes/a.csv", b"a,b\n1,2\n")
    assert run is not None
    assert run["warnings"] == ["id: no record has this column of the primary key"]
