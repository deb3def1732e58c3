"""Glue tables follow the published pointers."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sluice.container import Container
from support.client import Client
from support.documents import drop, http_source, ingest, refresh
from support.upstream import Upstream

DATABASE = "sluice_main"


@pytest.fixture
def glue(services: Container) -> Any:
    """A Glue database that the platform knows."""
    client = boto3.client("glue")
    client.create_database(DatabaseInput={"Name": DATABASE})
    services.settings = services.settings.model_copy(update={"glue_database": DATABASE})
    return client


def table(glue: Any, name: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = glue.get_table(DatabaseName=DATABASE, Name=name)["Table"]
        return found
    except ClientError as error:
        assert error.response["Error"]["Code"] == "EntityNotFoundException"
        return None


def test_glue_table_follows_refreshes_promotions_and_deletions(glue: Any, admin: Client, upstream: Upstream) -> None:
    admin.post("/datasources", http_source("my-coins", types={"price": "decimal(10,2)", "at": "timestamp"}))
    join = {"strategy": "join", "key": ["id"]}
    admin.post("/projects", {"name": "my-p", "merge": join, "refresh_on": "manual"})
    admin.put("/projects/my-p/datasources/my-coins", {})
    upstream.serve([{"id": 1, "price": "1.5", "at": "2026-01-01", "on": True, "tags": ["x"]}])
    refresh(admin, "my-p")
    first = table(glue, "project_my_p")
    assert first is not None
    assert [(column["Name"], column["Type"]) for column in first["StorageDescriptor"]["Columns"]] == [
        ("id", "bigint"),
        ("price", "decimal(10,2)"),
        ("at", "timestamp"),
        ("on", "boolean"),
        ("tags", "string"),
    ]
    keys = {item["key"] for item in admin.get("/projects/my-p/versions/1").json()["objects"]}
    assert first["StorageDescriptor"]["Location"] == "s3://lake/main/" + keys.pop().rpartition("/")[0] + "/"
    assert table(glue, "datasource_my_coins") is not None
    upstream.serve([{"id": 2}])
    refresh(admin, "my-p", ingest="all")
    second = table(glue, "project_my_p")
    assert second is not None
    assert second["Parameters"]["sluice.version"] == "2"
    assert second["StorageDescriptor"]["Location"] != first["StorageDescriptor"]["Location"]
    admin.post("/projects/my-p/versions/1/promote")
    assert (table(glue, "project_my_p") or {})["StorageDescriptor"] == first["StorageDescriptor"]
    admin.delete("/projects/my-p")
    assert table(glue, "project_my_p") is None
    admin.delete("/datasources/my-coins")
    assert table(glue, "datasource_my_coins") is None
    admin.post("/datasources/my-coins/restore")
    assert table(glue, "datasource_my_coins") is not None


def test_models_have_glue_tables(glue: Any, admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1, "v": 2.5}])
    admin.post("/datasources", http_source("my-coins"))
    admin.post("/projects", {"name": "my-p", "refresh_on": "manual"})
    admin.put("/projects/my-p/datasources/my-coins", {})
    admin.put("/projects/my-p/models/total", {"sql": "SELECT sum(v) AS v FROM merged"})
    admin.put("/projects/my-p/models/view", {"sql": "SELECT v FROM total", "materialize": False})
    refresh(admin, "my-p")
    definition = table(glue, "project_my_p__total")
    assert definition is not None
    assert definition["StorageDescriptor"]["Columns"] == [{"Name": "v", "Type": "double"}]
    assert table(glue, "project_my_p__view") is None
    admin.delete("/projects/my-p/models/view")
    admin.delete("/projects/my-p/models/total")
    assert table(glue, "project_my_p__total") is None


def test_version_in_several_folders_has_no_glue_table(
    glue: Any, services: Container, admin: Client, upstream: Upstream
) -> None:
    admin.post("/datasources", {"name": "log", "kind": "file", "write_disposition": "append"})
    drop(services, "log/a.csv", b"a\n1\n")
    assert table(glue, "datasource_log") is not None
    drop(services, "log/b.csv", b"a\n2\n")
    assert table(glue, "datasource_log") is None
    upstream.serve({"x": 1})
    admin.post("/datasources", http_source("doc"))
    admin.post("/projects", {"name": "p", "merge": {"strategy": "recursive"}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/doc", {})
    refresh(admin, "p")
    assert table(glue, "project_p") is None


def test_run_succeeds_without_glue(glue: Any, admin: Client, upstream: Upstream) -> None:
    glue.delete_database(Name=DATABASE)
    upstream.serve([{"id": 1}])
    admin.post("/datasources", http_source())
    assert ingest(admin, "coins")["status"] == "succeeded"
