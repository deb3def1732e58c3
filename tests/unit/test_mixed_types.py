"""Where columns of different types meet: no digit is lost, no two keys become one, and NaN is null everywhere."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sluice.container import Container
from support.client import Client
from support.documents import drop, http_source, refresh, rows
from support.upstream import Upstream, raw

JOIN: dict[str, Any] = {"strategy": "join", "key": ["id"]}
LONG = 10**22 + 1
DECIMAL = {"types": {"v": "decimal(38,0)"}}


def merged(
    admin: Client, upstream: Upstream, merge: dict[str, Any], *texts: str, **more: dict[str, Any]
) -> dict[str, Any]:
    """The run that merges datasources s0, s1 and so on, whose pages are these JSON texts; s0 ranks best."""
    pages = {f"s{rank}": text.encode() for rank, text in enumerate(texts)}
    upstream.answer = lambda request: raw(pages[request.url.host.partition(".")[0]])
    assert admin.put("/projects/p", {"name": "p", "merge": merge, "refresh_on": "manual"}).status in (200, 201)
    for rank, name in enumerate(pages):
        assert admin.put(f"/datasources/{name}", http_source(name, **more.get(name, {}))).status in (200, 201)
        admin.put(f"/projects/p/datasources/{name}", {"priority": rank})
    return refresh(admin, "p", ingest="all")


def pushed(admin: Client, slug: str, body: Any) -> dict[str, Any]:
    """The run that has brought pushed records."""
    answer = admin.post(f"/datasources/{slug}/records", body)
    assert answer.status == 202, answer.text
    run: dict[str, Any] = admin.get(f"/runs/{answer.json()['run']}").json()
    return run


@pytest.fixture
def stock(admin: Client) -> Client:
    """A datasource whose pushed records are matched by `id`."""
    admin.post("/datasources", {"name": "stock", "kind": "push", "primary_key": ["id"]})
    return admin


def test_an_upsert_does_not_join_large_keys(stock: Client) -> None:
    pushed(stock, "stock", [{"id": LONG}, {"id": LONG + 1}])
    run = pushed(stock, "stock", [{"id": 1.5}])
    assert run["status"] == "failed"
    assert "'id' changed from decimal(38,0) to double; set it in `types`" in run["error"]["detail"]
    assert [row["id"] for row in rows(stock, "datasources/stock")] == [str(LONG), str(LONG + 1)]


def test_a_number_and_its_text_stay_two_keys(stock: Client) -> None:
    pushed(stock, "stock", [{"id": 7, "v": "number"}, {"id": "7", "v": "text"}])
    pushed(stock, "stock", [{"id": "x", "v": "x"}])
    pushed(stock, "stock", [{"id": 8, "v": "eight"}])
    pushed(stock, "stock", [{"id": 7.0, "v": "number again"}, {"id": "x", "v": "x again"}])
    found = {repr(row["id"]): row["v"] for row in rows(stock, "datasources/stock")}
    assert found == {"7.0": "number again", "'7'": "text", "8": "eight", "'x'": "x again"}


def test_a_number_and_its_text_are_two_keys_in_two_batches(stock: Client) -> None:
    pushed(stock, "stock", [{"id": 7, "v": 1}])
    pushed(stock, "stock", [{"id": "7", "v": 2}])
    pushed(stock, "stock", [{"id": 7, "v": 3}])
    assert [(row["id"], row["v"]) for row in rows(stock, "datasources/stock")] == [("7", 2), (7, 3)]


def test_keys_of_csv_are_text_whatever_their_type(services: Container, admin: Client) -> None:
    admin.post("/datasources", {"name": "notes", "kind": "file", "primary_key": ["id"], "write_disposition": "upsert"})
    drop(services, "notes/a.csv", b"id,v\n7,a\n8,b\n")
    drop(services, "notes/b.csv", b"id,v\nx,c\n7,d\n")
    assert [tuple(row.values()) for row in rows(admin, "datasources/notes")] == [("7", "d"), ("8", "b"), ("x", "c")]


def test_a_declared_type_joins_a_number_and_its_text_or_is_refused(stock: Client) -> None:
    pushed(stock, "stock", [{"id": 7, "v": 1}])
    stock.patch("/datasources/stock", {"types": {"id": "string"}})
    pushed(stock, "stock", [{"id": "7", "v": 2}])
    assert rows(stock, "datasources/stock") == [{"id": "7", "v": 2}]
    stock.patch("/datasources/stock", {"types": {"id": None}})
    run = pushed(stock, "stock", [{"id": 7, "v": 3}, {"id": "7", "v": 4}])
    assert "'id' changed from string to json" in run["error"]["detail"]


RULES: dict[str, tuple[Any, Any]] = {
    "priority": (str(LONG), "0.5"),
    "first_non_null": (str(LONG), "0.5"),
    "max": (str(LONG), "1e+22"),
    "min": ("1e+22", "0.5"),
    "sum": (str(LONG + 10**22), "10000000000000000000000.5"),
    "all": ([str(LONG), 1e22], [0.5, 1e22]),
}


def test_decimals_beside_doubles_keep_their_digits_under_every_rule(admin: Client, upstream: Upstream) -> None:
    def record(key: int, number: Any) -> str:
        return json.dumps({"id": key, **dict.fromkeys(RULES, number)})

    texts = [f"[{record(1, LONG)}]", f"[{record(2, 0.5)}]", f"[{record(1, 1e22)}, {record(2, 1e22)}]"]
    merge = {**JOIN, "fields": {name: {"rule": name} for name in RULES}}
    run = merged(admin, upstream, merge, *texts, s0={"types": dict.fromkeys(RULES, "decimal(38,0)")})
    assert run["status"] == "succeeded", run
    first, second = rows(admin, "projects/p")
    assert {name: (first[name], second[name]) for name in RULES} == RULES


def test_majority_and_newest_compare_large_numbers_with_doubles(admin: Client, upstream: Upstream) -> None:
    fields = {"v": {"rule": "newest", "by": "at"}, "n": {"rule": "majority"}, "mean": {"rule": "mean"}}
    texts = [
        '[{"id": 1, "v": "a", "at": 9007199254740993, "n": 9007199254740993, "mean": 9007199254740993}]',
        '[{"id": 1, "v": "b", "at": 9007199254740992.0, "n": 4.0, "mean": 1.5}]',
        '[{"id": 1, "v": "c", "at": 9007199254740994, "n": 4, "mean": 2}]',
    ]
    merged(admin, upstream, {**JOIN, "fields": fields}, *texts)
    row = rows(admin, "projects/p")[0]
    assert (row["v"], row["n"]) == ("c", "4.0")
    assert row["mean"] == pytest.approx(3002399751580332.0)


@pytest.mark.parametrize("more", [{}, {"key": ["id"]}], ids=["rows", "keys"])
def test_a_union_keeps_every_digit(admin: Client, upstream: Upstream, more: dict[str, Any]) -> None:
    texts = [f'[{{"id": 1, "v": {LONG}}}]', '[{"id": 2, "v": 0.1}]', '[{"id": 3, "v": 7}]']
    run = merged(admin, upstream, {"strategy": "union", **more}, *texts, s0=DECIMAL)
    assert [row["v"] for row in rows(admin, "projects/p")] == [str(LONG), "0.1", "7"]
    assert any(
        said.startswith("v: no numeric type holds every digit of bigint and decimal(38,0) and double")
        for said in run["warnings"]
    )


def test_short_decimals_and_whole_numbers_meet_doubles_as_doubles(admin: Client, upstream: Upstream) -> None:
    texts = ['[{"id": 1, "v": "12.50", "w": 3}]', '[{"id": 2, "v": 0.1, "w": 0.5}]']
    merged(admin, upstream, JOIN, *texts, s0={"types": {"v": "decimal(15,2)"}})
    assert [(row["v"], row["w"]) for row in rows(admin, "projects/p")] == [(12.5, 3.0), (0.1, 0.5)]


def test_appended_decimals_and_doubles_keep_their_digits(admin: Client) -> None:
    admin.post("/datasources", {"name": "log", "kind": "push"})
    for value in (LONG, 0.5, 9007199254740993):
        pushed(admin, "log", [{"v": value}])
    assert [row["v"] for row in rows(admin, "datasources/log")] == [str(LONG), "0.5", "9007199254740993"]


def test_a_computed_or_cast_number_is_as_wide_as_its_values(admin: Client, upstream: Upstream) -> None:
    merge = {**JOIN, "sources": {"s0": {"compute": {"v": "v + 1", "w": "w + 1"}, "cast": {"t": "bigint"}}}}
    texts = [
        '[{"id": 1, "v": 9007199254740992, "w": 1, "t": "9007199254740993"}]',
        '[{"id": 2, "v": 0.5, "w": 0.5, "t": 0.5}]',
    ]
    merged(admin, upstream, merge, *texts)
    found = [tuple(row[name] for name in "vwt") for row in rows(admin, "projects/p")]
    assert found == [("9007199254740993", 2.0, "9007199254740993"), ("0.5", 0.5, "0.5")]


def test_an_expression_that_loses_digits_is_told(admin: Client, upstream: Upstream) -> None:
    compute = {"x": "coalesce(v, 0.5::DOUBLE)", "y": "v + 0.5", "z": "v / 2"}
    merge = {**JOIN, "sources": {"s0": {"compute": compute}}, "result": {"compute": {"r": "v / 2"}}}
    run = merged(admin, upstream, merge, '[{"id": 1, "v": 9007199254740993}, {"id": 2, "v": 1}]')
    said = [one for one in run["warnings"] if "the result is a double" in one]
    assert [one.partition(":")[0] for one in said] == ["merge.sources.s0.compute.z", "merge.result.compute.r"]
    assert all("1 row has more digits in v" in one for one in said)
    assert rows(admin, "projects/p")[0]["y"] == "9007199254740993.5"


def test_a_cast_from_a_double_takes_its_shortest_text(admin: Client, upstream: Upstream) -> None:
    merge = {**JOIN, "result": {"cast": {"v": "decimal(38,20)", "w": "decimal(10,2)"}}}
    merged(admin, upstream, merge, '[{"id": 1, "v": 1.1e15, "w": 1.005}]')
    row = rows(admin, "projects/p")[0]
    assert (row["v"], row["w"]) == ("1100000000000000.00000000000000000000", "1.01")


def test_a_diff_sees_the_last_digit(admin: Client, upstream: Upstream) -> None:
    page = '[{{"id": 1, "v": {}, "w": {}, "j": [0.1234567890123456789{}]}}]'
    for numbers in ((LONG, 1, 1), ("1e22", 1.0, 1), ("1e22", 2, 2)):
        merged(admin, upstream, JOIN, page.format(*numbers), s0={"types": {"j": "json"}})
    assert [row["v"] for row in rows(admin, "projects/p")] == [1e22]
    first = admin.get("/projects/p/diff?from=1&to=2").json()["items"][0]
    assert first["fields"]["v"] == [str(LONG), 1e22]
    assert "w" not in first["fields"], "1 and 1.0 are one number"
    assert admin.get("/projects/p/diff?from=2&to=3").json()["items"][0]["fields"]["w"] == [1.0, 2]


def test_a_condition_is_exact(stock: Client) -> None:
    pushed(stock, "stock", [{"id": 1, "v": 9007199254740992.0}, {"id": 2, "v": 0.1}, {"id": 3, "v": 48.0538086}])

    def met(condition: str) -> list[int]:
        return [row["id"] for row in stock.get(f"/datasources/stock/data?where=v.{condition}").json()["items"]]

    assert met("eq:9007199254740992") == met("in:9007199254740993,9007199254740992") == [1]
    assert met("eq:9007199254740993") == met("ge:9007199254740993") == met("in:9007199254740993") == []
    assert met("lt:9007199254740993") == met("ne:9007199254740993") == [1, 2, 3]
    assert met("gt:9007199254740991.5") == [1]
    assert met("eq:0.1") == met("eq:0.10") == [2]
    assert met("gt:0.09999999999999999999") == [1, 2, 3]
    assert met("gt:0.10000000000000000001") == [1, 3]
    assert met("eq:48.053808600000004") == [3], "a double prints these digits, too"


def test_a_parameter_keeps_its_digits_or_is_refused(admin: Client, upstream: Upstream) -> None:
    merged(admin, upstream, JOIN, '[{"id": 1, "v": 9007199254740992}]')
    endpoint = {"sql": "SELECT id FROM merged WHERE v = $n", "parameters": {"n": {"type": "number"}}}
    assert admin.put("/projects/p/endpoints/e", endpoint).status == 201
    assert len(admin.get("/endpoints/p/e?n=9007199254740992").json()["items"]) == 1
    answer = admin.get("/endpoints/p/e?n=9007199254740993")
    assert (answer.status, "more digits" in answer.text) == (422, True)
    for number in ("10000000000000000000001", "0.12345678901234567890"):
        query = f'{{"sql": "SELECT $n AS n", "parameters": {{"n": {number}}}}}'
        answer = admin.post("/projects/p/query", query)
        assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/parameters/n"), answer.text
    exact = {"sql": "SELECT $n AS n", "parameters": {"n": 9007199254740993}}
    assert admin.post("/projects/p/query", exact).json()["items"] == [{"n": 9007199254740993}]


def test_an_override_that_a_double_cannot_hold_is_refused(admin: Client, upstream: Upstream) -> None:
    merged(admin, upstream, JOIN, '[{"id": 1, "v": 0.5}]')
    for value in ("9007199254740993", '"NaN"'):
        answer = admin.put("/projects/p/overrides/v?key=1", f'{{"value": {value}, "reason": "r"}}')
        assert answer.status == 422, answer.text


@pytest.fixture
def measured(services: Container, admin: Client, tmp_path: Path) -> Client:
    """A project of one datasource with NaN, an infinity, null and two numbers."""
    file = tmp_path / "m.parquet"
    values = "VALUES (1, 'nan'::DOUBLE), (2, 'infinity'), (3, NULL), (4, 2.5), (5, -1)"
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT * FROM ({values}) t(id, v)) TO '{file}' (FORMAT parquet)")
    admin.put("/datasources/m", {"name": "m", "kind": "file", "types": {"v": "double"}})
    drop(services, "m/m.parquet", file.read_bytes())
    drop(services, "m/m.csv", b"id,v\n1,NaN\n2,Infinity\n3,\n4,2.5\n5,-1\n")
    admin.put("/projects/p", {"name": "p", "merge": JOIN, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/m", {})
    assert refresh(admin, "p")["status"] == "succeeded"
    return admin


@pytest.mark.parametrize("path", ["datasources/m", "projects/p"])
def test_what_is_no_number_is_null_in_every_answer(measured: Client, path: str) -> None:
    def ids(query: str) -> list[int]:
        return [row["id"] for row in measured.get(f"/{path}/data?{query}").json()["items"]]

    assert ids("where=v.null:true") == [1, 2, 3]
    assert ids("where=v.null:false") == [4, 5]
    assert ids("where=v.gt:0") == [4]
    assert ids("order=v") == [5, 4, 1, 2, 3]
    assert ids("order=-v") == [4, 5, 1, 2, 3]
    assert ids("where=v.ne:2.5") == [1, 2, 3, 5]
    assert measured.get(f"/{path}/data?format=csv&select=v&order=id").text == 'v\r\n""\r\n""\r\n""\r\n2.5\r\n-1.0\r\n'
    answer = measured.post("/projects/p/query", {"sql": "SELECT count(v) AS n, max(v) AS most FROM merged"})
    assert answer.json()["items"] == [{"n": 2, "most": 2.5}]


def test_what_is_no_number_is_no_key(services: Container, admin: Client) -> None:
    about = {"primary_key": ["id"], "write_disposition": "upsert", "types": {"id": "double"}}
    admin.post("/datasources", {"name": "notes", "kind": "file", **about})
    run = drop(services, "notes/a.csv", b"id,v\nNaN,a\n1.5,b\n")
    assert run is not None
    assert "id: 1 record has no value in this column of the primary key; left out" in run["warnings"]
    assert rows(admin, "datasources/notes") == [{"id": 1.5, "v": "b"}]


def test_what_is_no_number_does_not_compete(admin: Client, upstream: Upstream) -> None:
    fields = {"a": {"rule": "first_non_null"}, "b": {"rule": "max"}, "c": {"rule": "sum"}}
    texts = ['[{"id": 1, "a": "NaN", "b": "Infinity", "c": 1e308}]', '[{"id": 1, "a": 2.5, "b": 2.5, "c": 1e308}]']
    types = {"types": dict.fromkeys("abc", "double")}
    merged(admin, upstream, {**JOIN, "fields": fields}, *texts, s0=types, s1=types)
    assert rows(admin, "projects/p") == [{"id": 1, "a": 2.5, "b": 2.5, "c": None}]
    assert len(admin.get("/projects/p/data?where=c.null:true").json()["items"]) == 1


def test_from_no_number_to_null_is_no_change(admin: Client, upstream: Upstream) -> None:
    for value in ('"NaN"', '"Infinity"', "null"):
        merged(admin, upstream, JOIN, f'[{{"id": 1, "v": {value}}}]', s0={"types": {"v": "double"}})
    assert set(admin.get("/projects/p/diff?from=1&to=3").json()["counts"].values()) == {0}


def test_what_a_query_makes_is_a_number_or_null(measured: Client) -> None:
    sql = "SELECT id, v / 0 AS w FROM merged"
    measured.put("/projects/p/models/m1", {"sql": sql})
    measured.put("/projects/p/endpoints/e", {"sql": sql})
    refresh(measured, "p")
    assert len(measured.get("/projects/p/models/m1/data?where=w.null:true").json()["items"]) == 5
    assert {row["w"] for row in measured.get("/endpoints/p/e").json()["items"]} == {None}


def test_json_keys_meet_by_their_value(admin: Client, upstream: Upstream) -> None:
    texts = [
        '[{"id": 1, "v": "one"}, {"id": {"a": 1, "b": 2.50}, "v": "object"}, {"id": "\\u00e9", "v": "e"}]',
        '[{"id": 1.0, "w": "one"}, {"id": {"b": 2.5, "a": 1.0}, "w": "object"}, {"id": "é", "w": "e"}]',
    ]
    types = {"types": {"id": "json"}, "fields": {name: name for name in ("id", "v", "w")}}
    merged(admin, upstream, {**JOIN, "default_rule": "first_non_null"}, *texts, s0=types, s1=types)
    found = {row["v"]: (row["id"], row["w"]) for row in rows(admin, "projects/p")}
    assert found == {"one": (1, "one"), "object": ({"a": 1, "b": 2.5}, "object"), "e": ("é", "e")}
    for key in ('{"b":2.5,"a":1}', "1.0", '"é"', "é"):
        assert admin.call("GET", f"/projects/p/explain?key={key}").status == 200, key


def test_json_keys_meet_texts_and_doubles_by_their_number(admin: Client, upstream: Upstream) -> None:
    texts = ['[{"id": 1.0, "v": 1}, {"id": "x", "v": 2}]', '[{"id": 1.0, "w": 1}, {"id": 2.5, "w": 2}]']
    merged(admin, upstream, JOIN, *texts)
    assert rows(admin, "projects/p") == [
        {"id": "1", "v": 1, "w": 1},
        {"id": "2.5", "v": None, "w": 2},
        {"id": "x", "v": 2, "w": None},
    ]


def test_digits_within_json_are_kept_wherever_they_go(admin: Client, upstream: Upstream) -> None:
    text = '[{"id": 1, "v": "[0.12345678901234567890123]"}]'
    cast = {"cast": {"v": "json"}}
    merge = {**JOIN, "fields": {"v": {"rule": "union"}}, "sources": {"s0": cast, "s1": cast}}
    merged(admin, upstream, merge, text, text)
    admin.put("/projects/p/endpoints/e", {"sql": "SELECT v FROM merged"})
    for path in ("/projects/p/data", "/endpoints/p/e?format=csv", "/projects/p/records?key=1"):
        assert "0.12345678901234567890123" in admin.get(path).text, path
