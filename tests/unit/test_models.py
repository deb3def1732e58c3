"""SQL models, their order and tests, and queries in the sandbox."""

from pathlib import Path
from typing import Any

import pytest

from sluice.container import Container
from sluice.domain.sql_query import parse_query
from sluice.sandbox.sandbox import Sandbox
from support.client import Client
from support.documents import http_source, refresh, rows
from support.upstream import Upstream
from support.workflows import LocalWorkflows

Records = list[dict[str, Any]]


@pytest.fixture
def shop(admin: Client, upstream: Upstream) -> Client:
    """A project `p` of one datasource `shop-a` with two records, not refreshed yet."""
    upstream.serve([{"id": 1, "price": 2.5, "city": "Bern"}, {"id": 2, "price": 4.0, "city": None}])
    admin.put("/datasources/shop-a", http_source("shop-a"))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/shop-a", {})
    return admin


def put(client: Client, name: str, sql: str, **more: Any) -> int:
    answer = client.put(f"/projects/p/models/{name}", {"sql": sql, **more})
    return answer.status


def query(client: Client, sql: str, **parameters: Any) -> Any:
    answer = client.post("/projects/p/query", {"sql": sql, "parameters": parameters})
    return answer.json() if answer.status == 200 else (answer.status, answer.json()["detail"])


def test_models_are_made_in_the_order_in_which_they_read_each_other(shop: Client, workflows: LocalWorkflows) -> None:
    assert put(shop, "total", "SELECT sum(price) AS total FROM merged") == 201
    assert put(shop, "doubled", "SELECT id, price * 2 AS price FROM shop_a ORDER BY id DESC") == 201
    assert put(shop, "pair", "SELECT d.*, t.total FROM doubled d, total t") == 201
    assert put(shop, "pair", "SELECT d.*, t.total FROM doubled d, total t") == 200
    run = refresh(shop, "p")
    assert (run["status"], run["error"]) == ("succeeded", None)
    assert rows(shop, "projects/p/models/pair") == [
        {"id": 1, "price": 5.0, "total": 6.5},
        {"id": 2, "price": 8.0, "total": 6.5},
    ]
    assert [row["id"] for row in rows(shop, "projects/p/models/doubled")] == [2, 1], "in the order that it asks for"
    assert [item["name"] for item in shop.get("/projects/p/models").json()["items"]] == ["doubled", "pair", "total"]
    assert workflows.tasks.count("model") == 3


def test_the_same_inputs_and_sql_are_not_computed_again(shop: Client, upstream: Upstream) -> None:
    put(shop, "total", "SELECT sum(price) AS total FROM merged")
    put(shop, "fixed", "SELECT 1 AS one")
    refresh(shop, "p")
    refresh(shop, "p", ingest="all")
    assert shop.get("/projects/p/models/total/data").json()["version"] == 1
    upstream.serve([{"id": 1, "price": 1.0}])
    refresh(shop, "p", ingest="all")
    assert shop.get("/projects/p/models/total/data").json()["version"] == 2
    assert shop.get("/projects/p/models/fixed/data").json()["version"] == 1


def test_a_view_is_computed_when_it_is_read(shop: Client) -> None:
    put(
        shop,
        "cheap",
        "SELECT * FROM merged WHERE price < 3;",
        materialize=False,
        tests=[{"type": "row_count", "min": 1}],
    )
    put(shop, "names", "SELECT city FROM cheap")
    refresh(shop, "p")
    assert rows(shop, "projects/p/models/names") == [{"city": "Bern"}]
    assert query(shop, "SELECT id FROM cheap")["items"] == [{"id": 1}]
    assert shop.get("/projects/p/models/cheap/data").status == 409


def test_a_model_runs_alone(shop: Client) -> None:
    refresh(shop, "p")
    put(shop, "total", "SELECT sum(price) AS total FROM merged")
    assert shop.get("/projects/p/models/total/data").status == 404
    answer = shop.post("/projects/p/models/total/runs")
    run = shop.get(f"/runs/{answer.json()['id']}").json()
    assert (answer.status, run["kind"], run["status"], run["version"], run["rows"]) == (202, "model", "succeeded", 1, 1)
    assert rows(shop, "projects/p/models/total") == [{"total": 6.5}]
    assert shop.get("/projects/p/versions").json()["items"][0]["number"] == 1, "nothing was merged"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT *\nFROM nothing", "Line 2, column 6: there is no table nothing"),
        ("SELECT 1 +\n FROM merged WHERE", "Line 2"),
        ("SELECT * FROM b", "circular dependency: a → b → a"),
        ("SELECT $x", "$x has no value here"),
        ("SELECT 1; SELECT 2", "One SELECT"),
        ("DELETE FROM merged", "One SELECT"),
        ("SELECT * FROM read_csv('/etc/passwd')", "read_csv is not allowed"),
    ],
)
def test_invalid_sql_is_refused_on_write(shop: Client, sql: str, message: str) -> None:
    put(shop, "a", "SELECT 1 AS one")
    put(shop, "b", "SELECT * FROM a")
    answer = shop.put("/projects/p/models/a", {"sql": sql})
    assert answer.status == 422
    errors = answer.json()["errors"]
    assert errors[0]["pointer"] == "/sql"
    assert message.lower() in errors[0]["message"].lower()
    assert shop.get("/projects/p/models/a").json()["sql"] == "SELECT 1 AS one"


def test_table_names_are_unique_in_a_project(shop: Client, viewer: Client) -> None:
    assert put(shop, "merged", "SELECT 1 AS a") == 422
    assert put(shop, "select", "SELECT 1 AS a") == 422
    assert put(shop, "shop_a", "SELECT 1 AS a") == 409
    assert put(viewer, "x", "SELECT 1 AS a") == 403
    assert put(shop, "x", "SELECT 1 AS a") == 201
    assert shop.put("/projects/p/datasources/shop-a", {"alias": "x"}).status == 409
    assert shop.delete("/projects/p/models/x").status == 204
    assert shop.get("/projects/p/models/x").status == 404


def results(client: Client) -> list[tuple[str, int]]:
    test_results = client.get("/projects/p/models/m").json()["test_results"]["results"]
    return [(result["test"]["type"], result["failures"]) for result in test_results]


def test_tests_of_models(shop: Client) -> None:
    tests: Records = [
        {"type": "not_null", "column": "city"},
        {"type": "unique", "columns": ["id"]},
        {"type": "accepted_values", "column": "city", "values": ["Bern", "Rome"]},
        {"type": "accepted_values", "column": "id", "values": [1]},
        {"type": "relationships", "column": "id", "to": "merged", "field": "id"},
        {"type": "relationships", "column": "id", "to": "merged", "field": "price"},
        {"type": "range", "column": "price", "min": 3},
        {"type": "range", "column": "price", "min": 0, "max": 4},
        {"type": "row_count", "min": 3},
        {"type": "freshness", "max_age_seconds": 3600},
        {"type": "sql", "sql": "SELECT * FROM m WHERE price > 3"},
    ]
    put(shop, "m", "SELECT * FROM merged", tests=[{**test, "severity": "warn"} for test in tests])
    run = refresh(shop, "p")
    assert run["status"] == "succeeded"
    failed = [0 if index in (1, 2, 4, 7, 9) else 1 for index in range(len(tests))]
    failed[5] = 2
    assert results(shop) == [(test["type"], count) for test, count in zip(tests, failed, strict=True)]
    assert len(run["warnings"]) == 6


def test_failed_test_of_severity_error_publishes_nothing(shop: Client, upstream: Upstream) -> None:
    put(shop, "m", "SELECT * FROM merged", tests=[{"type": "not_null", "column": "price"}])
    put(shop, "n", "SELECT count(*) AS n FROM m")
    assert refresh(shop, "p")["status"] == "succeeded"
    upstream.serve([{"id": 1, "price": None}])
    run = refresh(shop, "p", ingest="all")
    assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:tests-failed")
    assert results(shop) == [("not_null", 1)], "the latest results, though nothing was published"
    assert rows(shop, "projects/p")[0]["price"] == 2.5
    assert rows(shop, "projects/p/models/n") == [{"n": 2}]
    upstream.serve([{"id": 1, "price": 1.0}])
    assert refresh(shop, "p", ingest="all")["status"] == "succeeded"
    assert rows(shop, "projects/p/models/n") == [{"n": 1}]


def test_tests_of_the_merge_and_of_datasources(shop: Client, upstream: Upstream) -> None:
    tests = {
        "merged": [{"type": "unique", "columns": ["city"]}, {"type": "row_count", "max": 2}],
        "shop_a": [{"type": "not_null", "column": "city", "severity": "warn"}],
        "other": [{"type": "row_count", "min": 1}],
    }
    shop.patch("/projects/p", {"tests": tests})
    run = refresh(shop, "p")
    assert (run["status"], run["version"]) == ("succeeded", 1)
    assert any("shop_a" in warning for warning in run["warnings"])
    assert any("other" in warning for warning in run["warnings"])
    upstream.serve([{"id": 1, "city": "x"}, {"id": 2, "city": "x"}])
    run = refresh(shop, "p", ingest="all")
    assert "unique" in run["error"]["detail"]
    assert shop.get("/projects/p/data").json()["version"] == 1


def test_sql_that_no_longer_fits_fails_the_refresh(shop: Client, upstream: Upstream) -> None:
    put(shop, "m", "SELECT city FROM merged")
    refresh(shop, "p")
    upstream.serve([{"id": 1}])
    run = refresh(shop, "p", ingest="all")
    assert (run["status"], run["error"]["type"]) == ("failed", "urn:sluice:problem:model-failed")
    assert run["progress"]["stage"] == "model"
    assert "city" in run["error"]["detail"]
    assert len(rows(shop, "projects/p")) == 2


def test_queries(shop: Client, viewer: Client, services: Container) -> None:
    assert query(shop, "SELECT * FROM merged")[0] == 404, "not published"
    put(shop, "m", "SELECT 7 AS seven, DATE '2026-01-01' AS day, 1.50::DECIMAL(5,2) AS d, [1, 2] AS l, NULL AS n")
    refresh(shop, "p")
    answer = query(viewer, "SELECT price FROM merged WHERE id = $id AND city = $city", id=1, city="Bern")
    assert answer == {
        "items": [{"price": 2.5}],
        "columns": [{"name": "price", "type": "double"}],
        "truncated": False,
        "versions": {"merged": 1},
        "completeness": "complete",
        "stale": [],
    }
    assert query(shop, "SELECT * FROM m")["items"] == [
        {"seven": 7, "day": "2026-01-01", "d": "1.50", "l": [1, 2], "n": None}
    ]
    with_name = "WITH merged AS (SELECT * FROM merged WHERE id = 1) SELECT count(*) AS n FROM merged"
    assert query(shop, with_name)["items"] == [{"n": 1}]
    assert query(shop, "SELECT * FROM range(10001)")["truncated"]
    assert query(shop, "SELECT $a", b=1)[0] == 422
    assert query(shop, "SELECT nothing FROM merged")[0] == 422
    injected = query(shop, "SELECT count(*) AS n FROM merged WHERE city = $c", c="Bern' OR '1'='1")
    assert injected["items"] == [{"n": 0}]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(100000000000) a",
        "SELECT * FROM range(100001)",
        "SELECT string_agg(repeat('x', 1000)) FROM range(10000000)",
    ],
)
def test_a_query_over_its_caps_is_ended(shop: Client, services: Container, sql: str) -> None:
    services.settings = services.settings.model_copy(update={"query_seconds": 1.0, "query_memory": "100MB"})
    services.__dict__["sandbox"] = Sandbox(services.settings)
    answer = shop.post("/projects/p/query", {"sql": sql})
    assert (answer.status, answer.json()["type"]) == (422, "urn:sluice:problem:query-limit")
    assert query(shop, "SELECT 1 AS one")["items"] == [{"one": 1}]
    services.sandbox.close()


ATTACKS = [
    "SELECT json_serialize_plan('SELECT current_setting(''allowed_paths'')', optimize := true)",
    "SELECT * FROM range((json_serialize_plan('SELECT t FROM read_csv(''/etc/passwd'') t'))::VARCHAR::BIGINT)",
    "SELECT json_serialize_sql('SELECT 1')",
    "SELECT \"current_setting\"('allowed_paths')",
    "SELECT * FROM range(100) USING SAMPLE 50%",
    "SELECT * FROM range(100) t TABLESAMPLE 10%",
    "SELECT " + "date(" * 30 + "1" + ")" * 30,
    *("DROP TABLE merged", "DELETE FROM merged", "INSERT INTO merged VALUES (1)", "UPDATE merged SET id = 1"),
    *(
        "CREATE TABLE x AS SELECT 1",
        "CREATE VIEW x AS SELECT 1",
        "CREATE MACRO f() AS 1",
        "ALTER TABLE merged ADD x INT",
    ),
    *(
        "COPY merged TO '/tmp/x'",
        "COPY merged FROM '/etc/passwd'",
        "EXPORT DATABASE '/tmp/x'",
        "IMPORT DATABASE '/tmp'",
    ),
    *("ATTACH '/tmp/x.db'", "DETACH memory", "USE memory", "INSTALL httpfs", "LOAD httpfs", "FORCE INSTALL json"),
    *("SET threads = 64", "RESET threads", "SET enable_external_access = true", "PRAGMA database_list"),
    *("PRAGMA memory_limit='100GB'", "CALL duckdb_settings()", "EXECUTE x", "PREPARE x AS SELECT 1", "CHECKPOINT"),
    *("VACUUM", "ANALYZE", "BEGIN", "COMMIT", "EXPLAIN SELECT 1", "DESCRIBE merged", "SUMMARIZE merged", "SHOW TABLES"),
    *("SELECT 1; SELECT 2", "SELECT 1; DROP TABLE merged", "SELECT 1 INTO x", "", ";", "-- nothing", "VALUES ("),
    *("SELECT * FROM '/etc/passwd'", 'SELECT * FROM "/etc/passwd"', "SELECT * FROM 's3://lake/x.parquet'"),
    *("SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_text('/proc/self/environ')"),
    *("SELECT * FROM read_blob('/etc/passwd')", "SELECT * FROM read_json('/etc/passwd')"),
    *("SELECT * FROM read_parquet('/tmp/*')", "SELECT * FROM parquet_metadata('/tmp/x')", "SELECT * FROM glob('/*')"),
    *("SELECT * FROM sniff_csv('/etc/passwd')", "SELECT * FROM duckdb_settings()", "SELECT * FROM duckdb_secrets()"),
    *("SELECT * FROM duckdb_functions()", "SELECT * FROM pragma_database_list()", "SELECT * FROM pg_catalog.pg_tables"),
    *("SELECT * FROM information_schema.tables", "SELECT * FROM sqlite_master", "SELECT * FROM main.merged"),
    *("SELECT * FROM memory.main.merged", "SELECT * FROM query('SELECT 1')", "SELECT * FROM query_table('merged')"),
    *("SELECT getenv('AWS_SECRET_ACCESS_KEY')", "SELECT current_setting('allowed_paths')", "SELECT version()"),
    *("SELECT * FROM (DELETE FROM merged RETURNING *)", "WITH x AS (INSERT INTO merged VALUES (1)) SELECT 1"),
    *(
        "SELECT * FROM postgres_scan('h', 'p', 't')",
        "SELECT * FROM sqlite_scan('x', 'y')",
        "SELECT json_execute_serialized_sql('x')",
    ),
    *("SELECT * FROM json_execute_serialized_sql('x')", "SELECT * FROM test_all_types()", "FROM duckdb_tables()"),
    *(
        "SELECT (SELECT count(*) FROM duckdb_columns())",
        "SELECT * FROM merged WHERE id IN (SELECT 1 FROM duckdb_logs())",
    ),
    *(
        "SELECT * FROM other_project",
        "SELECT * FROM merged UNION SELECT * FROM read_text('/etc/passwd')",
        "PIVOT merged ON id",
    ),
    *("SELECT write_log('x')", "SELECT nextval('x')", "SELECT setseed(0.5)", "SELECT which_secret('x', 's3')"),
]


def test_at_least_60_attacks_are_tested() -> None:
    assert len(set(ATTACKS)) >= 60


def test_attacks_are_refused(shop: Client) -> None:
    refresh(shop, "p")
    for sql in ATTACKS:
        answer = shop.post("/projects/p/query", {"sql": sql})
        assert answer.status == 422, (sql, answer.text)
        assert "Traceback" not in answer.text
        assert "/tmp/" not in answer.json()["detail"]
    assert query(shop, "SELECT count(*) AS n FROM merged")["items"] == [{"n": 2}]


def test_engine_refuses_attacks_that_pass_the_parser(shop: Client, services: Container, tmp_path: Any) -> None:
    """The sandbox alone, as if sqlglot had read nothing."""
    from sluice.errors import Invalid

    for sql in ATTACKS:
        with pytest.raises(Invalid):
            services.sandbox.query(sql, {}, [], tmp_path)


def test_the_sandbox_has_no_environment(services: Container) -> None:
    services.sandbox.query("SELECT 1 AS one", {}, [], Path("/tmp"))
    process = services.sandbox._process
    assert process is not None
    environment = Path(f"/proc/{process.pid}/environ").read_bytes()
    assert b"AWS" not in environment
    assert b"TABLE" not in environment


def test_long_conditions_are_parsed() -> None:
    conditions = " OR ".join(f"id={number}" for number in range(2000))
    assert parse_query(f"SELECT id FROM merged WHERE {conditions}").tables == {"merged"}


@pytest.mark.parametrize(
    "name", ["duckdb_views", "sqlite_master", "pg_class", '"/etc/passwd.csv"', "information_schema"]
)
def test_common_table_gives_no_access_to_files(shop: Client, services: Container, tmp_path: Path, name: str) -> None:
    from sluice.errors import Invalid

    sql = f"SELECT * FROM {name} a, (WITH {name} AS (SELECT 1 AS one) SELECT one FROM {name}) b"
    assert query(shop, sql)[0] == 422
    with pytest.raises(Invalid):
        services.sandbox.query(sql, {}, [], tmp_path)


def test_odd_but_legal_queries(shop: Client) -> None:
    refresh(shop, "p")
    inner = "SELECT count(*) AS n FROM (WITH merged AS (SELECT 1 AS one) SELECT * FROM merged) x, merged"
    assert query(shop, inner)["items"] == [{"n": 2}]
    assert query(shop, "SELECT 1 AS a; -- done")["items"] == [{"a": 1}]
    assert query(shop, "SELECT ';' AS a; ;")["items"] == [{"a": ";"}]
    row = query(shop, "SELECT [1.5::DECIMAL(5,2)] d, [TIMESTAMP '2024-01-01'] t, [1, 'nan'::double] n, 'x'::BLOB b")
    assert isinstance(row, dict), row
    assert row["items"] == [{"d": [1.5], "t": ["2024-01-01 00:00:00"], "n": [1.0, None], "b": "x"}], row
    deep = query(shop, "SELECT " + "+".join(["1"] * 600))
    assert deep[0] == 422
    assert "memory" not in deep[1]


def test_models_wait_for_what_their_tests_read(shop: Client, workflows: LocalWorkflows) -> None:
    put(shop, "zz", "SELECT id FROM merged")
    test = {"type": "relationships", "column": "id", "to": "zz", "field": "id"}
    put(shop, "aa", "SELECT id FROM merged", tests=[test])
    assert refresh(shop, "p")["status"] == "succeeded"
    assert shop.delete("/projects/p/models/zz").status == 409
    assert shop.delete("/projects/p/models/aa").status == 204
    assert shop.delete("/projects/p/models/zz").status == 204


@pytest.mark.parametrize(
    "test",
    [
        {"type": "accepted_values", "column": "id", "values": [1, None]},
        {"type": "accepted_values", "column": "id", "values": [[1]]},
        {"type": "row_count", "min": 5, "max": 1},
        {"type": "sql", "sql": "SELECT $x"},
        {"type": "sql", "sql": "SELECT * FROM nothing"},
        {"type": "relationships", "column": "id", "to": "nothing", "field": "id"},
    ],
    ids=str,
)
def test_invalid_table_tests_are_refused(shop: Client, test: dict[str, Any]) -> None:
    assert put(shop, "m", "SELECT * FROM merged", tests=[test]) == 422
