"""Renaming, casting, computing and filtering: of a datasource's rows before a merge, and of its result."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from sluice.domain.merge import Reshape
from sluice.domain.schema import Column, duckdb_type, is_long
from sluice.domain.sql_expression import SqlExpression, parse_expression
from sluice.errors import MergeFailed
from sluice.lake.engine_types import kind_of
from sluice.lake.parquet import as_type, finite, quoted
from sluice.merge.notes import LostDigits
from sluice.merge.plan import Source

_EXACT = 2**53
_NAMES_DOUBLE = re.compile(r"double|float|real", re.IGNORECASE)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def reshaped_source(
    connection: DuckDBPyConnection, source: Source, reshape: Reshape, notes: list[LostDigits] | None = None
) -> Source:
    """A source as the merge is to see it.

    Args:
        notes: where a warning is put of digits that an expression loses.

    Raises:
        MergeFailed: the reshape names a column that is not there, or an expression does not fit the columns.
    """
    if reshape.empty:
        return source
    what = f"merge.sources.{source.input.datasource}"
    sql, columns = reshaped(
        connection, source.rows, list(source.columns.values()), reshape, source.carried, what, notes
    )
    columns = _with_width(connection, sql, columns, _unknown_width(source, reshape))
    back = {new: old for old, new in reshape.rename.items()}
    names = {name: None if name in reshape.compute else back.get(name, name) for name in (one.name for one in columns)}
    return replace(source, columns={one.name: one for one in columns}, prepared=f"({sql})", stored_names=names)


def reshaped(
    connection: DuckDBPyConnection,
    rows: str,
    columns: list[Column],
    reshape: Reshape,
    carried: list[str],
    what: str,
    notes: list[LostDigits] | None = None,
) -> tuple[str, list[Column]]:
    """The query of reshaped rows, and their columns.

    Args:
        rows: the SQL of the rows.
        carried: columns that every row keeps as they are.
        what: where the reshape stands in the project, for errors.
        notes: where a warning is put of digits that an expression loses; without it nobody looks.

    Raises:
        MergeFailed: as above.
    """
    renamed = _renamed(columns, reshape, what)
    kept = "".join(f", {name}" for name in carried)
    cells = ", ".join(
        f"{_cast(quoted(old.name), old.type, new.type)} AS {quoted(new.name)}"
        for old, new in zip(columns, renamed, strict=True)
    )
    query = f"SELECT {cells}{kept} FROM {rows}"
    if reshape.compute:
        if notes is not None:
            notes += _lost_digits(connection, query, renamed, reshape.compute, what)
        query, renamed = _computed(connection, query, renamed, reshape.compute, kept, what)
    if reshape.where is not None:
        condition = _known(parse_expression(reshape.where), renamed, f"{what}.where")
        query = f"SELECT * FROM ({query}) WHERE {condition.sql}"
        _described(connection, query, f"{what}.where")
    return query, renamed


def _cast(cell: str, have: str, want: str) -> str:
    """The SQL of a value as another type; unlike where types meet, a text that becomes JSON is read as such."""
    return f"{cell}::JSON" if (have, want) == ("string", "json") else as_type(cell, have, want)


def _unknown_width(source: Source, reshape: Reshape) -> set[str]:
    """The columns that a cast or an expression makes, of which nobody knows how large their numbers are."""
    back = {new: old for old, new in reshape.rename.items()}
    cast = {name for name in reshape.cast if source.columns[back.get(name, name)].type != "bigint"}
    return {*cast, *reshape.compute}


def _with_width(connection: DuckDBPyConnection, query: str, columns: list[Column], names: set[str]) -> list[Column]:
    """The columns; of those that are named, whole numbers are looked at for digits that a double would lose."""
    made = [column.name for column in columns if column.name in names and column.type == "bigint"]
    if not made:
        return columns
    looks = ", ".join(f"bool_or({quoted(name)} NOT BETWEEN {-_EXACT} AND {_EXACT})" for name in made)
    found = connection.execute(f"SELECT {looks} FROM ({query})").fetchone() or ()
    wide = {name for name, is_wide in zip(made, found, strict=True) if is_wide}
    return [one.model_copy(update={"wide": one.name in wide}) if one.name in made else one for one in columns]


def _renamed(columns: list[Column], reshape: Reshape, what: str) -> list[Column]:
    known = {column.name for column in columns}
    for old in reshape.rename:
        if old not in known:
            raise MergeFailed(f"{what}.rename names {old!r}, which is not there; there are {', '.join(sorted(known))}.")
    renamed = [column.model_copy(update={"name": reshape.rename.get(column.name, column.name)}) for column in columns]
    names = [column.name.lower() for column in renamed]
    for name in names:
        if names.count(name) > 1:
            raise MergeFailed(f"{what}.rename makes two columns {name!r}.")
    for name in reshape.cast:
        if name not in {column.name for column in renamed}:
            raise MergeFailed(f"{what}.cast names {name!r}, which is not there; there are {', '.join(sorted(names))}.")
    casts = reshape.cast
    return [
        one.model_copy(update={"type": casts[one.name], "guessed": False}) if one.name in casts else one
        for one in renamed
    ]


def _computed(
    connection: DuckDBPyConnection, query: str, columns: list[Column], compute: dict[str, str], kept: str, what: str
) -> tuple[str, list[Column]]:
    made: dict[str, tuple[str, Column]] = {}
    for name, text in compute.items():
        expression = _known(parse_expression(text), columns, f"{what}.compute.{name}")
        found = _described(connection, f"SELECT {expression.sql} FROM ({query})", f"{what}.compute.{name}")
        kind = kind_of(found)
        cell = f"to_json({expression.sql})" if kind == "json" and found != "JSON" else f"({expression.sql})"
        cell = finite(cell) if kind == "double" else cell
        made[name] = (f"({cell})::{duckdb_type(kind)}", Column(name=name, type=kind))
    spelled = {name.lower() for name in made}
    columns = [column for column in columns if column.name.lower() not in spelled]
    cells = [quoted(column.name) for column in columns]
    cells += [f"{cell} AS {quoted(name)}" for name, (cell, _) in made.items()]
    return f"SELECT {', '.join(cells)}{kept} FROM ({query})", [*columns, *(column for _, column in made.values())]


def _lost_digits(
    connection: DuckDBPyConnection, query: str, columns: list[Column], compute: dict[str, str], what: str
) -> list[LostDigits]:
    """What is said of expressions that make doubles of numbers with more digits, unless they name the type."""
    long = {one.name.lower(): one for one in columns if is_long(one.type) or (one.type == "bigint" and one.wide)}
    notes = []
    for name, text in compute.items():
        expression = _known(parse_expression(text), columns, f"{what}.compute.{name}")
        read = [long[one] for one in sorted(expression.columns & set(long))]
        if not read or _NAMES_DOUBLE.search(text):
            continue
        if _described(connection, f"SELECT {expression.sql} FROM ({query})", f"{what}.compute.{name}") != "DOUBLE":
            continue
        lost = " OR ".join(_has_long_number(one) for one in read)
        count = (connection.execute(f"SELECT count(*) FROM ({query}) WHERE {lost}").fetchone() or (0,))[0]
        if count:
            names = [one.name for one in read]
            notes.append(LostDigits(expression=f"{what}.compute.{name}", columns=names, rows=count))
    return notes


def _has_long_number(column: Column) -> str:
    """The SQL condition that a double would change a number."""
    cell = quoted(column.name)
    if column.type == "bigint":
        return f"{cell} NOT BETWEEN {-_EXACT} AND {_EXACT}"
    kind = duckdb_type(column.type)
    return f"try_cast({cell}::VARCHAR::DOUBLE::VARCHAR AS {kind}) IS DISTINCT FROM {cell}"


def _known(expression: SqlExpression, columns: list[Column], what: str) -> SqlExpression:
    """The expression, if it reads known columns only: not those that carry a row's place."""
    names = {column.name.lower() for column in columns}
    for name in sorted(expression.columns - names):
        raise MergeFailed(f"{what} names {name!r}, which is not there; there are {', '.join(sorted(names))}.")
    return expression


def _described(connection: DuckDBPyConnection, query: str, what: str) -> str:
    """The type of a query's first column."""
    import duckdb

    try:
        return str(connection.execute(f"DESCRIBE {query}").fetchall()[0][1])
    except duckdb.Error as error:
        raise MergeFailed(f"{what} does not fit the columns: {str(error).splitlines()[0]}") from None
