"""Values of pages come out as they went in, or the run says what has become of them."""

import itertools
import json
from typing import Any

import duckdb
import pytest

from sluice.container import Container
from support.client import Client
from support.documents import drop, ingest, refresh, rows
from support.extraction import datasource, read

pytestmark = pytest.mark.usefixtures("services")


@pytest.fixture
def notes(services: Container, admin: Client) -> Any:
    admin.post("/datasources", {"name": "notes", "kind": "file"})

    def dropped(name: str, body: bytes, **changes: Any) -> dict[str, Any]:
        admin.patch("/datasources/notes", changes)
        run = drop(services, f"notes/{name}", body)
        assert run is not None
        return run

    return dropped


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("0.123456789012345678901", "decimal(38,21)"),
        ("123456789012345678.12", "decimal(38,2)"),
        ("12345678901234567.0", "decimal(38,1)"),
        ("1e-400", "json"),
        ("0.30000000000000004", "double"),
    ],
)
def test_json_numbers_keep_their_digits(number: str, kind: str) -> None:
    found = read([f'[{{"a": {number}}}, {{"a": 0.5}}]'.encode()], datasource(format="json"), by_engine=False)
    assert found is not None
    assert found.columns[0].type == kind
    digits = str(found.rows[0][0]).lower()
    assert digits.rstrip("0").rstrip(".") == number.rstrip("0").rstrip(".")


def test_duplicate_key_is_warned_about(admin: Client, notes: Any) -> None:
    run = notes("a.json", b'[{"a": 1, "a": 2}, {"a": 3, "b": {"x": 1, "x": 1}}]')
    assert rows(admin, "datasources/notes")[0]["a"] == 2
    assert [warning.partition(" because")[0] for warning in run["warnings"]] == [
        "a: 1 values were ignored",
        "x: 1 values were ignored",
    ]


@pytest.mark.parametrize(
    "record",
    [
        {"owner_kind": 1, "owner": {"login": "x"}},
        {"owner": {"kind_x": 1}, "owner_kind": 2},
        {"license_url": "u", "license": {"key": "k"}},
        {"a_b": {"d": 1}, "a": {"c": 2}},
        {"a": {"b_c": {"d": 1}}, "a_b": {"e": 2}},
    ],
)
def test_pointer_leads_to_the_value(services: Container, admin: Client, record: dict[str, Any], notes: Any) -> None:
    for order in itertools.permutations(record):
        body = [{key: record[key] for key in order}]
        notes("a.json", json.dumps([{**body[0], "id": 1}]).encode(), primary_key=["id"])
        admin.put("/projects/atlas", {"name": "Atlas", "merge": {"strategy": "join", "key": ["id"]}})
        admin.put("/projects/atlas/datasources/notes", {})
        refresh(admin, "atlas")
        fields = admin.get("/projects/atlas/explain?key=1").json()["fields"]
        for field in fields.values():
            for winner in field["winners"]:
                value: Any = json.loads(json.dumps([{**body[0], "id": 1}]))
                for part in winner["pointer"].split("/")[1:]:
                    value = value[int(part)] if isinstance(value, list) else value[part]
                assert value == winner["value"], (record, winner)


def parquet(query: str, path: Any) -> bytes:
    duckdb.connect().sql(query).write_parquet(str(path))
    return bytes(path.read_bytes())


@pytest.mark.parametrize("kind", ["string", "decimal(10,2)", "json", "bigint", "timestamp"])
def test_non_finite_number_is_converted_to_another_type(tmp_path: Any, kind: str) -> None:
    body = parquet("SELECT 1.5::DOUBLE d, 0.1::FLOAT f UNION ALL SELECT 'nan', 'inf'", tmp_path / "a.parquet")
    source = datasource(format="parquet", types={"d": kind, "f": kind})
    assert repr(read([body], source, by_engine=True)) == repr(read([body], source, by_engine=False))


def test_header_may_change_case(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "log", "kind": "file", "write_disposition": "append", "types": {"v": "string"}})
    for number, body in enumerate([b"id,V\n1,1.50\n", b"id,v\n2,abc\n"]):
        run = drop(services, f"log/{number}.csv", body)
        assert run is not None
        assert run["status"] == "succeeded", run
    expected = [{"id": 1, "V": "1.50"}, {"id": 2, "V": "abc"}]
    assert rows(admin, "datasources/log") == expected
    assert ingest(admin, "log", {"replay": 2})["status"] == "succeeded"
    assert rows(admin, "datasources/log") == expected


def test_column_that_becomes_text_is_warned_about(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "log", "kind": "push"})
    warned = []
    for value in (1, "x", "y"):
        answer = admin.post("/datasources/log/records", [{"v": value}])
        warned.append(admin.get(f"/runs/{answer.json()['run']}").json()["warnings"])
    assert [len(warnings) for warnings in warned] == [0, 1, 0]
    assert "v: the type changed from bigint to text" in warned[1][0]


def test_struct_members_are_read_like_columns(tmp_path: Any) -> None:
    value = "{'t': '2026-01-01 00:00:00+02'::TIMESTAMPTZ, 'f': 0.1::FLOAT, 'd': 1.25::DECIMAL(9,3)}"
    body = parquet(f"SELECT {value} AS s UNION ALL SELECT NULL", tmp_path / "a.parquet")
    for types in ({}, {"s_f": "decimal(10,2)"}, {"s_f": "string"}):
        source = datasource(format="parquet", types=types)
        found = read([body], source, by_engine=True)
        assert found is not None
        assert repr(found) == repr(read([body], source, by_engine=False))
