"""The values and types of PostgreSQL, MariaDB and SQLite, as raw pages keep them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sluice.domain.page_columns import column_types
from support.databases import DatabaseServer
from support.sql_reading import in_file, in_maria, in_postgres, read, rows_of, source

POSTGRES_VALUES: list[tuple[str, str, Any, str | None]] = [
    # the SQL of a value, the server's type, the value in the page, the type of its column
    ("1::smallint", "int2", 1, "bigint"),
    ("9223372036854775807::bigint", "int8", 9223372036854775807, "bigint"),
    ("12.50::numeric(12,2)", "numeric(12,2)", "12.50", "decimal(12,2)"),
    ("12345678901234567890123456789012345678::numeric(38,0)", "numeric(38,0)", "1234567890" * 3 + "12345678", None),
    ("1.20::numeric", "numeric", "1.20", "decimal(38,2)"),
    ("sum(2::bigint)", "numeric", "2", "decimal(38,0)"),
    ("'NaN'::numeric(5,2)", "numeric(5,2)", "NaN", "string"),
    ("1e60::numeric", "numeric", "1" + "0" * 60, "string"),
    ("0.1::float8", "float8", 0.1, "double"),
    ("3.1415927::float4", "float4", 3.1415927, "double"),
    ("'NaN'::float8", "float8", "NaN", "double"),
    ("'-Infinity'::float4", "float4", "-Infinity", "double"),
    ("true", "bool", True, "boolean"),
    ("'é'::text", "text", "é", "string"),
    ("'x'::varchar(7)", "varchar", "x", "string"),
    ("date '2026-01-31'", "date", "2026-01-31", "date"),
    ("date '0044-03-15 BC'", "date", "0044-03-15 BC", "string"),
    ("'infinity'::date", "date", "infinity", "string"),
    ("timestamp '2026-01-31 12:00:00.000001'", "timestamp", "2026-01-31T12:00:00.000001", "timestamp"),
    ("timestamptz '2026-01-31 12:00:00+02'", "timestamptz", "2026-01-31T10:00:00Z", "timestamp"),
    ("'-infinity'::timestamptz", "timestamptz", "-infinity", "string"),
    ("timestamptz '0044-03-15 12:00:00+00 BC'", "timestamptz", "0044-03-15 12:00:00+00 BC", "string"),
    ("time '12:30'", "time", "12:30:00", "string"),
    ("interval '1 day 2 hours'", "interval", "P1DT2H", "string"),
    (r"'\x00ff'::bytea", "bytea", "AP8=", "string"),
    ("'00000000-0000-0000-0000-00000000000a'::uuid", "uuid", "00000000-0000-0000-0000-00000000000a", "string"),
    ("""'{"a": [1.50, null],\n"b": "x"}'::json""", "json", {"a": [1.5, None], "b": "x"}, "json"),
    ("""'{"a": 1}'::jsonb""", "jsonb", {"a": 1}, "json"),
    (r"""'"\ud800"'::json""", "json", r'"\ud800"', "json"),
    ("array[1, null, 3]", "int4[]", [1, None, 3], "json"),
    ("array[[1.50], [2.50]]::numeric(5,2)[]", "numeric[]", [["1.50"], ["2.50"]], "json"),
    ("array[timestamptz '2026-01-31 12:00:00Z']", "timestamptz[]", ["2026-01-31T12:00:00Z"], "json"),
    (r"array['\x01'::bytea]", "bytea[]", ["AQ=="], "json"),
    ("array['NaN'::float8]", "float8[]", ["NaN"], "json"),
    ("""array['{"a": 1}'::jsonb]""", "jsonb[]", [{"a": 1}], "json"),
    ("'sad'::mood", "mood", "sad", "string"),
    ("array['sad']::mood[]", "mood[]", ["sad"], "json"),
    ("row(1, 'b')::pair", "pair", {"a": 1, "b": "b"}, "json"),
    ("array[row(1, 'b')::pair]", "pair[]", [{"a": 1, "b": "b"}], "json"),
    ("int4range(1, 5)", "int4range", "[1,5)", "string"),
    ("inet '10.0.0.1/8'", "inet", "10.0.0.1/8", "string"),
    ("null::numeric(12,2)", "numeric(12,2)", None, "decimal(12,2)"),
    ("null::numeric", "numeric", None, None),
]


@pytest.fixture(scope="module")
def postgres_types(postgres: DatabaseServer) -> DatabaseServer:
    in_postgres(postgres, "CREATE TYPE mood AS ENUM ('sad', 'glad'); CREATE TYPE pair AS (a int, b text)")
    return postgres


def test_postgresql_values_and_types_are_kept(postgres_types: DatabaseServer) -> None:
    columns = [f"{sql} AS c{index}" for index, (sql, *_) in enumerate(POSTGRES_VALUES)]
    pages = read(source("postgresql", postgres_types, f"SELECT {', '.join(columns)}"))
    (row,) = rows_of(pages)
    types = column_types([page.columns for page in pages])
    for index, (sql, server_type, value, kind) in enumerate(POSTGRES_VALUES):
        name = f"c{index}"
        assert (row[name], type(row[name])) == (value, type(value)), sql
        assert pages[0].columns[name].server_type == server_type, sql
        assert types.get(name) == (kind or ("decimal(38,0)" if value else None)), sql


MARIA_VALUES: list[tuple[str, str, Any, str]] = [
    ("i", "bigint", -5, "bigint"),
    ("u", "bigint unsigned", "18446744073709551615", "decimal(20,0)"),
    ("b", "tinyint", 1, "bigint"),
    ("d", "decimal(12,2)", "-1234567890.50", "decimal(12,2)"),
    ("du", "decimal(5,0)", "12345", "decimal(5,0)"),
    ("f", "double", 0.1, "double"),
    ("t", "text", "é'\\", "string"),
    ("v", "varchar", "a", "string"),
    ("bl", "blob", "AP8=", "string"),
    ("vb", "varbinary", "AQI=", "string"),
    ("day", "date", "2026-01-31", "date"),
    ("zero", "date", "0000-00-00", "string"),
    ("dt", "datetime", "2026-01-31T12:00:00.000001", "timestamp"),
    ("ts", "timestamp", "2026-01-31T10:00:00Z", "timestamp"),
    ("tm", "time", "-30:00:00", "string"),
    ("y", "year", 2026, "bigint"),
    ("bit1", "bit(1)", True, "boolean"),
    ("bit9", "bit(9)", 257, "bigint"),
    ("e", "char", "x", "string"),
    ("g", "geometry", "AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==", "string"),
    ("n", "decimal(10,3)", None, "decimal(10,3)"),
]


def test_mariadb_values_and_types_are_kept(maria: DatabaseServer) -> None:
    in_maria(
        maria,
        "SET sql_mode = '', time_zone = '+02:00'",
        "CREATE OR REPLACE TABLE kinds (i bigint, u bigint unsigned, b bool, d decimal(12,2), du decimal(5) unsigned, "
        "f double, t text, v varchar(9), bl blob, vb varbinary(9), day date, zero date, dt datetime(6), "
        "ts timestamp, tm time, y year, bit1 bit, bit9 bit(9), e enum('x'), g point, n decimal(10,3))",
        "INSERT INTO kinds VALUES (-5, 18446744073709551615, 1, -1234567890.5, 12345, 0.1, 'é''\\\\', 'a', x'00ff', "
        "x'0102', '2026-01-31', '0000-00-00', '2026-01-31 12:00:00.000001', '2026-01-31 12:00:00', '-30:00:00', "
        "2026, b'1', b'100000001', 'x', POINT(1, 2), NULL)",
    )
    pages = read(source("mysql", maria, "SELECT * FROM kinds"))
    (row,) = rows_of(pages)
    types = column_types([page.columns for page in pages])
    for name, server_type, value, kind in MARIA_VALUES:
        assert (row[name], type(row[name])) == (value, type(value)), name
        assert (pages[0].columns[name].server_type, types[name]) == (server_type, kind), name


def test_sqlite_values_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "kinds.db"
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "CREATE TABLE kinds (i, f, t, b, m, n); INSERT INTO kinds VALUES (1, 1.5, 'é', x'00ff', 1, NULL), "
            "(9223372036854775807, 9e999, 'x', x'01', 'a', NULL);"
        )
    connection.close()
    pages = read(in_file(path, "SELECT * FROM kinds"))
    assert rows_of(pages) == [
        {"i": 1, "f": 1.5, "t": "é", "b": "AP8=", "m": 1, "n": None},
        {"i": 9223372036854775807, "f": "Infinity", "t": "x", "b": "AQ==", "m": "a", "n": None},
    ]
    types = column_types([page.columns for page in pages])
    assert types == {"i": "bigint", "f": "double", "t": "string", "b": "string", "m": "string"}
