"""DuckDB instances are reused, and no use sees anything of an earlier one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Timer
from typing import Any

import duckdb
import pytest

from sluice.lake.engine_pool import Configuration, EnginePool
from sluice.lake.parquet import engine
from sluice.settings import Settings

CONFIGURATION: Configuration = (("threads", 1), ("memory_limit", "1GB"))
SMALL: Configuration = (("threads", 1), ("memory_limit", "30MB"))
# Everything that the engine lists, but its two settings with the names of the folder and of the database.
STATE = (
    "SELECT name, value FROM duckdb_settings() WHERE name NOT IN ('temp_directory', 'search_path') ORDER BY name",
    "SELECT schema_name, table_name FROM duckdb_tables()",
    "SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal",
    "SELECT schema_name, function_name FROM duckdb_functions() WHERE NOT internal",
    "SELECT schema_name, type_name FROM duckdb_types() WHERE NOT internal",
    "SELECT schema_name, sequence_name FROM duckdb_sequences()",
    "SELECT schema_name, index_name FROM duckdb_indexes()",
    "SELECT schema_name FROM duckdb_schemas() WHERE NOT internal ORDER BY ALL",
    "SELECT count(*) FROM duckdb_databases()",
    "SELECT name FROM duckdb_secrets()",
    "SELECT name, statement FROM duckdb_prepared_statements()",
    "SELECT name, value FROM duckdb_variables()",
    "SELECT extension_name, loaded, installed FROM duckdb_extensions() ORDER BY ALL",
    "SELECT path FROM duckdb_temporary_files()",
    "SELECT tag FROM duckdb_memory() WHERE memory_usage_bytes > 0",
    "SELECT current_schema()",
)


@pytest.fixture
def pool() -> Iterator[EnginePool]:
    pool = EnginePool()
    yield pool
    pool.close()


def state_of(connection: duckdb.DuckDBPyConnection) -> list[Any]:
    return [connection.execute(query).fetchall() for query in STATE]


def database_of(connection: duckdb.DuckDBPyConnection) -> Any:
    """The name of the use's database, which counts the uses of the instance."""
    (name,) = connection.execute("SELECT current_database()").fetchone() or ()
    return name


LEFT_BEHIND = [
    "CREATE TABLE left_behind AS SELECT 'private' AS v",
    "CREATE TEMP TABLE left_behind AS SELECT 'private' AS v",
    "CREATE VIEW left_behind AS SELECT 'private' AS v",
    "CREATE TEMP VIEW left_behind AS SELECT 'private' AS v",
    "CREATE MACRO left_behind() AS 'private'",
    "CREATE TEMP MACRO left_behind() AS 'private'",
    "CREATE MACRO left_behind() AS TABLE SELECT 'private' AS v",
    "CREATE MACRO upper(x) AS 'private'",  # would replace a function of the engine
    "CREATE TYPE left_behind AS ENUM ('private')",
    "CREATE SEQUENCE left_behind",
    "CREATE TABLE t (v INT); CREATE INDEX left_behind ON t (v)",
    "CREATE SCHEMA other; CREATE TABLE other.left_behind AS SELECT 'private' AS v; USE other",
    "CREATE SCHEMA other; SET search_path = 'other,main'",
    "PREPARE left_behind AS SELECT 'private'",
    "SET VARIABLE left_behind = 'private'",
    "BEGIN; CREATE TABLE left_behind AS SELECT 'private' AS v",
    "SET disabled_optimizers = 'statistics_propagation'",
    "SET GLOBAL disabled_optimizers = 'statistics_propagation'",
    "SET TimeZone = 'Asia/Tokyo'",
    "SET GLOBAL TimeZone = 'Asia/Tokyo'",
    "SET enable_progress_bar = true",
    "SELECT setseed(0.5)",
]


@pytest.mark.parametrize("sql", LEFT_BEHIND)
def test_next_use_has_the_same_instance_with_nothing_in_it(pool: EnginePool, tmp_path: Path, sql: str) -> None:
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        new, database = state_of(connection), database_of(connection)
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        connection.execute(sql)
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        assert state_of(connection) == new
        assert (database, database_of(connection)) == ("use_1", "use_3")
        assert connection.execute("SELECT upper('a')").fetchone() == ("A",)
        with pytest.raises(duckdb.Error):
            connection.cursor().execute("FROM left_behind")
        with pytest.raises(duckdb.Error):
            connection.cursor().execute("FROM use_2.left_behind")


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH ':memory:' AS other; CREATE TABLE other.left_behind AS SELECT 'private' AS v",
        "CREATE SECRET left_behind (TYPE http, BEARER_TOKEN 'private')",
    ],
)
def test_instance_with_something_left_is_not_reused(pool: EnginePool, tmp_path: Path, sql: str) -> None:
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        new = state_of(connection)
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        connection.execute(sql)
        assert database_of(connection) == "use_2"
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        assert state_of(connection) == new
        assert database_of(connection) == "use_1"


@pytest.mark.parametrize("value", ["", "'left_behind'", "1"])
def test_every_other_option_is_locked(pool: EnginePool, tmp_path: Path, value: str) -> None:
    """What a use may set is reset, or an option of its connection; the engine refuses the others."""
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM duckdb_settings()").fetchall()]
        changed = {name for name in names if is_changeable(connection, name, value)}
    allowed = {"temp_directory", "disabled_optimizers", "TimeZone", "enable_progress_bar", "schema", "search_path"}
    assert changed <= allowed


def is_changeable(connection: duckdb.DuckDBPyConnection, name: str, value: str) -> bool:
    """Return whether the lock lets an option be changed, even if the value is wrong."""
    statement = f"SET GLOBAL {name} = {value}" if value else f"RESET {name}"
    try:
        connection.cursor().execute(statement)
    except duckdb.Error as error:
        return "the configuration has been locked" not in str(error)
    return True


def test_uses_at_the_same_time_have_an_instance_each(pool: EnginePool, tmp_path: Path) -> None:
    barrier = Barrier(4)

    def use(number: int) -> list[Any]:
        with pool.connection(CONFIGURATION, tmp_path) as connection:
            connection.execute("CREATE TABLE t AS SELECT ? AS v", [number])
            barrier.wait(30)
            return [*connection.execute("FROM t").fetchall(), database_of(connection)]

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(use, range(4))) == [[(number,), "use_1"] for number in range(4)]
        again = list(threads.map(use, range(4)))
    assert [row for row, _ in again] == [(number,) for number in range(4)]
    assert sorted(database for _, database in again) == ["use_1", "use_1", "use_2", "use_2"]  # two were kept


def test_instance_with_other_options_is_another(pool: EnginePool, tmp_path: Path) -> None:
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        assert connection.execute("SELECT current_setting('memory_limit')").fetchone() == ("953.6 MiB",)
    with pool.connection(SMALL, tmp_path) as connection:
        assert connection.execute("SELECT current_setting('memory_limit')").fetchone() == ("28.6 MiB",)


class StoppedError(Exception):
    pass


def fail(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("FROM nothing")


def stop(connection: duckdb.DuckDBPyConnection) -> None:
    raise StoppedError


def end_process(connection: duckdb.DuckDBPyConnection) -> None:
    raise KeyboardInterrupt


def interrupt(connection: duckdb.DuckDBPyConnection) -> None:
    timer = Timer(0.1, connection.interrupt)
    timer.start()
    connection.execute("SELECT count(*) FROM range(1000000) a, range(1000000) b")


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (fail, duckdb.CatalogException),
        (stop, StoppedError),
        (end_process, KeyboardInterrupt),
        (interrupt, duckdb.InterruptException),
    ],
)
def test_instance_is_not_reused_after_an_error(
    pool: EnginePool, tmp_path: Path, action: Callable[[duckdb.DuckDBPyConnection], None], error: type[BaseException]
) -> None:
    def use() -> None:
        with pool.connection(CONFIGURATION, tmp_path) as connection:
            action(connection)

    with pytest.raises(error):
        use()
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        assert database_of(connection) == "use_1"


def test_cursor_that_outlives_its_use_sees_nothing_of_the_next(pool: EnginePool, tmp_path: Path) -> None:
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS v FROM range(1000000)")
        unread = connection.cursor()
        unread.execute("FROM t")
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        connection.execute("CREATE TABLE t AS SELECT 'private' AS v")
        assert connection.execute("FROM t").fetchall() == [("private",)]
        with pytest.raises(duckdb.Error):
            unread.execute("FROM t").fetchone()
    unread.close()


def test_connection_is_closed_after_its_use(pool: EnginePool, tmp_path: Path) -> None:
    with pool.connection(CONFIGURATION, tmp_path) as connection:
        relation = connection.sql("SELECT 1")
    for use in (lambda: connection.execute("SELECT 1"), relation.fetchall):
        with pytest.raises(duckdb.ConnectionException):
            use()


def test_instance_that_wrote_temporary_files_is_not_reused(pool: EnginePool, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    with pool.connection(SMALL, folder) as connection:
        connection.execute("CREATE TABLE t AS SELECT random() AS a, random() AS b, random() AS c FROM range(3000000)")
        assert list(folder.iterdir())
    assert not folder.exists() or not list(folder.iterdir())
    with pool.connection(SMALL, tmp_path / "other") as connection:
        assert database_of(connection) == "use_1"


def test_few_idle_instances_are_kept(pool: EnginePool, tmp_path: Path) -> None:
    configurations: list[Configuration] = [(("threads", threads),) for threads in range(1, 5)]
    for configuration in configurations:
        with pool.connection(configuration, tmp_path):
            pass
    used = []
    for configuration in (configurations[3], configurations[0]):
        with pool.connection(configuration, tmp_path) as connection:
            used.append(database_of(connection))
    assert used == ["use_2", "use_1"]


def test_times_of_every_use_are_utc(tmp_path: Path) -> None:
    for _ in range(2):
        with engine(Settings(duckdb_threads=1), tmp_path) as connection:
            query = "SELECT current_setting('TimeZone'), current_setting('enable_progress_bar')"
            assert connection.execute(query).fetchone() == ("UTC", False)
            connection.execute("SET GLOBAL TimeZone = 'Asia/Tokyo'")
