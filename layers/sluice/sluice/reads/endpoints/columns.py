"""Determine the columns of an endpoint's query before it is called."""

from __future__ import annotations

from sluice.domain.endpoint import Endpoint
from sluice.domain.schema import duckdb_type
from sluice.domain.sql_query import SqlError, parse_query, with_typed_nulls
from sluice.errors import Invalid, NotPublished
from sluice.lake.store import Lake
from sluice.models.project_tables import ProjectTables
from sluice.sandbox.sandbox import Sandbox


def endpoint_columns(endpoint: Endpoint, tables: ProjectTables, lake: Lake, sandbox: Sandbox) -> list[str] | None:
    """Return the names of the columns: from the query's text, or else from the engine.

    Args:
        endpoint: the endpoint.
        tables: the project's tables.
        lake: gives the scratch folder.
        sandbox: executes the query, with nulls as parameters and without rows.

    Returns:
        The names; None if the text does not show them and the query cannot run yet.
    """
    query = parse_query(endpoint.sql)
    if query.columns is not None:
        return list(query.columns)
    types = {name: duckdb_type(parameter.column_type) for name, parameter in endpoint.parameters.items()}
    try:
        query_tables = tables.for_query(query)
        sql = f"SELECT * FROM ({with_typed_nulls(query, types)}\n) LIMIT 0"
        with lake.scratch() as scratch:
            result = sandbox.query(sql, {}, query_tables.tables, scratch.parent)
    except (NotPublished, SqlError, Invalid):
        return None
    return [column["name"] for column in result.columns]
