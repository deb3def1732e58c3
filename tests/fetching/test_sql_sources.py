"""Reading SQL sources: real servers of PostgreSQL and MariaDB on loopback, and files of SQLite.

`PROOF=1` reads tables of 10,000,000 rows.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sqlite3
import time
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from sluice.domain.datasource.sql_source import SqlSource
from sluice.domain.page_columns import column_types
from sluice.errors import AddressForbidden, SourceRefused, SourceUnreachable, UnreadableData
from sluice.sources.address import AddressPolicy
from sluice.sources.sql.reader import read_pages
from support import extraction
from support.databases import PASSWORD, DatabaseServer
from support.sql_reading import (
    WRONG,
    all_pages,
    in_file,
    in_maria,
    in_postgres,
    measured,
    only_row,
    read,
    refused,
    rows_of,
    source,
    tools,
)

ROWS = 10_000_000 if os.environ.get("PROOF") else 150_000
# What a process has before it reads anything is half of it.
MEGABYTES = 200


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE kinds (i)")
    connection.close()
    return path


def test_parameters_are_bound(postgres: DatabaseServer, maria: DatabaseServer, sqlite_file: Path) -> None:
    text = "'; DROP TABLE kinds; -- %s \\"
    query = "SELECT $text AS a, '$text %' AS b, $number + 1 AS c, $text AS d"
    parameters = {"text": text, "number": 41}
    expected = {"a": text, "b": "$text %", "c": 42, "d": text}
    cast = query.replace("$text AS", "$text::text AS").replace("$number", "$number::int")
    for document in (
        source("postgresql", postgres, cast, parameters=parameters),
        source("mysql", maria, query, parameters=parameters),
        in_file(sqlite_file, query, parameters=parameters),
    ):
        assert only_row(document)[0] == expected, document.engine


@pytest.mark.parametrize("by_engine", [True, False])
def test_json_and_composite_values_are_json_columns(postgres: DatabaseServer, *, by_engine: bool) -> None:
    in_postgres(postgres, "DROP TYPE IF EXISTS entry; CREATE TYPE entry AS (n integer, t text)")
    query = """
        SELECT id, j::jsonb AS j, j::json AS k, CASE id WHEN 1 THEN row(1, 'x')::entry END AS c
        FROM (VALUES (1, '{"a": 1}'), (2, '{"a": {"b": [2]}, "c": null}'), (3, '[1]'), (4, NULL), (5, '{}'), (6, '"x"'))
            AS t (id, j)
    """
    pages = read(source("postgresql", postgres, query, fetch_rows=2))
    types = column_types([page.columns for page in pages])
    document = {"kind": "sql", "sql": {"engine": "sqlite", "key": "d/a.db", "query": "SELECT 1 AS n"}}
    found = extraction.read(
        [page.body for page in pages], extraction.datasource(**document, types=types), by_engine=by_engine
    )
    assert found is not None
    columns = {column.name: column.type for column in found.columns}
    assert columns == {"id": "bigint", "j": "json", "k": "json", "c": "json"}
    values = [(row[1], row[2], row[3]) for row in found.rows]
    objects = [{"a": 1}, {"a": {"b": [2]}, "c": None}, [1], None, {}, "x"]
    assert [json.loads(j or "null") for j, _, _ in values] == objects
    assert [json.loads(k or "null") for _, k, _ in values] == objects
    assert [c and list(json.loads(c).values()) for _, _, c in values] == [[1, "x"], *[None] * 5]


def test_fetch_rows_limits_the_rows_of_a_page(postgres: DatabaseServer) -> None:
    document = source("postgresql", postgres, "SELECT n FROM generate_series(1, 2500) n", fetch_rows=1000)
    pages = read(document)
    assert [(page.number, page.rows) for page in pages] == [(1, 1000), (2, 1000), (3, 500)]
    assert [row["n"] for row in rows_of(pages)] == list(range(1, 2501))


def test_page_bytes_limit_the_size_of_a_page(postgres: DatabaseServer) -> None:
    document = source("postgresql", postgres, "SELECT repeat('x', 1000) t FROM generate_series(1, 2500) n")
    pages = read(document, tools(sql_page_bytes=1_000_000))
    assert len(pages) > 1
    assert sum(page.rows for page in pages) == 2500
    assert max(len(page.body) for page in pages) < 2_000_000


def test_no_rows_are_one_page_with_the_columns(postgres: DatabaseServer, maria: DatabaseServer) -> None:
    query = "SELECT 1 AS n WHERE 1 = 0"
    (page,) = read(source("postgresql", postgres, query))
    assert (page.rows, page.body, page.columns["n"].server_type) == (0, b"", "int4")
    (page,) = read(source("mysql", maria, "SELECT 1 AS n FROM dual WHERE 1 = 0"))
    assert (page.rows, list(page.columns)) == (0, ["n"])


def test_missing_database_is_named(postgres: DatabaseServer, maria: DatabaseServer) -> None:
    for engine, server in (("postgresql", postgres), ("mysql", maria)):
        text = refused(source(engine, server, "SELECT 1 AS n", database="nosuch"), SourceRefused)
        assert "no database 'nosuch'" in text, engine


def test_columns_with_equal_names_are_refused(postgres: DatabaseServer) -> None:
    assert "two columns 'A'" in refused(source("postgresql", postgres, 'SELECT 1 AS a, 2 AS "A"'), SourceRefused)


@pytest.mark.proof
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak memory")
@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_large_table_streams_in_bounded_memory(engine: str, request: pytest.FixtureRequest) -> None:
    """All rows together have 150 MB, with `PROOF=1` ten gigabytes."""
    server = request.getfixturevalue("postgres" if engine == "postgresql" else "maria")
    table = f"generate_series(1, {ROWS}) n" if engine == "postgresql" else f"(SELECT seq AS n FROM seq_1_to_{ROWS}) s"
    text = "n::text" if engine == "postgresql" else "n"
    document = source(engine, server, f"SELECT n, n * 1.50 AS price, repeat(md5({text}), 31) AS name FROM {table}")
    rows, megabytes = measured(document)
    print(f"{engine}: {rows} rows, {megabytes} MB resident")  # noqa: T201 - the proof's numbers
    assert rows == ROWS
    assert megabytes < MEGABYTES


def test_reading_may_end_before_the_rows_do(postgres: DatabaseServer, maria: DatabaseServer) -> None:
    async def first(document: SqlSource) -> int:
        async with aclosing(read_pages(document, tools())) as pages:
            return (await anext(pages)).rows

    many = "SELECT n FROM generate_series(1, 10000000) n"
    assert asyncio.run(first(source("postgresql", postgres, many, fetch_rows=10))) == 10
    many = "SELECT seq FROM seq_1_to_10000000"
    assert asyncio.run(first(source("mysql", maria, many, fetch_rows=10))) == 10


def test_statement_that_runs_too_long_is_ended(
    postgres: DatabaseServer, maria: DatabaseServer, sqlite_file: Path
) -> None:
    endless = "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"
    long = "SELECT count(*) FROM seq_1_to_1000000000000 WHERE md5(seq) = ''"
    for document in (
        source("postgresql", postgres, "SELECT pg_sleep(30)", statement_timeout_seconds=1),
        source("mysql", maria, long, statement_timeout_seconds=1),
        in_file(sqlite_file, endless, statement_timeout_seconds=1),
    ):
        assert "ran longer than 1 s" in refused(document, SourceRefused), document.engine


@pytest.mark.parametrize("engine", ["postgresql", "mysql", "sqlite"])
def test_cancelled_statement_is_ended(engine: str, request: pytest.FixtureRequest, sqlite_file: Path) -> None:
    """Otherwise a thread would keep the process until the statement's own time is over."""
    endless = "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r"
    if engine == "postgresql":
        document = source(engine, request.getfixturevalue("postgres"), "SELECT pg_sleep(60)")
    elif engine == "mysql":
        document = source(engine, request.getfixturevalue("maria"), "SELECT sleep(60)")
    else:
        document = in_file(sqlite_file, endless)

    async def given_up() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(all_pages(document), 0.3)

    begun = time.monotonic()
    asyncio.run(given_up())
    assert time.monotonic() - begun < 30


def test_statement_cannot_write(postgres: DatabaseServer, maria: DatabaseServer, sqlite_file: Path) -> None:
    in_postgres(
        postgres,
        "CREATE TABLE counted (n int); CREATE FUNCTION counting() RETURNS int LANGUAGE sql VOLATILE "
        "AS 'INSERT INTO counted VALUES (1) RETURNING n'",
    )
    in_maria(
        maria,
        "CREATE OR REPLACE TABLE counted (n int)",
        "CREATE FUNCTION counting() RETURNS int MODIFIES SQL DATA BEGIN INSERT INTO counted VALUES (1); RETURN 1; END",
    )
    text = refused(source("postgresql", postgres, "SELECT counting()"), SourceRefused)
    assert "read-only transaction" in text
    assert "READ ONLY transaction" in refused(source("mysql", maria, "SELECT counting()"), SourceRefused)
    assert in_maria(maria, "SELECT count(*) FROM counted") == [(0,)]
    for query in ("SELECT load_extension('x')", "SELECT * FROM pragma_database_list"):
        refused(in_file(sqlite_file, query), SourceRefused)


def test_wrong_password_is_masked(postgres: DatabaseServer, maria: DatabaseServer) -> None:
    for engine, server in (("postgresql", postgres), ("mysql", maria)):
        text = refused(source(engine, server, "SELECT 1", password="wrong"), SourceRefused)
        assert "refused the user" in text, engine
        assert not any(secret in text for secret in (WRONG, "owner")), text


def test_password_in_an_error_of_the_statement_is_masked(postgres: DatabaseServer) -> None:
    text = refused(source("postgresql", postgres, f"SELECT '{PASSWORD}'::int"), SourceRefused)
    assert PASSWORD not in text
    assert "********" in text


def test_refused_connection_is_source_unreachable(postgres: DatabaseServer) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        for engine in ("postgresql", "mysql"):
            text = refused(source(engine, postgres, "SELECT 1", port=port), SourceUnreachable)
            assert f"localhost:{port} cannot be reached" in text, engine


def test_silent_server_is_source_unreachable(postgres: DatabaseServer) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        for engine in ("postgresql", "mysql"):
            document = source(engine, postgres, "SELECT 1", port=port, host="127.0.0.1")
            text = refused(document, SourceUnreachable, tools(sql_connect_seconds=0.3))
            assert "no response within the time limit" in text, engine


def test_private_address_is_refused_unless_listed(postgres: DatabaseServer) -> None:
    for engine in ("postgresql", "mysql"):
        for host in ("localhost", "127.0.0.1", "10.1.2.3", "169.254.169.254"):
            document = source(engine, postgres, "SELECT 1", host=host)
            assert "private network" in refused(document, AddressForbidden, tools(policy=AddressPolicy()))


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_connection_uses_the_checked_address(
    engine: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is resolved once: another answer afterwards, as of a rebinding name server, is not asked for."""
    server = request.getfixturevalue("postgres" if engine == "postgresql" else "maria")
    answers = iter([[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))]])

    async def resolved(self: Any, host: str, *arguments: Any, **more: Any) -> Any:
        return next(answers) if host == "db.example" else await original(self, host, *arguments, **more)

    original = asyncio.BaseEventLoop.getaddrinfo
    monkeypatch.setattr(asyncio.BaseEventLoop, "getaddrinfo", resolved)
    assert only_row(source(engine, server, "SELECT 1 AS n", host="db.example"))[0] == {"n": 1}


def test_file_that_is_not_a_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("no database" * 1000)
    assert "not a SQLite database" in refused(in_file(path, "SELECT 1 FROM sqlite_master"), UnreadableData)


def test_file_cannot_reach_other_files(sqlite_file: Path, tmp_path: Path) -> None:
    """A view of a hostile file is no way around what a statement may do."""
    with sqlite3.connect(sqlite_file) as connection:
        connection.execute("CREATE VIEW hostile AS SELECT load_extension('evil') AS n")
    connection.close()
    refused(in_file(sqlite_file, "SELECT n FROM hostile"), SourceRefused)


def test_statement_of_sqlite_has_bounded_memory(sqlite_file: Path) -> None:
    text = refused(in_file(sqlite_file, "SELECT hex(zeroblob(400000000)) n"), SourceRefused)
    assert "memory" in text or "too big" in text


def test_refused_address_is_told_from_the_stack_itself() -> None:
    policy = AddressPolicy(emulator="http://127.0.0.1:4566")
    for port, reason in ((4566, "an address of this stack"), (5432, "in a private network")):
        with pytest.raises(AddressForbidden, match=reason) as raised:
            asyncio.run(policy.resolve("127.0.0.1", port))
        assert ("PRIVATE_NETWORKS" in raised.value.detail) == (port == 5432)
