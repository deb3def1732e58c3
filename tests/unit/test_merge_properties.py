"""A merge is what the contract says, and the same bytes in any order and with any number of threads."""

import atexit
import hashlib
import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.domain.dataset import InputVersion
from sluice.domain.json_text import dumps
from sluice.domain.merge import JoinMerge, UnionMerge, merge_of
from sluice.domain.schema import Column
from sluice.lake.parquet import LocalFile
from sluice.merge.diff import document_changes
from sluice.merge.documents import concatenate, identity, merge_recursively
from sluice.merge.explain_document import TracedPart, trace_concatenation, trace_recursive
from sluice.merge.key_matching import normalize_text
from sluice.merge.plan import Source
from sluice.merge.row_merge import MergedRows, merge_rows
from sluice.settings import Settings

FEW = settings(
    max_examples=10 * (100 if os.environ.get("PROOF") else 1),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
# One for all examples, since opening an engine takes longer than an example.
ENGINE = duckdb.connect()
atexit.register(ENGINE.close)
Row = tuple[Any, Any, Any]  # key, value, time
cells = st.one_of(st.none(), st.integers(-3, 3))
tables = st.lists(st.tuples(st.integers(0, 6), cells, cells), max_size=10)
distinct_tables = st.lists(st.tuples(st.integers(0, 9), cells, cells), max_size=10, unique_by=lambda row: row[0])


def source(
    folder: Path,
    rank: int,
    rows: list[Row],
    name: str = "",
    *,
    files: int = 1,
    value: str = "BIGINT",
    key: str = "BIGINT",
) -> Source:
    """A version of a datasource in one or more files, its rows with the page and row that they came from."""
    slug = name or f"d{rank}"
    connection = ENGINE.cursor()
    parts = [rows[index::files] for index in range(files)] if files > 1 else [rows]
    stored, number = [], 0
    for part in parts:
        file = folder / f"{slug}-{random.randbytes(8).hex()}.parquet"
        connection.execute(f'CREATE OR REPLACE TABLE t (k {key}, v {value}, "at" BIGINT, _page BIGINT, _row BIGINT)')
        for k, v, at in part:
            connection.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [k, v, at, 1 + number // 4, number % 4])
            number += 1
        connection.execute(f"COPY t TO '{file}' (FORMAT parquet)")
        stored.append(LocalFile(file, None, len(part)))
    connection.close()
    input_version = InputVersion(
        datasource=slug,
        version=1,
        run="r",
        completeness="complete",
        rows=len(rows),
        created_at="",
        fingerprint="",
        priority=rank,
        alias=slug,
    )
    kinds = {
        "k": "string" if key == "VARCHAR" else "bigint",
        "v": {"JSON": "json"}.get(value, "bigint"),
        "at": "bigint",
    }
    columns = {column: Column(name=column, type=kind) for column, kind in kinds.items()}
    return Source(input_version, columns, stored, ["_page", "_row"])


def merged(spec: dict[str, Any], sources: list[Source], folder: Path, threads: int = 1) -> MergedRows:
    folder = folder / random.randbytes(8).hex()
    folder.mkdir()
    merge = merge_of(spec)
    assert isinstance(merge, JoinMerge | UnionMerge)
    return merge_rows(merge, sources, Settings(duckdb_threads=threads), folder)


def rows_of(result: MergedRows) -> list[tuple[Any, ...]]:
    with ENGINE.cursor() as connection:
        return connection.execute(f"SELECT * FROM '{result.data}'").fetchall()


def content(result: MergedRows) -> str:
    return hashlib.sha256(result.data.read_bytes()).hexdigest()


def expected(rule: str, entries: list[tuple[Any, Any]]) -> Any:  # noqa: C901 - a table of the rules
    """What the contract says of one field, in plain Python; `entries` are (value, time), best ranked first."""
    values = [value for value, _ in entries if value is not None]
    match rule:
        case "priority":
            return entries[0][0]
        case "count":
            return len(values)
        case _ if not values:
            return None
        case "first_non_null":
            return values[0]
        case "newest" | "oldest":
            dated = [entry for entry in entries if entry[0] is not None and entry[1] is not None]
            if not dated:
                return values[0]
            best = (max if rule == "newest" else min)(at for _, at in dated)
            return next(value for value, at in dated if at == best)
        case "longest":
            return max(values, key=lambda value: len(str(value)))
        case "majority":
            return Counter(values).most_common(1)[0][0]
        case "min" | "max" | "sum":
            functions: dict[str, Callable[..., Any]] = {"min": min, "max": max, "sum": sum}
            return functions[rule](values)
        case "mean":
            return sum(values) / len(values)
        case "union" | "all":
            return dumps(list(dict.fromkeys(values))).decode()
        case _:
            raise AssertionError(rule)


RULES = [
    *({"rule": name} for name in ("priority", "first_non_null", "longest", "majority", "min", "max", "sum", "mean")),
    *({"rule": name} for name in ("count", "union", "all")),
    {"rule": "newest", "by": "at"},
    {"rule": "oldest", "by": "at"},
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["rule"])
@FEW
@given(source_rows=st.lists(tables, min_size=1, max_size=3))
def test_rules_match_a_model_in_python(
    rule: dict[str, Any], source_rows: list[list[Row]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("merge")
    spec = {"strategy": "join", "key": ["k"], "fields": {"v": rule}}
    merged_rows = merged(spec, [source(folder, rank, rows) for rank, rows in enumerate(source_rows)], folder)
    last = [{key: (value, at) for key, value, at in rows} for rows in source_rows]
    keys = sorted({key for rows in last for key in rows})
    expected_rows = [(key, expected(rule["rule"], [rows[key] for rows in last if key in rows])) for key in keys]
    assert [row[:2] for row in rows_of(merged_rows)] == expected_rows


@pytest.mark.parametrize("strategy", ["join", "union"])
@FEW
@given(
    source_rows=st.lists(distinct_tables, min_size=1, max_size=3),
    seed=st.integers(0, 2**32),
    threads=st.integers(1, 4),
    rules=st.lists(st.sampled_from(RULES), min_size=2, max_size=2),
)
def test_bytes_are_independent_of_the_order_of_rows(
    strategy: str,
    source_rows: list[list[Row]],
    seed: int,
    threads: int,
    rules: list[dict[str, Any]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Rows in another order and in more files, pages cut elsewhere, more threads; ranks stay as they are."""
    folder, luck = tmp_path_factory.mktemp("merge"), random.Random(seed)
    spec: dict[str, Any] = {"strategy": strategy, "key": ["k"]}
    if strategy == "join":
        spec["fields"] = {"v": rules[0]}
        spec["default_rule"] = "first_non_null"
    plain = merged(spec, [source(folder, rank, rows) for rank, rows in enumerate(source_rows)], folder)
    shuffled = [
        source(folder, rank, luck.sample(rows, len(rows)), files=luck.randint(1, 3))
        for rank, rows in enumerate(source_rows)
    ]
    assert content(merged(spec, shuffled, folder, threads)) == content(plain)


def test_a_union_without_a_key_is_the_same_bytes_in_any_number_of_files(tmp_path: Path) -> None:
    """Although the statistics of a file may say that all of its values are the same."""
    rows: list[Row] = [(1, 5, None), (2, 5, None)]
    results = [merged({"strategy": "union"}, [source(tmp_path, 0, rows, files=files)], tmp_path) for files in (1, 2, 3)]
    assert len({content(result) for result in results}) == 1


def test_many_rows_on_many_threads_are_the_same_bytes(tmp_path: Path) -> None:
    """More than one row group, so that threads could write them in another order."""
    files = []
    for rank in range(2):
        file = tmp_path / f"{rank}.parquet"
        order = "range" if rank else "hash(range)"
        with duckdb.connect() as connection:  # the module's own connection may hold another test's result
            connection.sql(
                f'SELECT range * 7 % 300007 AS k, range % 1000 AS v, range AS "at", 1 AS _page, range AS _row '
                f"FROM range(300000) ORDER BY {order}"
            ).write_parquet(str(file))
        files.append(LocalFile(file, None, 300_000))
    base = [source(tmp_path, rank, []) for rank in range(2)]
    sources = [
        Source(version.input, version.columns, [file], version.position)
        for version, file in zip(base, files, strict=True)
    ]
    spec = {"strategy": "join", "key": ["k"], "fields": {"v": {"rule": "max"}, "at": {"rule": "mean"}}}
    assert len({content(merged(spec, sources, tmp_path, threads)) for threads in (1, 2, 4, 8)}) == 1


@FEW
@given(st.text(max_size=8), st.lists(st.sampled_from(["nfkc", "case_fold", "trim"]), unique=True))
def test_normalizing_is_idempotent(text: str, normalizers: list[Any]) -> None:
    once = normalize_text(text, normalizers)
    if "nfkc" in normalizers or "case_fold" not in normalizers:
        assert normalize_text(once, normalizers) == once


@FEW
@given(source_rows=st.lists(st.lists(st.text(max_size=4), max_size=6, unique=True), min_size=1, max_size=3))
def test_keys_match_as_python_normalizes_them(
    source_rows: list[list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What the engine does to ASCII is what Python does to all text."""
    folder = tmp_path_factory.mktemp("merge")
    how = ["trim", "nfkc", "case_fold"]
    spec = {"strategy": "join", "key": ["k"], "normalizers": {"k": how}}
    texts = [[text.replace("\x00", "") for text in rows] for rows in source_rows]
    sources = [source(folder, rank, [(text, 1, 1) for text in rows], key="VARCHAR") for rank, rows in enumerate(texts)]
    merged_rows = merged(spec, sources, folder)
    expected_keys = sorted(
        {normalize_text(text, how) for rows in texts for text in rows},  # type: ignore[arg-type]
        key=lambda text: text.encode(),
    )
    assert [row[0] for row in rows_of(merged_rows)] == expected_keys


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.sampled_from(["", "a"])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)),
    max_leaves=8,
)


def leaves(part: TracedPart) -> Iterator[TracedPart]:
    if part.children is None:
        yield part
        return
    for child in part.children.values() if isinstance(part.children, dict) else part.children:
        yield from leaves(child)


@settings(max_examples=300 * (100 if os.environ.get("PROOF") else 1), deadline=None)
@given(st.lists(values, max_size=4))
def test_traced_document_equals_the_merged_document(documents: list[Any]) -> None:
    for traced, plain in (
        (trace_recursive(documents), merge_recursively(documents)),
        (trace_concatenation(documents), concatenate(documents)),
    ):
        assert dumps(traced.plain) == dumps(plain)
        for leaf in leaves(traced):
            for rank, way in leaf.places:
                value = documents[rank]
                for key in way:
                    value = value[key]
                assert identity(value) == identity(leaf.plain)


@settings(max_examples=300, deadline=None)
@given(values, values)
def test_changes_of_a_document_are_complete(old: Any, new: Any) -> None:
    changes = list(document_changes(old, new))
    assert bool(changes) == (identity(old) != identity(new))
    for change in changes:
        for document, value, absent in zip((old, new), change["value"], ("added", "removed"), strict=True):
            if change["change"] != absent:
                for key in change["pointer"].split("/")[1:]:
                    document = document[int(key)] if isinstance(document, list) else document[key]
                assert identity(document) == identity(value)
