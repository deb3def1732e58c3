"""SQL that is easily misread: names used twice, views, two tables of one refresh, tests that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sluice.catalog.datasets import Datasets
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.sql_query import SqlError, parse_query
from sluice.errors import Invalid
from sluice.sandbox.sandbox import SandboxTable
from support.client import Client
from support.documents import http_source, refresh
from support.upstream import Upstream

RECORDS: list[dict[str, Any]] = [{"id": 1, "city": "Bern", "price": 2.5}, {"id": 2, "city": None, "price": 4.0}]
NOBODY = Client(None)


@pytest.fixture
def shop(admin: Client, upstream: Upstream) -> Client:
    upstream.serve(RECORDS)
    admin.put("/datasources/shop-a", http_source("shop-a"))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/shop-a", {})
    return admin


def model(client: Client, name: str, sql: str, **more: Any) -> Any:
    return client.put(f"/projects/p/models/{name}", {"sql": sql, **more})


def items(client: Client, sql: str) -> Any:
    answer = client.post("/projects/p/query", {"sql": sql})
    return answer.json()["items"] if answer.status == 200 else (answer.status, answer.json()["detail"])


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("WITH zz AS (SELECT * FROM zz) SELECT * FROM zz", {"zz"}),
        ("WITH a AS (SELECT 1), b AS (SELECT * FROM a, c) SELECT * FROM b", {"c"}),
        ("WITH b AS (SELECT * FROM a), a AS (SELECT 1) SELECT * FROM a, b", {"a"}),
        ("WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT * FROM t", set()),
        ("SELECT * FROM (WITH x AS (SELECT 1) SELECT * FROM x) y, x", {"x"}),
        ("WITH a AS (SELECT 1) SELECT * FROM A UNION SELECT * FROM b", {"b"}),
    ],
)
def test_common_tables_are_not_dependencies(sql: str, tables: set[str]) -> None:
    assert parse_query(sql).tables == tables


def test_a_common_table_of_a_models_name_reads_the_model(shop: Client, upstream: Upstream) -> None:
    model(shop, "zz", "SELECT id FROM merged")
    assert model(shop, "aa", "WITH zz AS (SELECT * FROM zz) SELECT count(*) AS n FROM zz").status == 201
    assert model(shop, "totals", "WITH totals AS (SELECT 1 AS one) SELECT * FROM totals").status == 201
    refresh(shop, "p")
    upstream.serve([*RECORDS, {"id": 3, "city": None, "price": 1.0}])
    assert refresh(shop, "p", ingest="all")["status"] == "succeeded"
    assert items(shop, "SELECT n FROM aa") == [{"n": 3}]
    assert shop.delete("/projects/p/models/zz").status == 409
    cycle = model(shop, "zz", "WITH aa AS (SELECT * FROM aa) SELECT n AS id FROM aa")
    assert (cycle.status, "circular dependency" in cycle.json()["detail"]) == (422, True)


def test_views_are_read_by_the_engine_when_it_can_open_nothing_else(services: Container, tmp_path: Path) -> None:
    """As if sqlglot had let it through when the view was written."""
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    for sql in (
        f"SELECT * FROM read_csv('{secret}')",
        f"SELECT * FROM range((json_serialize_plan('SELECT t FROM read_csv(''{secret}'') t'))::VARCHAR::BIGINT)",
    ):
        with pytest.raises(Invalid, match="not allowed"):
            services.sandbox.query("SELECT * FROM v", {}, [SandboxTable("v", view=sql)], tmp_path)
    kept = services.sandbox.query("SELECT * FROM v", {}, [SandboxTable("v", view="SELECT 1 AS one")], tmp_path)
    assert kept.items == b'[{"one":1}]'


def test_a_query_over_two_tables_reads_one_refresh(
    shop: Client, upstream: Upstream, services: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another refresh is published while the first table's version is being looked up."""
    model(shop, "m", "SELECT count(*) AS n FROM merged")
    refresh(shop, "p")
    upstream.serve([*RECORDS, {"id": 3, "city": None, "price": 1.0}])
    version = Datasets.any_version

    def overtaken(self: Datasets, dataset: DatasetId, number: int) -> Any:
        found = version(self, dataset, number)
        monkeypatch.undo()
        refresh(shop, "p", ingest="all")
        return found

    monkeypatch.setattr(Datasets, "any_version", overtaken)
    sql = "SELECT (SELECT count(*) FROM merged) AS records, n FROM m"
    assert items(shop, sql) == [{"records": 2, "n": 2}]
    assert items(shop, sql) == [{"records": 3, "n": 3}]


def test_relationships_to_a_column_that_is_not_there(shop: Client) -> None:
    related = {"type": "relationships", "column": "city", "to": "cities", "field": "city"}
    model(shop, "cities", "SELECT 'Bern' AS name")
    model(shop, "m", "SELECT 'Nowhere' AS city", tests=[related])
    run = refresh(shop, "p")
    assert (run["status"], "relationships" in run["error"]["detail"]) == ("failed", True)


@pytest.mark.parametrize(
    "test",
    [
        {"type": "not_null", "column": "gone"},
        {"type": "accepted_values", "column": "city", "values": [1, 2]},
        {"type": "freshness", "column": "old", "max_age_seconds": 60},
        {"type": "accepted_values", "column": "city", "values": ["x" * 400] * 500},
    ],
)
def test_a_warning_never_stops_the_publication(shop: Client, test: dict[str, Any]) -> None:
    sql = "SELECT city, TIMESTAMP '0044-03-15 (BC) 00:00:00' AS old FROM merged"
    assert model(shop, "m", sql, tests=[{**test, "severity": "warn"}]).status == 201
    run = refresh(shop, "p")
    assert run["status"] == "succeeded", run
    assert any(test["type"] in warning for warning in run["warnings"])


def test_a_dry_run_leaves_the_results_of_tests(shop: Client, upstream: Upstream) -> None:
    model(shop, "m", "SELECT id, price FROM merged", tests=[{"type": "not_null", "column": "price"}])
    refresh(shop, "p")
    upstream.serve([{"id": 1, "price": None}])
    shop.post("/datasources/shop-a/runs")
    refresh(shop, "p", dry_run=True)
    results = shop.get("/projects/p/models/m").json()["test_results"]["results"]
    assert [result["status"] for result in results] == ["passed"]


def test_json_that_only_the_engine_understands(shop: Client) -> None:
    refresh(shop, "p")
    assert items(shop, "SELECT '{\"a\": NaN}'::JSON AS x") == [{"x": {"a": None}}]
    status, detail = items(shop, "SELECT '[1,]'::JSON AS x")
    assert (status, "is not JSON" in detail) == (422, True)
    shop.put("/projects/p/endpoints/big", {"sql": "SELECT '[12345678901234567890123]'::JSON AS x"})
    assert shop.get("/endpoints/p/big?format=csv").text.splitlines()[1] == "[12345678901234567890123]"


def test_truncated_answer_is_refused_as_csv_and_xlsx(shop: Client) -> None:
    refresh(shop, "p")
    shop.put("/projects/p/endpoints/long", {"sql": "SELECT * FROM range(10050)"})
    assert shop.get("/endpoints/p/long").json()["truncated"] is True
    for form in ("csv", "xlsx"):
        problem = shop.get(f"/endpoints/p/long?format={form}")
        assert (problem.status, "more than 10000 rows" in problem.json()["detail"]) == (422, True)


def test_anonymous_callers_learn_no_names(shop: Client) -> None:
    refresh(shop, "p")
    shop.put("/projects/p/endpoints/private", {"sql": "SELECT id FROM merged"})
    answers = [NOBODY.get(f"/endpoints/p/{name}") for name in ("private", "unknown")]
    assert [answer.status for answer in answers] == [401, 401]
    assert len({one.json()["detail"] for one in answers}) == 1


def test_a_body_that_grows_within_lambdas_answer_is_moved(shop: Client) -> None:
    refresh(shop, "p")
    shop.put("/projects/p/endpoints/quotes", {"sql": "SELECT repeat(chr(1), 900000) AS x", "cache_seconds": 600})
    moved = shop.get("/endpoints/p/quotes")
    assert (moved.status, moved.headers["Cache-Control"]) == (303, "no-store")


def test_a_link_does_not_outlive_its_project(shop: Client) -> None:
    refresh(shop, "p")
    path = shop.post("/projects/p/links", {"target": "data"}).json()["url"].partition("/v1")[2]
    assert NOBODY.get(path).status == 200
    shop.delete("/projects/p")
    shop.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    shop.put("/projects/p/datasources/shop-a", {})
    refresh(shop, "p")
    assert NOBODY.get(path).status == 404


def test_a_model_that_a_report_reads_stays(shop: Client) -> None:
    model(shop, "m", "SELECT id FROM merged")
    shop.put("/projects/p/reports/r", {"title": "R", "sections": [{"type": "table", "sql": "SELECT * FROM m"}]})
    refused = shop.delete("/projects/p/models/m")
    assert (refused.status, "'r'" in refused.json()["detail"]) == (409, True)


def test_a_report_of_a_run_that_changed_nothing(shop: Client) -> None:
    shop.put("/projects/p/reports/r", {"title": "R", "sections": [{"type": "table", "sql": "SELECT * FROM merged"}]})
    runs = [refresh(shop, "p") for _ in range(2)]
    pages = [shop.get(f"/projects/p/reports/r/{run['id']}") for run in runs]
    assert [page.status for page in pages] == [200, 200]
    assert pages[0].text == pages[1].text
    assert shop.get("/projects/p/reports/r/01ARZ3NDEKTSV4RRFFQ69G5FAV").status == 404


def test_lists_of_parts_have_pages(shop: Client) -> None:
    for name in ("a", "b", "c"):
        model(shop, name, "SELECT 1 AS one")
    first = shop.get("/projects/p/models?limit=2").json()
    second = shop.get(f"/projects/p/models?limit=2&cursor={first['next']}").json()
    assert [item["name"] for item in first["items"] + second["items"]] == ["a", "b", "c"]
    assert second["next"] is None


@pytest.mark.parametrize(
    "clock", ["now()", "current_date", "CURRENT_TIMESTAMP", "localtime", "today()", "age(TIMESTAMP '2026-01-01')"]
)
def test_clock_functions_are_refused_in_stored_models_and_reports(shop: Client, clock: str) -> None:
    sql = f"SELECT {clock} AS t"
    refresh(shop, "p")
    assert len(items(shop, sql)) == 1
    assert model(shop, "view", sql, materialize=False).status == 201
    assert shop.put("/projects/p/endpoints/e", {"sql": sql}).status == 201
    assert model(shop, "m", "SELECT 1 AS one", tests=[{"type": "sql", "sql": f"{sql} LIMIT 0"}]).status == 201
    for refused in (sql, "SELECT * FROM view"):
        assert model(shop, "m", refused).status == 422
        section = {"type": "table", "sql": refused}
        problem = shop.put("/projects/p/reports/r", {"title": "R", "sections": [section]})
        assert (problem.status, problem.json()["errors"][0]["pointer"]) == (422, "/sections/0/sql")


def test_deeply_nested_query_is_refused_at_once() -> None:
    with pytest.raises(SqlError, match="nested too deeply"):
        parse_query(f"SELECT {'date(' * 40}1{')' * 40}")
    assert json.dumps(sorted(parse_query("SELECT date(decimal(1)) FROM t").tables)) == '["t"]'


def test_tests_of_a_project_read_no_models(shop: Client) -> None:
    """They run before any model is made."""
    model(shop, "m", "SELECT id FROM merged")
    related = {"type": "relationships", "column": "id", "to": "m", "field": "id"}
    shop.patch("/projects/p", {"tests": {"merged": [related]}})
    run = refresh(shop, "p")
    assert (run["status"], "there is no table m" in run["error"]["detail"]) == ("failed", True), run


def test_an_editor_calls_the_endpoints_of_a_project_of_its_own(shop: Client) -> None:
    body = shop.post("/keys", {"name": "mine", "role": "editor", "projects": ["other"]}).json()
    editor = Client(body["key"])
    editor.put("/projects/mine", {"name": "mine", "refresh_on": "manual"})
    assert editor.put("/projects/mine/endpoints/one", {"sql": "SELECT 1 AS one"}).status == 201
    answer = editor.get("/endpoints/mine/one")
    assert (answer.status, answer.json()["items"], answer.json()["data_as_of"]) == (200, [{"one": 1}], None)
    assert editor.get("/endpoints/p/one").status == 404


def test_data_as_of_of_an_endpoint_is_the_last_fetch(shop: Client) -> None:
    shop.put("/projects/p/endpoints/all", {"sql": "SELECT id FROM merged", "cache_seconds": 0})
    refresh(shop, "p")
    first = shop.get("/endpoints/p/all").json()
    refresh(shop, "p", ingest="all")
    again = shop.get("/endpoints/p/all").json()
    assert (again["version"], again["data_as_of"] > first["data_as_of"]) == (first["version"], True)
    assert again["data_as_of"] == shop.get("/projects/p/data").json()["data_as_of"]
