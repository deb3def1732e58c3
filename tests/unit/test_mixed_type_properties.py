"""Columns of random types meet as an oracle of exact decimals, texts and truth values says; no digit is lost.

The oracle never asks the engine. A double stands for the number that its shortest text says.
`PROOF=1` tries a hundred times as many.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sluice.domain.dataset import InputVersion, Manifest, Version
from sluice.domain.json_text import canonical_key
from sluice.domain.merge import JoinMerge, UnionMerge, merge_of
from sluice.domain.schema import Column, JsonTypeGuess, converter, duckdb_type
from sluice.errors import MergeFailed, UnreadableData
from sluice.extract import append_upsert
from sluice.lake.json_values import json_row
from sluice.lake.parquet import LocalFile
from sluice.merge.diff import Differ
from sluice.merge.plan import Source
from sluice.merge.row_merge import merge_rows
from sluice.reads.reader import Reader
from sluice.reads.request import data_request
from sluice.settings import Settings

SIZE = 100 if os.environ.get("PROOF") else 1
FEW = settings(
    max_examples=10 * SIZE,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SETTINGS = Settings(duckdb_threads=1)
ENGINE = duckdb.connect(config={"threads": 1})

small = st.integers(-9, 9)
wide = st.sampled_from([2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1])
doubles = st.sampled_from([0.5, 1.0, -1.5, 0.1, 1e22, 2.0**53, 1e300, 5e-324, 123456789012345680.0, 2.0**63])
fractions = st.sampled_from(["0.1", "0.10000000000000000001", "1", "-1.5"])
NUMBERS: dict[str, st.SearchStrategy[Any]] = {
    "bigint": small,
    "wide bigint": st.one_of(small, wide),
    "decimal(5,2)": st.one_of(small.map(Decimal), st.sampled_from([Decimal("0.10"), Decimal("-1.50")])),
    "decimal(38,0)": st.one_of(small, wide, st.sampled_from([10**22, 10**22 + 1])).map(Decimal),
    "decimal(38,20)": fractions.map(Decimal),
    "double": st.one_of(small.map(float), doubles),
}
number_columns = st.sampled_from(sorted(NUMBERS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(st.one_of(st.none(), NUMBERS[kind]), min_size=1, max_size=4))
)


def exact(value: Any) -> Any:
    """The number that a value is, or says as the text of a merged column."""
    if value is None or isinstance(value, Decimal):
        return value
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def written(folder: Path, columns: list[Column], rows: list[tuple[Any, ...]]) -> LocalFile:
    """A Parquet file of rows, with the columns that extracting adds."""
    file = folder / f"{random.randbytes(8).hex()}.parquet"
    declared = ", ".join(f'"{one.name}" {duckdb_type(one.type)}' for one in columns)
    with ENGINE.cursor() as connection:
        connection.execute(f"CREATE OR REPLACE TABLE t ({declared}, _page BIGINT, _row BIGINT, _missing VARCHAR[])")
        marks = ", ".join("?" for _ in columns)
        for number, row in enumerate(rows):
            connection.execute(f"INSERT INTO t VALUES ({marks}, 1, {number}, NULL)", list(row))
        connection.execute(f"COPY t TO '{file}' (FORMAT parquet)")
    return LocalFile(file, {one.name: one.type for one in columns}, len(rows))


def read(file: Path, columns: list[Column]) -> list[dict[str, Any]]:
    names = ", ".join(f'"{one.name}"' for one in columns)
    with ENGINE.cursor() as connection:
        found = connection.execute(f"SELECT {names} FROM read_parquet('{file}')").fetchall()
    return [json_row(columns, row) for row in found]


def source(folder: Path, rank: int, columns: list[Column], rows: list[tuple[Any, ...]]) -> Source:
    about = {"version": 1, "run": "r", "completeness": "complete", "created_at": "", "fingerprint": ""}
    slug = f"d{rank}"
    taken = InputVersion(datasource=slug, rows=len(rows), priority=rank, alias=slug, **about)
    return Source(taken, {one.name: one for one in columns}, [written(folder, columns, rows)], ["_page", "_row"])


def merged(folder: Path, spec: dict[str, Any], sources: list[Source]) -> list[dict[str, Any]]:
    folder = folder / random.randbytes(8).hex()
    folder.mkdir()
    merge = merge_of(spec)
    assert isinstance(merge, JoinMerge | UnionMerge)
    made = merge_rows(merge, sources, SETTINGS, folder)
    return read(made.data, made.columns)


def numbers(folder: Path, rank: int, found: tuple[str, list[Any]]) -> Source:
    """A source with the keys 0, 1, 2 and so on, and one number each."""
    kind, values = found
    columns = [Column(name="k", type="bigint"), Column(name="v", type=kind.removeprefix("wide "), wide="wide" in kind)]
    return source(folder, rank, columns, list(enumerate(values)))


def chosen(rule: str, values: list[Any]) -> Any:
    """What a rule makes of the numbers of one record, best ranked first."""
    there = [exact(value) for value in values if value is not None]
    match rule:
        case "priority":
            return exact(values[0])
        case _ if not there:
            return None
        case "first_non_null":
            return there[0]
        case "majority":
            return Counter(there).most_common(1)[0][0]
        case "min" | "max":
            return {"min": min, "max": max}[rule](there)
        case _:
            with localcontext(prec=2_000):
                return sum(there, Decimal(0))


@settings(FEW, max_examples=25 * SIZE)
@given(
    rule=st.sampled_from(["priority", "first_non_null", "min", "max", "sum", "majority"]),
    found=st.lists(number_columns, min_size=1, max_size=3),
)
@example(rule="max", found=[("wide bigint", [2**53 + 1]), ("double", [2.0**53])])
@example(rule="sum", found=[("decimal(38,0)", [Decimal(10**22 + 1)]), ("double", [1e22])])
def test_rules_compare_exact_numbers(
    tmp_path_factory: pytest.TempPathFactory, rule: str, found: list[tuple[str, list[Any]]]
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    spec = {"strategy": "join", "key": ["k"], "fields": {"v": {"rule": rule}}}
    sources = [numbers(folder, rank, one) for rank, one in enumerate(found)]
    records = [[numbered[at] for _, numbered in found if at < len(numbered)] for at in range(4)]
    wanted_values = [chosen(rule, values) for values in records if values]
    only_bigint = {kind for kind, _ in found} <= {"bigint", "wide bigint"}
    if rule == "sum" and only_bigint and any(value is not None and abs(value) >= 2**63 for value in wanted_values):
        with pytest.raises(MergeFailed, match="out of range"):
            merged(folder, spec, sources)
        return
    for row, wanted in zip(merged(folder, spec, sources), wanted_values, strict=True):
        if rule == "sum" and isinstance(row["v"], float):
            assert exact(row["v"]) == pytest.approx(wanted, rel=Decimal("1e-15"), abs=Decimal("1e-15"))
        else:
            assert exact(row["v"]) == wanted


@FEW
@given(found=st.lists(number_columns, min_size=1, max_size=3), more=st.sampled_from([{}, {"key": ["k"]}]))
def test_union_keeps_every_number(
    found: list[tuple[str, list[Any]]], more: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    spec = {"strategy": "union", **more}
    made = merged(folder, spec, [numbers(folder, rank, one) for rank, one in enumerate(found)])
    stacked = [exact(value) for _, values in found for value in values]
    if more:
        longest = max(len(values) for _, values in found)
        stacked = [exact(next(values[at] for _, values in found if at < len(values))) for at in range(longest)]
    assert [exact(row["v"]) for row in made] == stacked


KEYS = [1, 1.0, 7, "7", "1", "x", 2.5, "2.5", 2**53 + 1, 10**22 + 1, 1e22, True, "true", {"a": 1, "b": [2]}]
json_keys = st.lists(st.sampled_from([*KEYS, {"b": [2.0], "a": 1.0}, '"', "é"]), min_size=1, max_size=6)


def same_json(value: Any) -> Any:
    """What two JSON values have in common exactly if they are equal."""
    match value:
        case bool() | str() | None:
            return (type(value).__name__, value)
        case dict():
            return frozenset((key, same_json(inner)) for key, inner in value.items())
        case list():
            return tuple(map(same_json, value))
        case _:
            return ("number", exact(value))


@FEW
@given(found=st.lists(json_keys, min_size=1, max_size=3))
@example(found=[[1], [1.0]])
@example(found=[[{"a": 1, "b": [2]}], [{"b": [2.0], "a": 1.0}]])
def test_json_keys_are_equal_by_value(tmp_path_factory: pytest.TempPathFactory, found: list[list[Any]]) -> None:
    folder = tmp_path_factory.mktemp("merge")
    columns = [Column(name="k", type="json"), Column(name="v", type="bigint")]
    sources = [
        source(folder, rank, columns, [(json.dumps(key), at) for at, key in enumerate(keys)])
        for rank, keys in enumerate(found)
    ]
    made = merged(folder, {"strategy": "join", "key": ["k"]}, sources)
    last: dict[Any, int] = {}
    for keys in reversed(found):
        last |= {same_json(key): at for at, key in enumerate(keys)}
    assert {same_json(row["k"]): row["v"] for row in made} == last
    assert len(made) == len(last)


@FEW
@given(st.recursive(st.sampled_from([*KEYS[:13], "é", None]), lambda inner: st.lists(inner, max_size=2), max_leaves=4))
def test_canonical_text_of_a_key_is_unique(value: Any) -> None:
    text = canonical_key(json.dumps(value))
    assert canonical_key(text) == text
    assert same_json(json.loads(text)) == same_json(value)


values = st.one_of(small, wide, doubles, st.sampled_from([10**22 + 1, "7", "x", "1.0", True, None, 1.5, [1]]))
key_values = st.sampled_from([1, 2, 7, "7", "x", 1.0, 2.5, 2**53 + 1, 10**22 + 1, 10**22 + 2, True, "true"])
batches = st.lists(st.lists(st.tuples(key_values, values), min_size=1, max_size=4), min_size=1, max_size=4)


def extracted(folder: Path, records: list[tuple[Any, ...]]) -> tuple[list[Column], LocalFile]:
    """Records of JSON with the types that extracting finds."""
    columns = []
    for name, column in zip("kv", zip(*records, strict=True), strict=True):
        guess = JsonTypeGuess()
        for value in column:
            guess.observe(value)
        about = {"wide": guess.type == "bigint" and guess.wide, "guessed": not guess.seen}
        columns.append(Column(name=name, type=guess.type, from_json=True, **about))
    rows = [
        tuple(None if value is None else converter(one.type)(value) for one, value in zip(columns, row, strict=True))
        for row in records
    ]
    return columns, written(folder, columns, rows)


def with_run(folder: Path, file: LocalFile, run: int) -> LocalFile:
    target = folder / f"{random.randbytes(8).hex()}.parquet"
    with ENGINE.cursor() as connection:
        query = append_upsert.with_run(f"SELECT * FROM read_parquet('{file.path}')", str(run))
        connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)")
    return LocalFile(target, file.columns, file.rows)


def is_same(shown: Any, value: Any) -> bool:
    """Whether a value is as it was, or in a column of text the text of it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return shown is not None and not isinstance(shown, bool) and exact(shown) == exact(value)
    return bool(shown == value) or (isinstance(shown, str) and shown == json.dumps(value))


@FEW
@given(found=batches)
@example(found=[[(7, 1), ("7", 2)], [("x", 3)]])
@example(found=[[(10**22 + 1, 1), (10**22 + 2, 1)], [("x", 2)], [(2.5, 1)]])
def test_an_upsert_keeps_every_record_and_digit(
    tmp_path_factory: pytest.TempPathFactory, found: list[list[tuple[Any, Any]]]
) -> None:
    folder = tmp_path_factory.mktemp("upsert")
    columns: list[Column] = []
    before: list[LocalFile] = []
    wanted: dict[Any, Any] = {}
    for run, records in enumerate(found):
        new, file = extracted(folder, records)
        try:
            append_upsert.require_key(["k"], columns, new)
        except UnreadableData:
            kinds = {one.type for one in (columns[0], new[0])}
            assert "double" in kinds, "only numbers beside doubles are refused"
            assert "json" not in kinds
            continue
        columns = append_upsert.merge_columns(columns, new, empty=not before, key=["k"])
        query = append_upsert.upsert_query(before, [with_run(folder, file, run)], columns, ["k"])
        target = folder / f"{run}.parquet"
        with ENGINE.cursor() as connection:
            connection.execute(f"COPY ({query}) TO '{target}' (FORMAT parquet)")
        before = [LocalFile(target, {one.name: one.type for one in columns})]
        wanted |= {same_json(key): value for key, value in records}
    number = columns[0].type == "decimal(38,0)"
    made = {same_json(Decimal(row["k"]) if number else row["k"]): row["v"] for row in read(target, columns)}
    assert set(made) == set(wanted)
    assert all(is_same(made[key], value) for key, value in wanted.items())


@FEW
@given(found=batches)
def test_an_append_keeps_every_digit(
    tmp_path_factory: pytest.TempPathFactory, found: list[list[tuple[Any, Any]]]
) -> None:
    folder = tmp_path_factory.mktemp("append")
    columns: list[Column] = []
    files: list[LocalFile] = []
    for run, records in enumerate(found):
        new, file = extracted(folder, records)
        columns = append_upsert.merge_columns(columns, new, empty=not files)
        files.append(with_run(folder, file, run))
    target = folder / "compacted.parquet"
    with ENGINE.cursor() as connection:
        connection.execute(f"COPY ({append_upsert.compacted_query(files, columns)}) TO '{target}' (FORMAT parquet)")
    shown = [tuple(row.values()) for row in read(target, columns)]
    given_values = [record for records in found for record in records]
    assert len(shown) == len(given_values)
    for row, record in zip(shown, given_values, strict=True):
        assert all(map(is_same, row, record))


class Disk:
    """What reading versions needs of the lake, for files that are here."""

    def __init__(self, folder: Path, manifest: Manifest | None = None) -> None:
        self._folder = folder
        self._manifest = manifest

    def local_files(self, objects: list[LocalFile]) -> list[LocalFile]:
        return objects

    def manifest(self, key: str) -> Manifest:
        assert self._manifest is not None
        return self._manifest

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        yield self._folder / "scratch"


def manifest_of(one: Source) -> Manifest:
    about: dict[str, Any] = {"columns": list(one.columns.values()), "objects": one.files}
    return Manifest.model_construct(stage="merged", document=None, key=["k"], **about)


@FEW
@given(old=number_columns, new=number_columns)
@example(old=("decimal(38,0)", [Decimal(10**22 + 1)]), new=("double", [1e22]))
def test_diff_compares_every_digit(
    tmp_path_factory: pytest.TempPathFactory, old: tuple[str, list[Any]], new: tuple[str, list[Any]]
) -> None:
    folder = tmp_path_factory.mktemp("diff")
    sides = [manifest_of(numbers(folder, rank, side)) for rank, side in enumerate((old, new))]
    differ = Differ(Disk(folder), SETTINGS, *sides)  # type: ignore[arg-type]
    changes, _ = differ.changes(100, 0)
    changed = {
        one["key"][0]: [exact(value) for value in one["fields"]["v"]] for one in changes if one["change"] == "changed"
    }
    both = enumerate(zip(map(exact, old[1]), map(exact, new[1]), strict=False))
    assert changed == {at: list(pair) for at, pair in both if pair[0] != pair[1]}
    assert differ.counts()["changed"] == len(changed)


NOT_FINITE = [float("nan"), float("inf"), float("-inf"), None]
asked_numbers = st.one_of(
    st.sampled_from(["9007199254740993", "9007199254740992", "0.1", "0.10000000000000000001", "1e22", "-1.5", "1"]),
    small.map(str),
)


@FEW
@given(
    given_values=st.lists(st.one_of(small.map(float), doubles, st.sampled_from(NOT_FINITE)), max_size=8),
    operator=st.sampled_from(["eq", "ne", "gt", "ge", "lt", "le", "in"]),
    text=asked_numbers,
)
@example(given_values=[2.0**53], operator="eq", text="9007199254740993")
@example(given_values=[float("nan"), 1.0], operator="ne", text="1")
def test_conditions_and_order_use_exact_numbers(
    tmp_path_factory: pytest.TempPathFactory, given_values: list[float | None], operator: str, text: str
) -> None:
    folder = tmp_path_factory.mktemp("read")
    columns = [Column(name="k", type="bigint"), Column(name="v", type="double")]
    manifest = manifest_of(source(folder, 0, columns, list(enumerate(given_values))))
    version = Version(
        number=1,
        rows=len(given_values),
        bytes=0,
        schema=columns,
        completeness="complete",
        run="r",
        created_at="",
        data_as_of="",
        fingerprint="",
        manifest_key="",
    )
    reader = Reader(Disk(folder, manifest), SETTINGS, version)  # type: ignore[arg-type]
    known = {at: exact(value) for at, value in enumerate(given_values) if value not in NOT_FINITE and value == value}
    asked = Decimal(text)
    tests = {
        "eq": lambda value: value == asked,
        "in": lambda value: value == asked,
        "gt": lambda value: value > asked,
        "ge": lambda value: value >= asked,
        "lt": lambda value: value < asked,
        "le": lambda value: value <= asked,
        "ne": lambda value: value != asked,
    }
    met = {at for at, value in known.items() if tests[operator](value)}
    met |= set(range(len(given_values))) - set(known) if operator == "ne" else set()
    found, _ = reader.rows(data_request(columns, None, [f"v.{operator}:{text}"], None), 100, 0)
    assert {row["k"] for row in found} == met
    found, _ = reader.rows(data_request(columns, None, ["v.null:true"], None), 100, 0)
    assert {row["k"] for row in found} == set(range(len(given_values))) - set(known)
    found, _ = reader.rows(data_request(columns, None, [], "-v"), 100, 0)
    assert [exact(row["v"]) for row in found if row["v"] is not None] == sorted(known.values(), reverse=True)
    assert [row["v"] for row in found[len(known) :]] == [None] * (len(given_values) - len(known))
