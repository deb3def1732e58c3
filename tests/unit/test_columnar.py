"""The engine reads pages as they are read record by record: rows, types, missing marks and warnings."""

import json
import os
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.errors import UnreadableData
from sluice.extract.columnar import json_shapes
from support.extraction import Read, datasource, read

EXAMPLES = settings(
    max_examples=4000 if os.environ.get("PROOF") else 20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
SCALARS: list[Any] = [
    *(1, 0, -5, 2**53 + 1, 2**62, 2**64, 1.5, -0.0, 0.1, 1e15, 1e16, 1e-7, 123456789.125, True, False, None, None),
    *("x", "", "007", "1", "true", "NA", "2026-01-01", "2026-01-01T00:00:00Z", "2026-01-01 10:00:00.123456+02:00"),
    *("é☃", 'a"b\\c', "line\nbreak\t\x7f", "\x01", "1.50", "1,5", "nan", ', "k": null'),
    *([], [1, 2], [1.5, "a", None], [{"k": 1}, {"k": 2, "j": [1]}], {}),
]
TYPES = ["string", "bigint", "double", "boolean", "date", "timestamp", "json", "decimal(10,2)", "decimal(38,0)"]
EXPRESSIONS = [
    *("a", "o.n1", "o", "b[0]", "b[-1]", "c[*].k", "o.*.x", "[a,b]", "{p: a, q: o.n1}", "`5`", "c[0:1]", "b[]", "@"),
    *("c[::2].k", "a | @", "length(b)", "c[?k==`1`]", "d[-2:]", "o.n1[0].k", "c[*].j[]", "c[*].[k, j]", "`[1, {}]`"),
]
TEXTS = [
    *("1", "0", "-1", "007", "+5", ".5", "5.", "1e5", "1.50", "1.234", "12.345", "0.30000000000000004", "-0", "00"),
    *("12345678901234567", "12345678901234568", "123456789012345678901", "48.053808600000004", "1.5e+00", "1.0e-400"),
    *("1,5", "1.234,5", "NA", "null", "-", "", "  ", "true", "False", "TRUE ", "inf", "nan", "Infinity", "none of it"),
    *("2026-01-01", "2026-13-01", "2026/01/01", "2026-01-01T00:00:00Z", "2026-01-01 00:00", "0000-01-01"),
    *("2026-01-01 00:00:00.1234567", "2026-01-01T00:00:00+02:00", "2026-01-01 24:00", "abc", "x y", " 1", "é"),
    *('"q""q"', '"a,b"', '"nl\nx"', "it's", "'z'", '""', 'a"b', "#1", "1 000", ' "q"', '"q" ', ' "2"', '"a,b" '),
]


def require_same(bodies: list[bytes], **document: Any) -> Read | None:
    """What the engine reads, compared with the other way; none where it leaves the pages to that."""
    source = datasource(**document)
    try:
        expected = read(bodies, source, by_engine=False)
    except UnreadableData:
        assert read(bodies, source, by_engine=True) is None
        return None
    found = read(bodies, source, by_engine=True)
    assert found is None or repr(found) == repr(expected)
    return found


def value(luck: random.Random, depth: int = 0) -> Any:
    if depth < 2 and luck.random() < 0.15:
        return {key: value(luck, depth + 1) for key in luck.sample(["x", "y", "k_1", "Z"], luck.randint(1, 3))}
    return luck.choice(SCALARS)


def records(luck: random.Random, palette: dict[str, list[Any]], most: int = 4) -> list[dict[str, Any]]:
    """Records of one kind: each key has few different values."""
    made = []
    for _ in range(luck.randint(0, most)):
        record = {key: luck.choice(values) for key, values in palette.items() if luck.random() < 0.9}
        if luck.random() < 0.8:
            nested = {key: record[key] for key in ("b", "c") if key in record and luck.random() < 0.9}
            record["o"] = {f"n{number}": one for number, one in enumerate(nested.values(), start=1)} or None
        made.append(record)
    return made


def palette(luck: random.Random) -> dict[str, list[Any]]:
    """The values of each key: mostly of one type, sometimes of any."""
    kinds: Any = [[1, 2, 3], [1, 2.5], ["x", "y"], [True, None], [2**60, 1], [[1], [2, None]], [0.1, 1e16], [None]]
    return {
        key: luck.choice(kinds) if luck.random() < 0.8 else [value(luck) for _ in range(luck.choice([1, 2]))]
        for key in ("a", "b", "c", "d")
    }


def json_document(luck: random.Random) -> dict[str, Any]:
    document: dict[str, Any] = {"format": luck.choice(["json", "jsonl"])}
    if luck.random() < 0.3:
        document["types"] = {luck.choice(["a", "b", "o_n1", "absent"]): luck.choice(TYPES)}
    if luck.random() < 0.4:
        document["fields"] = {f"f{number}": luck.choice(EXPRESSIONS) for number in range(3)} | {"p": "$position"}
        document["types"] = {"f0": luck.choice(TYPES)} if luck.random() < 0.3 else {}
    elif luck.random() < 0.2:
        document["fields"] = {"p": "$position", "g": "$page", "t": "$fetched_at", "r": "$run"}
    return document


def json_bodies(luck: random.Random, document: dict[str, Any]) -> list[bytes]:
    kinds = palette(luck)
    pages: list[Any] = [records(luck, kinds) for _ in range(luck.choice([1, 1, 2]))]
    if document["format"] == "jsonl":
        end = luck.choice(["", "\n", "\n\n"])
        return [("\n".join(json.dumps(record) for record in page) + end).encode() for page in pages]
    way = luck.choice([[], [], ["items"], ["data", "items"]])
    if way:
        document["records"] = ".".join(way)
    bodies = []
    for page in pages:
        content = page[0] if luck.random() < 0.1 and page else page
        for key in reversed(way):
            content = {key: content, "next": luck.choice([None, 1])}
        text = json.dumps(content, ensure_ascii=luck.random() < 0.5, indent=luck.choice([None, None, 1]))
        bodies.append(text.encode())
    return bodies


@given(st.randoms(use_true_random=False))
@EXAMPLES
def test_json_by_column_equals_json_by_record(luck: random.Random) -> None:
    document = json_document(luck)
    require_same(json_bodies(luck, document), **document)


@given(st.randoms(use_true_random=False))
@EXAMPLES
def test_rows_of_a_database_by_column_equal_rows_by_record(luck: random.Random) -> None:
    types = {key: luck.choice(["json", "json", *TYPES]) for key in ("a", "b", "o") if luck.random() < 0.7}
    kinds = {**palette(luck), "o": [value(luck) for _ in range(2)] + [{"x": {"y": [1]}}, {"z": "q"}, None]}
    pages = [records(luck, kinds, 6) for _ in range(luck.choice([1, 2]))]
    bodies = ["".join(json.dumps(record) + "\n" for record in page).encode() for page in pages]
    found = require_same(bodies, types=types, **SQL)
    for column in found.columns if found is not None else []:
        assert "_" not in column.name, "no member of an object is a column"


SQL: dict[str, Any] = {"kind": "sql", "sql": {"engine": "sqlite", "key": "d/a.db", "query": "SELECT 1 AS n"}}
OBJECTS: dict[str, list[Any]] = {
    "alike": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
    "unlike": [{"a": 1}, {"b": {"c": [2]}}, {}],
    "with nulls": [{"a": 1}, None],
    "mixed": [{"a": 1}, [1, {"b": 2}], "{", 7, 2.5, True, None],
    "not first": [None, 5, {"A": 1, "a": 2}],
}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_of_a_database_stay_json(name: str) -> None:
    objects = OBJECTS[name]
    lines = [json.dumps({"id": number, "j": one}) + "\n" for number, one in enumerate(objects)]
    for end in (len(objects), 1):  # all in one page, or the first one in a page of its own
        bodies = ["".join(part).encode() for part in (lines[:end], lines[end:]) if part]
        found = require_same(bodies, types={"j": "json"}, **SQL)
        assert found is not None, "it is read by column"
        assert [(column.name, column.type) for column in found.columns] == [("id", "bigint"), ("j", "json")]
        assert [row[1] and json.loads(row[1]) for row in found.rows] == objects
    # A field that an expression selects is the same either way.
    selected = require_same(["".join(lines).encode()], fields={"id": "id", "j": "j"}, types={"j": "json"}, **SQL)
    assert selected is None or [row[1] and json.loads(row[1]) for row in selected.rows] == objects


def test_objects_of_other_sources_become_columns_whatever_their_declared_type() -> None:
    found = require_same([b'{"id": 1, "j": {"a": 2}}\n{"id": 2, "j": {"a": 3}}\n'], format="jsonl", types={"j": "json"})
    assert found is not None
    assert [(column.name, column.type) for column in found.columns][:2] == [("id", "bigint"), ("j_a", "bigint")]


ALIKE: list[list[Any]] = [
    *([1, -2, 2**60], [1, 2.5, 0.1], [True], ["x", "{", '"items": [', "\\", 'a"b\\"', ",]", "0.1234567890123456789"]),
    *([[], ["]"], [[{"a": "}"}]]], [1, "x"], [0.5, 0.30000000000000004], [123456789.125, 1e300]),
]
ODD: list[Any] = ["late", 9, 0.25, -0.0, 1e-7, 0.30000000000000004, 10**25, [1], {}, {"q": 1}, True]


def one_is_odd(luck: random.Random, record: dict[str, Any]) -> dict[str, Any]:
    """A record that is not quite like others."""
    key = luck.choice(list(record))
    return luck.choice(
        [
            {**record, key: luck.choice(ODD)},
            {**record, "extra": 1},
            {name: one for name, one in record.items() if name != key} or {"other": 1},
            dict(reversed(list(record.items()))),
        ]
    )


@given(st.randoms(use_true_random=False))
@EXAMPLES
def test_json_with_few_different_records_by_column_equals_by_record(luck: random.Random) -> None:
    document: dict[str, Any] = {"format": luck.choice(["json", "jsonl"])}
    kinds = {key: luck.choice(ALIKE) for key in luck.sample(["a", "b b", "c-.*", "items", "é"], luck.randint(1, 4))}

    def made_page() -> list[dict[str, Any]]:
        made = [{key: luck.choice([*some, None]) for key, some in kinds.items()} for _ in range(luck.randint(1, 6))]
        made = [{**record, "o": {"n": luck.choice([1, None]), "a": "x"}} for record in made]
        return [*made[:-1], one_is_odd(luck, made[-1])] if luck.random() < 0.3 else made

    pages = [made_page() for _ in range(luck.choice([1, 2, 3]))]
    bodies = ["\n".join(map(json.dumps, page)) for page in pages]
    if document["format"] == "json":
        way = luck.choice([[], ["items"], ["data", "items"]])
        document |= {"records": ".".join(way)} if way else {}
        beside = {"total": luck.choice([1, None, "]", 1e-400, [1, {"items": [{"z": 1}]}]])}
        bodies = []
        for page in pages:
            content: Any = page
            for key in reversed(way):
                content = {**beside, key: content} if luck.random() < 0.5 else {key: content, **beside}
            bodies.append(json.dumps(content, ensure_ascii=luck.random() < 0.5, indent=luck.choice([None, 1])))
    body = luck.randrange(len(bodies))
    edits = [("}]", "},]"), ("}, {", "} {"), (": ", ' : 5, "a": '), ("{", '{"items": 5, ')]
    bodies[body] = bodies[body].replace(*luck.choice([*edits, *[("", "")] * 12]), 1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(json_shapes, "_SAMPLE", luck.choice([1, 3, 1000]))
        require_same([text.encode() for text in bodies], **document)


@given(st.randoms(use_true_random=False))
@EXAMPLES
def test_csv_by_column_equals_csv_by_record(luck: random.Random) -> None:
    width, mark = luck.randint(1, 4), luck.choice([",", ",", ";", "\t"])
    kinds = [[luck.choice(TEXTS) for _ in range(luck.choice([1, 2, 3]))] for _ in range(width)]
    bodies = []
    for _ in range(luck.choice([1, 1, 1, 2])):
        lines = [mark.join(f"c{number}" for number in range(width))]
        lines += [mark.join(luck.choice(kind) for kind in kinds) for _ in range(luck.randint(0, 6))]
        end = luck.choice(["\n", "\n", "\r\n"])
        text = end.join(lines) + (end if luck.random() < 0.7 else "")
        bodies.append(text.encode(luck.choice(["utf-8", "utf-8", "utf-8-sig", "cp1252"])))
    document: dict[str, Any] = {"format": "csv"}
    if luck.random() < 0.3:
        document["types"] = {luck.choice(["c0", "c1", "zz"]): luck.choice(TYPES)}
    if luck.random() < 0.3:
        options = [{"decimal": "."}, {"decimal": ","}, {"header": False}, {"null_strings": ["NA", "-"]}]
        document["csv"] = luck.choice(options)
    if luck.random() < 0.2:
        document["fields"] = {"p": "$position", "r": "$run"}
    require_same(bodies, **document)


READ_BY_THE_ENGINE: dict[str, tuple[dict[str, Any], bytes]] = {
    "a list": ({"format": "json"}, b'[{"a": 1, "b": "x"}, {"a": 2, "b": null}]'),
    "missing keys": ({"format": "json"}, b'[{"a": 1}, {"b": {"c": 1}}, {"b": {"d": 2}}, {"b": null}]'),
    "a path": ({"format": "json", "records": "data.items"}, b'{"data": {"items": [{"a": 1}]}, "next": null}'),
    "one object": ({"format": "json"}, b'{"a": 1.5, "tags": ["x", null]}'),
    "large numbers": ({"format": "json"}, b'[{"a": 9223372036854775807, "b": 0.30000000000000004}]'),
    "lists of objects": ({"format": "json"}, b'[{"a": [{"b": 1}, {"c": [2]}]}]'),
    "a declared time": (
        {"format": "json", "types": {"t": "timestamp"}},
        b'[{"t": "2026-01-01T00:00:00Z"}, {"t": "x"}]',
    ),
    "fields": ({"format": "json", "fields": {"x": "a.b", "y": "c[*].d", "z": "[a.b, `1`]"}}, b'[{"a": {"b": 1}}]'),
    "json lines": ({"format": "jsonl"}, b'{"a": 1}\n\n{"a": 2.5, "b": "x"}\n'),
    "csv": ({"format": "csv"}, b'a,b,c\n1,x,"2,5"\n2,"y\nz",NA\n'),
    "csv of windows": ({"format": "csv"}, "a;b\r\n1,5;é\r\n2,25;ü\r\n".encode("cp1252")),
    "negative numbers": ({"format": "json"}, b'[{"a": -1}, {"a": 5}, {"a": 0}]'),
    "texts like numbers": ({"format": "json"}, b'[{"a": "0.1234567890123456789", "b": 0.30000000000000004}]'),
    "text like a comma": ({"format": "jsonl"}, b'{"a": "f(x,]"}\n{"a": "a, nan, b 12345678901234567890123"}\n'),
    "csv with offsets": ({"format": "csv"}, b"a,b\n1,2026-01-01T00:00:00+02:00\n2,2026-01-01 10:00:00.5-05:30\n"),
    "csv with types": ({"format": "csv", "types": {"a": "decimal(10,2)"}}, b"a,b\n1.5,x\n1.555,y\n"),
}


@pytest.mark.parametrize("name", READ_BY_THE_ENGINE)
def test_common_data_is_read_by_column(name: str) -> None:
    document, body = READ_BY_THE_ENGINE[name]
    assert require_same([body], **document) is not None
    assert require_same([body, body], **document) is not None


@pytest.mark.parametrize(
    "body",
    [
        b'[{"a": 1, "a": 2}]',
        b'[{"a": [{"b": 1, "b": 2}]}]',
        b'[{"a": 1}, {"a": {"b": 2}}]',
        b'[{"a": {}}, {"a": {"b": 2}}]',
        b'[{"a": 0.1234567890123456789}]',
        b'[{"a": 12345678901234567890123}]',
        b'[{"a": 9007199254740993}, {"a": 1.5}]',
        b'[{"a": 1}, null]',
        b'[{"A": 1, "a": 2}]',
        b'[{"a": [1e22]}]',
        b"[1, 2]",
    ],
)
def test_data_that_the_engine_reads_differently_is_read_by_record(body: bytes) -> None:
    assert require_same([body], format="json") is None


@pytest.mark.parametrize("again", ['"data"', '"d\\u0061ta"'])
def test_duplicate_key_above_the_records(again: str) -> None:
    body = f'{{"data": [{{"a": 1}}], {again}: [{{"a": 2}}]}}'.encode()
    for fields in (None, {"x": "a"}):
        assert require_same([body], format="json", records="data", fields=fields) is None


@pytest.mark.parametrize("threads", [1, 2])
def test_order_of_many_records_is_kept(threads: int) -> None:
    pages = [json.dumps([{"n": page * 5000 + row, "t": "x" * (row % 90)} for row in range(5000)]) for page in range(60)]
    found = read([page.encode() for page in pages], datasource(format="json"), by_engine=True, threads=threads)
    assert found is not None
    assert [row[0] for row in found.rows] == list(range(300_000))
    assert [row[2:4] for row in found.rows[4999:5001]] == [(1, 4999), (2, 0)]
