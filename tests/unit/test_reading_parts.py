"""Pages that are read in parts give what reading all of them at once gives."""

import json
import os
import random
from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from test_columnar import TEXTS, TYPES, json_document, palette, records

from sluice.domain.run import PageReceipt
from sluice.errors import UnreadableData
from sluice.extract.parallel_reading import split_pages
from support.extraction import Read, datasource, read_in_parts, read_whole

EXAMPLES = settings(
    max_examples=300 if os.environ.get("PROOF") else 12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def require_same(bodies: list[bytes], ends: list[int], **document: Any) -> Read | None:
    """What is read in parts, compared with reading all pages at once; none where the pages are read together."""
    source = datasource(**document)
    found = told(read_in_parts, bodies, source, ends)
    assert found is None or repr(found) == repr(told(read_whole, bodies, source))
    return found if isinstance(found, Read) else None


def told(reading: Callable[..., Read | None], *args: Any) -> Read | str | None:
    """What reading gives, or why it does not."""
    try:
        return reading(*args)
    except UnreadableData as error:
        return f"{type(error).__name__}: {error.detail}"


def ends_of(luck: random.Random, pages: int) -> list[int]:
    """Behind how many pages each part ends."""
    return sorted({pages, *(luck.randint(1, pages) for _ in range(luck.randint(1, 3)))})


@given(st.randoms(use_true_random=False))
@EXAMPLES
def test_json_in_parts(luck: random.Random) -> None:
    document = json_document(luck)
    kinds = palette(luck)
    pages = []
    for _ in range(luck.randint(2, 5)):
        if luck.random() < 0.3:
            kinds = {**kinds, **dict(luck.sample(list(palette(luck).items()), 2))}
        pages.append([record for record in records(luck, kinds) if luck.random() < 0.95])
    lines = document["format"] == "jsonl"
    bodies = ["\n".join(map(json.dumps, page)) if lines else json.dumps(page) for page in pages]
    found = require_same([body.encode() for body in bodies], ends_of(luck, len(pages)), **document)
    event("together" if found is None else "in parts")


@given(st.randoms(use_true_random=False))
@EXAMPLES
def test_csv_in_parts(luck: random.Random) -> None:
    width, mark = luck.randint(2, 4), luck.choice([",", ",", ";"])
    kinds = [[luck.choice(TEXTS) for _ in range(luck.choice([1, 2]))] for _ in range(width)]
    bodies = []
    for _ in range(luck.randint(2, 4)):
        if luck.random() < 0.4:
            kinds[luck.randrange(width)] = [luck.choice(TEXTS)]
        lines = [mark.join(f"c{number}" for number in range(width))]
        lines += [mark.join(luck.choice(kind) for kind in kinds) for _ in range(luck.randint(0, 4))]
        bodies.append("\n".join(lines).encode())
    document: dict[str, Any] = {"format": "csv"}
    if luck.random() < 0.3:
        document["types"] = {luck.choice(["c0", "c1"]): luck.choice(TYPES)}
    if luck.random() < 0.3:
        forms = {"date_format": "%d.%m.%Y"}
        document["csv"] = luck.choice([{"decimal": "."}, {"decimal": ","}, {"null_strings": ["NA", "-"]}, forms])
    if luck.random() < 0.3:
        document["fields"] = luck.choice([{"p": "$position", "r": "$run"}, {"c0": "c0", "c1": "c1", "p": "$position"}])
    found = require_same(bodies, ends_of(luck, len(bodies)), **document)
    event("together" if found is None else "in parts")


IN_PARTS: dict[str, tuple[dict[str, Any], list[bytes]]] = {
    "a column that comes later": ({"format": "json"}, [b'[{"a": 1, "c": 1}]', b'[{"a": 2, "b": "x", "c": 2}]']),
    "a member that comes later": ({"format": "json"}, [b'[{"o": {"x": 1}, "z": 1}]', b'[{"o": {"y": 2}, "z": 1}]']),
    "a wider type": ({"format": "json"}, [b'[{"a": 1}]', b'[{"a": 1.5}]', b'[{"a": "x"}]']),
    "a null object": ({"format": "json"}, [b'[{"o": null}]', b'[{"o": {"x": 1}}]']),
    "another spelling": ({"format": "json"}, [b'[{"Price": 1}]', b'[{"price": 2}]']),
    "large numbers": ({"format": "json"}, [b'[{"a": 9007199254740993}]', b'[{"a": 1.5}]']),
    "a key twice": ({"format": "json"}, [b'[{"a": 1, "a": 2}]', b'[{"a": 3, "a": 4}]']),
    "a comma that another page proves": ({"format": "csv"}, [b"a;b\n1.234;x\n", b"a;b\n1,5;y\n"]),
    "NA in one page only": ({"format": "csv"}, [b"a,b\nNA,x\n", b"a,b\n1,NA\n"]),
    "values that are not of their type": (
        {"format": "csv", "types": {"a": "bigint"}},
        [b"a,b\n1,x\n", b"a,b\nx,y\ny,y\n", b"a,b\nz,y\n"],
    ),
    "positions": ({"format": "csv", "fields": {"p": "$position"}}, [b"a,b\n1,2\n3,4\n", b"a,b\n5,6\n"]),
    "a declared column that no page has": ({"format": "csv", "types": {"z": "double"}}, [b"a,b\n1,2\n"] * 2),
    "another spelling of numbers": ({"format": "json"}, [b'[{"Price": "x"}]', b'[{"price": 1}, {"price": 2.5}]']),
    "a name that only a header has": ({"format": "csv"}, [b"A,b\n", b"a,b\n1,x\n", b"a,b\n2,y\n"]),
    "values that fail in another order": (
        {"format": "csv", "types": {"a": "bigint", "b": "bigint"}},
        [b"a,b\n1,x\n2,2\n", b"a,b\nx,1\n3,3\n"],
    ),
    "pages of two formats": ({"fields": {"x": "a"}}, [b'[{"a": "1"}]', b'[{"a": "2"}]']),
}


@pytest.mark.parametrize("name", IN_PARTS)
def test_parts_with_different_keys(name: str) -> None:
    document, bodies = IN_PARTS[name]
    assert require_same(bodies, list(range(1, len(bodies) + 1)), **document) is not None


def test_parquet_of_two_schemas(tmp_path: Any) -> None:
    bodies = []
    for number, query in enumerate(
        ["1 AS a, 'x' AS b", "1.5::DOUBLE AS a, 'y' AS b", "NULL::INTEGER AS a, DATE '2026-01-01' AS c"]
    ):
        path = tmp_path / f"{number}.parquet"
        duckdb.execute(f"COPY (SELECT {query}) TO '{path}' (FORMAT parquet)")
        bodies.append(path.read_bytes())
    assert require_same(bodies, [1, 2, 3], format="parquet") is not None


def test_pages_of_text_and_of_typed_values_need_one_reader() -> None:
    assert require_same([b'{"a": "1"}\n', b"a,b\n2,3\n"], [1, 2]) is None


@pytest.mark.parametrize("other", ["12345678901234567.5", "0.12345678901234567890123456789012"])
@pytest.mark.parametrize("fields", [None, {"x": "a"}])
def test_numbers_of_unknown_length_need_one_reader(other: str, fields: Any) -> None:
    pages = [b'[{"a": 0.123456}]', b'[{"a": %s}]' % other.encode()]
    assert require_same(pages, [1, 2], format="json", fields=fields) is None
    assert require_same(pages[::-1], [1, 2], format="json", fields=fields) is None


def test_error_of_the_first_page_is_reported() -> None:
    assert require_same([b'[{"a_b": 1}]', b'[{"a": {"b": 1}}]', b"[{"], [1, 2, 3], format="json") is None


def test_error_names_the_unreadable_page() -> None:
    bodies = [b"[1]", b"[{", b"[{}", b"["]
    assert require_same(bodies, [1, 2, 3, 4], format="json") is None
    assert "Page 2" in str(told(read_in_parts, bodies, datasource(format="json"), [1, 2, 3, 4]))


def test_pages_are_split_by_bytes() -> None:
    def page(size: int) -> PageReceipt:
        return PageReceipt(number=1, ok=True, url="", hash="", bytes=size, fetched_at="")

    sizes = [
        [receipt.bytes for receipt in part] for part in split_pages([page(size) for size in (3, 4, 5, 20, 1, 1)], 10)
    ]
    assert sizes == [[3, 4], [5], [20], [1, 1]]
    assert split_pages([page(20)], 10) == [[page(20)]]
