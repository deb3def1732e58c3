"""The document of a SQL source: what may stand in it, and its one statement."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluice.domain.base import validate
from sluice.domain.datasource.sql_source import SqlSource
from sluice.domain.sql_statement import Engine, parameters_of, with_placeholders
from sluice.errors import Invalid

SERVER = {"host": "db.example.com", "database": "shop", "user": "shop-user", "password": "shop-password"}


def document(engine: Engine = "postgresql", query: str = "SELECT 1 AS n", **more: Any) -> dict[str, Any]:
    place = {"key": "shop/shop.db"} if engine == "sqlite" else SERVER
    return {"engine": engine, "query": query, **place, **more}


def fault(body: dict[str, Any]) -> str:
    with pytest.raises(Invalid) as raised:
        validate(SqlSource, body)
    return str(raised.value.errors[0]["message"])


def test_defaults() -> None:
    source = validate(SqlSource, document())
    assert source.address == ("db.example.com", 5432)
    assert validate(SqlSource, document("mysql")).address == ("db.example.com", 3306)
    assert (source.tls, source.verify_certificate, source.fetch_rows, source.parameters) == (True, True, 10_000, {})
    assert source.secrets == {"user": "shop-user", "password": "shop-password"}


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "sqlite"])
@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 AS n",
        "select a, b from t where c > 5 order by a limit 10;",
        "WITH x AS (SELECT 1 AS n) SELECT n FROM x",
        "SELECT 1 AS n UNION ALL SELECT 2",
        "(SELECT 1 AS n)",
        "SELECT 'DELETE FROM t; DROP TABLE t' AS n -- DROP TABLE t",
        "SELECT 1 AS n; -- the end",
    ],
)
def test_select_is_accepted(engine: Engine, query: str) -> None:
    validate(SqlSource, document(engine, query))


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "sqlite"])
@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "DROP TABLE t",
        "CREATE TABLE t AS SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE t",
        "WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x",
        "CALL p()",
        "SET x = 1",
        "BEGIN",
        "COPY t TO '/tmp/t'",
        "ATTACH 'x' AS y",
        "PRAGMA writable_schema = 1",
        "EXPLAIN ANALYZE SELECT 1",
        "VALUES (1)",
        "SELECT a FROM t FOR UPDATE",
        "SELECT a FROM",
        "-- nothing",
        "",
        "SELECT (((",
        "(" * 5000 + "SELECT 1" + ")" * 5000,
    ],
)
def test_anything_else_is_refused(engine: Engine, query: str) -> None:
    fault(document(engine, query))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SELECT a INTO @x FROM t",
        "SELECT @x := 1",
        "SELECT a FROM t LOCK IN SHARE MODE",
        "SELECT 1 /*! INTO OUTFILE '/tmp/x' */",
        "SELECT 1 /*M!100100 INTO OUTFILE '/tmp/x' */",
    ],
)
def test_statement_of_mysql_that_writes_or_locks_is_refused(query: str) -> None:
    fault(document("mysql", query))


def test_statement_of_postgresql_that_makes_a_table_is_refused() -> None:
    assert "Only SELECT is allowed" in fault(document(query="SELECT a INTO t2 FROM t"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"host": None}, "needs host"),
        ({"user": None}, "needs user"),
        ({"database": None}, "needs database"),
        ({"key": "a.db"}, "Only the engine sqlite"),
        ({"host": "127.1"}, "not an IPv4 address"),
        ({"host": "a/b"}, "the name or address of a host"),
        ({"host": "/var/run/postgresql"}, "the name or address of a host"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"tls": False, "verify_certificate": False}, "need tls"),
        ({"ca_certificate": "no certificate"}, "PEM"),
        ({"ca_certificate": "é"}, "PEM"),
        ({"password": "not a name"}, "up to 63 letters"),
        ({"fetch_rows": 0}, "greater than or equal to 1"),
        ({"query": "SELECT $a AS n"}, "$a, which has no value"),
        ({"parameters": {"a": 1}}, "does not use the parameter a"),
        ({"parameters": {"a": [1]}}, "valid"),
        ({"unknown": 1}, "Unknown field"),
    ],
)
def test_document_with_a_fault_is_refused(more: dict[str, Any], message: str) -> None:
    assert message in fault(document() | more)


def test_file_has_no_server() -> None:
    assert "does not use host" in fault(document("sqlite", host="db.example.com"))
    assert "needs the key" in fault(document("sqlite", key=None))


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "sqlite"])
def test_parameters_are_found_outside_of_texts_and_comments(engine: Engine) -> None:
    query = "SELECT '$no', \"$no\" FROM t -- $no\nWHERE a = $a AND b IN ($b,$a) /* $no */ AND c='it''s $no'"
    query = query if engine != "mysql" else query.replace('"$no"', "`$no`")
    assert parameters_of(query, engine) == ("a", "b")
    replaced = with_placeholders(query, engine, "<{}>".format)
    assert replaced == query.replace("$a", "<a>").replace("$b", "<b>")


def test_dollar_quotes_of_postgresql_hold_no_parameters() -> None:
    query = r"SELECT $$ $no $$, $x$ $no $$ $x$, E'\'$no', a$no, /* /* */ $no */ a::text, $yes-$also"
    assert parameters_of(query, "postgresql") == ("yes", "also")
    validate(SqlSource, document(query=query, parameters={"yes": 1, "also": 2}))


@given(st.lists(st.sampled_from(["$a", "$b", "'$a'", "'it''s'", "x", "+ 1", "/* $b */", "\n"]), max_size=12))
def test_only_parameters_are_replaced(words: list[str]) -> None:
    query = " ".join(["SELECT", *words])
    replaced = with_placeholders(query, "sqlite", lambda name: f":{name}")
    expected = " ".join(["SELECT", *({"$a": ":a", "$b": ":b"}.get(word, word) for word in words)])
    assert replaced == expected


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "sqlite"])
@pytest.mark.parametrize("opened", ["'", '"', "`", "/*", "/* ", "$a$ $b$ ", "[", "--"])
def test_unterminated_text_is_scanned_once(engine: Engine, opened: str) -> None:
    parameters_of("SELECT " + opened * 20_000, engine)
