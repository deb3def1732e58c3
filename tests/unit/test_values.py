"""Values as they leave: the same in every form, without losing a digit, and no formula."""

import csv
import io
import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from sluice.container import Container
from sluice.domain.names import parse_time, rfc3339
from sluice.domain.schema import is_number
from sluice.errors import Invalid
from sluice.reads.csv_text import csv_header, csv_rows
from sluice.reads.workbook import write_workbook
from sluice.sandbox.sandbox import Sandbox
from sluice.settings import Settings
from support.client import Client
from support.documents import drop, http_source, ingest, refresh, rows
from support.upstream import Upstream


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(Settings(duckdb_threads=1))
    yield sandbox
    sandbox.close()


@pytest.fixture
def shop(admin: Client, upstream: Upstream) -> Client:
    """A project of one datasource, which is not refreshed yet."""
    upstream.serve([{"id": 1, "big": 9_223_372_036_854_775_807}, {"id": 2, "big": 9_223_372_036_854_775_807}])
    admin.put("/datasources/shop", http_source("shop"))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/shop", {})
    return admin


MOMENTS = {
    "first": ("DATE '0001-01-01'", "0001-01-01"),
    "last": ("DATE '9999-12-31'", "9999-12-31"),
    "later": ("DATE '10000-01-01'", "10000-01-01"),
    "bc": ("DATE '-0044-03-15'", "-0044-03-15"),
    "zero": ("DATE '0000-02-29'", "0000-02-29"),
    "never": ("'infinity'::DATE", "infinity"),
    "before": ("'-infinity'::DATE", "-infinity"),
    "t_first": ("TIMESTAMP '0001-01-01'", "0001-01-01T00:00:00Z"),
    "t_last": ("TIMESTAMP '9999-12-31 23:59:59.999999'", "9999-12-31T23:59:59.999999Z"),
    "t_later": ("TIMESTAMP '10000-01-01 10:00:00.120'", "10000-01-01T10:00:00.12Z"),
    "t_bc": ("TIMESTAMP '-0044-03-15 01:02:03.5'", "-0044-03-15T01:02:03.5Z"),
    "t_never": ("'infinity'::TIMESTAMP", "infinity"),
    "t_zone": ("TIMESTAMPTZ '2026-01-01 00:00:00+02'", "2025-12-31T22:00:00Z"),
    "t_ns": ("TIMESTAMP_NS '2026-01-01 00:00:00.123456'", "2026-01-01T00:00:00.123456Z"),
    "month": ("INTERVAL '1 month 2 days'", "1 month 2 days"),
    "none": ("NULL::TIMESTAMP", None),
}


def test_data_queries_endpoints_and_csv_show_the_same_moments(shop: Client) -> None:
    sql = "SELECT 1 AS id, " + ", ".join(f"{value} AS {name}" for name, (value, _) in MOMENTS.items())
    assert shop.put("/projects/p/models/m", {"sql": sql}).status == 201
    assert shop.put("/projects/p/endpoints/e", {"sql": "SELECT * FROM m"}).status == 201
    assert refresh(shop, "p")["status"] == "succeeded"
    expected = {"id": 1} | {name: text for name, (_, text) in MOMENTS.items()}
    assert rows(shop, "projects/p/models/m") == [expected]
    for query in (sql, "SELECT * FROM m"):
        assert shop.post("/projects/p/query", {"sql": query}).json()["items"] == [expected]
    assert shop.get("/endpoints/p/e").json()["items"] == [expected]
    texts = {shop.get(f"/{path}?format=csv").text for path in ("projects/p/models/m/data", "endpoints/p/e")}
    assert len(texts) == 1
    like = "/projects/p/models/m/data?where=t_last.like:9999-12-31T23:59:59.999999Z&where=first.like:0001-01-01"
    assert len(shop.get(like).json()["items"]) == 1
    assert shop.get("/projects/p/models/m/data?where=t_last.like:9999-12-31 23%25").json()["items"] == []


def test_explain_and_documents_show_moments_as_data_does(shop: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": 1, "at": "2026-01-01T00:00:00.5Z", "day": "2026-01-01"}])
    shop.patch("/datasources/shop", {"types": {"at": "timestamp", "day": "date"}})
    refresh(shop, "p", ingest="all")
    expected = {"id": 1, "at": "2026-01-01T00:00:00.5Z", "day": "2026-01-01"}
    assert rows(shop, "projects/p") == [expected]
    assert shop.get("/projects/p/records?key=1").json() == expected
    fields = shop.get("/projects/p/explain?key=1").json()["fields"]
    assert {name: field["value"] for name, field in fields.items()} == expected
    assert fields["at"]["winners"][0]["value"] == expected["at"]
    assert shop.post("/projects/p/merge/preview").json()["items"] == [expected]
    upstream.serve([{"id": 1, "at": "2026-01-02T00:00:00Z", "day": "2026-01-01"}])
    refresh(shop, "p", ingest="all")
    changed = shop.get("/projects/p/diff").json()["items"]
    assert changed[0]["fields"] == {"at": ["2026-01-01T00:00:00.5Z", "2026-01-02T00:00:00Z"]}


@pytest.mark.parametrize(
    ("sql", "kind", "value"),
    [
        ("SELECT sum(n) AS x FROM (VALUES (1), (2)) t(n)", "bigint", 3),
        ("SELECT -9223372036854775808::HUGEINT AS x", "bigint", -(2**63)),
        ("SELECT sum(n) AS x FROM (VALUES (9223372036854775807), (1)) t(n)", "decimal(38,0)", str(2**63)),
        ("SELECT 18446744073709551615::UBIGINT AS x", "decimal(38,0)", str(2**64 - 1)),
        ("SELECT 170141183460469231731687303715884105727::HUGEINT AS x", "string", str(2**127 - 1)),
        ("SELECT sum(n) AS x FROM (VALUES (1)) t(n) WHERE false", "bigint", None),
    ],
)
def test_a_sum_keeps_every_digit(sandbox: Sandbox, tmp_path: Path, sql: str, kind: str, value: Any) -> None:
    found = sandbox.query(sql, {}, [], tmp_path)
    assert (found.columns, json.loads(found.items)) == ([{"name": "x", "type": kind}], [{"x": value}])
    columns, count = sandbox.write(sql, [], tmp_path, tmp_path / "x.parquet", ordered=False, seconds=10)
    assert ([one.type for one in columns], count) == ([kind], 1)


def test_only_the_columns_that_need_it_become_wider(sandbox: Sandbox, tmp_path: Path) -> None:
    found = sandbox.query("SELECT sum(1) AS a, sum(9223372036854775807) * 2 AS b, count(*) AS c", {}, [], tmp_path)
    assert [one["type"] for one in found.columns] == ["bigint", "decimal(38,0)", "bigint"]
    with pytest.raises(Invalid, match="Could not convert"):
        sandbox.query("SELECT sum(1) AS a, 'x'::BIGINT AS b", {}, [], tmp_path)


def test_sums_beyond_64_bits_pass_through_models_and_endpoints(shop: Client) -> None:
    sql = "SELECT sum(big) AS total FROM merged"
    shop.put("/projects/p/models/m", {"sql": sql})
    shop.put("/projects/p/endpoints/e", {"sql": sql})
    run = refresh(shop, "p")
    assert run["status"] == "succeeded", run
    expected = [{"total": "18446744073709551614"}]
    assert rows(shop, "projects/p/models/m") == expected
    assert shop.get("/endpoints/p/e").json()["items"] == expected
    assert shop.get("/endpoints/p/e?format=csv").text == "total\r\n18446744073709551614\r\n"


def test_an_optional_parameter_that_is_not_given_keeps_its_type(shop: Client) -> None:
    kinds = {"d": "date", "t": "datetime", "i": "integer", "n": "number", "b": "boolean", "s": "string"}
    selected = ", ".join(f"typeof(${name}) AS {name}" for name in kinds)
    sql = f"SELECT {selected}, date_trunc('day', $t) AS day, '$t' AS text FROM merged WHERE $i IS NULL OR id = $i"
    endpoint = {"sql": sql, "parameters": {name: {"type": kind} for name, kind in kinds.items()}}
    assert shop.put("/projects/p/endpoints/e", endpoint).status == 201
    refresh(shop, "p")
    answer = shop.get("/endpoints/p/e")
    assert answer.status == 200, answer.text
    expected = {"d": "DATE", "t": "TIMESTAMP", "i": "BIGINT", "n": "DOUBLE", "b": "BOOLEAN", "s": "VARCHAR"}
    assert answer.json()["items"][0] == expected | {"day": None, "text": "$t"}
    given = shop.get("/endpoints/p/e?t=2026-01-01T12:00:00Z&i=1").json()["items"]
    assert [row["day"][:10] for row in given] == ["2026-01-01"]


def test_as_of_the_moment_that_is_shown_finds_the_version(shop: Client, upstream: Upstream) -> None:
    for number in range(1, 4):
        upstream.serve([{"id": number}])
        ingest(shop, "shop")
    for version in shop.get("/datasources/shop/versions").json()["items"]:
        found = shop.get(f"/datasources/shop/data?as_of={version['created_at']}")
        assert found.status == 200, found.text
        # Another version may have been published within the same millisecond.
        assert found.json()["version"] >= version["number"]
    first = shop.get("/datasources/shop/versions/1").json()["created_at"]
    before = rfc3339(parse_time(first).replace(year=2000))
    assert shop.get(f"/datasources/shop/data?as_of={before}").status == 404


FORMULAS = ["=1+1", "+1", "-1+2", "@x", "\tx", "\rx"]


def test_no_form_of_csv_has_formulas(services: Container, admin: Client, upstream: Upstream) -> None:
    upstream.serve([{"id": at, "=name": text, "n": -at, "tags": ["-"]} for at, text in enumerate(FORMULAS)])
    admin.put("/datasources/shop", http_source("shop", types={"n": "decimal(9,2)"}))
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/shop", {})
    sql = "SELECT * FROM merged ORDER BY id"
    admin.put("/projects/p/endpoints/e", {"sql": sql})
    admin.put("/projects/p/reports/r", {"title": "r", "sections": [{"type": "table", "sql": sql}]})
    refresh(admin, "p")
    forms = {
        admin.get(f"/{path}format=csv").text
        for path in (
            "datasources/shop/data?order=id&",
            "projects/p/data?",
            "endpoints/p/e?",
            "projects/p/reports/r/latest?",
        )
    }
    assert len(forms) == 1, "one rule for all"
    head, *lines = csv.reader(io.StringIO(forms.pop()))
    assert head == ["id", "'=name", "n", "tags"]
    assert [line[1] for line in lines] == [f"'{text}" for text in FORMULAS]
    assert lines[1] == ["1", "'+1", "-1.00", '["-"]']


CELLS = st.one_of(
    st.tuples(st.just("string"), st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)),
    st.tuples(st.just("bigint"), st.integers(-(2**63), 2**63 - 1)),
    st.tuples(st.just("double"), st.floats(allow_nan=False, allow_infinity=False)),
    st.tuples(st.just("decimal(38,4)"), st.decimals(-(10**30), 10**30, places=4).map(lambda one: format(one, "f"))),
    st.tuples(st.just("boolean"), st.booleans()),
    st.tuples(st.just("json"), st.lists(st.integers(-5, 5), max_size=2)),
)


@given(st.lists(CELLS, min_size=1, max_size=4))
@example([("string", "=x"), ("bigint", -5)])
def test_csv_gives_back_what_it_was_given_and_no_formula(cells: list[tuple[str, Any]]) -> None:
    kinds, values = [kind for kind, _ in cells], [value for _, value in cells]
    (read,) = csv.reader(io.StringIO(csv_rows(kinds, [values]), newline=""))
    for kind, value, text in zip(kinds, values, read, strict=True):
        if is_number(kind):
            assert Decimal(text) == Decimal(str(value))
        else:
            assert not text.startswith(("=", "+", "-", "@", "\t", "\r"))
            plain = value if kind == "string" else json.dumps(value, separators=(",", ":"))
            assert text.removeprefix("'") == plain.removeprefix("'")
    assert csv_header(["=a", "b"]) == "'=a,b\r\n"
    assert csv_rows(["json", "json", "string"], [[-5, "-5", "-5"]]) == '-5,"""-5""",\'-5\r\n'


def sheet_of(kinds: list[str], values: list[Any]) -> list[Any]:
    """The cells of a row, as they are read back from a workbook."""
    file = io.BytesIO()
    write_workbook(file, [str(at) for at in range(len(kinds))], kinds, [values])
    return CalamineWorkbook.from_filelike(io.BytesIO(file.getvalue())).get_sheet_by_index(0).to_python()[1]


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        ("bigint", 10**15 + 1, 10**15 + 1),
        ("bigint", 2**53, 2**53),
        ("bigint", 2**53 + 1, str(2**53 + 1)),
        ("bigint", 1_234_567_890_123_456_789, "1234567890123456789"),
        ("bigint", -(2**63), str(-(2**63))),
        ("double", 1e300, 1e300),
        ("double", 0.1 + 0.2, 0.1 + 0.2),
        ("double", 1 / 3, 1 / 3),
        ("double", 5e-324, 5e-324),
        ("decimal(38,0)", "123456789012345", 123456789012345),
        ("decimal(38,0)", "12345678901234567890", "12345678901234567890"),
        ("json", [1], "[1]"),
        ("json", 10**30, str(10**30)),
        ("boolean", True, True),
        ("timestamp", "infinity", "infinity"),
        ("timestamp", "2026-01-01T12:00:00Z", datetime(2026, 1, 1, 12)),
        ("string", "x" * 32_767, "x" * 32_767),
    ],
)
def test_a_workbook_loses_no_digit_and_no_character(kind: str, value: Any, cell: Any) -> None:
    assert sheet_of([kind, "bigint"], [value, 1])[0] == cell


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_double_comes_back_from_a_workbook(value: float) -> None:
    assert sheet_of(["double"], [value]) == [value]


@pytest.mark.parametrize("text", ["x" * 32_768, "\U0001f600" * 16_384])
def test_a_text_that_no_cell_can_hold_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="format=csv"):
        sheet_of(["string"], [text])


def test_large_numbers_leave_as_a_workbook(services: Container, admin: Client) -> None:
    admin.put("/datasources/d", {"name": "d", "kind": "file"})
    drop(services, "d/a.json", b'[{"id": 1234567890123456789, "x": 1e300, "y": 1000000000000001}]')
    assert admin.get("/datasources/d/data?format=xlsx").status == 303
    drop(services, "d/b.json", json.dumps([{"text": "x" * 40_000}]).encode())
    refused = admin.get("/datasources/d/data?format=xlsx")
    assert (refused.status, "32767" in refused.json()["detail"]) == (422, True)
