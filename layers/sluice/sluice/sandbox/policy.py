"""What queries may do, checked on the engine's own parse tree.

That is the tree that runs, so that no difference between two parsers can be exploited.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from sluice.domain.sql_query import TABLE_FUNCTIONS, SqlError, is_forbidden, is_forbidden_table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def require_allowed(connection: DuckDBPyConnection, sql: str, tables: set[str]) -> None:
    """Refuse everything that is not exactly one SELECT over some tables.

    Args:
        connection: the engine that will run the query.
        sql: the query.
        tables: the names of the tables, in lower case.

    Raises:
        SqlError: with what is not allowed.
    """
    import duckdb

    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise SqlError(str(error).splitlines()[0]) from None
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise SqlError("exactly one SELECT statement is allowed")
    row = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    try:
        # orjson has a nesting limit, which the engine's JSON may exceed.
        tree: dict[str, Any] = orjson.loads(row[0]) if row else {"error": True}
    except orjson.JSONDecodeError:
        raise SqlError("the query is nested too deeply") from None
    if tree["error"] or len(tree["statements"]) != 1:
        raise SqlError(tree.get("error_message", "exactly one SELECT statement is allowed"))
    common_tables = {
        entry["key"].lower() for node in _nodes(tree) for entry in (node.get("cte_map") or {}).get("map", [])
    }
    for name in common_tables:
        if is_forbidden_table(name):
            raise SqlError(f"a common table expression cannot be named {name}")
    for node in _nodes(tree):
        _check(node, tables | common_tables)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    pending = [tree]
    # A loop, not recursion: deep queries must not overflow the stack.
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node
            pending += node.values()
        elif isinstance(node, list):
            pending += node


def _check(node: dict[str, Any], tables: set[str]) -> None:
    match node.get("type"):
        case "BASE_TABLE":
            name = node["table_name"].lower()
            if node.get("schema_name") or node.get("catalog_name") or name not in tables:
                raise SqlError(f"there is no table {node['table_name']}; the tables are {', '.join(sorted(tables))}")
        case "TABLE_FUNCTION":
            name = node["function"].get("function_name", "").lower()
            if name not in TABLE_FUNCTIONS:
                raise SqlError(f"the table function {name} is not allowed")
        case "SHOW_REF" | "COLUMN_DATA" | "DELIM_GET":
            raise SqlError("exactly one SELECT statement is allowed")
    if node.get("sample"):
        raise SqlError("TABLESAMPLE is not deterministic and not allowed here")
    function = node.get("function_name")
    if isinstance(function, str) and is_forbidden(function):
        raise SqlError(f"the function {function} is not allowed")
