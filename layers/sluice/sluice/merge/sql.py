"""The SQL of a merge: one query whose result has a total order, so that its bytes are always the same."""

from __future__ import annotations

from sluice.domain.project import FieldRule, JoinMerge, UnionMerge
from sluice.domain.schema import Column, duckdb_type
from sluice.lake.parquet import as_type, literal, quoted
from sluice.merge.plan import Source
from sluice.merge.provenance import row_column, winner_column
from sluice.merge.rules import chosen, competitors

_RANK = "_rank"


def duplicates_query(source: Source, key: list[str]) -> str:
    """How many rows of a source a merge leaves out: repeated keys, and keys with a null."""
    names = ", ".join(map(quoted, key))
    whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in key)
    return f"""
        SELECT count(*) FILTER ({whole}) - count(DISTINCT ({names})) FILTER ({whole}),
               count(*) FILTER (NOT ({whole}))
        FROM {source.rows}
    """


def join_query(spec: JoinMerge, sources: list[Source], columns: list[Column], repeated: set[str]) -> str:
    """One row per key, each field by its rule, ordered by the key; and for each row where it came from.

    Args:
        repeated: the datasources in which a key comes more than once.

    Returns:
        The columns of the dataset, then those of provenance: see `merge.provenance`.
    """
    key = sorted((column for column in columns if column.name in spec.key), key=lambda one: spec.key.index(one.name))
    names = ", ".join(quoted(column.name) for column in key)
    parts = [
        f"{quoted(source.label)} AS ({_rows_by_key(source, key, repeated=source.input.datasource in repeated)})"
        for source in sources
    ]
    joins = "".join(f"\nFULL JOIN {quoted(source.label)} USING ({names})" for source in sources[1:])
    default = FieldRule(rule=spec.default_rule)
    fields, winners = [], []
    for position, column in enumerate(column for column in columns if column.name not in spec.key):
        rule = spec.fields.get(column.name, default)
        made = chosen(rule, column, competitors(rule, column, sources))
        fields.append(f"{made.value} AS {quoted(column.name)}")
        winners.append(f"({made.winner})::UTINYINT AS {winner_column(position)}")
    rows = [f"{quoted(source.label)}._at AS {row_column(rank)}" for rank, source in enumerate(sources)]
    selected = ", ".join([*(quoted(column.name) for column in key), *fields, *rows, *winners])
    source = quoted(sources[0].label)
    return f"WITH {', '.join(parts)}\nSELECT {selected}\nFROM {source}{joins}\nORDER BY {names}"


def nothing_query(columns: list[Column]) -> str:
    """No rows, where no source has any."""
    cells = ", ".join(f"NULL::{duckdb_type(column.type)} AS {quoted(column.name)}" for column in columns)
    return f"SELECT {cells} WHERE false"


def _rows_by_key(source: Source, key: list[Column], *, repeated: bool) -> str:
    """The source's rows with a whole key, each with its place in the version; of each key the last by page and row."""
    casts = ", ".join(
        f"{as_type(quoted(column.name), source.columns[column.name].type, column.type)} AS {quoted(column.name)}"
        for column in key
    )
    others = [quoted(name) for name in source.columns if name not in {column.name for column in key}]
    selected = ", ".join([casts, *others, *source.position, *source.missing, "_at"])
    whole = " AND ".join(f"{quoted(column.name)} IS NOT NULL" for column in key)
    query = f"SELECT {selected} FROM {source.placed_rows} WHERE {whole}"
    if not repeated:
        return query
    names = ", ".join(quoted(column.name) for column in key)
    return f"""
        SELECT * FROM ({query})
        QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY {source.latest_first}) = 1
    """


def union_query(spec: UnionMerge, sources: list[Source], columns: list[Column]) -> str:
    """All rows of all sources, best ranked first; with a key, the best-ranked last row of each."""
    kept = [column for column in columns if column.name != "_source"]
    selects = []
    for rank, source in enumerate(sources):
        cells = [
            f"{as_type(quoted(column.name), source.columns[column.name].type, column.type)} AS {quoted(column.name)}"
            if column.name in source.columns
            else f"NULL::{duckdb_type(column.type)} AS {quoted(column.name)}"
            for column in kept
        ]
        run = "_run" if "_run" in source.position else "'' AS _run"
        named = f"{literal(source.input.datasource)} AS _source, {rank} AS {_RANK}, {run}, _page, _row"
        selects.append(f"SELECT {', '.join([*cells, named])} FROM {source.rows}")
    rows = " UNION ALL ".join(selects)
    names = ", ".join(["_source", *(quoted(column.name) for column in kept)])
    if not spec.key:
        return f"SELECT {names} FROM ({rows}) ORDER BY {_RANK}, _run, _page, _row"
    key = ", ".join(map(quoted, spec.key))
    whole = " AND ".join(f"{quoted(name)} IS NOT NULL" for name in spec.key)
    return f"""
        SELECT {names} FROM ({rows}) WHERE {whole}
        QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {_RANK}, _run DESC, _page DESC, _row DESC) = 1
        ORDER BY {key}
    """
