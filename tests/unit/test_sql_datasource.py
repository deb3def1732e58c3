"""A datasource that is a query, from its document to published rows; here of a SQLite file in the inbox."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import boto3
import pytest

from sluice.container import Container
from sluice.domain.identity import KeyRequest
from sluice.sources.sql import values
from sluice.sources.sql.base import ServerColumn
from support.client import Client
from support.documents import http_source, ingest, refresh, rows
from support.sql_results import Rows
from support.upstream import Upstream

QUERY = "SELECT id, name, price, taken FROM goods WHERE id > $least ORDER BY id"
SQL = {"engine": "sqlite", "key": "goods/shop.db", "query": QUERY, "parameters": {"least": 0}, "fetch_rows": 2}
DOCUMENT: dict[str, Any] = {"name": "goods", "kind": "sql", "sql": SQL}


def editor_of(services: Container, projects: list[str] | None) -> Client:
    return Client(services.keys.issue(KeyRequest(name="editor", role="editor", projects=projects), "test")[1])


@pytest.fixture
def shop(services: Container, tmp_path: Path) -> None:
    """A shop's database in the inbox."""
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE goods (id INTEGER, name TEXT, price NUMERIC, taken TEXT)")
        goods = [(1, "007", 1.5, None), (2, "pen", 2, "2026-01-01"), (3, "ink", 0.1, "x")]
        database.executemany("INSERT INTO goods VALUES (?, ?, ?, ?)", goods)
    database.close()
    boto3.client("s3").put_object(Bucket=services.inbox.bucket, Key="goods/shop.db", Body=path.read_bytes())


@pytest.mark.usefixtures("shop")
def test_rows_are_fetched_typed_merged_and_replayed(services: Container, admin: Client) -> None:
    assert admin.put("/datasources/goods", DOCUMENT).status == 201
    run = ingest(admin, "goods")
    assert (run["status"], run["rows"], run["completeness"]) == ("succeeded", 3, "complete"), run
    expected = [
        {"id": 1, "name": "007", "price": 1.5, "taken": None},
        {"id": 2, "name": "pen", "price": 2.0, "taken": "2026-01-01"},
        {"id": 3, "name": "ink", "price": 0.1, "taken": "x"},
    ]
    assert rows(admin, "datasources/goods") == expected
    pages = admin.get(f"/runs/{run['id']}/pages").json()["items"]
    assert [page["rows"] for page in pages] == [2, 1]
    assert pages[0]["columns"]["id"]["type"] == "bigint"
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/goods", {})
    assert refresh(admin, "p", ingest="all")["status"] == "succeeded"
    assert rows(admin, "projects/p") == expected
    assert ingest(admin, "goods", {"replay": 1})["status"] == "succeeded"
    assert rows(admin, "datasources/goods") == expected


@pytest.mark.usefixtures("shop")
def test_run_shows_its_pages_while_rows_are_read_and_can_be_cancelled(
    services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(services.settings.__dict__, "tell_seconds", 0.0)
    admin.put("/datasources/goods", {**DOCUMENT, "sql": {**SQL, "fetch_rows": 1}})
    seen: list[dict[str, Any]] = []
    put_raw = services.lake.put_raw

    def put_and_look(*arguments: Any) -> str:
        run = admin.get("/runs?datasource=goods").json()["items"][0]
        seen.append(run["progress"])
        if len(seen) == 3:
            assert admin.post(f"/runs/{run['id']}/cancel").status == 202
        return put_raw(*arguments)

    monkeypatch.setattr(services.lake, "put_raw", put_and_look)
    assert ingest(admin, "goods")["status"] == "cancelled"
    assert [(progress["stage"], progress["current"]) for progress in seen] == [("fetch", at) for at in (0, 1, 2)]


@pytest.mark.usefixtures("shop")
def test_sql_datasource_is_checked_and_previewed_unsaved(admin: Client) -> None:
    checked = admin.post("/datasources/check", {**DOCUMENT, "slug": "goods"}).json()
    assert (checked["ok"], checked["records"], checked["status"]) == (True, 2, None)
    shown = admin.post("/datasources/preview", {**DOCUMENT, "slug": "goods"}).json()
    assert [row["id"] for row in shown["records"]] == [1, 2]
    broken = {**DOCUMENT, "slug": "goods", "sql": {**SQL, "query": "SELECT missing FROM nowhere", "parameters": {}}}
    checked = admin.post("/datasources/check", broken).json()
    assert not checked["ok"]
    assert "nowhere" in checked["reason"]


@pytest.mark.usefixtures("shop")
def test_unsaved_document_reads_no_file_of_a_datasource_of_somebody_else(services: Container, admin: Client) -> None:
    admin.put("/datasources/goods", DOCUMENT)
    admin.put("/projects/handbook", {"name": "handbook", "merge": {"strategy": "union"}})
    scoped, colleague = editor_of(services, ["handbook"]), editor_of(services, None)
    assert scoped.get("/datasources/goods").status == 404

    def tried(client: Client) -> set[int]:
        documents = [{**DOCUMENT, "name": "Goods"}, {**DOCUMENT, "slug": "goods", "name": "Q"}]
        paths = ("/datasources/check", "/datasources/preview")
        return {client.post(path, document).status for path in paths for document in documents}

    assert tried(scoped) == {404}
    assert tried(colleague) == {403}, "they see the datasource, but another query reads more of its file"
    assert tried(admin) == {200}
    admin.put("/projects/handbook/datasources/goods", {})
    assert tried(scoped) == {403}
    assert scoped.post("/datasources/goods/preview").status == 200
    admin.delete("/datasources/goods?force=true")
    assert tried(scoped) == {404}, "the slug stays reserved, and the file stays where it is"
    assert tried(colleague) == {403}


def test_unsaved_document_with_the_slug_of_a_hidden_datasource_is_refused(
    services: Container, admin: Client, upstream: Upstream
) -> None:
    upstream.serve([{"id": 1}])
    admin.put("/datasources/coins", http_source())
    admin.put("/projects/handbook", {"name": "handbook", "merge": {"strategy": "union"}})
    scoped, colleague = editor_of(services, ["handbook"]), editor_of(services, None)
    assert scoped.post("/datasources/check", http_source()).status == 404
    assert colleague.post("/datasources/check", http_source()).status == 200
    assert scoped.post("/datasources/check", http_source("mine")).status == 200


def test_json_of_a_server_stays_json(services: Container, admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = [ServerColumn("id", "int8", values.plain("bigint")), ServerColumn("j", "jsonb", values.documents)]
    objects = ['{"a": 1}', '{"a": {"b": [2]}, "c": null}', "[1]", '"x"', "7", None, "{}"]

    async def opened(*_: object) -> Rows:
        return Rows(columns, list(enumerate(objects)))

    monkeypatch.setattr("sluice.sources.sql.reader._open", opened)
    expected = [{"id": number, "j": json.loads(text or "null")} for number, text in enumerate(objects)]
    assert admin.post("/datasources/preview?pages=4", DOCUMENT).json()["records"] == expected
    admin.put("/datasources/goods", DOCUMENT)
    assert ingest(admin, "goods")["status"] == "succeeded"
    assert rows(admin, "datasources/goods") == expected
    schema = admin.get("/datasources/goods/versions/1").json()["schema"]
    assert [(column["name"], column["type"]) for column in schema] == [("id", "bigint"), ("j", "json")]


@pytest.mark.usefixtures("shop")
def test_no_rows_keep_the_columns_and_their_types(admin: Client) -> None:
    admin.put("/datasources/goods", {**DOCUMENT, "sql": {**SQL, "parameters": {"least": 99}}})
    run = ingest(admin, "goods")
    assert (run["status"], run["rows"]) == ("succeeded", 0), run
    schema = admin.get("/datasources/goods/versions/1").json()["schema"]
    assert [column["name"] for column in schema] == ["id", "name", "price", "taken"]


@pytest.mark.usefixtures("services")
def test_a_missing_file_fails_the_run_and_says_what_to_do(admin: Client) -> None:
    admin.put("/datasources/goods", DOCUMENT)
    run = ingest(admin, "goods")
    assert run["status"] == "failed"
    assert "drop it first" in run["error"]["detail"]
    assert (run["error"]["title"], run["error"]["status"]) == ("The data cannot be read", 422)


def test_file_is_uploaded_by_the_api(services: Container, admin: Client) -> None:
    admin.put("/datasources/goods", DOCUMENT)
    form = admin.post("/datasources/goods/uploads", {"filename": "shop.db"})
    assert form.status == 200, form.text
    assert form.json()["fields"]["key"] == SQL["key"]
    server = {"engine": "postgresql", "host": "db.example.com", "database": "d", "user": "u", "query": "SELECT 1 AS n"}
    admin.put("/datasources/served", {"name": "served", "kind": "sql", "sql": server})
    assert admin.post("/datasources/served/uploads", {"filename": "shop.db"}).status == 409


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"query": "DELETE FROM goods"}, "/sql/query"),
        ({"query": "SELECT 1; SELECT 2", "parameters": {}}, "/sql/query"),
        ({"parameters": {}}, "/sql/parameters"),
        ({"parameters": {"least": 0, "most": 1}}, "/sql/parameters/most"),
        ({"host": "db.example.com"}, "/sql/host"),
        ({"key": None, "engine": "postgresql"}, "/sql/host"),
        ({"key": "other/shop.db"}, "/sql/key"),
        ({"engine": "oracle"}, "/sql/engine"),
    ],
)
@pytest.mark.usefixtures("services")
def test_invalid_responses_are_refused(admin: Client, change: dict[str, Any], pointer: str) -> None:
    response = admin.put("/datasources/goods", {**DOCUMENT, "sql": {**SQL, **change}})
    assert response.status == 422
    assert response.json()["errors"][0]["pointer"] == pointer
