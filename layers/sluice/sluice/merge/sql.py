"""The SQL of a merge: one query whose result has a total order, so that its bytes are always the same."""

from __future__ import annotations

from sluice.domain.project import FieldRule, JoinMerge, UnionMerge
from sluice.domain.schema import Column, common_type, duckdb_type
from sluice.lake.parquet import as_type, literal, quoted
from sluice.merge.plan import Source

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


def join_query(spec: JoinMerge, sources: list[Source], columns: list[Column]) -> str:
    """One row per key, each field by its rule, ordered by the key."""
    key = [column for column in columns if column.name in spec.key]
    key.sort(key=lambda column: spec.key.index(column.name))
    names = ", ".join(quoted(column.name) for column in key)
    parts = [f"{quoted(source.label)} AS ({_last_per_key(source, key)})" for source in sources]
    every = " UNION ".join(f"SELECT {names} FROM {quoted(source.label)}" for source in sources)
    parts.append(f"_keys AS ({every})")
    joins = "\n".join(f"LEFT JOIN {quoted(source.label)} USING ({names})" for source in sources)
    default = FieldRule(rule=spec.default_rule)
    fields = [
        f"{_rule(spec.fields.get(column.name, default), column, sources)} AS {quoted(column.name)}"
        for column in columns
        if column.name not in spec.key
    ]
    selected = ", ".join([*(f"_keys.{quoted(column.name)}" for column in key), *fields])
    order = ", ".join(f"_keys.{quoted(column.name)}" for column in key)
    return f"WITH {', '.join(parts)}\nSELECT {selected}\nFROM _keys\n{joins}\nORDER BY {order}"


def nothing_query(columns: list[Column]) -> str:
    """No rows, where no source has any."""
    cells = ", ".join(f"NULL::{duckdb_type(column.type)} AS {quoted(column.name)}" for column in columns)
    return f"SELECT {cells} WHERE false"


def _last_per_key(source: Source, key: list[Column]) -> str:
    """The source's rows with a whole key, the last by page and row of each."""
    casts = ", ".join(f"{quoted(column.name)}::{duckdb_type(column.type)} AS {quoted(column.name)}" for column in key)
    others = [quoted(name) for name in source.columns if name not in {column.name for column in key}]
    selected = ", ".join([casts, *others, *source.position])
    whole = " AND ".join(f"{quoted(column.name)} IS NOT NULL" for column in key)
    names = ", ".join(quoted(column.name) for column in key)
    return f"""
        SELECT * FROM (SELECT {selected} FROM {source.rows}) WHERE {whole}
        QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY {source.latest_first}) = 1
    """


def _cell(source: Source, name: str, column_type: str) -> str:
    return as_type(f"{quoted(source.label)}.{quoted(name)}", source.columns[name].type, column_type)


def _present(source: Source) -> str:
    """Whether the source has this record: every row has a page."""
    return f"{quoted(source.label)}._page IS NOT NULL"


def _rule(rule: FieldRule, column: Column, sources: list[Source]) -> str:
    competing = [source for source in sources if column.name in source.columns]
    cells = [_cell(source, column.name, column.type) for source in competing]
    if rule.rule == "first_non_null":
        return f"coalesce({', '.join(cells)})"
    if rule.rule == "priority":
        cases = " ".join(f"WHEN {_present(source)} THEN {cell}" for source, cell in zip(competing, cells, strict=True))
        return f"CASE {cases} END"
    return _timed(rule, column, competing, cells)


def _timed(rule: FieldRule, column: Column, competing: list[Source], cells: list[str]) -> str:
    """The value of the source whose `by` is greatest or least; without any, the first non-null."""
    assert rule.by is not None
    dated = [source for source in competing if rule.by in source.columns]
    fallback = f"coalesce({', '.join(cells)})"
    if not dated:
        return fallback
    kind = _moment_type([source.columns[rule.by].type for source in dated])
    moments = {
        source.label: f"CASE WHEN {_cell(source, column.name, column.type)} IS NOT NULL "
        f"THEN try_cast({quoted(source.label)}.{quoted(rule.by)} AS {duckdb_type(kind)}) END"
        for source in dated
    }
    best = f"{'greatest' if rule.rule == 'newest' else 'least'}({', '.join(moments.values())})"
    cases = " ".join(
        f"WHEN {moments[source.label]} = {best} THEN {_cell(source, column.name, column.type)}" for source in dated
    )
    return f"CASE {cases} ELSE {fallback} END"


def _moment_type(types: list[str]) -> str:
    """What `by` is compared as: times as times, even where one datasource has them as text."""
    return "timestamp" if "timestamp" in types or "date" in types else common_type(types)


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
