"""Models, reports and endpoints: parts of a project, each a document under a name."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from sluice.api.call import Answer, Call
from sluice.api.paging import paged
from sluice.api.resources import until_stored
from sluice.catalog.definitions import Definition, Kind, missing
from sluice.catalog.project_resources import resource_name
from sluice.container import Container
from sluice.domain.base import json_pointer, validate
from sluice.domain.dataset_id import DatasetId
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model
from sluice.domain.names import RESERVED_SQL_NAMES, SQL_NAME_PATTERN, is_sql_name
from sluice.domain.report import MarkdownSection, Report
from sluice.domain.sql_query import SqlError, parse_query
from sluice.errors import Conflict, Invalid, NotFound
from sluice.models.graph import required_models, tables_read_by, waves
from sluice.projects.tables import models_of, published_tables
from sluice.reads.endpoints.columns import endpoint_columns

_NAME_PATTERN = r"[a-z0-9_][a-z0-9_-]{0,62}"
M = TypeVar("M", bound=BaseModel)
Told = Callable[[Container, str, Definition], dict[str, Any]]


class ResourceRoutes(Generic[M]):
    """The verbs of one kind of part.

    Args:
        check: refuses a document that does not fit the project.
        most: the setting with how many a project may have.
        told: what else an answer says of a part.
    """

    def __init__(
        self,
        kind: Kind,
        model: type[M],
        check: Callable[[Container, str, str, M], None],
        most: Callable[[Container], int],
        told: Told | None = None,
    ) -> None:
        self._kind = kind
        self._model = model
        self._check = check
        self._most = most
        self._told = told

    def view(self, services: Container, found: Definition) -> dict[str, Any]:
        """A part as the API shows it."""
        project, _, name = found.name.partition("#")
        known = {
            "name": name,
            "project": project,
            "etag": found.etag,
            "created_at": found.created_at,
            "updated_at": found.updated_at,
            "created_by": found.created_by,
        }
        return {**found.document, **known, **(self._told(services, project, found) if self._told else {})}

    def load(self, services: Container, slug: str, name: str) -> Definition:
        """A part of a project.

        Raises:
            NotFound: there is none.
        """
        found = services.definitions.find(self._kind, resource_name(slug, name))
        if found is None:
            raise NotFound(f"The project {slug!r} has no {self._kind} {name!r}.")
        return found

    def list(self, call: Call, services: Container, slug: str) -> Answer:
        """All parts of a project, by name."""
        found = [self.view(services, one) for one in services.resources.all(self._kind, slug).values()]
        return paged(call, services, [f"{self._kind}s", slug], found)

    def read(self, call: Call, services: Container, slug: str, name: str) -> Answer:
        """One part; 304 when the client has it."""
        found = self.load(services, slug, name)
        headers = {"ETag": f'"{found.etag}"'}
        if call.has(found.etag):
            return Answer(status=304, headers=headers)
        return Answer(self.view(services, found), headers=headers)

    def put(self, call: Call, services: Container, slug: str, name: str) -> Answer:
        """Create or replace a part."""
        return until_stored(call, lambda project: self._put(call, services, _present(project, slug), name))

    def _put(self, call: Call, services: Container, project: Definition, name: str) -> Answer:
        slug = project.name
        found = services.definitions.find(self._kind, resource_name(slug, name))
        body = call.json()
        call.require_match(found.etag if found else None)
        call.require_known_parameters()
        document = validate(self._model, _own(body, name, slug))
        self._require_name(name)
        self._check(services, slug, name, document)
        stored = document.model_dump(mode="json")
        if found is None:
            most = self._most(services)
            created = services.resources.create(self._kind, project, name, stored, call.principal.id, most)
            headers = {"Location": call.link(f"/projects/{slug}/{self._kind}s/{name}"), "ETag": f'"{created.etag}"'}
            return Answer(self.view(services, created), 201, headers)
        replaced = services.definitions.replace(found, stored)
        return Answer(self.view(services, replaced), headers={"ETag": f'"{replaced.etag}"'})

    def _require_name(self, name: str) -> None:
        if self._kind == "model" and (not is_sql_name(name) or name in RESERVED_SQL_NAMES):
            message = f"The name {name!r} cannot be used in SQL: it must match {SQL_NAME_PATTERN}, and be no keyword."
            raise Invalid(message, [{"pointer": "", "message": message}])
        if re.fullmatch(_NAME_PATTERN, name) is None:
            message = f"The name {name!r} must match {_NAME_PATTERN}."
            raise Invalid(message, [{"pointer": "", "message": message}])

    def delete(self, call: Call, services: Container, slug: str, name: str) -> Answer:
        """Remove a part."""
        return until_stored(call, lambda _: self._delete(call, services, slug, name))

    def _delete(self, call: Call, services: Container, slug: str, name: str) -> Answer:
        found = self.load(services, slug, name)
        call.require_match(found.etag)
        call.require_known_parameters()
        if self._kind == "model":
            require_unread(services, slug, name)
        dataset = DatasetId.of_project_resource(slug, self._kind, name)
        services.resources.delete(found, services.datasets.hiding(dataset, call.principal.id))
        return Answer(status=204)


def _present(project: Definition | None, slug: str) -> Definition:
    if project is None:
        raise missing("project", slug)
    return project


def require_unread(services: Container, slug: str, name: str) -> None:
    """Refuse to take away a name in a project's SQL that a model, report or endpoint reads.

    Raises:
        Conflict: naming what reads it.
    """
    for reader, model in models_of(services, slug).items():
        if reader != name and name in tables_read_by(reader, model):
            raise Conflict(f"The model {reader!r} reads {name!r}; change or remove it first.")
    for reader, part in services.resources.all("report", slug).items():
        report = Report.model_validate(part.document)
        queries = [section.sql for section in report.sections if not isinstance(section, MarkdownSection)]
        if any(name in parse_query(sql).tables for sql in queries):
            raise Conflict(f"The report {reader!r} reads {name!r}; change or remove it first.")
    for reader, part in services.resources.all("endpoint", slug).items():
        if name in parse_query(Endpoint.model_validate(part.document).sql).tables:
            raise Conflict(f"The endpoint {reader!r} reads {name!r}; change or remove it first.")


def _own(body: Any, name: str, slug: str) -> Any:
    """The document without what an answer says besides, so that an answer can be sent back."""
    if not isinstance(body, dict):
        return body
    if body.get("name", name) != name or body.get("project", slug) != slug:
        raise Invalid("The name and the project of the body are not those of the address.")
    return {key: value for key, value in body.items() if key not in ("name", "project", "test_results")}


def _refused(error: SqlError, pointer: str) -> Invalid:
    message = str(error)
    return Invalid(message[0].upper() + message[1:] + ".", [{"pointer": pointer, "message": message}])


def _check_model(services: Container, slug: str, name: str, model: Model) -> None:
    for assigned in services.assignments.of_project(slug):
        if assigned.table_name == name:
            raise Conflict(f"The name {name!r} is that of the datasource {assigned.datasource!r} in this project.")
    tables = published_tables(services, slug)
    try:
        parse_query(model.sql).require_tables(tables.names | {name})
        models = {**models_of(services, slug), name: model}
        waves({other: tables_read_by(other, one) for other, one in models.items()})
        for index, test in enumerate(model.tests):
            if test.type == "sql":
                _check_sql(tables.names | {name}, test.sql, f"/tests/{index}/sql")
                _require_no_parameters(test.sql, f"/tests/{index}/sql")
            elif test.type == "relationships" and test.to not in tables.names | {name}:
                message = f"There is no table {test.to}; there are {', '.join(sorted(tables.names))}."
                raise Invalid(message, [{"pointer": f"/tests/{index}/to", "message": message}])
    except SqlError as error:
        raise _refused(error, "/sql") from None
    _require_no_parameters(model.sql, "/sql")
    if model.materialize:
        _require_no_clock(services, slug, model.sql, "/sql")


def _check_sql(names: set[str], sql: str, pointer: str) -> None:
    try:
        parse_query(sql).require_tables(names)
    except SqlError as error:
        raise _refused(error, pointer) from None


def _require_no_parameters(sql: str, pointer: str) -> None:
    parameters = sorted(parse_query(sql).parameters)
    if parameters:
        message = f"${parameters[0]} has no value here: only endpoints and queries have parameters."
        raise Invalid(message, [{"pointer": pointer, "message": message}])


def _require_no_clock(services: Container, slug: str, sql: str, pointer: str) -> None:
    """Refuse the time in what is kept: it would stay what it was, since the same inputs are not computed again."""
    views = {name: parse_query(one.sql) for name, one in models_of(services, slug).items() if not one.materialize}
    query = parse_query(sql)
    read = required_models({name: set(one.tables) for name, one in views.items()}, set(query.tables))
    for name, one in (("", query), *((name, views[name]) for name in sorted(read))):
        if one.clock:
            where = f" in the view {name}" if name else ""
            message = (
                f"{one.clock}(){where} would stay what it was: only queries, endpoints, tests and views know the time"
            )
            raise Invalid(f"{message}.", [{"pointer": pointer, "message": message}])


def _check_report(services: Container, slug: str, name: str, report: Report) -> None:
    names = published_tables(services, slug).names
    for index, section in enumerate(report.sections):
        if not isinstance(section, MarkdownSection):
            _check_sql(names, section.sql, f"/sections/{index}/sql")
            _require_no_parameters(section.sql, f"/sections/{index}/sql")
            _require_no_clock(services, slug, section.sql, f"/sections/{index}/sql")


def _check_endpoint(services: Container, slug: str, name: str, endpoint: Endpoint) -> None:
    tables = published_tables(services, slug)
    _check_sql(tables.names, endpoint.sql, "/sql")
    if not endpoint.columns:
        return
    known = endpoint_columns(endpoint, tables, services.lake, services.sandbox)
    unknown = sorted({one.lower() for one in endpoint.columns} - {one.lower() for one in known or endpoint.columns})
    if unknown:
        name = next(one for one in endpoint.columns if one.lower() == unknown[0])
        message = f"The query has no column {name!r}; it has {', '.join(known or [])}."
        raise Invalid(message, [{"pointer": json_pointer(("columns", name)), "message": message}])


def _test_results(services: Container, project: str, found: Definition) -> dict[str, Any]:
    name = found.name.partition("#")[2]
    return {"test_results": services.test_results.of(DatasetId.of_project_resource(project, "model", name))}


MODELS = ResourceRoutes("model", Model, _check_model, lambda services: services.settings.max_models, _test_results)
REPORTS = ResourceRoutes("report", Report, _check_report, lambda services: services.settings.max_reports)
ENDPOINTS = ResourceRoutes("endpoint", Endpoint, _check_endpoint, lambda services: services.settings.max_endpoints)
