"""The SQL of a merge: one query whose result has a total order, so that the same inputs give the same bytes."""

from __future__ import annotations

from sluice.domain.merge import JoinMerge, RowsMerge
from sluice.domain.schema import Column, duckdb_type
from sluice.lake.equality import key_cell
from sluice.lake.parquet import as_type, literal, quoted
from sluice.merge.plan import Source
from sluice.merge.provenance import in_merge, row_column, winner_column
from sluice.merge.rules import FieldSql, best_record_sql, competitors, field_sql, has_record

_RANK = "_rank"


def duplicates_query(source: Source, key: list[Column]) -> str:
    """Return the query that counts the rows that a merge leaves out: with a repeated key, and with a null in the key.

    Args:
        source: the source that is counted.
        key: the merged columns of the key; keys are compared in their types.

    Returns:
        SQL of one row, `(repeated, keyless)`.
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
    """Return the query of the merged rows, one for each key, in the order of the keys.

    Args:
        spec: the merge.
        sources: the inputs that have columns, best ranked first.
        columns: the merged columns.
        repeated: the datasources that have several rows for a key; only these are deduplicated, since the window
            function costs a sort.

    Returns:
        SQL with the columns of the dataset, then those of provenance (see `merge.provenance`).
    """
    by_name = {column.name: column for column in columns}
    key = [by_name[name] for name in spec.key or []]
    names = ", ".join(quoted(column.name) for column in key)
    tables = [
        f"{quoted(source.label)} AS ({_rows_by_key(source, key, repeated=source.input.datasource in repeated)})"
        for source in sources
    ]
    selected: list[str] = []
    winners: list[str] = []
    for column in columns:
        if column in key:
            selected.append(quoted(column.name))
            continue
        field = _field(spec, column, sources)
        selected.append(f"{field.value} AS {quoted(column.name)}")
        winners.append(f"({field.winner})::UTINYINT AS {in_merge(winner_column(len(winners)))}")
    rows = [
        f"{quoted(source.label)}.__sluice_at AS {in_merge(row_column(rank))}" for rank, source in enumerate(sources)
    ]
    first, *others = [quoted(source.label) for source in sources]
    # USING merges the key columns of both sides, so that the key is never null for a record of a later source.
    joins = "".join(f"\nFULL JOIN {other} USING ({names})" for other in others)
    where = _join_condition(spec, sources)
    selection = ", ".join([*selected, *rows, *winners])
    return f"WITH {', '.join(tables)}\nSELECT {selection}\nFROM {first}{joins}\n{where}\nORDER BY {names}"


def _field(spec: RowsMerge, column: Column, sources: list[Source]) -> FieldSql:
    if isinstance(spec, JoinMerge):
        rule = spec.rule_of(column.name)
        return field_sql(rule, column, competitors(rule, column, sources))
    field = best_record_sql(column.name, column, sources)
    if column.name != "_source":
        return field
    names = " ".join(f"WHEN {has_record(source)} THEN {literal(source.input.datasource)}" for source in sources)
    return FieldSql(f"CASE {names} END", field.winner)


def _join_condition(spec: RowsMerge, sources: list[Source]) -> str:
    """Return the WHERE clause that narrows the full join; DuckDB's optimizer turns it into a left or inner join."""
    if not isinstance(spec, JoinMerge) or spec.join == "full":
        return ""
    if spec.join == "inner":
        return "WHERE " + " AND ".join(has_record(source) for source in sources)
    primary = next((source for source in sources if source.input.datasource == spec.primary), sources[0])
    return f"WHERE {has_record(primary)}"


def nothing_query(columns: list[Column]) -> str:
    """Return a query with these columns and no rows, for a merge in which no source has rows."""
    cells = ", ".join(f"NULL::{duckdb_type(column.type)} AS {quoted(column.name)}" for column in columns)
    return f"SELECT {cells} WHERE false"


def _rows_by_key(source: Source, key: list[Column], *, repeated: bool) -> str:
    """Return the query of the source's rows without nulls in the key; of each key the last row by page and row."""
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
    """Return the SQL of a source's key.

    Args:
        source: a source that has all columns of the key.
        key: the merged columns of the key; keys are compared in their types.
    """
    return [key_cell(quoted(column.name), source.columns[column.name].type, column.type) for column in key]


def place_cells(rank: int, source: Source) -> list[str]:
    """Return the SQL of what orders the rows of a union without a key, as in `stacked_query`.

    Args:
        rank: the source's rank.
        source: the source.
    """
    return [f"{rank}::USMALLINT", _run(source), "_page::BIGINT", "_row::BIGINT"]


def _run(source: Source) -> str:
    return "_run" if "_run" in source.position else "''"


def stacked_query(sources: list[Source], columns: list[Column]) -> str:
    """Return the query of a union without a key: all rows, ordered by source, run, page and row.

    Args:
        sources: the inputs that have columns, best ranked first.
        columns: the merged columns.
    """
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
    all_names = ", ".join(quoted(column.name) for column in columns)
    return f"SELECT {all_names} FROM ({' UNION ALL '.join(selects)}) ORDER BY {_RANK}, _run, _page, _row"
