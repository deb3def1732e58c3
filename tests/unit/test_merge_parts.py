"""A merge in parts is the merge in one: the same rows, provenance and warnings, whatever the workers do."""

import os
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from sluice.domain.dataset import InputVersion
from sluice.domain.merge import RowsMerge, merge_of
from sluice.domain.override import Override
from sluice.domain.schema import Column, duckdb_type
from sluice.errors import MergeFailed
from sluice.lake.ordered import order_key, range_number, range_starts
from sluice.lake.parquet import LocalFile, literal, quoted
from sluice.merge.notes import LostDigits, merge_lost_digits, merge_notes
from sluice.merge.partition import divide_files, make_partitioner
from sluice.merge.plan import Source
from sluice.merge.row_merge import MergedRows, merge_rows
from sluice.settings import Settings

SIZE = 100 if os.environ.get("PROOF") else 1


def examples(count: int) -> settings:
    """So many, a hundred times as many with `PROOF=1`; each is a whole merge by many workers."""
    return settings(
        max_examples=count * SIZE,
        deadline=None,
        phases=[Phase.explicit, Phase.reuse, Phase.generate],  # finding a smaller case takes minutes
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )


Row = dict[str, Any]


@dataclass
class Stored:
    """A datasource's rows as a test gives them."""

    columns: dict[str, str]
    rows: list[Row]


def source(folder: Path, rank: int, stored: Stored, luck: random.Random, files: int) -> Source:
    """A version in one or more files, with the rows in random order."""
    slug, kinds = f"d{rank}", stored.columns
    missing = {name for row in stored.rows for name in kinds if name not in row}
    columns = {name: Column(name=name, type=kind, missing=name in missing) for name, kind in kinds.items()}
    placed = [(1 + place // 4, place % 4, row) for place, row in enumerate(stored.rows)]
    luck.shuffle(placed)
    local_files = []
    with duckdb.connect() as connection:
        cells = [f"{quoted(name)} {duckdb_type(kind)}" for name, kind in kinds.items()]
        for number in range(files):
            file = folder / f"{slug}-{number}-{luck.randbytes(6).hex()}.parquet"
            file_rows = placed[number::files]
            connection.execute(
                f"CREATE OR REPLACE TABLE t ({', '.join(cells)}, _page BIGINT, _row BIGINT, _missing VARCHAR[])"
            )
            for page, place, row in file_rows:
                values = [row.get(name) for name in kinds]
                lacking = [name for name in kinds if name not in row] or None
                marks = ", ".join("?" * (len(values) + 3))
                connection.execute(f"INSERT INTO t VALUES ({marks})", [*values, page, place, lacking])
            connection.execute(f"COPY t TO {literal(str(file))} (FORMAT parquet)")
            local_files.append(LocalFile(file, None, len(file_rows)))
    input_version = InputVersion(
        datasource=slug,
        version=1,
        run="r",
        completeness="complete",
        rows=len(stored.rows),
        created_at="",
        fingerprint="",
        priority=rank,
        alias=slug,
    )
    return Source(input_version, columns, local_files, ["_page", "_row"])


def spec_of(document: dict[str, Any]) -> RowsMerge:
    merge = merge_of(document)
    assert isinstance(merge, RowsMerge)
    return merge


def whole(spec: RowsMerge, sources: list[Source], overrides: list[Override], folder: Path) -> MergedRows:
    (folder / "whole").mkdir()
    return merge_rows(spec, sources, Settings(duckdb_threads=1), folder / "whole", overrides)


def in_parts(
    spec: RowsMerge,
    sources: list[Source],
    overrides: list[Override],
    folder: Path,
    parts: int,
    luck: random.Random,
    *,
    threads: int = 1,
    most: int = 3,
) -> list[MergedRows]:
    """Merge in parts, with the workers in random order."""
    test_settings = Settings(duckdb_threads=threads)

    def fresh(name: str) -> Path:
        path = folder / f"{name}-{luck.randbytes(6).hex()}"
        path.mkdir()
        return path

    sampler = make_partitioner(spec, sources, [set() for _ in sources], test_settings, fresh("plan"))
    with_columns = [source for source in sources if source.columns]
    portions = divide_files([[file.rows for file in source.files] for source in with_columns], most)
    luck.shuffle(portions)
    portion_sources = [
        (
            portion,
            portion.select(
                with_columns[portion.rank],
                with_columns[portion.rank].files[portion.first : portion.first + portion.count],
            ),
        )
        for portion in portions
    ]
    weights: dict[str, int] = {}
    wide: list[set[str]] = [set() for _ in with_columns]
    lost: list[LostDigits] = []
    for portion, stored in portion_sources:
        sample = sampler.sample(portion.rank, stored, 1, fresh("sample"))
        wide[portion.rank] |= set(sample.wide)
        lost += sample.lost
        for key, rows in sample.keys.items():
            weights[key] = weights.get(key, 0) + rows
    each = iter(wide)
    partitioner = make_partitioner(
        spec, sources, [next(each) if source.columns else set() for source in sources], test_settings, fresh("plan")
    )
    starts = range_starts(weights, parts)
    assert len(starts) <= parts
    pieces: list[list[list[Path]]] = [[[] for _ in with_columns] for _ in starts]
    for portion, stored in portion_sources:
        for part, file in partitioner.split(portion.rank, stored, starts, fresh("split")):
            pieces[part][portion.rank].append(file)
    turns = list(range(len(starts)))
    luck.shuffle(turns)
    merged_parts = {part: partitioner.merge(pieces[part], overrides, fresh("merge")) for part in turns}
    merged_parts[0].notes.lost = merge_lost_digits([*lost, *merged_parts[0].notes.lost])
    return [merged_parts[part] for part in sorted(merged_parts)]


def rows_in(files: list[Path]) -> list[str]:
    """Return the rows as text, since NaN does not equal itself."""
    with duckdb.connect() as connection:
        return [repr(row) for file in files for row in connection.execute(f"SELECT * FROM '{file}'").fetchall()]


def require_same(parts: list[MergedRows], whole_merge: MergedRows) -> None:
    """Check that the parts in sequence equal the merge in one call."""
    assert rows_in([part.data for part in parts]) == rows_in([whole_merge.data])
    assert sum(part.rows for part in parts) == whole_merge.rows
    for part in parts:
        assert (part.columns, part.key, part.fields) == (whole_merge.columns, whole_merge.key, whole_merge.fields)
    assert merge_notes([part.notes for part in parts]).warnings() == whole_merge.warnings
    if whole_merge.provenance is None:
        assert [part.provenance for part in parts] == [None] * len(parts)
    else:
        assert rows_in([part.provenance for part in parts if part.provenance]) == rows_in([whole_merge.provenance])


texts = st.sampled_from(["", "a", "A", " a", "b", "ﬀ", "FF", "É", "é", "z\x1f", "10", "9"])
numbers = st.none() | st.integers(-3, 3)
KEYS = {
    "bigint": st.none() | st.integers(-6, 6) | st.sampled_from([2**63 - 1, -(2**63)]),
    "string": st.none() | texts,
    "double": st.none() | st.sampled_from([0.0, -0.0, 1.5, -2.0, float("inf"), float("nan")]),
    "boolean": st.none() | st.booleans(),
    "date": st.none() | st.dates(),
    "json": st.none() | st.sampled_from(["1", '"a"', "[1]", '{"a":1}']),
}
RULES: list[dict[str, Any]] = [
    *({"rule": name} for name in ("priority", "first_non_null", "longest", "majority", "min", "max", "sum", "mean")),
    *({"rule": name} for name in ("count", "union", "all")),
    {"rule": "newest", "by": "at"},
    {"rule": "oldest", "by": "at"},
    {"rule": "constant", "value": 7},
]
RESHAPES: list[dict[str, Any]] = [
    {},
    {"rename": {"v": "w"}, "compute": {"v": "at * 2"}},
    {"where": "v IS NULL OR v > 0"},
    {"compute": {"k2": "k2 || '!'"}},
    {"cast": {"v": "string"}},
]
RESULTS: list[dict[str, Any]] = [
    {},
    {"rename": {"k": "id"}, "compute": {"twice": "at * 2"}, "where": "at IS NULL OR at > -2"},
    {"where": "false"},
]


@st.composite
def inputs(draw: st.DrawFn) -> tuple[dict[str, Any], list[Stored]]:
    kind = draw(st.sampled_from(sorted(KEYS)))
    columns = {"k": kind, "k2": "string", "v": draw(st.sampled_from(["bigint", "json"])), "at": "bigint"}
    value = numbers if columns["v"] == "bigint" else st.none() | st.sampled_from(["1", "[1,2]", '{"a":1}', '{ "a": 1}'])
    record = st.fixed_dictionaries({"k": KEYS[kind], "k2": st.none() | texts}, optional={"v": value, "at": numbers})
    tables = draw(st.lists(st.lists(record, max_size=14), min_size=1, max_size=3))
    spec: dict[str, Any] = {"strategy": draw(st.sampled_from(["join", "union"]))}
    key = draw(st.sampled_from([["k"], ["k2"], ["k2", "k"]]))
    if spec["strategy"] == "join" or draw(st.booleans()):
        spec["key"] = key
        spec["normalizers"] = {
            name: draw(st.lists(st.sampled_from(["nfkc", "case_fold", "trim"]), unique=True)) for name in key
        }
    if spec["strategy"] == "join":
        rules = [rule for rule in RULES if columns["v"] == "bigint" or rule["rule"] not in ("sum", "mean")]
        spec["fields"] = {"v": draw(st.sampled_from(rules))}
        spec["join"] = draw(st.sampled_from(["full", "left", "inner"]))
    reshapes = [
        reshape
        for reshape in RESHAPES
        if columns["v"] == "bigint" or ("where" not in reshape and "cast" not in reshape)
    ]
    same = draw(st.sampled_from(reshapes))
    spec["sources"] = {f"d{rank}": same for rank in range(len(tables))}
    spec["result"] = draw(st.sampled_from(RESULTS))
    if spec["result"].get("rename") and "k" not in spec.get("key", []):
        spec["result"] = {}
    return spec, [Stored(columns, rows) for rows in tables]


def overrides_for(spec: dict[str, Any], keys: list[Any]) -> list[Override]:
    """Overrides that match records, that match none, and of an unknown field."""
    entries = [("at", key, 5) for key in keys] + [
        ("at", ["nobody"] * len(spec.get("key", ["k"])), 1),
        ("none", ["1"], 1),
    ]
    common = {"reason": "", "created_by": "x"}
    return [
        Override(
            field=field, key=[str(part) for part in key], value=value, created_at=f"2026-01-{place + 1:02d}", **common
        )
        for place, (field, key, value) in enumerate(entries)
    ]


@examples(8)
@given(
    inputs_=inputs(),
    parts=st.integers(1, 16),
    seed=st.integers(0, 2**32),
    with_overrides=st.booleans(),
)
def test_merge_in_parts_equals_merge_in_one_call(
    inputs_: tuple[dict[str, Any], list[Stored]],
    parts: int,
    seed: int,
    with_overrides: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder, luck = tmp_path_factory.mktemp("parts"), random.Random(seed)
    document, tables = inputs_
    spec = spec_of(document)
    sources = [source(folder, rank, table, luck, luck.randint(1, 3)) for rank, table in enumerate(tables)]
    overrides: list[Override] = []
    if with_overrides:
        rows = [row for table in tables for row in table.rows][:3]
        overrides = overrides_for(document, [[row[name] for name in document.get("key", ["k"])] for row in rows])
    most = luck.choice([1, 3, 100])
    try:
        whole_merge = whole(spec, sources, overrides, folder)
    except MergeFailed as failure:
        with pytest.raises(MergeFailed, match=re.escape(failure.detail)):
            in_parts(spec, sources, overrides, folder, parts, luck, most=most)
        return
    require_same(in_parts(spec, sources, overrides, folder, parts, luck, most=most), whole_merge)


@examples(3)
@given(inputs_=inputs(), parts=st.integers(2, 8), seed=st.integers(0, 2**32))
def test_bytes_depend_only_on_the_rows_and_the_number_of_parts(
    inputs_: tuple[dict[str, Any], list[Stored]], parts: int, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Not on the order of rows, files or workers, nor on how many files a worker takes, nor on threads."""
    folder, luck = tmp_path_factory.mktemp("parts"), random.Random(seed)
    document, tables = inputs_
    spec = spec_of(document)

    def contents(threads: int, files: int) -> list[bytes]:
        sources = [source(folder, rank, table, luck, files) for rank, table in enumerate(tables)]
        most = luck.choice([1, 4, 100])
        try:
            done = in_parts(spec, sources, [], folder, parts, luck, threads=threads, most=most)
        except MergeFailed as failure:
            return [failure.detail.encode()]
        return [part.data.read_bytes() for part in done]

    assert contents(1, 1) == contents(3, luck.randint(1, 4))


@examples(3)
@given(st.lists(st.tuples(*KEYS.values()), max_size=20))
def test_sort_key_orders_like_its_columns(keys: list[tuple[Any, ...]]) -> None:
    with duckdb.connect() as connection:
        for place, column_type in enumerate(KEYS):
            connection.execute(f"CREATE TABLE t (v {duckdb_type(column_type)})")
            for key in keys:
                connection.execute("INSERT INTO t VALUES (?)", [key[place]])
            left, right = order_key(["a.v"]), order_key(["b.v"])
            wrong = connection.execute(
                f"SELECT count(*) FROM t a, t b WHERE (a.v = b.v) <> ({left} = {right})"
                f" OR (a.v < b.v) <> ({left} < {right}) OR (a.v < b.v) <> (hex({left}) < hex({right}))"
            ).fetchone()
            assert wrong == (0,), column_type
            connection.execute("DROP TABLE t")


@examples(20)
@given(st.dictionaries(st.binary(max_size=3).map(lambda key: key.hex().upper()), st.integers(1, 9)), st.integers(1, 16))
def test_ranges_are_in_order_and_each_has_a_key(weights: dict[str, int], ranges: int) -> None:
    starts = range_starts(weights, ranges)
    assert starts[0] == ""
    assert starts == sorted(set(starts))
    assert 1 <= len(starts) <= ranges
    with duckdb.connect() as connection:
        for key in weights:
            query = f"SELECT {range_number('k', starts)} FROM (SELECT from_hex(?) AS k)"
            row = connection.execute(query, [key]).fetchone()
            assert row == (sum(start <= key for start in starts) - 1,)


def test_ranges_are_of_about_the_same_weight_even_if_one_key_outweighs_all() -> None:
    keys = {f"{number:04X}": 1 for number in range(1000)}
    assert range_starts(keys, 4) == ["", "00FA", "01F4", "02EE"]
    heavy = keys | {"0100": 10_000}
    starts = range_starts(heavy, 4)
    assert starts == ["", "0101"], "what comes before a heavy key is with it, and what follows is apart"
