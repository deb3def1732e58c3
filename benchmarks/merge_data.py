"""What the benchmarks `merge` and `scale` merge: three sources of 12 columns, and the rules."""

from __future__ import annotations

from pathlib import Path

import duckdb

from sluice.domain.dataset import InputVersion
from sluice.domain.schema import Column
from sluice.lake.parquet import ROW_GROUP, LocalFile
from sluice.merge.plan import Source

SOURCES = 3
TYPES = {
    "id": "bigint",
    "name": "string",
    "symbol": "string",
    "price": "double",
    "volume": "bigint",
    "rank": "bigint",
    "active": "boolean",
    "updated_at": "timestamp",
    "city": "string",
    "score": "double",
    "visits": "bigint",
    "note": "string",
}
SPEC = {
    "strategy": "join",
    "key": ["id"],
    "fields": {
        "price": {"rule": "newest", "by": "updated_at"},
        "volume": {"rule": "sum"},
        "rank": {"rule": "min"},
        "score": {"rule": "mean"},
        "visits": {"rule": "max"},
        "note": {"rule": "longest"},
        "city": {"rule": "first_non_null"},
        "symbol": {"rule": "first_non_null"},
    },
    "default_rule": "priority",
}


def write_source(path: Path, rank: int, rows: int) -> None:
    """A source in no order, whose keys are two thirds those of the next one."""
    span = rows * 3 // 2
    duckdb.connect().sql(f"""
        SELECT (range * 7919 + {rank} * {rows // 4}) % {span} AS id,
               'name ' || (hash(range, {rank}) % 100000) AS name,
               CASE WHEN hash(range, 1) % 5 > 0 THEN 'S' || (range % 5000) END AS symbol,
               CASE WHEN hash(range, 2) % 10 > 0 THEN (hash(range, 3, {rank}) % 1000000) / 100 END AS price,
               (hash(range, 4, {rank}) % 100000)::BIGINT AS volume,
               (hash(range, 5, {rank}) % 1000)::BIGINT AS rank,
               hash(range, 6) % 2 = 0 AS active,
               TIMESTAMP '2026-01-01' + to_seconds((hash(range, 7, {rank}) % 10000000)::BIGINT) AS updated_at,
               CASE WHEN hash(range, 8) % 3 > 0 THEN 'city ' || (range % 300) END AS city,
               (hash(range, 9, {rank}) % 10000) / 10 AS score,
               (hash(range, 10, {rank}) % 10000)::BIGINT AS visits,
               repeat('n', (hash(range, 11, {rank}) % 20)::INTEGER) AS note,
               1 AS _page, range AS _row
        FROM range({rows})
    """).write_parquet(str(path), compression="zstd", row_group_size=ROW_GROUP)


def sources(folder: Path, rows: int) -> list[Source]:
    """The files as the merge takes them."""
    columns = {name: Column(name=name, type=kind) for name, kind in TYPES.items()}
    made = []
    for rank in range(SOURCES):
        taken = InputVersion(
            datasource=f"s{rank}",
            version=1,
            run="r",
            completeness="complete",
            rows=rows,
            created_at="",
            fingerprint="",
            priority=rank,
            alias=f"s{rank}",
        )
        made.append(Source(taken, columns, [LocalFile(folder / f"{rank}.parquet", None, rows)], ["_page", "_row"]))
    return made
