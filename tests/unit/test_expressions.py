"""JMESPath expressions: functions, the objects around records, the examples of docs/reference/expressions.md."""

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.container import Container
from sluice.domain.base import validate
from sluice.domain.datasource import Datasource
from sluice.domain.expression import (
    MAX_CHARACTERS,
    MAX_PARTS,
    ExpressionFunctions,
    RecordContext,
    search,
    selects_places,
)
from sluice.domain.record_selection import select_records
from sluice.errors import Invalid, UnreadableData
from support.client import Client
from support.documents import http_source, ingest, refresh, rows
from support.extraction import datasource, read
from support.upstream import Upstream, ok

PAGE = Path(__file__).parents[2] / "docs/reference/expressions.md"
ORDERS: dict[str, Any] = {
    "date": "2026-01-31",
    "orders": [
        {"id": 7, "customer": {"name": "Ann"}, "lines": [{"sku": "a", "tags": ["x", "y"]}, {"sku": "b", "tags": []}]},
        {"id": 8, "customer": {"name": "Bo"}, "lines": [{"sku": "a", "tags": ["x"]}]},
    ],
}


def cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def code(cell: str) -> str:
    """The code in a cell, which may begin with it."""
    match = re.match(r"(`+) ?(.+?) ?\1(?!`)", cell)
    assert match, cell
    return match[2].strip()


def examples() -> list[tuple[str, str, str | None, str]]:
    """The rows of the page's tables with examples: function, expression, what it is applied to, result."""
    found = []
    heading: list[str] = []
    for line in PAGE.read_text().splitlines():
        row = cells(line) if line.startswith("|") else []
        heading = heading if row and heading else row
        if "result" in heading and row != heading and not row[0].startswith("---"):
            by_name = dict(zip(heading, row, strict=True))
            applied = code(by_name["applied to"]) if "applied to" in by_name else None
            found.append((by_name.get("function", ""), code(by_name["example"]), applied, code(by_name["result"])))
    return found


@pytest.mark.parametrize(("function", "expression", "applied", "result"), examples(), ids=lambda value: str(value)[:30])
def test_example_of_the_documentation(function: str, expression: str, applied: str | None, result: str) -> None:
    if applied is None:
        page = json.loads(PAGE.read_text().split("```json\n")[1].split("\n```")[0])
        record, context = (select_records("orders[].lines[]", page) or [])[0]
        assert search(expression, record, context) == json.loads(result)
    else:
        assert search(expression, json.loads(applied)) == json.loads(result)


def test_every_function_is_documented() -> None:
    names = {code(function).partition("(")[0] for function, *_ in examples() if function}
    assert names == set(ExpressionFunctions.FUNCTION_TABLE)


TEXTS = st.text(alphabet="aB ß,İ\t-☃1", max_size=12)


@given(TEXTS | st.none(), TEXTS.filter(bool), TEXTS)
@settings(max_examples=150, deadline=None)
def test_functions_for_texts_equal_plain_python(text: str | None, part: str, new: str) -> None:
    document = {"text": text, "part": part, "new": new}
    expected = {
        "lower(text)": text and text.lower(),
        "upper(text)": text and text.upper(),
        "trim(text)": text and text.strip(),
        "split(text, part)": None if text is None else text.split(part),
        "replace(text, part, new)": text and text.replace(part, new),
    }
    assert {expression: search(expression, document) for expression in expected} == expected


@pytest.mark.parametrize(
    ("expression", "document", "message"),
    [
        ("lower(x)", {"x": 5}, "lower()"),
        ("split(x, y)", {"x": "a", "y": ""}, "must not be empty"),
        ("replace(x, y, 'b')", {"x": None, "y": ""}, "must not be empty"),
        ("split(x, y)", {"x": "a", "y": None}, "split()"),
        ("replace(x, 'a', y)", {"x": "a" * 2_000, "y": "b" * 2_000}, f"more than {MAX_CHARACTERS} characters"),
        ("join(y, x)", {"x": ["a"] * 2_000, "y": "b" * 2_000}, f"more than {MAX_CHARACTERS} characters"),
        ("split(x, ',')", {"x": "," * MAX_PARTS}, f"more than {MAX_PARTS} parts"),
    ],
    ids=["type", "separator", "old", "null separator", "long", "long join", "parts"],
)
def test_value_that_a_function_refuses(expression: str, document: Any, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        search(expression, document)


def test_long_text_that_does_not_grow_is_kept() -> None:
    text = "ab" * MAX_CHARACTERS
    assert search("replace(@, 'a', '')", text) == "b" * MAX_CHARACTERS
    assert search("lower(@)", text) == text


WRONG = [
    ("lower()", "takes 1 argument, not 0"),
    ("lower(a, b)", "takes 1 argument, not 2"),
    ("split(a)", "takes 2 arguments, not 1"),
    ("parent(`1`)", "takes 0 arguments, not 1"),
    ("merge()", "takes at least 1 argument, not 0"),
    ("lower(`5`)", "argument 1 of lower() must be of the type string or null"),
    ("split(a, `5`)", "argument 2 of split() must be of the type string"),
    ("split(a, '')", "must not be empty"),
    ('sum(`[1, "x"]`)', "must be of the type array-number"),
    ("sort_by(a, b)", "argument 2 of sort_by() must be of the type expression such as &name"),
    ("abs(&a)", "argument 1 of abs() must be of the type number"),
    ("a.{b: lowercase(c)}", "unknown function lowercase()"),
]


@pytest.mark.parametrize(("expression", "message"), WRONG)
def test_wrong_call_is_refused_when_it_is_written(expression: str, message: str) -> None:
    for pointer, document in (
        ("/fields/x", {"fields": {"id": "id", "x": expression}}),
        ("/records", {"records": expression}),
    ):
        with pytest.raises(Invalid) as refused:
            validate(Datasource, http_source("coins", **document))
        assert [fault["pointer"] for fault in refused.value.errors or []] == [pointer]
        assert message in str(refused.value.errors)


def test_parent_of_what_has_none_is_refused(admin: Client) -> None:
    for records in ("orders[].{sku: sku}", "sort_by(orders[].lines[], &sku)", "[orders, more][]"):
        answer = admin.post("/datasources", http_source("o", records=records, fields={"order": "parent().id"}))
        assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/fields/order"), records
    more = {"type": "page", "page_param": "p", "has_more": "parent().more"}
    answer = admin.post("/datasources", http_source("o", http={"pagination": more}))
    assert (answer.status, answer.json()["errors"][0]["pointer"]) == (422, "/http/pagination/has_more")
    assert admin.post("/datasources", http_source("o", records="parent().x")).status == 422
    rooted = http_source("o", records="orders[].{sku: sku, date: root().date}")
    assert admin.post("/datasources", rooted).status == 201


SELECTIONS = [
    *("@", "a", "a.b", "a[]", "a[].b", "a[].b[]", "a[*].b", "a[*].b[*]", "a[*].b[].a", "a.*", "*.a", "*.*", "a[].*[]"),
    *("a[0]", "a[-1].b", "a[1:]", "a[::-1].b[]", "a[?b]", "a[?b == `1`].a[]", "a[].b | [0]", "a[] | [].b", "[]", "[*]"),
    *("[].a[]", "a || b", "a.x || b[].a", "a[][]", "a[*][*]", "a[*] | [*].b[]", "a[?length(root().a) > `1`]"),
]


def documents(luck: random.Random, depth: int = 4) -> Any:
    kind = luck.choice(["object", "object", "list", "list", "scalar"]) if depth else "scalar"
    if kind == "object":
        return {key: documents(luck, depth - 1) for key in luck.sample("abx", luck.randint(0, 3))}
    if kind == "list":
        return [documents(luck, depth - 1) for _ in range(luck.randint(0, 3))]
    return luck.choice([None, 0, 1, False, True, "", "t"])


@given(st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_records_with_places_are_those_that_jmespath_selects(luck: random.Random) -> None:
    document = documents(luck)
    for expression in SELECTIONS:
        assert selects_places(expression)
        try:
            expected = search(expression, document)
        except ValueError:
            continue
        found = select_records(expression, document)
        if expected is None:
            assert found is None, expression
            continue
        records = expected if isinstance(expected, list) else [expected]
        assert found is not None
        assert repr([record for record, _ in found]) == repr(records), (expression, document)
        for record, context in found:
            value = context.root
            for step in context.path:
                value = value[step]
            assert value == record or isinstance(record, list), "a list may be made by the expression"
            enclosing = [item for path, item in context.enclosing]
            assert all(isinstance(item, dict) for item in enclosing)


FIELDS = {
    "order_id": "parent().id",
    "who": "parent().customer.name",
    "date": "root().date",
    "sku": "upper(sku)",
    "day": "parents()[1].date",
    "none": "parents()[2].date",
    "n": "$position",
}


def test_fields_from_around_the_records() -> None:
    source = datasource(format="json", records="orders[].lines[]", fields=FIELDS)
    bodies = [json.dumps(ORDERS).encode()] * 2
    assert read(bodies, source, by_engine=True) is None, "the engine leaves it to the other way"
    found = read(bodies, source, by_engine=False)
    assert found is not None
    names = [column.name for column in found.columns]
    shared = {"date": "2026-01-31", "day": "2026-01-31", "none": None, "sku": "A"}
    assert [dict(zip(names, row, strict=False)) for row in found.rows][2:4] == [
        shared | {"order_id": 8, "who": "Bo", "n": 3},
        shared | {"order_id": 7, "who": "Ann", "n": 4},
    ]


@pytest.mark.parametrize(
    ("form", "body", "document", "expected"),
    [
        ("json", json.dumps(ORDERS), {"records": "orders[].lines[].tags[]"}, [("x", "a"), ("y", "a"), ("x", "a")]),
        ("json", '[{"v": 1}]', {}, [('{"v":1}', None)]),
        ("jsonl", '{"sku": "r", "v": 1}\n', {}, [('{"sku":"r","v":1}', None)]),
        ("csv", "sku,v\nr,1\n", {}, [('{"sku":"r","v":"1"}', None)]),
        ("jsonl", '{"sku": "r", "v": [1, 2]}\n', {"records": "[].v[]"}, [("1", "r"), ("2", "r")]),
        ("xml", "<o><line><sku>r</sku><v>1</v></line></o>", {"records": "o.line.v[]"}, [("1", "r")]),
    ],
    ids=["scalars", "list", "lines", "csv", "lines with records", "xml"],
)
def test_place_in_each_format(form: str, body: str, document: Any, expected: list[Any]) -> None:
    fields = {"value": "to_string(@)", "sku": "parent().sku", "root": "type(root())"}
    found = read([body.encode()], datasource(format=form, fields=fields, **document), by_engine=False)
    assert found is not None
    assert [(str(row[0]), row[1]) for row in found.rows] == expected


def test_values_around_records_are_explained(admin: Client, editor: Client, upstream: Upstream) -> None:
    upstream.serve(ORDERS)
    fields = {**FIELDS, "first": "parent().lines[0].sku", "tag": "tags[0]"}
    source = http_source("orders", records="orders[].lines[]", fields=fields, primary_key=["order_id", "sku"])
    assert admin.post("/datasources", source).status == 201
    join = {"strategy": "join", "key": ["order_id", "sku"]}
    admin.post("/projects", {"name": "p", "merge": join, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/orders", {})
    assert refresh(admin, "p")["completeness"] == "complete"
    fields_found = editor.get("/projects/p/explain?key=8&key=A").json()["fields"]
    places = {
        name: (field["value"], winner["pointer"], winner["exact"], winner["expression"])
        for name, field in fields_found.items()
        for winner in field["winners"][:1]
    }
    assert places["order_id"] == (8, "/orders/1/id", True, None)
    assert places["who"] == ("Bo", "/orders/1/customer/name", True, None)
    assert places["date"][1:] == ("/date", True, None)
    assert places["day"][1:] == ("/date", True, None)
    assert places["sku"] == ("A", "/orders/1/lines/0", False, "upper(sku)")
    assert places["first"] == ("a", "/orders/1/lines/0", False, "parent().lines[0].sku")
    assert places["tag"] == ("x", "/orders/1/lines/0", False, "tags[0]")


def test_equal_records_of_different_parents_are_no_repetition(admin: Client, upstream: Upstream) -> None:
    upstream.answer = lambda request: ok({"orders": [{"id": request.url.params["p"], "lines": [{"sku": "a"}]}]})
    pages = {"type": "page", "page_param": "p", "size": 1, "size_param": "n", "total_pages": "`2`"}
    fields = {"order_id": "parent().id", "sku": "sku"}
    source = http_source(
        "orders",
        http={"pagination": pages},
        records="orders[].lines[]",
        fields=fields,
        primary_key=["order_id", "sku"],
    )
    assert admin.post("/datasources", source).status == 201
    run = ingest(admin, "orders")
    assert (run["completeness"], run["warnings"]) == ("complete", [])
    assert [row["order_id"] for row in rows(admin, "datasources/orders")] == ["1", "2"]


def test_push_with_fields_from_around_the_records(services: Container, admin: Client) -> None:
    document = {"name": "orders", "kind": "push", "records": "orders[].lines[]", "fields": FIELDS}
    assert admin.post("/datasources", document).status == 201
    answer = admin.post("/datasources/orders/records", ORDERS)
    assert answer.status == 202, answer.text
    assert [row["order_id"] for row in rows(admin, "datasources/orders")] == [7, 7, 8]


def test_error_of_a_function_names_the_record() -> None:
    source = datasource(format="json", fields={"x": "lower(x)"})
    with pytest.raises(UnreadableData, match=r"record 2: the expression 'lower\(x\)' failed"):
        read([b'[{"x": "A"}, {"x": 5}]'], source, by_engine=False)


def test_expressions_without_these_functions_need_no_places() -> None:
    plain = Datasource.model_validate(http_source(fields={"a": "lower(a)", "n": "$position"}))
    assert not plain.reads_context
    assert search("a", {"a": 1}, RecordContext(None)) == 1
