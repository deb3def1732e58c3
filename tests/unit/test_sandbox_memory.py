"""Queries that need more memory than they may have: they end, and those after them run."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.errors import QueryLimit
from sluice.sandbox.sandbox import Sandbox
from sluice.settings import Settings


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(Settings(duckdb_threads=1, query_memory="60MB", sandbox_memory="160MB"))
    yield sandbox
    sandbox.close()


HEAVY = {
    "the engine's own memory": "SELECT len(list(md5(x::VARCHAR))) AS n FROM range(5000000) t(x)",
    "memory that the engine does not count": "SELECT repeat('a', 100000) AS m FROM range(5000) t(x)",
}


@pytest.mark.parametrize("sql", HEAVY.values(), ids=HEAVY)
def test_query_over_its_memory_limit_ends_alone(sandbox: Sandbox, tmp_path: Path, sql: str) -> None:
    with pytest.raises(QueryLimit, match=r"limit for memory \(60MB\)") as ended:
        sandbox.query(sql, {}, [], tmp_path)
    assert ended.value.code == "query-limit"
    assert json.loads(sandbox.query("SELECT 1 AS x", {}, [], tmp_path).items) == [{"x": 1}]


def test_process_with_too_much_mapped_memory_is_replaced(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def process() -> int:
        sandbox.query("SELECT 1 AS x", {}, [], tmp_path)
        assert sandbox._process is not None
        return sandbox._process.pid

    first = process()
    assert process() == first, "one process for many queries"
    monkeypatch.setattr("sluice.sandbox.sandbox._mapped", lambda pid: 10**12)
    assert process() != first


def test_result_of_too_many_bytes_is_refused(tmp_path: Path) -> None:
    sandbox = Sandbox(Settings(duckdb_threads=1, query_bytes=10_000))
    try:
        assert sandbox.query("SELECT repeat('a', 9000) AS m", {}, [], tmp_path).rows == 1
        with pytest.raises(QueryLimit, match=r"limit for bytes \(10000 bytes\)"):
            sandbox.query("SELECT repeat('a', 9000) AS m FROM range(2)", {}, [], tmp_path)
    finally:
        sandbox.close()
