"""Running a caller's SQL over the tables of a project."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from sluice.container import Container
from sluice.domain.schema import BIGINT_RANGE
from sluice.domain.sql_query import SqlError, parse_query
from sluice.domain.text_values import loses_digits
from sluice.errors import Invalid
from sluice.models.project_tables import QueryTables
from sluice.projects.tables import published_tables
from sluice.sandbox.sandbox import QueryResult

Parameters = Mapping[str, str | int | float | bool | None]


def run_query(services: Container, project: str, sql: str, parameters: Parameters) -> tuple[QueryResult, QueryTables]:
    """Run one SELECT statement in the sandbox.

    Args:
        sql: the query; it may read `merged`, the project's datasources and its models.
        parameters: the value of each `$name` in the query.

    Returns:
        The result, and the tables that were read.

    Raises:
        Invalid: the SQL is not allowed, or the parameters are not exactly those of the query.
        NotPublished: a table has no version yet.
        QueryLimit: the query exceeds its time, memory or rows.
    """
    query = parse_query(sql)
    mismatched = set(parameters) ^ query.parameters
    if mismatched:
        name = min(mismatched)
        message = f"${name} has no value." if name in query.parameters else f"The query does not read ${name}."
        raise Invalid(message, [{"pointer": f"/parameters/{name}", "message": message}])
    try:
        selection = published_tables(services, project).for_query(query)
    except SqlError as error:
        raise Invalid(str(error), [{"pointer": "/sql", "message": str(error)}]) from None
    with services.lake.scratch() as scratch:
        result = services.sandbox.query(query.sql, dict(parameters), selection.tables, scratch.parent)
    return result, selection


def require_exact_parameters(body: Any) -> None:
    """Refuse numeric parameters that would lose digits on their way into the query.

    Args:
        body: the request's JSON, parsed so that fractions are Decimal and integers have any size.

    Raises:
        Invalid: a number has more digits than a double, or does not fit in 64 bits.
    """
    parameters = body.get("parameters") if isinstance(body, dict) else None
    for name, value in (parameters if isinstance(parameters, dict) else {}).items():
        inexact = isinstance(value, Decimal) and loses_digits(str(value))
        if inexact or (isinstance(value, int) and value not in BIGINT_RANGE):
            message = f"${name} has more digits than a number can have here: send it as text and cast it in the SQL."
            raise Invalid(message, [{"pointer": f"/parameters/{name}", "message": message}])
