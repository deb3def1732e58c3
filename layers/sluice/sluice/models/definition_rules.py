"""Rules of a project's models, reports and endpoints that need nothing but their documents and the tables' names.

The API refuses a document that breaks one; the command line finds the same faults in files, without the API.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sluice.domain.base import json_pointer
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model, Relationships, SqlTest
from sluice.domain.names import RESERVED_SQL_NAMES, SQL_NAME_PATTERN, is_sql_name
from sluice.domain.report import MarkdownSection, QuerySection, Report
from sluice.domain.sql_query import SqlError, parse_query
from sluice.models.graph import required_models, tables_read_by, waves
from sluice.patterns import Pattern

_NAME_PATTERN = Pattern(
    r"[a-z0-9_][a-z0-9_-]{0,62}", "use up to 63 small letters, digits, - and _, and no - at the beginning"
)


@dataclass(frozen=True)
class Fault:
    """What is wrong with a part of a document.

    Args:
        pointer: a JSON Pointer to the part.
        message: a sentence.
    """

    pointer: str
    message: str


def name_fault(kind: str, name: str) -> str | None:
    """Why a model, report or endpoint cannot have a name; null if it can.

    Args:
        kind: `model`, `report` or `endpoint`.
        name: the name.
    """
    if kind == "model" and not is_sql_name(name):
        return f"The name {name!r} cannot be used in SQL: {SQL_NAME_PATTERN.words}."
    if kind == "model" and name in RESERVED_SQL_NAMES:
        return f"The name {name!r} is a word of SQL; choose another one."
    if not _NAME_PATTERN.matches(name):
        return f"The name {name!r} cannot be used: {_NAME_PATTERN.words}."
    return None


def model_faults(name: str, models: Mapping[str, Model], tables: set[str]) -> Iterator[Fault]:
    """What is wrong with a model: an unknown table, a circular dependency, a parameter, or the current time.

    Args:
        name: the model's name, which its SQL and tests may read.
        models: the project's models by name, this one included.
        tables: the names of the project's tables, without the model.
    """
    model, known = models[name], tables | {name}
    yield from _unknown_tables(known, model.sql, "/sql")
    reads = {other: tables_read_by(other, document) for other, document in models.items()}
    required = required_models(reads, reads[name])
    # Only a model of the circle is wrong, not those that read one.
    if name in required:
        try:
            waves({other: reads[other] for other in required})
        except SqlError as error:
            yield _of_sql(error, "/sql")
    yield from _test_faults(known, model)
    yield from _parameter_faults(model.sql, "/sql")
    if model.materialize:
        yield from _clock_faults(models, model.sql, "/sql")


def _test_faults(tables: set[str], model: Model) -> Iterator[Fault]:
    for index, test in enumerate(model.tests):
        if isinstance(test, SqlTest):
            yield from _unknown_tables(tables, test.sql, f"/tests/{index}/sql")
            yield from _parameter_faults(test.sql, f"/tests/{index}/sql")
        elif isinstance(test, Relationships) and test.to not in tables:
            message = f"There is no table {test.to}; the project has {', '.join(sorted(tables))}."
            yield Fault(f"/tests/{index}/to", message)


def report_faults(report: Report, models: Mapping[str, Model], tables: set[str]) -> Iterator[Fault]:
    """What is wrong with a report.

    A section reads an unknown table, has parameters, or reads the current time; or a chart or a format names a column
    that the section's SQL does not have.

    Args:
        report: the report.
        models: the project's models, by name.
        tables: the names of the project's tables.
    """
    for index, section in enumerate(report.sections):
        if not isinstance(section, MarkdownSection):
            yield from _unknown_tables(tables, section.sql, f"/sections/{index}/sql")
            yield from _parameter_faults(section.sql, f"/sections/{index}/sql")
            yield from _clock_faults(models, section.sql, f"/sections/{index}/sql")
            yield from _column_faults(section, ("sections", index))


def _column_faults(section: QuerySection, path: tuple[str | int, ...]) -> Iterator[Fault]:
    """Names of columns that a section's query does not give, as far as its text shows them."""
    columns = parse_query(section.sql).columns
    if columns is None:
        return
    known = {column.lower() for column in columns}  # SQL names are case-insensitive
    for field, name in section.named_columns():
        if name.lower() not in known:
            message = f"The query has no column {name!r}; it has {', '.join(columns)}."
            yield Fault(json_pointer((*path, *field)), message)


def endpoint_faults(endpoint: Endpoint, tables: set[str]) -> Iterator[Fault]:
    """What is wrong with an endpoint: it reads an unknown table.

    Args:
        endpoint: the endpoint.
        tables: the names of the project's tables.
    """
    yield from _unknown_tables(tables, endpoint.sql, "/sql")


def _of_sql(error: SqlError, pointer: str) -> Fault:
    message = str(error)
    return Fault(pointer, message[0].upper() + message[1:] + ".")


def _unknown_tables(tables: set[str], sql: str, pointer: str) -> Iterator[Fault]:
    try:
        parse_query(sql).require_tables(tables)
    except SqlError as error:
        yield _of_sql(error, pointer)


def _parameter_faults(sql: str, pointer: str) -> Iterator[Fault]:
    parameters = sorted(parse_query(sql).parameters)
    if parameters:
        message = f"${parameters[0]} has no value here: only endpoints and queries have parameters."
        yield Fault(pointer, message)


def _clock_faults(models: Mapping[str, Model], sql: str, pointer: str) -> Iterator[Fault]:
    """`now()` and similar functions in a stored result, directly or through a view.

    A result with the same inputs is not computed again, so it would keep the time of its first run.
    """
    views = {name: parse_query(model.sql) for name, model in models.items() if not model.materialize}
    query = parse_query(sql)
    read_views = required_models({name: set(view.tables) for name, view in views.items()}, set(query.tables))
    for name, read in (("", query), *((name, views[name]) for name in sorted(read_views))):
        if read.clock:
            where = f" in the view {name}" if name else ""
            yield Fault(
                pointer,
                f"{read.clock}(){where} would keep the time of the first run: only queries, endpoints, tests "
                "and views can read the current time.",
            )
            return
