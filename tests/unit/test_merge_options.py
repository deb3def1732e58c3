"""What a merge can do besides its rules: keys, reshaping, joins, names of any kind."""

from typing import Any

import pytest

from support.client import Client
from support.documents import JOIN, Documents, http_source, project, refresh, rows


def test_keys_match_after_normalizing_and_renaming(admin: Client, documents: Documents) -> None:
    documents |= {
        "a": [{"id": " Straße ", "v": 1}, {"id": "ＡＢ", "v": 2}],
        "b": [{"code": "STRASSE", "w": 3}, {"code": "ab", "w": 4}],
    }
    merge = JOIN | {"sources": {"b": {"rename": {"code": "id"}}}, "normalizers": {"id": ["trim", "nfkc", "case_fold"]}}
    project(admin, documents, merge)
    assert rows(admin, "projects/p") == [{"id": "ab", "v": 2, "w": 4}, {"id": "strasse", "v": 1, "w": 3}]
    response = admin.get("/projects/p/records?key=%20STRASSE")
    assert (response.json(), response.headers["X-Sluice-Version"]) == ({"id": "strasse", "v": 1, "w": 3}, "1")
    fields = admin.get("/projects/p/explain?key=strasse").json()["fields"]
    assert [(winner["datasource"], winner["value"], winner["pointer"]) for winner in fields["id"]["winners"]] == [
        ("a", " Straße ", "/0/id"),
        ("b", "STRASSE", "/0/code"),
    ]
    assert fields["id"]["expression"] == "trim, nfkc, case_fold"


def test_a_key_of_several_columns(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"x": 1, "y": "b", "v": 1}], "b": [{"x": 1, "y": "b", "w": 2}, {"x": 1, "y": "c", "w": 3}]}
    project(admin, documents, {"strategy": "join", "key": ["x", "y"]})
    assert admin.get("/projects/p/records?key=1&key=b").json() == {"x": 1, "y": "b", "v": 1, "w": 2}
    assert admin.get("/projects/p/records?key=1").status == 422
    assert admin.get("/projects/p/records?key=x&key=b").status == 422
    assert admin.get("/projects/p/records?key=2&key=b").status == 404


@pytest.mark.parametrize(
    ("join", "expected"),
    [
        ({}, [1, 2, 3]),
        ({"join": "full"}, [1, 2, 3]),
        ({"join": "left"}, [1, 2]),
        ({"join": "left", "primary": "b"}, [2, 3]),
        ({"join": "inner"}, [2]),
    ],
    ids=str,
)
def test_joins(admin: Client, documents: Documents, join: dict[str, Any], expected: list[int]) -> None:
    documents |= {"a": [{"id": 1, "v": 1}, {"id": 2, "v": 2}], "b": [{"id": 2, "w": 2}, {"id": 3, "w": 3}]}
    project(admin, documents, JOIN | join)
    assert [row["id"] for row in rows(admin, "projects/p")] == expected


@pytest.mark.parametrize(("join", "expected"), [("left", 1), ("inner", 0), ("full", 1)])
def test_joins_with_a_source_without_records(admin: Client, documents: Documents, join: str, expected: int) -> None:
    documents |= {"a": [{"id": 1}], "b": []}
    project(admin, documents, JOIN | {"join": join})
    assert len(rows(admin, "projects/p")) == expected


def test_a_left_join_needs_its_primary(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1}]}
    run = project(admin, documents, JOIN | {"join": "left", "primary": "other"})
    assert "'other'" in run["error"]["detail"]


def test_rows_are_reshaped_before_and_after(admin: Client, documents: Documents) -> None:
    documents |= {
        "a": [
            {"id": 1, "price": "1,50", "old": True},
            {"id": 2, "price": "2,25", "old": False},
            {"id": 3, "price": None},
        ],
        "b": [{"id": 1, "n": 3}, {"id": 2, "n": 4}],
    }
    merge = JOIN | {
        "sources": {
            "a": {
                "rename": {"price": "text"},
                "compute": {"price": "replace(text, ',', '.')::decimal(10,2)"},
                "where": "price IS NOT NULL",
            }
        },
        "result": {
            "rename": {"n": "pieces"},
            "cast": {"pieces": "double"},
            "compute": {"total": "price * pieces", "cheap": "price < 2"},
            "where": "NOT coalesce(old, false) OR total > 4",
        },
    }
    project(admin, documents, merge)
    assert rows(admin, "projects/p") == [
        {"id": 1, "old": True, "text": "1,50", "price": "1.50", "pieces": 3.0, "total": 4.5, "cheap": True},
        {"id": 2, "old": False, "text": "2,25", "price": "2.25", "pieces": 4.0, "total": 9.0, "cheap": False},
    ]
    fields = admin.get("/projects/p/explain?key=2").json()["fields"]
    assert set(fields) == {"id", "old", "text", "price", "pieces", "total", "cheap"}
    assert fields["price"]["winners"][0] | {"page": None} == {
        "value": "2.25",
        "datasource": "a",
        "version": 1,
        "page": None,
        "pointer": "/1",
        "exact": False,
        "expression": "replace(text, ',', '.')::decimal(10,2)",
    }
    assert (fields["pieces"]["winners"][0]["pointer"], fields["pieces"]["expression"]) == ("/1/n", "CAST(n AS double)")
    assert (fields["total"]["rule"], fields["total"]["expression"]) == ("compute", "price * pieces")
    assert [winner["datasource"] for winner in fields["total"]["winners"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("reshape", "message", "place"),
    [
        ({"rename": {"nothing": "x"}}, "'nothing'", "rename/nothing"),
        ({"rename": {"v": "id"}}, "two columns 'id'", "rename"),
        ({"cast": {"nothing": "double"}}, "'nothing'", "cast/nothing"),
        ({"compute": {"x": "nothing + 1"}}, "'nothing'", "compute/x"),
        ({"compute": {"x": "v + date_trunc('day', v)"}}, "does not fit", "compute/x"),
        ({"compute": {"x": "_page"}}, "'_page'", "compute/x"),
        ({"where": "nothing"}, "'nothing'", "where"),
        ({"where": "v"}, "cannot be converted", None),
        ({"cast": {"v": "date"}}, "cannot be converted", None),
    ],
    ids=str,
)
def test_reshape_that_does_not_fit_the_columns_fails_the_run(
    admin: Client, documents: Documents, reshape: dict[str, Any], message: str, place: str | None
) -> None:
    documents |= {"a": [{"id": 1, "v": "x"}]}
    run = project(admin, documents, JOIN | {"sources": {"a": reshape}})
    assert run["status"] == "failed"
    assert message in run["error"]["detail"]
    faults = [fault["pointer"] for fault in run["error"].get("errors", [])]
    assert faults == ([f"/merge/sources/a/{place}"] if place else [])


ATTACKS = [
    "(SELECT 1)",
    "1; DROP TABLE merged",
    "read_text('/etc/passwd')",
    "(SELECT content FROM read_text('/etc/passwd'))",
    "getenv('AWS_SECRET_ACCESS_KEY')",
    "current_setting('memory_limit')",
    "EXISTS (SELECT 1)",
    "v IN (SELECT 1)",
    "random()",
    "uuid()",
    "now()",
    "current_timestamp",
    "today()",
    "count(*)",
    "sum(v) OVER ()",
    "nextval('s')",
    "v FROM merged",
    "v, 1",
    "*",
    "COLUMNS('.*')",
    "merged.v",
    "$v",
    "list_transform([1], x -> x)",
    "unnest([1])",
    "query('SELECT 1')",
    "v --\n, (SELECT 1)",
    "1 UNION SELECT 2",
    "[x FOR x IN [1]]",
    "v COLLATE nocase",
    "a(",
    "",
    "(" * 2000 + "1" + ")" * 2000,
]


@pytest.mark.parametrize("place", ["compute", "where"])
def test_expression_can_only_read_the_columns_of_the_row(admin: Client, place: str) -> None:
    for expression in ATTACKS:
        reshape: dict[str, Any] = {"where": expression} if place == "where" else {"compute": {"x": expression}}
        answer = admin.post("/projects", {"name": "p", "merge": JOIN | {"result": reshape}})
        assert answer.status == 422, expression
        assert answer.json()["errors"][0]["pointer"].startswith(f"/merge/result/{place}")


@pytest.mark.parametrize(
    "merge",
    [
        JOIN | {"normalizers": {"v": ["trim"]}},
        JOIN | {"normalizers": {"id": ["lower"]}},
        JOIN | {"join": "cross"},
        JOIN | {"primary": "a"},
        JOIN | {"result": {"cast": {"id": "string"}}},
        JOIN | {"result": {"compute": {"id": "1"}}},
        JOIN | {"sources": {"a": {"rename": {"x": "y", "z": "Y"}}}},
        {"strategy": "union", "key": ["a", "a"]},
    ],
    ids=str,
)
def test_invalid_merge_is_refused(admin: Client, merge: dict[str, Any]) -> None:
    assert admin.post("/projects", {"name": "p", "merge": merge}).status == 422


def test_a_union_by_key_is_explained(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": None}], "b": [{"id": 1, "v": 2, "w": 3}, {"id": 2, "v": 4, "w": 5}]}
    project(admin, documents, {"strategy": "union", "key": ["id"]})
    assert rows(admin, "projects/p") == [
        {"_source": "a", "id": 1, "v": None, "w": None},
        {"_source": "b", "id": 2, "v": 4, "w": 5},
    ]
    fields = admin.get("/projects/p/explain?key=1").json()["fields"]
    assert ([winner["datasource"] for winner in fields["v"]["winners"]], fields["v"]["rule"]) == (["a"], "record")
    assert [loser["value"] for loser in fields["v"]["losers"]] == [2]
    assert (fields["w"]["value"], fields["w"]["winners"]) == (None, [])
    assert fields["_source"]["value"] == "a"


NAMES = ["_AT", "rowid", "row_0", "winner_0", "place", "made", "raw", "change", "old v", "k0", "merged"]


def test_columns_of_any_name_are_merged_and_explained(admin: Client, documents: Documents) -> None:
    sevens, eights, nones = (dict.fromkeys(NAMES, value) for value in (7, 8, None))
    first = [{"id": " é", "v": [1], **sevens}, {"id": "b", "v": [2], **nones}, {"id": "c", "v": None}]
    documents |= {"a": first, "b": [{"id": "é", "v": [3], **eights}, {"id": "b", "v": [4]}]}
    merge = JOIN | {
        "fields": {"v": {"rule": "union"}},
        "normalizers": {"id": ["trim"]},
        "result": {"compute": {"w": "1"}, "where": "id IS NOT NULL"},
    }
    run = project(admin, documents, merge)
    assert run["status"] == "succeeded", run["error"]
    found = {row["id"]: row for row in rows(admin, "projects/p")}
    assert {key: (row["v"], {row[name] for name in NAMES}) for key, row in found.items()} == {
        "é": ([1, 3], {7}),
        "b": ([2, 4], {None}),
        "c": (None, {None}),
    }
    fields = admin.get("/projects/p/explain?key=b").json()["fields"]
    assert all(
        (fields[name]["value"], [winner["datasource"] for winner in fields[name]["winners"]]) == (None, ["a"])
        for name in NAMES
    )
    assert admin.put("/projects/p/overrides/v?key=b", {"value": [5], "reason": "x"}).status == 201
    assert refresh(admin, "p", ingest="none")["status"] == "succeeded"
    found = {row["id"]: row for row in rows(admin, "projects/p")}
    assert found["b"]["v"] == [5]
    assert {found["é"][name] for name in NAMES} == {7}
    assert admin.get("/projects/p/diff").json()["items"] == [
        {"key": ["b"], "change": "changed", "fields": {"v": [[2, 4], [5]]}}
    ]


@pytest.mark.parametrize("name", ["change", "old v", "rowid", "made"])
def test_keys_of_any_name(admin: Client, documents: Documents, name: str) -> None:
    for value in (1, 2):
        documents["a"] = [{name: "x", "v": value}]
        project(admin, documents, {"strategy": "join", "key": [name]})
    assert admin.get("/projects/p/diff").json()["items"] == [
        {"key": ["x"], "change": "changed", "fields": {"v": [1, 2]}}
    ]
    assert admin.get("/projects/p/records?key=x").json() == {name: "x", "v": 2}


def test_lists_lose_no_digits(admin: Client, documents: Documents) -> None:
    record = {"id": 1, "d": "12345678901234567.89", "t": "2026-02-01T01:00:00.500Z", "day": "2026-02-01"}
    documents |= {"a": [record]}
    types = {"d": "decimal(38,2)", "t": "timestamp", "day": "date"}
    admin.put("/datasources/a", http_source("a", types=types))
    admin.put("/projects/p", {"name": "p", "merge": JOIN | {"default_rule": "all"}, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/a", {})
    refresh(admin, "p")
    assert rows(admin, "projects/p") == [
        {"id": 1, "d": ["12345678901234567.89"], "t": ["2026-02-01T01:00:00.5Z"], "day": ["2026-02-01"]}
    ]


@pytest.mark.parametrize(
    "merge", [JOIN | {"sources": {"nope": {"where": "v = 1"}}}, JOIN | {"join": "left", "primary": "nope"}]
)
def test_error_names_a_datasource_that_is_not_in_the_project(
    admin: Client, documents: Documents, merge: dict[str, Any]
) -> None:
    documents |= {"a": [{"id": 1, "v": 1}]}
    assert "'nope', which is not a datasource of the project" in project(admin, documents, merge)["error"]["detail"]
    assert admin.post("/projects/p/merge/preview", {"merge": merge}).status == 422


def test_record_is_found_by_a_json_key(admin: Client, documents: Documents) -> None:
    documents |= {"a": [{"id": 1, "v": 1}, {"id": "x", "v": 2}, {"id": "1", "v": 4}]}
    project(admin, documents, JOIN)
    for key, value in (("1", 1), ("x", 2), ('"1"', 4)):
        answer = admin.get(f"/projects/p/records?key={key}")
        assert answer.json().get("v") == value, answer.text


@pytest.mark.parametrize(
    "expression",
    [
        "repeat('x', 2000000000)",
        "lpad(v, 2000000000, 'y')",
        "printf('%2000000000d', 1)",
        "replace(" * 8 + "v" + ", 'a', 'aaaaaaaaaa')" * 8,
        "regexp_replace(replace(v, 'a', v), 'b', v, 'g')",
    ],
)
def test_expressions_cannot_fill_the_memory(admin: Client, expression: str) -> None:
    merge = JOIN | {"result": {"compute": {"x": expression}}}
    assert admin.post("/projects", {"name": "p", "merge": merge}).status == 422


@pytest.mark.parametrize("function", ["epoch(t)", "make_date(1, 2, 3)", "json_type(j)", "isnan(x)", "lpad(v, 5, '0')"])
def test_expressions_may_use_plain_functions(admin: Client, function: str) -> None:
    merge = JOIN | {"result": {"compute": {"x": function}}}
    assert admin.post("/projects", {"name": "p", "merge": merge}).status == 201


@pytest.mark.parametrize(
    ("merge", "pointer"), [(JOIN | {"join": "outer"}, "/merge/join"), (JOIN | {"primary": "a"}, "/merge")]
)
def test_pointers_do_not_name_the_strategy(admin: Client, merge: dict[str, Any], pointer: str) -> None:
    answer = admin.post("/projects", {"name": "p", "merge": merge}).json()
    assert [error["pointer"] for error in answer["errors"]] == [pointer]
