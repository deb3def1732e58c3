"""The SQL of a merge: one query whose result has a total order, so that its bytes are always the same."""

from __future__ import annotations

from sluice.domain.merge import JoinMerge, RowsMerge
from sluice.domain.schema import Column, duckdb_type
from sluice.lake.equality import key_cell
from sluice.lake.parquet import as_type, literal, quoted
from sluice.merge.plan import Source
from sluice.merge.provenance import in_merge, row_column, winner_column
from sluice.merge.rules import Chosen, chosen, competitors, has_record, whole_record

_RANK = "_rank"


def duplicates_query(source: Source, key: list[Column]) -> str:
    """How many rows of a source a merge leaves out: repeated keys, and keys with a null.

    Args:
        key: the merged columns, by whose types keys are compared.
    """
    cells = key_cells(source, key)
    names = ", ".join(cells)
    whole = " AND ".join(f"{cell} IS NOT NULL" for cell in cells)
    return f"""
        SELECT count(*) FILTER ({whole}) - count(DISTINCT ({names})) FILTER ({whole}),
               count(*) FILTER (NOT ({whole}))
        FROM {source.rows}
    """


def keyed_query(spec: RowsMerge, sources: list[Source], columns: list[Column], repeated: set[str]) -> str:
    """One row per key, ordered by the key; and for each row where it came from.

    Args:
        sources: those that have columns, best ranked first.
        repeated: the datasources in which a key comes more than once.

    Returns:
        The columns of the dataset, then those of provenance: see `merge.provenance`.
    """
    by_name = {column.name: column for column in columns}
    key = [by_name[name] for name in spec.key or []]
    names = ", ".join(quoted(column.name) for column in key)
    parts = [
        f"{quoted(source.label)} AS ({_rows_by_key(source, key, repeated=source.input.datasource in repeated)})"
        for source in sources
    ]
    selected: list[str] = []
    winners: list[str] = []
    for column in columns:
        if column in key:
            selected.append(quoted(column.name))
            continue
        made = _made(spec, column, sources)
        selected.append(f"{made.value} AS {quoted(column.name)}")
        winners.append(f"({made.winner})::UTINYINT AS {in_merge(winner_column(len(winners)))}")
    rows = [
        f"{quoted(source.label)}.__sluice_at AS {in_merge(row_column(rank))}" for rank, source in enumerate(sources)
    ]
    first, *others = [quoted(source.label) for source in sources]
    joins = "".join(f"\nFULL JOIN {other} USING ({names})" for other in others)
    where = _kept(spec, sources)
    selection = ", ".join([*selected, *rows, *winners])
    return f"WITH {', '.join(parts)}\nSELECT {selection}\nFROM {first}{joins}\n{where}\nORDER BY {names}"


def _made(spec: RowsMerge, column: Column, sources: list[Source]) -> Chosen:
    if isinstance(spec, JoinMerge):
        rule = spec.rule_of(column.name)
        return chosen(rule, column, competitors(rule, column, sources))
    made = whole_record(column.name, column, sources)
    if column.name != "_source":
        return made
    names = " ".join(f"WHEN {has_record(one)} THEN {literal(one.input.datasource)}" for one in sources)
    return Chosen(f"CASE {names} END", made.winner)


def _kept(spec: RowsMerge, sources: list[Source]) -> str:
    """Which records of the full join stay; DuckDB makes the narrower join of it by itself."""
    if not isinstance(spec, JoinMerge) or spec.join == "full":
        return ""
    if spec.join == "inner":
        return "WHERE " + " AND ".join(has_record(source) for source in sources)
    primary = next((one for one in sources if one.input.datasource == spec.primary), sources[0])
    return f"WHERE {has_record(primary)}"


def nothing_query(columns: list[Column]) -> str:
    """No rows, where no source has any."""
    cells = ", ".join(f"NULL::{duckdb_type(column.type)} AS {quoted(column.name)}" for column in columns)
    return f"SELECT {cells} WHERE false"


def _rows_by_key(source: Source, key: list[Column], *, repeated: bool) -> str:
    """The source's rows with a whole key, each with its place in the version; of each key the last by page and row."""
    casts = ", ".join(
        f"{cell} AS {quoted(column.name)}" for cell, column in zip(key_cells(source, key), key, strict=True)
    )
    others = [quoted(name) for name in source.columns if name not in {column.name for column in key}]
    selected = ", ".join([casts, *others, *source.carried])
    whole = " AND ".join(f"{quoted(column.name)} IS NOT NULL" for column in key)
    query = f"SELECT {selected} FROM {source.rows} WHERE {whole}"
    if not repeated:
        return query
    names = ", ".join(quoted(column.name) for column in key)
    return f"""
        SELECT * FROM ({query})
        QUALIFY row_number() OVER (PARTITION BY {names} ORDER BY {source.latest_first}) = 1
    """


def key_cells(source: Source, key: list[Column]) -> list[str]:
    """The SQL of a row's key, by the types of the merged columns, in which keys are compared."""
    return [key_cell(quoted(column.name), source.columns[column.name].type, column.type) for column in key]


def place_cells(rank: int, source: Source) -> list[str]:
    """The SQL of what orders the rows of a union that has no key: see `stacked_query`."""
    return [f"{rank}::USMALLINT", _run(source), "_page::BIGINT", "_row::BIGINT"]


def _run(source: Source) -> str:
    return "_run" if "_run" in source.position else "''"


def stacked_query(sources: list[Source], columns: list[Column]) -> str:
    """All rows of all sources, best ranked first, each source's in the order of its runs, pages and rows."""
    selects = []
    for rank, source in enumerate(sources):
        cells = [
            as_type(quoted(column.name), source.columns[column.name].type, column.type)
            if column.name in source.columns
            else f"NULL::{duckdb_type(column.type)}"
            for column in columns
            if column.name != "_source"
        ]
        names = [quoted(column.name) for column in columns if column.name != "_source"]
        named = f"{literal(source.input.datasource)} AS _source, {rank} AS {_RANK}, {_run(source)} AS _run, _page, _row"
        selected = [f"{cell} AS {name}" for cell, name in zip(cells, names, strict=True)]
        selects.append(f"SELECT {', '.join([*selected, named])} FROM {source.rows}")
    names_ = ", ".join(quoted(column.name) for column in columns)
    return f"SELECT {names_} FROM ({' UNION ALL '.join(selects)}) ORDER BY {_RANK}, _run, _page, _row"
