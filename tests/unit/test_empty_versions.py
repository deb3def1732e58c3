"""Datasources that become empty: their columns stay, so that merges, models and queries go on."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.container import Container
from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.schema import Column
from sluice.extract.empty import columns_without_records
from support.client import Client
from support.documents import Documents, drop, http_source, ingest, project, refresh, rows
from support.upstream import Upstream, raw

RECORDS: list[dict[str, Any]] = [{"id": 1, "price": 2.5, "at": "2026-01-01T00:00:00Z"}]
SCHEMA = {"id": "bigint", "price": "double", "at": "timestamp"}


def manifest_of(services: Container, slug: str) -> Manifest:
    return services.lake.manifest(services.datasets.published(DatasetId.of_datasource(slug)).manifest_key)


def schema(client: Client, slug: str, number: int) -> dict[str, str]:
    version = client.get(f"/datasources/{slug}/versions/{number}").json()
    return {column["name"]: column["type"] for column in version["schema"]}


def test_refresh_works_when_a_datasource_becomes_empty(
    services: Container, admin: Client, upstream: Upstream, documents: Documents
) -> None:
    documents["a"], documents["b"] = RECORDS, [{"id": 2, "name": "x"}]
    merge = {"strategy": "join", "key": ["id"], "fields": {"price": {"rule": "newest", "by": "at"}}}
    project(admin, documents, merge)
    admin.put("/projects/p/models/m", {"sql": "SELECT sum(price * 2) AS total FROM a"})
    refresh(admin, "p")
    documents["a"] = []
    run = refresh(admin, "p", ingest="all")
    assert run["status"] == "succeeded", run
    assert rows(admin, "projects/p/models/m") == [{"total": None}]
    (row,) = rows(admin, "projects/p")
    assert (row["id"], row["price"], row["name"]) == (2, None, "x")
    assert schema(admin, "a", 2) == {"id": "bigint", "price": "double", "at": "string"}
    answer = admin.post("/projects/p/query", {"sql": "SELECT id, price FROM a"})
    assert (answer.status, answer.json()["items"]) == (200, [])
    assert [column["type"] for column in answer.json()["columns"]] == ["bigint", "double"]


def test_kept_columns_are_in_manifest_and_fingerprint(services: Container, admin: Client, upstream: Upstream) -> None:
    admin.put("/datasources/a", http_source("a"))
    versions = {}
    for name, first in (("empty", []), ("other", [{"x": 1}]), ("known", RECORDS)):
        upstream.serve(first)
        ingest(admin, "a")
        upstream.serve([])
        run = ingest(admin, "a")
        manifest = manifest_of(services, "a")
        versions[name] = (manifest.columns_of, [column.name for column in manifest.columns], manifest.fingerprint)
        assert run["status"] == "succeeded"
    assert [version[:2] for version in versions.values()] == [(None, []), (3, ["x"]), (5, ["id", "price", "at"])]
    assert len({version[2] for version in versions.values()}) == 3
    upstream.serve([])
    run = ingest(admin, "a")
    assert run["warnings"] == ["there are no records; the columns of version 6 were kept"]
    again = manifest_of(services, "a")
    assert (again.columns_of, again.fingerprint) == (6, versions["known"][2]), "the same columns are the same bytes"
    replayed = ingest(admin, "a", {"replay": 6})
    assert replayed["fingerprint"] == versions["known"][2]
    assert manifest_of(services, "a").objects[0].sha256 == again.objects[0].sha256
    older = ingest(admin, "a", {"replay": 4})
    assert (older["fingerprint"], manifest_of(services, "a").columns_of) == (versions["other"][2], 4)


def test_same_empty_file_twice_is_one_version(services: Container, admin: Client) -> None:
    admin.put("/datasources/d", {"name": "d", "kind": "file", "format": "json"})
    drop(services, "d/a.json", b'[{"id": 1}]')
    drop(services, "d/b.json", b"[]")
    drop(services, "d/c.json", b"[ ]")
    drop(services, "d/c.json", b"[ ]")
    versions = admin.get("/datasources/d/versions").json()["items"]
    assert [version["number"] for version in versions] == [3, 2, 1]


AT = {"at": "timestamp"}
SAID: list[tuple[dict[str, Any], str, bytes, dict[str, str]]] = [
    ({"types": AT}, "application/json", b"[]", SCHEMA),
    ({"types": AT | {"price": "decimal(9,2)"}}, "application/json", b"[]", SCHEMA | {"price": "decimal(9,2)"}),
    ({"types": AT | {"new": "date"}}, "application/json", b"[]", SCHEMA | {"new": "date"}),
    ({"fields": {"id": "id", "cost": "price"}}, "application/json", b"[]", {"id": "bigint", "cost": "string"}),
    ({}, "text/csv", b"id,price,other\n", {"id": "bigint", "price": "double", "other": "string"}),
    ({"types": AT}, "application/json", b'[{"name": "x"}]', AT | {"name": "string"}),
]


@pytest.mark.parametrize(("change", "media_type", "body", "expected"), SAID)
def test_declared_and_stated_columns_take_precedence(
    admin: Client, upstream: Upstream, change: dict[str, Any], media_type: str, body: bytes, expected: dict[str, str]
) -> None:
    upstream.serve(RECORDS)
    admin.put("/datasources/a", http_source("a", types=AT))
    ingest(admin, "a")
    admin.put("/datasources/a", http_source("a", **change))
    upstream.answer = lambda request: raw(body, media_type=media_type)
    assert ingest(admin, "a")["status"] == "succeeded"
    assert schema(admin, "a", 2) == expected


def test_datasource_that_never_had_records_has_no_rows(admin: Client, upstream: Upstream) -> None:
    upstream.serve([])
    admin.put("/datasources/a", http_source("a"))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "union"}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    ingest(admin, "a")
    for sql, items in (("SELECT * FROM a", []), ("SELECT count(*) AS n FROM a", [{"n": 0}])):
        answer = admin.post("/projects/p/query", {"sql": sql})
        assert (answer.status, answer.json().get("items")) == (200, items), answer.text
    refused = admin.post("/projects/p/query", {"sql": "SELECT id FROM a"})
    assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, "/sql")


COLUMNS = st.lists(
    st.builds(Column, name=st.sampled_from("abcd"), type=st.sampled_from(["bigint", "string"]), guessed=st.booleans()),
    unique_by=lambda one: one.name,
)


@given(COLUMNS, COLUMNS, st.booleans())
def test_previous_columns_are_kept_unless_declared(new: list[Column], before: list[Column], named: bool) -> None:
    kept = columns_without_records(new, before, named=named)
    names = [column.name for column in kept]
    assert len(set(names)) == len(names)
    assert set(names) == {column.name for column in new} | (set() if named else {column.name for column in before})
    declared = {column.name: column for column in new if not column.guessed}
    previous = {column.name: column for column in before}
    guesses = {column.name: column for column in new}
    assert all(
        column == declared.get(column.name, previous.get(column.name, guesses.get(column.name))) for column in kept
    )
    assert columns_without_records(kept, kept, named=named) == kept


def test_model_is_computed_again_when_a_view_that_it_reads_changes(admin: Client, documents: Documents) -> None:
    documents["a"] = RECORDS
    admin.put("/projects/p", {"name": "p"})
    project(admin, documents, {"strategy": "join", "key": ["id"]})
    for factor in (1, 2):
        view = {"sql": f"SELECT price * {factor} AS price FROM merged", "materialize": False}
        assert admin.put("/projects/p/models/v", view).status in (200, 201)
        admin.put("/projects/p/models/m", {"sql": "SELECT sum(price) AS total FROM v"})
        refresh(admin, "p")
        assert rows(admin, "projects/p/models/m") == [{"total": 2.5 * factor}]
