"""The Python client's handles, over the API in this process."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas
import polars
import pyarrow
import pytest

from sluice.container import Container
from sluice_client import Datasource, MissingDependency, NotFound, Project, Result, Sluice, ValidationError
from support.api_transport import API, ApiTransport
from support.client import Client
from support.documents import JOIN, Documents, http_source
from support.upstream import Upstream

BIG = 2**53 + 1
TYPES = {"paid": "decimal(12,4)", "day": "date", "at": "timestamp", "big": "bigint"}
RECORDS: list[dict[str, Any]] = [
    {"id": 1, "name": "a", "paid": "1.50", "day": "2026-01-31", "at": "2026-01-31T12:00:00.5Z", "big": BIG, "ok": True},
    {"id": 2, "name": None, "paid": None, "day": None, "at": None, "big": None, "ok": None},
]


@pytest.fixture
def transport(services: Container) -> ApiTransport:
    return ApiTransport(services)


@pytest.fixture
def sluice(transport: ApiTransport, admin: Client) -> Iterator[Sluice]:
    with Sluice(API, admin.key, transport=transport) as client:
        yield client


@pytest.fixture
def source(sluice: Sluice) -> Datasource:
    """A datasource with one version. It reads like a project, and is made in less time."""
    sluice.put("/datasources/s", {"name": "s", "kind": "push", "types": TYPES})
    sluice.datasource("s").push(RECORDS, wait=True)
    return sluice.datasource("s")


@pytest.fixture
def shop(sluice: Sluice, documents: Documents) -> Project:
    """A project of two datasources, with one version."""
    documents["s"] = RECORDS
    documents["t"] = [{"id": 1, "size": 7}]
    sluice.put("/projects/p", {"name": "p", "merge": JOIN, "refresh_on": "manual"})
    for name, types in (("s", TYPES), ("t", {})):
        sluice.put(f"/datasources/{name}", http_source(name, types=types))
        sluice.put(f"/projects/p/datasources/{name}", {})
    sluice.project("p").run()
    return sluice.project("p")


def test_rows_over_several_pages_are_of_one_version(
    sluice: Sluice, upstream: Upstream, transport: ApiTransport
) -> None:
    upstream.serve([{"id": number} for number in range(401)])
    sluice.put("/datasources/s", http_source("s"))
    source = sluice.datasource("s")
    assert source.run().version == 1
    rows = source.rows(order="-id")
    assert next(rows) == {"id": 400}
    upstream.serve([{"id": -1}])
    source.run()
    assert [row["id"] for row in rows] == list(range(399, -1, -1))
    sent = [request for request in transport.requests if request.url.path.endswith("/data")]
    assert [request.url.params["limit"] for request in sent] == ["200", "200", "200"]
    assert list(source.rows(version=1, limit=201, order=["id"]))[-1] == {"id": 200}
    assert len(source.to_arrow(version=1, limit=201)) == 201
    assert source.to_polars(version=1, limit=3)["id"].to_list() == [0, 1, 2]
    assert list(source.rows(limit=0)) == []


def test_rows_are_json(source: Datasource) -> None:
    rows = list(source.rows(select=["id", "paid", "day", "at", "big"], where=["id.ge:1", "name.eq:a"]))
    at = "2026-01-31T12:00:00.5Z"
    assert rows == [{"id": 1, "paid": "1.5000", "day": "2026-01-31", "at": at, "big": BIG}]
    assert [row["id"] for row in source.rows(where="id.gt:1")] == [2]
    published = datetime.fromisoformat(source.version(1)["created_at"])
    assert next(source.rows(as_of=published))["id"] == 1
    with pytest.raises(NotFound):
        next(source.rows(as_of=published.replace(year=2020)))
    with pytest.raises(ValidationError, match=r"no column 'colour'") as refused:
        list(source.rows(order="colour"))
    assert refused.value.errors[0]["pointer"] == "?order"


def test_frames_keep_types_digits_and_nulls(source: Datasource) -> None:
    values: dict[str, list[Any]] = {
        "paid": [Decimal("1.5000"), None],
        "day": [date(2026, 1, 31), None],
        "at": [datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC), None],
        "big": [BIG, None],
        "ok": [True, None],
    }
    table = source.to_arrow(order="id")
    assert {name: table[name].to_pylist() for name in values} == values
    frame = source.to_polars(order="id")
    assert {name: frame[name].to_list() for name in values} == values
    assert frame.schema["at"] == polars.Datetime("us", "UTC")
    flat = source.to_pandas(order="id")
    assert flat["big"].dtype == pandas.Int64Dtype()
    assert flat["big"][0] == BIG
    assert flat["paid"].tolist() == values["paid"]
    assert flat["at"][0] == values["at"][0]
    assert flat.isna().loc[1].drop(["id", "name"]).all()
    assert flat["id"].dtype == "int64"
    names = source.to_pandas(where="id.gt:1")["name"], source.to_pandas(select="name")["name"]
    assert names[0].dtype == names[1].dtype == flat["name"].dtype, "text has one type, with nulls or without"
    assert source.to_pandas(where="id.gt:9").shape == (0, 7)


def test_query_and_frames_of_its_result(shop: Project) -> None:
    sql = 'SELECT id, paid, day, "at", big, ok, size / 2 AS half, [id] AS ids FROM merged WHERE id <= $most ORDER BY id'
    result = shop.query(sql, most=Decimal(2))
    assert isinstance(result, Result)
    assert (len(result), result[0]["id"], result[-1]["ids"], result.truncated) == (2, 1, [2], False)
    at = datetime(2026, 1, 31, 12, 0, 0, 500_000, tzinfo=UTC)
    row = {"id": 1, "paid": Decimal("1.5000"), "day": date(2026, 1, 31), "at": at, "big": BIG, "ok": True}
    row |= {"half": 3.5, "ids": "[1]"}
    assert result.to_arrow().to_pylist()[0] == row
    assert result.to_polars().to_dicts()[0] == row
    assert result.to_pandas()["big"].tolist()[0] == BIG
    assert pyarrow.types.is_decimal(result.to_arrow().schema.field("paid").type)
    assert shop.query("SELECT $day::DATE + 1 AS day", day=date(2026, 1, 1)).to_polars()["day"][0] == date(2026, 1, 2)
    far = shop.query("SELECT TIMESTAMP 'infinity' AS t, 'x' AS x").to_polars()
    assert far.to_dicts() == [{"t": "infinity", "x": "x"}], "Python has no such time"
    assert shop.query("SELECT id FROM merged WHERE false").to_pandas().shape == (0, 1)
    with pytest.raises(ValidationError, match="SELECT"):
        shop.query("DROP TABLE merged")


def test_records_explanations_versions_and_differences(shop: Project, sluice: Sluice, documents: Documents) -> None:
    documents["s"] = [{**RECORDS[0], "paid": "2"}, RECORDS[1]]
    assert shop.run("all").version == 2
    assert shop.record(1)["name"] == "a"
    explanation = shop.explain(1)
    assert explanation["version"] == 2
    winners = explanation["fields"]["size"]["winners"]
    assert [(source["datasource"], source["value"]) for source in winners] == [("t", 7)]
    with pytest.raises(NotFound):
        shop.record(3)
    name = sluice.datasource("s").explain(1, order="-id")["fields"]["name"]
    assert (name["value"], name["pointer"]) == ("a", "/0/name")
    assert sluice.datasource("s").explain(where=["id.eq:1"], version=1)["fields"]["paid"]["value"] == "1.5000"
    with pytest.raises(NotFound):
        sluice.datasource("s").explain(2)
    assert [version["number"] for version in shop.versions()] == [2, 1]
    assert [version["number"] for version in sluice.datasource("s").versions(limit=1)] == [2]
    assert {source["datasource"]: source["version"] for source in shop.version(2)["inputs"]} == {"s": 2, "t": 2}
    assert sluice.datasource("s").version(2)["rows"] == 2
    difference = shop.diff(1, 2)
    assert (difference.older, difference.newer, difference.counts["changed"]) == (1, 2, 1)
    assert [change["fields"]["paid"] for change in difference] == [["1.5000", "2.0000"]]
    assert "1 changed" in repr(difference)
    assert "changed</th>" in difference._repr_html_()
    assert shop.promote(1)["number"] == 1
    assert shop.record(1)["paid"] == "1.5000"
    assert shop.diff(1, 2).newer == 2


def test_models_and_endpoints(shop: Project, sluice: Sluice, tmp_path: Path) -> None:
    sluice.put("/projects/p/models/sums", {"sql": "SELECT count(*) AS n FROM merged"})
    assert shop.model("sums").run().version == 1
    assert list(shop.model("sums").rows()) == [{"n": 2}]
    assert shop.model("sums").to_pandas()["n"].tolist() == [2]
    assert shop.model("sums").get()["materialize"] is True
    parameters = {"lowest": {"type": "integer", "default": 1}, "since": {"type": "date"}}
    sql = "SELECT id, paid FROM merged WHERE id >= $lowest AND coalesce(day >= $since, true) ORDER BY id"
    sluice.put("/projects/p/endpoints/top", {"sql": sql, "parameters": parameters})
    top = shop.endpoint("top")
    assert list(top.get()["parameters"]) == ["lowest", "since"]
    assert top.call(lowest=2, since=date(2026, 1, 1)).document["completeness"] == "complete"
    assert [row["id"] for row in top.rows()] == [1, 2]
    assert top.to_polars()["paid"][0] == Decimal("1.5000")
    assert top.to_arrow(lowest=2).num_rows == len(top.to_pandas(lowest=2)) == 1
    assert top.to_csv(tmp_path / "top.csv", lowest=2).read_text() == "id,paid\n2,\n"


def test_files(source: Datasource, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    file = source.to_csv(folder / "p.csv", select="id,name", order="id")
    assert file.read_text() == "id,name\n1,a\n2,\n"
    assert polars.read_parquet(source.download(folder / "p.parquet", select="id"))["id"].to_list() == [1, 2]
    assert source.download(folder / "data", "xlsx").read_bytes()[:2] == b"PK"
    with pytest.raises(ValidationError):
        source.to_csv(file, select="colour")
    with pytest.raises(ValidationError, match="format"):
        source.download(folder / "p.doc")
    assert file.read_text() == "id,name\n1,a\n2,\n", "a failed download leaves the file as it was"
    assert sorted(path.name for path in folder.iterdir()) == ["data", "p.csv", "p.parquet"]


def test_missing_packages_are_named_before_a_request(
    sluice: Sluice, transport: ApiTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    for package in ("pandas", "polars", "pyarrow"):
        monkeypatch.setitem(sys.modules, package, None)
    for read, package in (("to_pandas", "pandas"), ("to_polars", "polars"), ("to_arrow", "pyarrow")):
        with pytest.raises(MissingDependency, match=rf"pip install {package}"):
            getattr(sluice.project("p"), read)()
    assert transport.requests == []


def test_handles_in_notebooks_are_escaped_and_send_nothing(sluice: Sluice, transport: ApiTransport) -> None:
    hostile = "<script>alert(1)</script>"
    sluice.put("/projects/p", {"name": hostile})
    project = sluice.project("p")
    assert repr(project) == "Project('p')"
    assert hostile not in project._repr_html_()
    assert "Project p" in project._repr_html_()
    assert len(transport.requests) == 1
    assert project.get()["name"] == hostile
    assert "&lt;script&gt;" in project._repr_html_()
    columns: list[Any] = [{"name": "<b>", "type": "string"}, {"name": "n", "type": "bigint"}]
    rows = [{"<b>": hostile, "n": None}] * 50
    result = Result(
        {"items": rows, "columns": columns, "truncated": True, "versions": {}, "completeness": "complete", "stale": []}
    )
    html = result._repr_html_()
    assert "<script>" not in html
    assert "<b>" not in html
    assert html.count("&lt;script&gt;") == 20, "no more rows than fit on a screen"
    assert repr(result) == "<Result: 50 rows, truncated; columns <b>, n>"


def test_names_cannot_leave_their_place(sluice: Sluice, transport: ApiTransport) -> None:
    for name in ("", ".", ".."):
        with pytest.raises(ValueError, match="is not a name"):
            sluice.project(name)
    with pytest.raises(NotFound):
        sluice.project("a/../../keys").get()
    assert transport.requests[-1].url.raw_path.endswith(b"/projects/a%2F..%2F..%2Fkeys")
    with pytest.raises(NotFound) as missing:
        sluice.datasource("nosuch").get()
    assert "nosuch" in str(missing.value)
    assert str(pickle.loads(pickle.dumps(missing.value))) == str(missing.value)
