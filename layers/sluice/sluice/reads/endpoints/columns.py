"""The columns of an endpoint's query, known before anybody calls it."""

from __future__ import annotations

from sluice.domain.endpoint import Endpoint
from sluice.domain.schema import duckdb_type
from sluice.domain.sql_query import SqlError, parse_query, with_typed_nulls
from sluice.errors import Invalid, NotPublished
from sluice.lake.store import Lake
from sluice.models.project_tables import ProjectTables
from sluice.sandbox.sandbox import Sandbox


def endpoint_columns(endpoint: Endpoint, tables: ProjectTables, lake: Lake, sandbox: Sandbox) -> list[str] | None:
    """The names of the columns: from the query's text, else from the engine.

    Returns:
        None where the text does not say, and the query cannot run yet.
    """
    query = parse_query(endpoint.sql)
    if query.columns is not None:
        return list(query.columns)
    types = {name: duckdb_type(parameter.column_type) for name, parameter in endpoint.parameters.items()}
    try:
        chosen = tables.chosen(query)
        sql = f"SELECT * FROM ({with_typed_nulls(query, types)}\n) LIMIT 0"
        with lake.scratch() as scratch:
            found = sandbox.query(sql, {}, chosen.tables, scratch.parent)
    except (NotPublished, SqlError, Invalid):
        return None
    return [one["name"] for one in found.columns]
