"""Checks of a project's models, algorithms, reports and endpoints when they are written or removed."""

from __future__ import annotations

from collections.abc import Iterable

from sluice.catalog.definitions import Kind
from sluice.container import Container
from sluice.domain.base import json_pointer
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model
from sluice.domain.report import MarkdownSection, Report
from sluice.domain.sql_query import parse_query
from sluice.errors import Conflict, Invalid
from sluice.models.definition_rules import Fault, endpoint_faults, model_faults, name_fault, report_faults
from sluice.models.graph import tables_read_by
from sluice.projects.refresh_nodes import algorithms_of, circle, tables_read
from sluice.projects.tables import models_of, published_tables
from sluice.reads.endpoints.columns import endpoint_columns


def check_name(kind: Kind, name: str) -> None:
    """Refuse a name that a model, report or endpoint cannot have.

    Raises:
        Invalid: a model's name is not usable in SQL, or another name does not match the pattern.
    """
    message = name_fault(kind, name)
    if message is not None:
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
    models = {**models_of(services, slug), name: model}
    _refuse(model_faults(name, models, published_tables(services, slug).names))
    order = circle(models, algorithms_of(services, slug), name)
    _refuse([Fault("/sql", order)] if order else [])


def check_report(services: Container, slug: str, name: str, report: Report) -> None:
    """Refuse a report that its project cannot render.

    Args:
        slug: the project.
        name: the report's name, which no query can read.

    Raises:
        Invalid: a section's SQL reads an unknown table, has parameters, or depends on the current time, or a chart or
            a format names a column that the SQL does not have.
    """
    _refuse(report_faults(report, models_of(services, slug), published_tables(services, slug).names))


def check_endpoint(services: Container, slug: str, name: str, endpoint: Endpoint) -> None:
    """Refuse an endpoint that its project cannot answer.

    Args:
        slug: the project.
        name: the endpoint's name, which no query can read.

    Raises:
        Invalid: the SQL reads an unknown table, or `columns` names a column that the query lacks.
    """
    tables = published_tables(services, slug)
    _refuse(endpoint_faults(endpoint, tables.names))
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


def _refuse(faults: Iterable[Fault]) -> None:
    errors = [{"pointer": fault.pointer, "message": fault.message} for fault in faults]
    if errors:
        raise Invalid(errors[0]["message"], errors)


def require_unread(services: Container, slug: str, name: str) -> None:
    """Refuse to remove or rename a table that a model, algorithm, report or endpoint of the project reads.

    Args:
        slug: the project.
        name: the table's name in the project's SQL.

    Raises:
        Conflict: the detail names the first reader.
    """
    for reader, model in models_of(services, slug).items():
        if reader != name and name in tables_read_by(reader, model):
            raise Conflict(f"The model {reader!r} reads {name!r}; change or remove it first.")
    for reader, settings in algorithms_of(services, slug).items():
        if name in tables_read(settings):
            raise Conflict(f"The algorithm {reader!r} reads {name!r}; change or remove it first.")
    for reader, stored in services.resources.all("report", slug).items():
        report = Report.model_validate(stored.document)
        queries = [section.sql for section in report.sections if not isinstance(section, MarkdownSection)]
        if any(name in parse_query(sql).tables for sql in queries):
            raise Conflict(f"The report {reader!r} reads {name!r}; change or remove it first.")
    for reader, stored in services.resources.all("endpoint", slug).items():
        if name in parse_query(Endpoint.model_validate(stored.document).sql).tables:
            raise Conflict(f"The endpoint {reader!r} reads {name!r}; change or remove it first.")
