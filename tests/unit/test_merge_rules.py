"""The rules that choose a field, on the values that they must tell apart."""

from typing import Any

import pytest

from sluice.container import Container
from support.client import Client
from support.documents import http_source, refresh, rows
from support.upstream import Upstream, ok, raw

ABSENT = "(absent)"


def merged(
    services: Container, admin: Client, upstream: Upstream, rule: dict[str, Any], values: list[Any], **more: Any
) -> Any:
    """The value of `v` that a rule chooses among sources, best ranked first."""
    documents = {}
    for rank, value in enumerate(values):
        record = {"id": 1, "w": 0} | ({} if value is ABSENT else {"v": value})
        record |= {name: given[rank] for name, given in more.items() if given[rank] is not ABSENT}
        documents[f"s{rank}"] = [record, {"id": 2, "v": value if value is not ABSENT else None, "w": 0}]
    upstream.answer = lambda request: ok(documents[request.url.host.partition(".")[0]])
    join = {"strategy": "join", "key": ["id"], "fields": {"v": rule}}
    assert admin.put("/projects/p", {"name": "p", "merge": join, "refresh_on": "manual"}).status in (200, 201)
    for rank, name in enumerate(documents):
        admin.put(f"/datasources/{name}", http_source(name))
        admin.put(f"/projects/p/datasources/{name}", {"priority": rank})
    run = refresh(admin, "p")
    if run["status"] == "failed":
        return run["error"]["detail"]
    return rows(admin, "projects/p")[0]["v"]


CASES: list[tuple[str, list[Any], Any]] = [
    ("priority", [1, 2], 1),
    ("priority", [None, 2], None),
    ("priority", [ABSENT, 2], 2),
    ("priority", [0, 2], 0),
    ("priority", ["", "x"], ""),
    ("priority", [False, True], False),
    ("first_non_null", [None, 2], 2),
    ("first_non_null", [None, None], None),
    ("first_non_null", [0, 2], 0),
    ("first_non_null", ["", "x"], ""),
    ("longest", ["a", "bbb", "cc"], "bbb"),
    ("longest", ["aa", "bb"], "aa"),
    ("longest", [None, ""], ""),
    ("majority", [1, 2, 2], 2),
    ("majority", [1, 2], 1),
    ("majority", [None, None, 3], 3),
    ("majority", [False, True, True], True),
    ("min", [3, 1, None], 1),
    ("max", [3, 1, None], 3),
    ("max", ["a", "b"], "b"),
    ("sum", [1, 2, None], 3),
    ("sum", [1, 2.5], 3.5),
    ("sum", [None, None], None),
    ("mean", [1, 2], 1.5),
    ("mean", [1, None], 1.0),
    ("count", [1, None, "x"], 2),
    ("count", [None, None], 0),
    ("union", [[1, 2], [2, 3]], [1, 2, 3]),
    ("union", [[1], [1.0, True]], [1, True]),
    ("union", ["a", "b", "a"], ["a", "b"]),
    ("union", [None, None], None),
    ("all", [1, 2, 1], [1, 2]),
    ("all", [None, "x"], ["x"]),
    ("all", [None, None], None),
]


def test_rules(services: Container, admin: Client, upstream: Upstream) -> None:
    """Each case is a field of its own."""
    documents = {}
    for rank in range(3):
        given = {f"v{place}": values[rank] for place, (_, values, _) in enumerate(CASES) if rank < len(values)}
        record = {"id": 1, **{name: value for name, value in given.items() if value is not ABSENT}}
        other = {"id": 2, **{name: None if value is ABSENT else value for name, value in given.items()}}
        documents[f"s{rank}"] = [record, other]
    upstream.answer = lambda request: ok(documents[request.url.host.partition(".")[0]])
    fields = {f"v{place}": {"rule": rule} for place, (rule, _, _) in enumerate(CASES)}
    join = {"strategy": "join", "key": ["id"], "fields": fields}
    admin.put("/projects/p", {"name": "p", "merge": join, "refresh_on": "manual"})
    for rank, name in enumerate(documents):
        admin.put(f"/datasources/{name}", http_source(name))
        admin.put(f"/projects/p/datasources/{name}", {"priority": rank})
    assert refresh(admin, "p")["status"] == "succeeded"
    record = rows(admin, "projects/p")[0]
    wrong = {
        (rule, str(values)): record[f"v{place}"]
        for place, (rule, values, expected) in enumerate(CASES)
        if repr(record[f"v{place}"]) != repr(expected)
    }
    assert not wrong


def test_union_by_key_keeps_the_best_ranked_of_each(services: Container, admin: Client, upstream: Upstream) -> None:
    values = [[{"k": 1, "v": "a"}], [{"k": 1, "v": "b"}, {"k": 2, "v": "c"}, {"x": 1}]]
    merged_rows = merged(services, admin, upstream, {"rule": "union", "key": "k"}, values)
    assert merged_rows == [{"k": 1, "v": "a"}, {"k": 2, "v": "c"}, {"x": 1}]


@pytest.mark.parametrize(
    ("rule", "at", "values", "expected"),
    [
        ("newest", ["2026-01-01", "2026-01-02"], [1, 2], 2),
        ("newest", ["2026-01-01", "2026-01-02"], [1, None], 1),
        ("oldest", ["2026-01-01", "2026-01-02"], [1, 2], 1),
        ("oldest", [None, "2026-01-02"], [1, 2], 2),
        ("newest", [None, None], [None, 2], 2),
        ("newest", ["2026-01-01", "2026-01-01"], [1, 2], 1),
    ],
)
def test_by_time(
    services: Container, admin: Client, upstream: Upstream, rule: str, at: list[Any], values: list[Any], expected: Any
) -> None:
    assert merged(services, admin, upstream, {"rule": rule, "by": "at"}, values, at=at) == expected


@pytest.mark.parametrize("value", [5, 1.5, "x", True, None])
def test_constant(services: Container, admin: Client, upstream: Upstream, value: Any) -> None:
    assert merged(services, admin, upstream, {"rule": "constant", "value": value}, [1, 2]) == value


@pytest.mark.parametrize("rule", ["sum", "mean"])
def test_text_cannot_be_added_up(services: Container, admin: Client, upstream: Upstream, rule: str) -> None:
    assert "needs numbers" in merged(services, admin, upstream, {"rule": rule}, ["a", "b"])


@pytest.mark.parametrize(
    "rule",
    [
        {"rule": "newest"},
        {"rule": "min", "by": "at"},
        {"rule": "min", "key": "k"},
        {"rule": "min", "value": 1},
        {"rule": "odd"},
    ],
    ids=str,
)
def test_invalid_rules_are_refused(services: Container, admin: Client, rule: dict[str, Any]) -> None:
    join = {"strategy": "join", "key": ["id"], "fields": {"v": rule}}
    assert admin.post("/projects", {"name": "p", "merge": join}).status == 422


def test_key_of_mixed_types_matches_text(services: Container, admin: Client, upstream: Upstream) -> None:
    documents = {"a": [{"id": "x", "v": 1}, {"id": 7, "v": 2}], "b": [{"id": "x", "w": 3}]}
    upstream.answer = lambda request: ok(documents[request.url.host.partition(".")[0]])
    admin.put("/projects/p", {"name": "p", "merge": {"strategy": "join", "key": ["id"]}, "refresh_on": "manual"})
    for name in documents:
        admin.put(f"/datasources/{name}", http_source(name))
        admin.put(f"/projects/p/datasources/{name}", {})
    assert refresh(admin, "p")["status"] == "succeeded"
    assert rows(admin, "projects/p") == [{"id": "7", "v": 2, "w": None}, {"id": "x", "v": 1, "w": 3}]


@pytest.mark.parametrize(
    ("texts", "rank", "value"),
    [
        (['[{"a":3}]', '[{"a":1,"b":2}]', '[{"b":2,"a":1}]'], 1, [{"a": 1, "b": 2}]),
        (["[2]", "[1]", "[1.0]"], 1, [1]),
        (["[2]", "[0.1]", "[0.10]"], 1, [0.1]),
        (["[true]", "[1]", "[1]"], 1, [1]),
        (["[1]", "[2]"], 0, [1]),
        (["null", "[2]", "[2.0]"], 1, [2]),
        (["[9007199254740993]", "[9007199254740992]", "[9007199254740992.0]"], 1, [9007199254740992]),
    ],
)
def test_majority_compares_json_by_value(
    admin: Client, upstream: Upstream, texts: list[str], rank: int, value: Any
) -> None:
    names = "abc"[: len(texts)]
    bodies = {name: f'[{{"id": 1, "v": {text}}}]'.encode() for name, text in zip(names, texts, strict=True)}
    upstream.answer = lambda request: raw(bodies[request.url.host.partition(".")[0]])
    merge = {"strategy": "join", "key": ["id"], "fields": {"v": {"rule": "majority"}}}
    admin.put("/projects/p", {"name": "p", "merge": merge, "refresh_on": "manual"})
    for priority, name in enumerate(names):
        admin.put(f"/datasources/{name}", http_source(name, types={"v": "json"}))
        admin.put(f"/projects/p/datasources/{name}", {"priority": priority})
    assert refresh(admin, "p", ingest="all")["status"] == "succeeded"
    assert rows(admin, "projects/p") == [{"id": 1, "v": value}]
    explanation = admin.get("/projects/p/explain?key=1").json()["fields"]["v"]
    assert [winner["datasource"] for winner in explanation["winners"]] == [names[rank]]
