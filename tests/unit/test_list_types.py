"""JSON columns that hold lists are lists of a type in Parquet and Arrow; all others are texts."""

from __future__ import annotations

import io
import json
from typing import Any

import duckdb
import pyarrow.ipc
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.container import Container
from sluice.reads.list_types import element_type, list_cell
from support.client import Client, Reply
from support.documents import http_source, ingest, refresh
from support.upstream import Upstream

ELEMENTS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
    "bigint": st.integers(-(2**53), 2**53),
    "double": st.floats(-1e9, 1e9, allow_nan=False).filter(lambda value: value != int(value)),
    "boolean": st.booleans(),
}
OTHER = st.sampled_from([[[1]], [{"a": 1}], [2**70], {"a": 1}, "text", 7])


def typed(texts: list[str]) -> tuple[str | None, list[Any]]:
    """The element type of a JSON column with these values, and its cells as the column of a file."""
    with duckdb.connect(config={"threads": 1}) as engine:
        engine.execute("CREATE TABLE t AS SELECT v::JSON AS v FROM (SELECT unnest(?::VARCHAR[]) AS v)", [texts])
        element = element_type(engine, "t", "v")
        cell = list_cell("v", element) if element else "v::VARCHAR"
        return element, [row[0] for row in engine.execute(f"SELECT {cell} FROM t").fetchall()]


def texts_of(values: list[Any]) -> list[str]:
    return [json.dumps(value) for value in values]


@settings(max_examples=20, deadline=None)
@given(st.data(), st.sampled_from(sorted(ELEMENTS)))
def test_lists_of_one_type_keep_their_values(data: st.DataObject, kind: str) -> None:
    lists = st.lists(st.none() | ELEMENTS[kind], min_size=1, max_size=3)
    first = data.draw(st.lists(ELEMENTS[kind], min_size=1, max_size=1))
    values = [first, *data.draw(st.lists(st.none() | lists, max_size=4))]
    assert typed(texts_of(values)) == (kind, values)
    other = data.draw(OTHER)
    element, cells = typed(texts_of([*values, other]))
    assert (element, [json.loads(cell) for cell in cells]) == (None, [*values, other])


@pytest.mark.parametrize(
    ("values", "element"),
    [
        ([[1], [0.5]], "double"),
        ([["a"], [1]], None),
        ([[True], [1]], None),
        ([[2**53 + 1], [0.5]], None),
        ([[], [None], None], "string"),
        ([None, None], None),
        ([], None),
    ],
    ids=str,
)
def test_element_type_of_a_column(values: list[Any], element: str | None) -> None:
    assert typed(texts_of(values))[0] == element


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[NaN, 1]", ("double", [None, 1.0])),
        ("[0.1234567890123456789]", (None, "[0.1234567890123456789]")),
        ('\n [ "a" ]', ("string", ["a"])),
    ],
)
def test_texts_of_the_engine_and_of_upstreams(text: str, expected: tuple[str | None, Any]) -> None:
    element, (cell,) = typed([text])
    assert (element, cell) == expected


RECORDS = [
    {"id": 1, "tags": ["a", "b"], "mixed": ["a", 1], "nested": {"x": [{"y": 1}]}, "prices": [1, 2.5]},
    {"id": 2, "tags": [], "mixed": None, "prices": None},
]


@pytest.fixture
def lists(services: Container, admin: Client, upstream: Upstream) -> Client:
    """A refreshed project of one datasource, with a model."""
    upstream.serve(RECORDS)
    admin.put("/datasources/d", http_source("d"))
    merge = {"strategy": "join", "key": ["id"], "fields": {"tags": {"rule": "union"}}}
    admin.put("/projects/p", {"name": "p", "merge": merge, "refresh_on": "manual"})
    admin.put("/projects/p/datasources/d", {})
    admin.put("/projects/p/models/m", {"sql": "SELECT list(id ORDER BY id) AS ids, {'a': 1} AS struct FROM merged"})
    refresh(admin, "p")
    return admin


def stored(services: Container, moved: Reply) -> tuple[str, bytes]:
    """The key and the content of the file that an answer redirects to."""
    assert moved.status == 303, moved.text
    key = moved.headers["Location"].partition("/lake/")[2].partition("?")[0]
    return key, services.s3.get_object(Bucket="lake", Key=key)["Body"].read()


def test_lists_arrive_as_lists(lists: Client, services: Container) -> None:
    types = {"id": "int64", "tags": "list<element: string>", "mixed": "string", "nested_x": "string"}
    types |= {"prices": "list<element: double>"}
    first = {"id": 1, "tags": ["a", "b"], "mixed": '["a",1]', "nested_x": '[{"y":1}]', "prices": [1.0, 2.5]}
    rows = [first, {"id": 2, "tags": [], "mixed": None, "nested_x": None, "prices": None}]
    _, content = stored(services, lists.get("/projects/p/data?format=parquet"))
    table = pyarrow.parquet.read_table(io.BytesIO(content))
    assert {field.name: str(field.type) for field in table.schema} == types
    assert table.to_pylist() == rows
    # The types are those of the version, whichever of its rows and columns are read.
    _, part = stored(services, lists.get("/projects/p/data?format=parquet&where=id.eq:2&select=tags,prices,mixed"))
    schema = pyarrow.parquet.read_schema(io.BytesIO(part))
    assert {field.name: str(field.type) for field in schema} == {
        name: types[name] for name in ("tags", "prices", "mixed")
    }
    _, content = stored(services, lists.get("/projects/p/data?format=arrow"))
    assert pyarrow.ipc.open_stream(content).read_all().to_pylist() == rows
    _, content = stored(services, lists.get("/projects/p/models/m/data?format=parquet"))
    assert pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist() == [{"ids": [1, 2], "struct": '{"a":1}'}]


def test_equal_requests_share_a_file(lists: Client, services: Container, upstream: Upstream) -> None:
    path = "/projects/p/data?format=parquet"
    key, content = stored(services, lists.get(path))
    services.s3.put_object(Bucket="lake", Key=key, Body=b"stored")
    assert stored(services, lists.get(path)) == (key, b"stored")
    for other in (f"{path}&select=id", f"{path}&where=id.eq:1", f"{path}&limit=1", f"{path}&order=-id"):
        assert stored(services, lists.get(other))[0] != key
    services.settings = services.settings.model_copy(update={"answer_reuse_seconds": 0})
    assert stored(services, lists.get(path)) == (key, content), "the same inputs are the same bytes"
    upstream.serve(RECORDS[:1])
    ingest(lists, "d")
    refresh(lists, "p")
    assert stored(services, lists.get(path))[0] != key
