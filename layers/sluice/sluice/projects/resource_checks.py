"""Checks of a project's models, reports and endpoints when they are written or removed."""

from __future__ import annotations

import re

from sluice.catalog.definitions import Kind
from sluice.container import Container
from sluice.domain.base import json_pointer
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model
from sluice.domain.names import RESERVED_SQL_NAMES, SQL_NAME_PATTERN, is_sql_name
from sluice.domain.report import MarkdownSection, Report
from sluice.domain.sql_query import SqlError, parse_query
from sluice.errors import Conflict, Invalid
from sluice.models.graph import required_models, tables_read_by, waves
from sluice.projects.tables import models_of, published_tables
from sluice.reads.endpoints.columns import endpoint_columns

_NAME_PATTERN = r"[a-z0-9_][a-z0-9_-]{0,62}"


def check_name(kind: Kind, name: str) -> None:
    """Refuse a name that a model, report or endpoint cannot have.

    Raises:
        Invalid: a model's name is not usable in SQL, or another name does not match the pattern.
    """
    if kind == "model" and (not is_sql_name(name) or name in RESERVED_SQL_NAMES):
        message = f"The name {name!r} cannot be used in SQL: it must match {SQL_NAME_PATTERN} and not be a keyword."
        raise Invalid(message, [{"pointer": "", "message": message}])
    if re.fullmatch(_NAME_PATTERN, name) is None:
        message = f"The name {name!r} must match {_NAME_PATTERN}."
        raise Invalid(message, [{"pointer": "", "message": message}])


def check_model(services: Container, slug: str, name: str, model: Model) -> None:
    """Refuse a model that its project cannot compute.

    Args:
        slug: the project.
        name: the model's name, which its SQL and tests may read.

    Raises:
        Conflict: a datasource of the project has the name.
        Invalid: the SQL or a test reads an unknown table, models read each other in a circle, a query
            has parameters, or a materialized model depends on the current time.
    """
    for assignment in services.assignments.of_project(slug):
        if assignment.table_name == name:
            message = f"The name {name!r} is already used by the datasource {assignment.datasource!r} in this project."
            raise Conflict(message)
    tables = published_tables(services, slug).names | {name}
    _check_sql(tables, model.sql, "/sql")
    models = {**models_of(services, slug), name: model}
    try:
        waves({other: tables_read_by(other, document) for other, document in models.items()})
    except SqlError as error:
        raise _invalid_sql(error, "/sql") from None
    _check_tests(tables, model)
    _require_no_parameters(model.sql, "/sql")
    if model.materialize:
        _require_no_clock(services, slug, model.sql, "/sql")


def _check_tests(tables: set[str], model: Model) -> None:
    for index, test in enumerate(model.tests):
        if test.type == "sql":
            _check_sql(tables, test.sql, f"/tests/{index}/sql")
            _require_no_parameters(test.sql, f"/tests/{index}/sql")
        elif test.type == "relationships" and test.to not in tables:
            message = f"There is no table {test.to}; the project has {', '.join(sorted(tables))}."
            raise Invalid(message, [{"pointer": f"/tests/{index}/to", "message": message}])


def check_report(services: Container, slug: str, name: str, report: Report) -> None:
    """Refuse a report that its project cannot render.

    Args:
        slug: the project.
        name: the report's name, which no query can read.

    Raises:
        Invalid: a section's SQL reads an unknown table, has parameters, or depends on the current time.
    """
    tables = published_tables(services, slug).names
    for index, section in enumerate(report.sections):
        if not isinstance(section, MarkdownSection):
            _check_sql(tables, section.sql, f"/sections/{index}/sql")
            _require_no_parameters(section.sql, f"/sections/{index}/sql")
            _require_no_clock(services, slug, section.sql, f"/sections/{index}/sql")


def check_endpoint(services: Container, slug: str, name: str, endpoint: Endpoint) -> None:
    """Refuse an endpoint that its project cannot answer.

    Args:
        slug: the project.
        name: the endpoint's name, which no query can read.

    Raises:
        Invalid: the SQL reads an unknown table, or `columns` names a column that the query lacks.
    """
    tables = published_tables(services, slug)
    _check_sql(tables.names, endpoint.sql, "/sql")
    if not endpoint.columns:
        return
    columns = endpoint_columns(endpoint, tables, services.lake, services.sandbox)
    if columns is None:
        return  # unknown until the tables are published; then the first call of the endpoint reports an unknown column
    # SQL names are case-insensitive.
    known = {column.lower() for column in columns}
    unknown = min((column.lower() for column in endpoint.columns if column.lower() not in known), default=None)
    if unknown is not None:
        column = next(column for column in endpoint.columns if column.lower() == unknown)
        message = f"The query has no column {column!r}; it has {', '.join(columns)}."
        raise Invalid(message, [{"pointer": json_pointer(("columns", column)), "message": message}])


def require_unread(services: Container, slug: str, name: str) -> None:
    """Refuse to remove or rename a table that a model, report or endpoint of the project reads.

    Args:
        slug: the project.
        name: the table's name in the project's SQL.

    Raises:
        Conflict: the detail names the first reader.
    """
    for reader, model in models_of(services, slug).items():
        if reader != name and name in tables_read_by(reader, model):
            raise Conflict(f"The model {reader!r} reads {name!r}; change or remove it first.")
    for reader, stored in services.resources.all("report", slug).items():
        report = Report.model_validate(stored.document)
        queries = [section.sql for section in report.sections if not isinstance(section, MarkdownSection)]
        if any(name in parse_query(sql).tables for sql in queries):
            raise Conflict(f"The report {reader!r} reads {name!r}; change or remove it first.")
    for reader, stored in services.resources.all("endpoint", slug).items():
        if name in parse_query(Endpoint.model_validate(stored.document).sql).tables:
            raise Conflict(f"The endpoint {reader!r} reads {name!r}; change or remove it first.")


def _invalid_sql(error: SqlError, pointer: str) -> Invalid:
    message = str(error)
    return Invalid(message[0].upper() + message[1:] + ".", [{"pointer": pointer, "message": message}])


def _check_sql(tables: set[str], sql: str, pointer: str) -> None:
    try:
        parse_query(sql).require_tables(tables)
    except SqlError as error:
        raise _invalid_sql(error, pointer) from None


def _require_no_parameters(sql: str, pointer: str) -> None:
    parameters = sorted(parse_query(sql).parameters)
    if parameters:
        message = f"${parameters[0]} has no value here: only endpoints and queries have parameters."
        raise Invalid(message, [{"pointer": pointer, "message": message}])


def _require_no_clock(services: Container, slug: str, sql: str, pointer: str) -> None:
    """Refuse `now()` and similar functions in a stored result, directly or through a view.

    A result with the same inputs is not computed again, so it would keep the time of its first run.
    """
    models = models_of(services, slug)
    views = {name: parse_query(model.sql) for name, model in models.items() if not model.materialize}
    query = parse_query(sql)
    read_views = required_models({name: set(view.tables) for name, view in views.items()}, set(query.tables))
    for name, read in (("", query), *((name, views[name]) for name in sorted(read_views))):
        if read.clock:
            where = f" in the view {name}" if name else ""
            message = (
                f"{read.clock}(){where} would keep the time of the first run: only queries, endpoints, tests "
                "and views can read the current time"
            )
            raise Invalid(f"{message}.", [{"pointer": pointer, "message": message}])
