"""Reading SQL sources in tests: from a document to pages, rows and types; and in a process of its own."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pymysql
import pytest

from sluice.domain.datasource.sql_source import SqlSource
from sluice.domain.page_columns import column_types
from sluice.errors import RunError
from sluice.settings import Settings
from sluice.sources.address import AddressPolicy
from sluice.sources.sql.pages import SqlPage
from sluice.sources.sql.reader import SqlTools, read_pages
from support.databases import PASSWORD, DatabaseServer

WRONG = "the-wr0ng-one"
SECRETS = {"user": "owner", "password": PASSWORD, "wrong": WRONG}
LOOPBACK = AddressPolicy("127.0.0.0/8,::1/128")


def tools(policy: AddressPolicy = LOOPBACK, **settings: Any) -> SqlTools:
    """What reading needs: a key of the inbox is the path of a file."""
    return SqlTools(Settings(**settings), policy, SECRETS.__getitem__, Path)


def source(engine: str, server: DatabaseServer, query: str, **more: Any) -> SqlSource:
    document = {
        "engine": engine,
        "host": "localhost",
        "port": server.port,
        "database": "postgres" if engine == "postgresql" else "shop",
        "user": "user",
        "password": "password",
        "tls": False,
        "query": query,
    }
    return SqlSource.model_validate(document | more)


async def all_pages(document: SqlSource, using: SqlTools | None = None) -> list[SqlPage]:
    return [page async for page in read_pages(document, using or tools())]


def read(document: SqlSource, using: SqlTools | None = None) -> list[SqlPage]:
    return asyncio.run(all_pages(document, using))


def rows_of(pages: list[SqlPage]) -> list[dict[str, Any]]:
    return [json.loads(line) for page in pages for line in page.body.splitlines()]


def only_row(document: SqlSource) -> tuple[dict[str, Any], dict[str, str]]:
    """The only row, and the types of its columns."""
    pages = read(document)
    (row,) = rows_of(pages)
    return row, column_types([page.columns for page in pages])


def refused(document: SqlSource, kind: type[RunError], using: SqlTools | None = None) -> str:
    with pytest.raises(kind) as raised:
        read(document, using)
    return raised.value.detail


def in_file(path: Path, query: str, **more: Any) -> SqlSource:
    return SqlSource.model_validate({"engine": "sqlite", "key": str(path), "query": query, **more})


def in_postgres(server: DatabaseServer, statements: str) -> None:
    async def execute() -> None:
        connection = await asyncpg.connect(
            host="127.0.0.1",
            port=server.port,
            user="owner",
            password=PASSWORD,
            database="postgres",
            ssl=False,
        )
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    asyncio.run(execute())


def in_maria(server: DatabaseServer, *statements: str) -> list[Any]:
    connection = pymysql.connect(
        host="127.0.0.1",
        port=server.port,
        user="owner",
        password=PASSWORD,
        database="shop",
        autocommit=True,
        ssl_disabled=True,
    )
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchall())


def measured(document: SqlSource) -> tuple[int, int]:
    """How many rows a source has, and the most megabytes that a process of its own had resident to read them."""
    done = subprocess.run(
        [sys.executable, "-m", "support.sql_reading"],
        input=document.model_dump_json(),
        cwd=Path(__file__).parents[1],
        check=True,
        capture_output=True,
        text=True,
    )
    rows, megabytes = done.stdout.split()
    return int(rows), int(megabytes)


async def count(document: SqlSource) -> int:
    """How many rows a source has; no page is kept."""
    return sum([page.rows async for page in read_pages(document, tools())])


def main() -> None:
    rows = asyncio.run(count(SqlSource.model_validate_json(sys.stdin.read())))
    status = Path("/proc/self/status").read_text()
    sys.stdout.write(f"{rows} {int(status.partition('VmHWM:')[2].split()[0]) // 1024}")


if __name__ == "__main__":
    main()
