"""Items as release 0.1 wrote them: read as if they were new, and brought over all at once."""

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import orjson
import pytest
from click.testing import CliRunner
from rich.console import Console

from sluice import __version__
from sluice.catalog import migration
from sluice.catalog.upgrades import RELEASES, UPGRADES, downgraded, newest, upgraded, version_in
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import HttpDatasource
from sluice.domain.file_format import CsvOptions
from sluice_cli.local.migrate import migrate
from sluice_cli.main import cli
from support.client import Client
from support.documents import ingest, rows
from support.migrating import CloudFormation, put, stored
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


@pytest.fixture
def old(services: Container) -> None:
    put("DefinitionsTable", OLD_DATASOURCE)
    put("RunsTable", OLD_RUN)
    put("DatasetsTable", OLD_POINTER)


@pytest.mark.usefixtures("old")
def test_items_of_earlier_releases_are_read_in_the_current_format(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    document = admin.get("/datasources/coins").json()
    assert (document["csv"], document["xlsx"], document["etag"]) == (None, None, "3")
    fresh = HttpDatasource.model_validate({"name": "x", "kind": "http", "http": {"url": "https://e.com"}}).model_dump(
        mode="json", by_alias=True
    )
    assert set(document) >= set(fresh), "the fields are those of new ones"
    events = admin.get(f"/runs/{OLD_RUN['run_id']}/events").json()["items"]
    assert [(event["event"], event["attempt"]) for event in events] == [
        ("created", 1),
        ("started", 1),
        ("succeeded", 2),
    ]
    pointer = services.datasets.pointer(DatasetId.of_datasource("gone"))
    assert pointer.hidden == {"floor": 2, "published": 3}
    upstream.serve([{"id": 1}])
    assert ingest(admin, "coins")["status"] == "succeeded"
    assert rows(admin, "datasources/coins") == [{"id": 1}]


def test_csv_settings_of_an_earlier_release_keep_their_meaning(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    put("DefinitionsTable", OLD_CSV_DATASOURCE)
    fresh = CsvOptions().model_dump(mode="json")
    document = admin.get("/datasources/coins").json()
    assert document["csv"] == {**fresh, "delimiter": ";", "header": True}
    assert list(document["csv"]) == list(fresh)
    upstream.answer = lambda request: raw(b"1;2\n3;4\n", media_type="text/csv")
    assert ingest(admin, "coins")["warnings"] == []
    assert rows(admin, "datasources/coins") == [{"1": 3, "2": 4}]


@pytest.mark.usefixtures("old")
def test_migration_upgrades_all_items(services: Container, admin: Client) -> None:
    tables = stored(services)
    shown = admin.get("/datasources/coins").json()
    planned = migration.plan(tables)
    assert planned.counts == {("datasource", 1, 3): 1, ("run", 1, 3): 1, ("pointer", 1, 3): 1}
    assert migration.plan(tables) == planned, "a plan writes nothing"
    assert migration.apply(tables) == planned
    assert migration.plan(tables) == migration.apply(tables) == migration.Report()
    assert admin.get("/datasources/coins").json() == shown
    item: Any = (
        boto3.resource("dynamodb")
        .Table("DefinitionsTable")
        .get_item(Key={"workspace_kind": "main#datasource", "name": "coins"})["Item"]
    )
    assert (item["schema_version"], "csv" in orjson.loads(item["document"])) == (3, True)
    assert services.datasets.pointer(DatasetId.of_datasource("gone")).hidden == {"floor": 2, "published": 3}


@pytest.mark.usefixtures("old")
def test_migration_does_not_overwrite_concurrent_changes(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(entity: str, item: dict[str, Any]) -> dict[str, Any]:
        if entity == "datasource":
            admin.patch("/datasources/coins", {"description": "changed"})
        return upgraded(entity, item)

    monkeypatch.setattr(migration, "upgraded", meanwhile)
    assert ("datasource", 1, 3) not in migration.apply(stored(services)).counts
    assert admin.get("/datasources/coins").json()["description"] == "changed"


def test_new_items_need_no_upgrade(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.serve([])
    admin.post("/datasources", {"name": "a", "kind": "http", "http": {"url": "https://a.example.com"}})
    admin.post("/projects", {"name": "p"})
    admin.put("/projects/p/datasources/a", {})
    ingest(admin, "a")
    admin.delete("/projects/p")
    assert migration.plan(stored(services)) == migration.Report()


CHANGING = [upgrade for upgrade in UPGRADES if upgrade.tables is None]  # the others move items as they are


@pytest.mark.parametrize("upgrade", CHANGING, ids=lambda upgrade: f"{upgrade.entity}-{upgrade.version}")
def test_upgrade_does_not_modify_its_argument(upgrade: Any) -> None:
    olds = {"datasource": OLD_DATASOURCE, "run": OLD_RUN, "pointer": OLD_POINTER}
    old = OLD_CSV_DATASOURCE if (upgrade.entity, upgrade.version) == ("datasource", 3) else olds[upgrade.entity]
    before = copy.deepcopy(old)
    assert upgrade.apply(old) != old
    assert old == before
    again = upgraded(upgrade.entity, old)
    assert upgraded(upgrade.entity, again) is again
    assert again["schema_version"] == newest(upgrade.entity)


def test_last_release_is_this_one() -> None:
    assert __version__.startswith(f"{RELEASES[-1]}.")
    assert {upgrade.release for upgrade in UPGRADES} <= set(RELEASES[1:])
    assert [version_in(release, "datasource") for release in RELEASES] == [1, 2, 3]


@pytest.mark.parametrize(
    ("entity", "old"),
    [("datasource", OLD_DATASOURCE), ("run", OLD_RUN), ("pointer", {**OLD_POINTER, "floor": 2})],
    ids=["datasource", "run", "pointer"],
)
def test_downgrade_undoes_an_upgrade(entity: str, old: dict[str, Any]) -> None:
    again = downgraded(entity, upgraded(entity, old), 1)
    assert again == {**old, "schema_version": 1}
    assert downgraded(entity, again, 1) is again


@pytest.mark.parametrize(("stored_age", "age"), [(0, 1), (60, 60), (None, None)])
def test_data_that_was_always_stale_still_is(stored_age: int | None, age: int | None) -> None:
    document = {**orjson.loads(OLD_CSV_DATASOURCE["document"]), "max_age_seconds": stored_age}
    old = {**OLD_CSV_DATASOURCE, "document": orjson.dumps(document).decode()}
    assert orjson.loads(upgraded("datasource", old)["document"])["max_age_seconds"] == age


def set_document(admin: Client, name: str, **changes: Any) -> None:
    answer = admin.put(f"/datasources/{name}", {"name": name, "kind": "file", **changes})
    assert answer.status == 201, answer.text


def test_downgrade_writes_the_format_of_the_previous_release(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    pages = {"type": "page", "page_param": "p", "verify": "always"}
    http = {"url": "https://coins.example.com/v1", "concurrency": 2, "pagination": pages}
    set_document(admin, "coins", kind="http", http=http)
    set_document(admin, "notes", csv={"delimiter": ";", "header": True})
    tables = stored(services)
    planned = migration.plan(tables, "0.2")
    assert (planned.counts, planned.kept) == ({("datasource", 3, 2): 2, ("key", 2, 1): 1}, {})
    assert migration.apply(tables, "0.2") == planned
    assert migration.plan(tables, "0.2") == migration.Report()
    items = {item["name"]: item for item in tables[0].table.scan_all() if item["workspace_kind"] == "main#datasource"}
    assert {item["schema_version"] for item in items.values()} == {2}
    coins, notes = (orjson.loads(items[name]["document"]) for name in ("coins", "notes"))
    assert "concurrency" not in coins["http"]
    assert "verify" not in coins["http"]["pagination"]
    assert set(notes["csv"]) == set(OLD_CSV) | {"header"}
    assert admin.get("/datasources/notes").json()["csv"]["header"] is True, "this release reads it as before"
    assert migration.apply(tables).counts == {("datasource", 2, 3): 2, ("key", 1, 2): 1}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"csv": {"delimiter": ";"}}, "`csv.header` is null"),
        ({"csv": {"header": True, "date_format": "%d.%m.%Y"}}, "`csv.date_format` is set"),
        ({"kind": "http", "http": {"url": "https://a.example.com", "method": "PUT"}}, "`http.method` is PUT"),
        (
            {"kind": "sql", "sql": {"engine": "sqlite", "key": "new/a.db", "query": "SELECT 1 AS a"}},
            "its kind is sql",
        ),
        (
            {"kind": "http", "http": {"url": "https://a.example.com"}, "max_age_seconds": 0},
            "`max_age_seconds` is 0",
        ),
    ],
    ids=["header", "date_format", "method", "kind", "max_age_seconds"],
)
def test_downgrade_keeps_items_that_the_earlier_release_would_misread(
    services: Container, admin: Client, changes: dict[str, Any], reason: str
) -> None:
    set_document(admin, "new", **changes)
    shown = admin.get("/datasources/new").json()
    tables = stored(services)
    for report in (migration.plan(tables, "0.2"), migration.apply(tables, "0.2")):
        assert report.counts == {("key", 2, 1): 1}
        assert report.kept.keys() == {"main#datasource new"}
        assert reason in report.kept["main#datasource new"]
    assert admin.get("/datasources/new").json() == shown


@pytest.mark.usefixtures("old")
def test_downgrade_to_the_oldest_release_removes_unknown_attributes(services: Container, admin: Client) -> None:
    tables = stored(services)
    migration.apply(tables)
    changed = {("datasource", 3, 1): 1, ("run", 3, 1): 1, ("pointer", 3, 1): 1, ("key", 2, 1): 1}
    assert migration.apply(tables, "0.1").counts == changed
    run = boto3.resource("dynamodb").Table("RunsTable").get_item(Key={"workspace": "main", "run_id": OLD_RUN["run_id"]})
    assert "timeline" not in run["Item"]


def test_command_lists_unchanged_items_with_reasons(
    services: Container, admin: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluice_cli.local.migrate.console", Console(width=200))
    set_document(admin, "new", csv={"header": True, "date_format": "%d.%m.%Y"})
    set_document(admin, "plain")
    report = migrate(CloudFormation(), boto3.client("dynamodb"), "sluice", write=False, release="0.2")
    shown = capsys.readouterr().out
    assert report.counts == {("datasource", 3, 2): 1, ("key", 2, 1): 1}
    assert "main#datasource new is not changed, and release 0.2 cannot read it: `csv.date_format` is set" in shown
    assert "csv gains date_format and timestamp_format" in shown
    assert "Nothing was written" in shown


@pytest.mark.parametrize(
    ("arguments", "release", "write"),
    [
        ([], "0.3", False),
        (["--apply"], "0.3", True),
        (["--down"], "0.2", False),
        (["--down", "0.1", "--apply"], "0.1", True),
        (["--apply", "--down"], "0.2", True),
    ],
    ids=["plan", "apply", "down", "down to 0.1", "down and apply"],
)
def test_command_upgrades_by_default(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], release: str, write: bool
) -> None:
    calls: list[Any] = []
    monkeypatch.setattr("sluice_cli.commands.admin.migrate_stack", lambda *_, **options: calls.append(options))
    monkeypatch.setattr("sluice_cli.commands.admin.boto3.client", lambda name: name)
    result = CliRunner().invoke(cli, ["migrate", "--aws", *arguments])
    assert result.exit_code == 0, result.output
    assert calls == [{"write": write, "release": release}]


def test_command_refuses_to_plan_and_apply_at_once() -> None:
    result = CliRunner().invoke(cli, ["migrate", "--aws", "--plan", "--apply"])
    assert result.exit_code == 2
    assert "exclude each other" in result.output


@pytest.mark.parametrize(("arguments", "port"), [([], 4599), (["--port", "4600"], 4600)])
def test_command_goes_to_the_stack_that_was_started_last(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, arguments: list[str], port: int
) -> None:
    asked: list[int] = []
    monkeypatch.setenv("SLUICE_LOCAL", str(tmp_path))
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setattr("sluice_cli.commands.admin.migrate_stack", lambda *_, **options: None)

    def stack_on(port: int) -> SimpleNamespace:
        asked.append(port)
        return SimpleNamespace(client=str)

    monkeypatch.setattr("sluice_cli.commands.admin.local_stack", stack_on)
    (tmp_path / "stack.json").write_text('{"endpoint_url": "http://127.0.0.1:4599"}')
    result = CliRunner().invoke(cli, ["migrate", *arguments])
    assert result.exit_code == 0, result.output
    assert asked == [port]
