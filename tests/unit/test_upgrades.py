"""Items as release 0.1 wrote them: read as if they were new, and brought over all at once."""

import copy
from typing import Any

import boto3
import orjson
import pytest

from sluice.bootstrap import Platform
from sluice.catalog import migration
from sluice.catalog.upgrades import UPGRADES, newest, upgraded
from sluice.domain.datasource import HttpDatasource
from sluice.domain.file_format import CsvOptions
from support.client import Client
from support.documents import ingest, rows
from support.upstream import Upstream, raw

# Items of the previous form, as that release's own code stored them.
OLD_DATASOURCE: dict[str, Any] = {
    "workspace_kind": "main#datasource",
    "name": "coins",
    "document": '{"slug":"coins","name":"coins","description":null,"enabled":true,"kind":"http","http":{"url":'
    '"https://coins.example.com/v1","method":"GET","headers":{},"params":{},"body":null,"auth":{"type":"none"},'
    '"pagination":{"max_pages":null,"has_more":null,"stop_when":null,"type":"none"},"timeout_seconds":60},'
    '"format":null,"records":"@","allow_missing":false,"fields":null,"types":{},"primary_key":null,'
    '"write_disposition":"replace","schema_contract":"evolve","incremental":null,"max_age_seconds":null,'
    '"schedule":null,"retention":{"raw_days":null,"versions":null}}',
    "schema_version": 1,
    "version": 3,
    "created_at": "2026-01-01T00:00:00.000Z",
    "created_by": "key/old",
    "updated_at": "2026-01-02T00:00:00.000Z",
    "assigned": 0,
}
OLD_CSV = {"delimiter": ";", "quote": None, "escape": None, "encoding": None, "decimal": None, "null_strings": None}
OLD_CSV_DATASOURCE = {
    **OLD_DATASOURCE,
    "document": orjson.dumps(
        {**orjson.loads(OLD_DATASOURCE["document"]), "csv": {**OLD_CSV, "header": True}, "xlsx": None}
    ).decode(),
    "schema_version": 2,
}
OLD_RUN: dict[str, Any] = {
    "workspace": "main",
    "run_id": "01JB5ZK3V6Q8Y0M2N4P6R8T0W2",
    "owner": "main#datasource/coins",
    "kind": "ingest",
    "status": "succeeded",
    "attempt": 2,
    "datasource": "coins",
    "trigger": "api",
    "created_at": "2026-01-03T00:00:00.000Z",
    "created_by": "key/old",
    "started_at": "2026-01-03T00:00:01.000Z",
    "finished_at": "2026-01-03T00:00:09.000Z",
    "completeness": "complete",
    "completeness_reasons": [],
    "version": 1,
    "rows": 1,
    "bytes": 100,
    "requests": 1,
    "warnings": [],
    "lease_until": 0,
    "expires_at": 2_000_000_000,
}
OLD_POINTER: dict[str, Any] = {
    "workspace": "main",
    "dataset": "datasource/gone",
    "latest": 4,
    "floor": 4,
    "hidden": 3,
}


def put(table: str, item: dict[str, Any]) -> None:
    boto3.resource("dynamodb").Table(table).put_item(Item=item)


@pytest.fixture
def old(services: Platform) -> None:
    put("DefinitionsTable", OLD_DATASOURCE)
    put("RunsTable", OLD_RUN)
    put("DatasetsTable", OLD_POINTER)


def stored(services: Platform) -> list[migration.Stored]:
    return [
        migration.Stored(services.definitions._table, ("workspace_kind", "name")),
        migration.Stored(services.runs._table, ("workspace", "run_id")),
        migration.Stored(services.datasets._datasets, ("workspace", "dataset")),
    ]


@pytest.mark.usefixtures("old")
def test_old_items_are_read_in_the_present_form(services: Platform, admin: Client, upstream: Upstream) -> None:
    document = admin.get("/datasources/coins").json()
    assert (document["csv"], document["xlsx"], document["etag"]) == (None, None, "3")
    fresh = HttpDatasource.model_validate({"name": "x", "kind": "http", "http": {"url": "https://e.com"}}).model_dump(
        mode="json", by_alias=True
    )
    assert list(document)[: len(fresh)] == list(fresh), "the fields are in the order of new ones"
    events = admin.get(f"/runs/{OLD_RUN['run_id']}/events").json()["items"]
    assert [(event["event"], event["attempt"]) for event in events] == [
        ("created", 1),
        ("started", 1),
        ("succeeded", 2),
    ]
    pointer = services.datasets.pointer("datasource/gone")
    assert pointer.hidden == {"floor": 2, "published": 3}
    upstream.serve([{"id": 1}])
    assert ingest(admin, "coins")["status"] == "succeeded"
    assert rows(admin, "datasources/coins") == [{"id": 1}]


def test_csv_of_an_earlier_release_is_read_as_before(services: Platform, admin: Client, upstream: Upstream) -> None:
    put("DefinitionsTable", OLD_CSV_DATASOURCE)
    fresh = CsvOptions().model_dump(mode="json")
    document = admin.get("/datasources/coins").json()
    assert document["csv"] == {**fresh, "delimiter": ";", "header": True}
    assert list(document["csv"]) == list(fresh)
    upstream.answer = lambda request: raw(b"1;2\n3;4\n", media_type="text/csv")
    assert ingest(admin, "coins")["warnings"] == []
    assert rows(admin, "datasources/coins") == [{"1": 3, "2": 4}]


@pytest.mark.usefixtures("old")
def test_a_migration_finishes_what_reading_does(services: Platform, admin: Client) -> None:
    tables = stored(services)
    shown = admin.get("/datasources/coins").json()
    planned = migration.plan(tables)
    assert planned == {("datasource", 1, 3): 1, ("run", 1, 2): 1, ("pointer", 1, 2): 1}
    assert migration.plan(tables) == planned, "a plan writes nothing"
    assert migration.apply(tables) == planned
    assert migration.plan(tables) == migration.apply(tables) == {}
    assert admin.get("/datasources/coins").json() == shown
    item = (
        boto3.resource("dynamodb")
        .Table("DefinitionsTable")
        .get_item(Key={"workspace_kind": "main#datasource", "name": "coins"})["Item"]
    )
    assert (item["schema_version"], "csv" in orjson.loads(item["document"])) == (3, True)
    assert services.datasets.pointer("datasource/gone").hidden == {"floor": 2, "published": 3}


@pytest.mark.usefixtures("old")
def test_a_migration_overwrites_nobodys_change(
    services: Platform, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(entity: str, item: dict[str, Any]) -> dict[str, Any]:
        if entity == "datasource":
            admin.patch("/datasources/coins", {"description": "changed"})
        return upgraded(entity, item)

    monkeypatch.setattr(migration, "upgraded", meanwhile)
    assert ("datasource", 1, 3) not in migration.apply(stored(services))
    assert admin.get("/datasources/coins").json()["description"] == "changed"


def test_what_is_written_now_needs_no_upgrade(services: Platform, admin: Client, upstream: Upstream) -> None:
    upstream.serve([])
    admin.post("/datasources", {"name": "a", "kind": "http", "http": {"url": "https://a.example.com"}})
    admin.post("/projects", {"name": "p"})
    admin.put("/projects/p/datasources/a", {})
    ingest(admin, "a")
    admin.delete("/projects/p")
    assert migration.plan(stored(services)) == {}


@pytest.mark.parametrize("upgrade", UPGRADES, ids=lambda upgrade: f"{upgrade.entity}-{upgrade.version}")
def test_upgrades_change_nothing_that_they_are_given(upgrade: Any) -> None:
    olds = {"datasource": OLD_DATASOURCE, "run": OLD_RUN, "pointer": OLD_POINTER}
    old = OLD_CSV_DATASOURCE if upgrade.version == 3 else olds[upgrade.entity]
    before = copy.deepcopy(old)
    assert upgrade.apply(old) != old
    assert old == before
    again = upgraded(upgrade.entity, old)
    assert upgraded(upgrade.entity, again) is again
    assert again["schema_version"] == newest(upgrade.entity)
