"""What an expression may create, so that a short one cannot make a small document fill the memory."""

import operator
import random
from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.domain import evaluation
from sluice.domain.base import validate
from sluice.domain.datasource import Datasource
from sluice.domain.evaluation import written_size
from sluice.domain.expression import MAX_DEPTH, MAX_LENGTH, search
from sluice.domain.record_selection import select_records
from sluice.errors import Invalid
from support.documents import http_source


@pytest.fixture(autouse=True)
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation, "MAX_CREATED", 20_000)
    monkeypatch.setattr(evaluation, "CREATED_PER_CHARACTER", 50)


ONES = ",".join(["1"] * 100)


@pytest.mark.parametrize(
    ("expression", "document"),
    [
        (f"split(s, ',')[].replace(replace(@, 'a', '{'b' * 20}'), 'b', '{'c' * 90}')", {"s": "a," * 30}),
        (f"`[{ONES}]`[].replace(to_string(@), '1', '{'y' * 999}')", {}),
        ("|".join(["[@, @]"] * 30), [1]),
        ("|".join(["[@, @][]"] * 30), [1]),
        ("|".join(["{a: @, b: @}"] * 30), [1]),
        (f"to_string({'|'.join(['[@, @]'] * 30)})", [1]),
        (f"length(to_string({'|'.join(['[@, @]'] * 30)}))", [1]),
        (f"({'|'.join(['[@, @]'] * 30)}) == ({'|'.join(['[@, @]'] * 30)})", [1]),
        (f"contains({'|'.join(['[@, @]'] * 30)}, {'|'.join(['[@, @]'] * 29)})", [1]),
        (f"length(zip({','.join(['@'] * 100)}))", [1] * 50),
        (f"length([{','.join(['@'] * 100)}][])", [1] * 50),
        ("length(items[].[root().items[]])", {"items": [1] * 200}),
        ("items[].root()", {"items": [1] * 2_000}),
        ("length(map(&items(root()), items))", {"items": [1] * 200, **dict.fromkeys("abcdefgh", 1)}),
        ("items[?join('', root().items[].to_string(@)) == 'x']", {"items": [1] * 200}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_expression_that_creates_too_much_fails(expression: str, document: Any) -> None:
    with pytest.raises(ValueError, match=r"creates more than 20,000 bytes"):
        search(expression, document)


def test_condition_of_records_has_the_same_budget() -> None:
    page = {"items": [1] * 200}
    with pytest.raises(ValueError, match="creates more than"):
        select_records("items[?join('', root().items[].to_string(@)) == 'x']", page)


def test_large_document_allows_more() -> None:
    document = [{"a": number, "b": "x"} for number in range(5_000)]
    expected = [{"x": number, "y": "X"} for number in range(5_000)]
    assert search("[].{x: a, y: upper(b)}", document) == expected


def test_error_quotes_only_the_beginning_of_a_long_expression() -> None:
    with pytest.raises(ValueError, match="failed") as failed:
        search("|".join(["[@, @]"] * 200), [1])
    assert len(str(failed.value)) < 600


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("'" + "x" * MAX_LENGTH + "'", "at most 10,000 characters"),
        ("!" * MAX_DEPTH + "a", "at most 100 levels"),
        ("@|" * 400 + "@", "at most 100 levels"),
        ("a||" * 900 + "a", "at most 100 levels"),
    ],
    ids=["long", "deep", "400 pipes", "900 alternatives"],
)
def test_long_or_deep_expression_is_refused_when_it_is_written(expression: str, message: str) -> None:
    for document in ({"fields": {"x": expression}}, {"records": expression}):
        with pytest.raises(Invalid) as refused:
            validate(Datasource, http_source("coins", **document))
        assert message in str(refused.value.errors)


PARTS = ["a", "b", "a.b", "[0]", "[*]", "[]", "*", "[1:]", "[?a]", "[?a == `1`]", "[a, b]", "{a: b, x: a}", "@"]
PARTS += ["to_string(@)", "type(@)", "to_array(@)", "not_null(a, b)", "!a", "a || b", "a && b", "a < b", "a != b"]


def documents(luck: random.Random, depth: int = 3) -> Any:
    kind = luck.choice(["object", "list", "scalar"]) if depth else "scalar"
    if kind == "object":
        return {key: documents(luck, depth - 1) for key in luck.sample("abx", luck.randint(0, 3))}
    if kind == "list":
        return [documents(luck, depth - 1) for _ in range(luck.randint(0, 3))]
    return luck.choice([None, 0, 1, False, True, "", "t", 2.5])


@given(st.lists(st.sampled_from(PARTS), min_size=1, max_size=4), st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_other_expressions_give_what_jmespath_gives(parts: list[str], luck: random.Random) -> None:
    expression, document = " | ".join(parts), documents(luck)
    try:
        expected = jmespath.search(expression, document)
    except TypeError:  # it orders a number and a text
        search(expression, document)
    else:
        assert repr(search(expression, document)) == repr(expected)


MIXED: list[dict[str, Any]] = [{"n": 1, "a": "x"}, {"n": "b", "a": "y"}, {"n": 2.5, "a": "z"}]


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">="])
def test_a_number_and_a_text_have_no_order(comparator: str) -> None:
    assert search(f"`1` {comparator} 'a'", {}) is None
    assert search(f"'a' {comparator} `1`", {}) is None
    kept = [record["a"] for record, _ in select_records(f"[?n {comparator} `2`]", MIXED) or []]
    assert kept == [row["a"] for row in MIXED if isinstance(row["n"], int | float) and ORDERS[comparator](row["n"], 2)]


ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("min_by(@, &n)", "got both numbers and texts"),
        ("max_by(@, &n)", "got both numbers and texts"),
        ("sort_by(@, &n)", "invalid type"),
        ("[?ceil(to_number('inf')) == `1`]", "infinity"),
        ("ceil(to_number('inf'))", "infinity"),
        ("[?floor(to_number('nan')) == `1`]", "NaN"),
    ],
)
def test_an_evaluation_that_fails_in_any_way_names_its_expression(expression: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as failed:
        select_records(expression, MIXED)
    assert "the expression" in str(failed.value)
    assert expression in str(failed.value)


@given(st.recursive(st.integers() | st.text() | st.none(), lambda inner: st.lists(inner)))
@settings(max_examples=20, deadline=None)
def test_counting_stops_above_the_limit(value: Any) -> None:
    size = written_size(value)
    assert written_size(value, size) == size
    assert written_size(value, size - 1) > size - 1
