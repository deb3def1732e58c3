"""Renaming, casting, computing and filtering, of a datasource's rows before a merge or of the merged rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from sluice.domain.merge import Reshape
from sluice.domain.schema import Column, duckdb_type, is_long
from sluice.domain.sql_expression import SqlExpression, parse_expression
from sluice.lake.engine_types import kind_of
from sluice.lake.parquet import as_type, finite_or_null, quoted
from sluice.merge.faults import unfit
from sluice.merge.notes import LostDigits
from sluice.merge.plan import Source

# Beyond 2⁵³ a double cannot hold every whole number.
_EXACT = 2**53
_NAMES_DOUBLE = re.compile(r"double|float|real", re.IGNORECASE)

# A part of a project's document, such as ("merge", "result").
Place = tuple[str, ...]

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def reshape_source(
    connection: DuckDBPyConnection, source: Source, reshape: Reshape, notes: list[LostDigits] | None = None
) -> Source:
    """Apply a reshape to a source, in SQL; no rows are copied.

    Args:
        connection: the engine, which checks the expressions.
        source: the source as stored.
        reshape: what to rename, cast, compute and filter.
        notes: receives a note for each expression that loses digits; None: do not check.

    Returns:
        The source with `prepared` set; the source itself if the reshape is empty.

    Raises:
        MergeFailed: the reshape names an unknown column, or an expression does not fit the columns.
    """
    if reshape.empty:
        return source
    place = ("merge", "sources", source.input.datasource)
    sql, columns = reshape_query(
        connection, source.rows, list(source.columns.values()), reshape, source.carried, place, notes
    )
    columns = _with_width(connection, sql, columns, _unknown_width(source, reshape))
    stored_names = {new: old for old, new in reshape.rename.items()}
    by_name = {column.name: column for column in columns}
    names = {name: None if name in reshape.compute else stored_names.get(name, name) for name in by_name}
    return replace(source, columns=by_name, prepared=f"({sql})", stored_names=names)


def reshape_query(
    connection: DuckDBPyConnection,
    rows: str,
    columns: list[Column],
    reshape: Reshape,
    carried: list[str],
    place: Place,
    notes: list[LostDigits] | None = None,
) -> tuple[str, list[Column]]:
    """Return the query of reshaped rows, and its columns.

    Args:
        connection: the engine, which checks the expressions.
        rows: the SQL of the rows.
        columns: the columns of `rows`.
        reshape: what to rename, cast, compute and filter.
        carried: further columns, which are kept unchanged.
        place: where the reshape is in the project's document, for messages.
        notes: receives a note for each expression that loses digits; None: do not check.

    Raises:
        MergeFailed: the reshape names an unknown column, or an expression does not fit the columns.
    """
    renamed = _rename_and_cast(columns, reshape, place)
    kept = "".join(f", {name}" for name in carried)
    cells = ", ".join(
        f"{_cast(quoted(old.name), old.type, new.type)} AS {quoted(new.name)}"
        for old, new in zip(columns, renamed, strict=True)
    )
    query = f"SELECT {cells}{kept} FROM {rows}"
    if reshape.compute:
        if notes is not None:
            notes += _lost_digits(connection, query, renamed, reshape.compute, place)
        query, renamed = _compute(connection, query, renamed, reshape.compute, kept, place)
    if reshape.where is not None:
        condition = _require_known_columns(parse_expression(reshape.where), renamed, (*place, "where"))
        query = f"SELECT * FROM ({query}) WHERE {condition.sql}"
        _type_of_query(connection, query, (*place, "where"))
    return query, renamed


def _cast(cell: str, source_type: str, target_type: str) -> str:
    """Return the SQL of a cast; text that is cast to JSON is parsed, not quoted as a JSON string."""
    return (
        f"{cell}::JSON" if (source_type, target_type) == ("string", "json") else as_type(cell, source_type, target_type)
    )


def _unknown_width(source: Source, reshape: Reshape) -> set[str]:
    """Return the columns made by a cast or an expression: the sizes of their numbers are not known."""
    stored_names = {new: old for old, new in reshape.rename.items()}
    cast = {name for name in reshape.cast if source.columns[stored_names.get(name, name)].type != "bigint"}
    return {*cast, *reshape.compute}


def _with_width(connection: DuckDBPyConnection, query: str, columns: list[Column], names: set[str]) -> list[Column]:
    """Set `wide` of the named bigint columns, by a query that looks for numbers beyond ±2⁵³."""
    uncertain = [column.name for column in columns if column.name in names and column.type == "bigint"]
    if not uncertain:
        return columns
    checks = ", ".join(f"bool_or({quoted(name)} NOT BETWEEN {-_EXACT} AND {_EXACT})" for name in uncertain)
    row = connection.execute(f"SELECT {checks} FROM ({query})").fetchone() or ()
    wide = {name for name, is_wide in zip(uncertain, row, strict=True) if is_wide}
    return [
        column.model_copy(update={"wide": column.name in wide}) if column.name in uncertain else column
        for column in columns
    ]


def _rename_and_cast(columns: list[Column], reshape: Reshape, place: Place) -> list[Column]:
    known = {column.name for column in columns}
    for old in reshape.rename:
        if old not in known:
            raise unfit((*place, "rename", old), f"{_path(place)}.rename names {old!r}, {_not_among(known)}.")
    renamed = [column.model_copy(update={"name": reshape.rename.get(column.name, column.name)}) for column in columns]
    names = [column.name.lower() for column in renamed]
    for name in names:
        if names.count(name) > 1:
            raise unfit((*place, "rename"), f"{_path(place)}.rename makes two columns {name!r}.")
    for name in reshape.cast:
        if name not in {column.name for column in renamed}:
            raise unfit((*place, "cast", name), f"{_path(place)}.cast names {name!r}, {_not_among(names)}.")
    casts = reshape.cast
    return [
        column.model_copy(update={"type": casts[column.name], "guessed": False}) if column.name in casts else column
        for column in renamed
    ]


def _compute(
    connection: DuckDBPyConnection, query: str, columns: list[Column], compute: dict[str, str], kept: str, place: Place
) -> tuple[str, list[Column]]:
    computed: dict[str, tuple[str, Column]] = {}
    for name, text in compute.items():
        own = (*place, "compute", name)
        expression = _require_known_columns(parse_expression(text), columns, own)
        engine_type = _type_of_query(connection, f"SELECT {expression.sql} FROM ({query})", own)
        type_ = kind_of(engine_type)
        cell = f"to_json({expression.sql})" if type_ == "json" and engine_type != "JSON" else f"({expression.sql})"
        cell = finite_or_null(cell) if type_ == "double" else cell
        computed[name] = (f"({cell})::{duckdb_type(type_)}", Column(name=name, type=type_))
    spelled = {name.lower() for name in computed}
    columns = [column for column in columns if column.name.lower() not in spelled]
    cells = [quoted(column.name) for column in columns]
    cells += [f"{cell} AS {quoted(name)}" for name, (cell, _) in computed.items()]
    return f"SELECT {', '.join(cells)}{kept} FROM ({query})", [*columns, *(column for _, column in computed.values())]


def _lost_digits(
    connection: DuckDBPyConnection, query: str, columns: list[Column], compute: dict[str, str], place: Place
) -> list[LostDigits]:
    """Count the rows whose digits an expression loses by computing a double.

    An expression that names DOUBLE, FLOAT or REAL itself asks for this and is not counted.
    """
    long = {
        column.name.lower(): column
        for column in columns
        if is_long(column.type) or (column.type == "bigint" and column.wide)
    }
    notes = []
    for name, text in compute.items():
        own = (*place, "compute", name)
        expression = _require_known_columns(parse_expression(text), columns, own)
        operands = [long[name] for name in sorted(expression.columns & set(long))]
        if not operands or _NAMES_DOUBLE.search(text):
            continue
        if _type_of_query(connection, f"SELECT {expression.sql} FROM ({query})", own) != "DOUBLE":
            continue
        lost = " OR ".join(_has_long_number(column) for column in operands)
        count = (connection.execute(f"SELECT count(*) FROM ({query}) WHERE {lost}").fetchone() or (0,))[0]
        if count:
            names = [column.name for column in operands]
            notes.append(LostDigits(expression=_path(own), columns=names, rows=count))
    return notes


def _has_long_number(column: Column) -> str:
    """Return the SQL condition that a double cannot hold the column's number."""
    cell = quoted(column.name)
    if column.type == "bigint":
        return f"{cell} NOT BETWEEN {-_EXACT} AND {_EXACT}"
    kind = duckdb_type(column.type)
    return f"try_cast({cell}::VARCHAR::DOUBLE::VARCHAR AS {kind}) IS DISTINCT FROM {cell}"


def _require_known_columns(expression: SqlExpression, columns: list[Column], place: Place) -> SqlExpression:
    """Return the expression if it reads the given columns only, and not `_page`, `_row` or `__sluice_at`."""
    names = {column.name.lower() for column in columns}
    for name in sorted(expression.columns - names):
        raise unfit(place, f"{_path(place)} names {name!r}, {_not_among(names)}.")
    return expression


def _not_among(names: Iterable[str]) -> str:
    return f"which is not a column; the columns are {', '.join(sorted(names))}"


def _path(place: Place) -> str:
    return ".".join(place)


def _type_of_query(connection: DuckDBPyConnection, query: str, place: Place) -> str:
    """Return the engine's type of a query's first column; DESCRIBE binds the query and reads no rows."""
    import duckdb

    try:
        return str(connection.execute(f"DESCRIBE {query}").fetchall()[0][1])
    except duckdb.Error as error:
        raise unfit(place, f"{_path(place)} does not fit the columns: {str(error).splitlines()[0]}") from None
