"""Renaming, casting, computing and filtering: of a datasource's rows before a merge, and of its result."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sluice.domain.merge import Reshape
from sluice.domain.schema import Column, duckdb_type
from sluice.domain.sql_expression import SqlExpression, parse_expression
from sluice.errors import MergeFailed
from sluice.lake.parquet import as_type, quoted
from sluice.lake.types import kind_of
from sluice.merge.plan import Source

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def reshaped_source(connection: DuckDBPyConnection, source: Source, reshape: Reshape) -> Source:
    """A source as the merge is to see it.

    Raises:
        MergeFailed: the reshape names a column that is not there, or an expression does not fit the columns.
    """
    if reshape.empty:
        return source
    what = f"merge.sources.{source.input.datasource}"
    sql, columns = reshaped(connection, source.rows, list(source.columns.values()), reshape, source.carried, what)
    back = {new: old for old, new in reshape.rename.items()}
    names = {name: None if name in reshape.compute else back.get(name, name) for name in (one.name for one in columns)}
    return replace(source, columns={one.name: one for one in columns}, prepared=f"({sql})", stored_names=names)


def reshaped(
    connection: DuckDBPyConnection, rows: str, columns: list[Column], reshape: Reshape, carried: list[str], what: str
) -> tuple[str, list[Column]]:
    """The query of reshaped rows, and their columns.

    Args:
        rows: the SQL of the rows.
        carried: columns that every row keeps as they are.
        what: where the reshape stands in the project, for errors.

    Raises:
        MergeFailed: as above.
    """
    renamed = _renamed(columns, reshape, what)
    kept = "".join(f", {name}" for name in carried)
    cells = ", ".join(
        f"{as_type(quoted(old.name), old.type, new.type)} AS {quoted(new.name)}"
        for old, new in zip(columns, renamed, strict=True)
    )
    query = f"SELECT {cells}{kept} FROM {rows}"
    if reshape.compute:
        query, renamed = _computed(connection, query, renamed, reshape.compute, kept, what)
    if reshape.where is not None:
        condition = _known(parse_expression(reshape.where), renamed, f"{what}.where")
        query = f"SELECT * FROM ({query}) WHERE {condition.sql}"
        _described(connection, query, f"{what}.where")
    return query, renamed


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
        cell = f"to_json({expression.sql})" if kind == "json" and found != "JSON" else expression.sql
        made[name] = (f"({cell})::{duckdb_type(kind)}", Column(name=name, type=kind))
    spelled = {name.lower() for name in made}
    columns = [column for column in columns if column.name.lower() not in spelled]
    cells = [quoted(column.name) for column in columns]
    cells += [f"{cell} AS {quoted(name)}" for name, (cell, _) in made.items()]
    return f"SELECT {', '.join(cells)}{kept} FROM ({query})", [*columns, *(column for _, column in made.values())]


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
