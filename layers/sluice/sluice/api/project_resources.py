"""Models, reports and endpoints: a project's resources, each a document under a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from sluice.api.call import Answer, Call
from sluice.api.paging import paginate
from sluice.api.resources import retry_overtaken_write
from sluice.catalog.definitions import Definition, Kind, missing
from sluice.catalog.project_resources import resource_name
from sluice.container import Container
from sluice.domain.base import validate
from sluice.domain.dataset_id import DatasetId
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model
from sluice.domain.report import Report
from sluice.errors import Invalid, NotFound
from sluice.projects.resource_checks import check_endpoint, check_model, check_name, check_report, require_unread
from sluice.projects.resource_outputs import hide_writes, sql_names

M = TypeVar("M", bound=BaseModel)
ExtraFields = Callable[[Container, str, Definition], dict[str, Any]]


class ResourceRoutes(Generic[M]):
    """The verbs of one kind of resource.

    Args:
        model: the document's class.
        check: raises if a document does not fit its project; it gets the project's slug and the resource's name.
        limit: the setting with the most resources of this kind in a project.
        extra_fields: fields that answers have besides the document and its metadata.
    """

    def __init__(
        self,
        kind: Kind,
        model: type[M],
        check: Callable[[Container, str, str, M], None],
        limit: Callable[[Container], int],
        extra_fields: ExtraFields | None = None,
    ) -> None:
        self._kind = kind
        self._model = model
        self._check = check
        self._limit = limit
        self._extra_fields = extra_fields

    def view(self, services: Container, resource: Definition) -> dict[str, Any]:
        """A resource as the API shows it: the document, its metadata, and the extra fields of its kind."""
        project, _, name = resource.name.partition("#")
        metadata = {
            "name": name,
            "project": project,
            "etag": resource.etag,
            "created_at": resource.created_at,
            "updated_at": resource.updated_at,
            "created_by": resource.created_by,
        }
        extra = self._extra_fields(services, project, resource) if self._extra_fields else {}
        return {**resource.document, **metadata, **extra}

    def load(self, services: Container, slug: str, name: str) -> Definition:
        """A resource of a project.

        Args:
            slug: the project.

        Raises:
            NotFound: the project has none of this name.
        """
        resource = services.definitions.find(self._kind, resource_name(slug, name))
        if resource is None:
            raise NotFound(f"The project {slug!r} has no {self._kind} {name!r}.")
        return resource

    def list(self, call: Call, services: Container, slug: str) -> Answer:
        """A page of a project's resources, by name.

        Args:
            slug: the project.
        """
        resources = services.resources.all(self._kind, slug).values()
        items = [self.view(services, resource) for resource in resources]
        return paginate(call, services, [f"{self._kind}s", slug], items)

    def read(self, call: Call, services: Container, slug: str, name: str) -> Answer:
        """One resource; 304 if the client has its current state.

        Args:
            slug: the project.

        Raises:
            NotFound: the project has none of this name.
        """
        resource = self.load(services, slug, name)
        headers = {"ETag": f'"{resource.etag}"'}
        if call.client_has(resource.etag):
            return Answer(status=304, headers=headers)
        return Answer(self.view(services, resource), headers=headers)

    def put(self, call: Call, services: Container, slug: str, name: str) -> Answer:
        """Create a resource (201) or replace it (200).

        Args:
            slug: the project.

        Raises:
            PreconditionFailed: `If-Match` or `If-None-Match` does not hold.
            Invalid: the body or the name is not valid, or does not fit the project.
            Conflict: the project has the most resources of this kind, or the name is used by a datasource.
        """
        return retry_overtaken_write(
            call, lambda project: self._put(call, services, _require_project(project, slug), name)
        )

    def _put(self, call: Call, services: Container, project: Definition, name: str) -> Answer:
        slug = project.name
        # Read before the body is parsed, so that the contract's order holds: 400, 412, 422.
        present = services.definitions.find(self._kind, resource_name(slug, name))
        body = call.json()
        call.require_match(present.etag if present else None)
        call.require_known_parameters()
        document = validate(self._model, _without_view_fields(body, name, slug))
        check_name(self._kind, name)
        self._check_document(call, services, slug, name, document)
        content = document.model_dump(mode="json")
        if present is None:
            by, limit = call.principal.id, self._limit(services)
            tables = sql_names(self._kind, name)
            created = services.resources.create(self._kind, project, name, content, by, limit, tables)
            headers = {"Location": call.url(f"/projects/{slug}/{self._kind}s/{name}"), "ETag": f'"{created.etag}"'}
            return Answer(self.view(services, created), 201, headers)
        replaced = services.definitions.replace(present, content)
        return Answer(self.view(services, replaced), headers={"ETag": f'"{replaced.etag}"'})

    def _check_document(self, call: Call, services: Container, slug: str, name: str, document: M) -> None:
        self._check(services, slug, name, document)

    def delete(self, call: Call, services: Container, slug: str, name: str) -> Answer:
        """Delete a resource; its versions stay in the lake.

        Args:
            slug: the project.

        Raises:
            NotFound: the project has none of this name.
            PreconditionFailed: `If-Match` does not hold.
            Conflict: another resource of the project reads the model.
        """
        return retry_overtaken_write(call, lambda _: self._delete(call, services, slug, name))

    def _delete(self, call: Call, services: Container, slug: str, name: str) -> Answer:
        resource = self.load(services, slug, name)
        call.require_match(resource.etag)
        call.require_known_parameters()
        tables = sql_names(self._kind, name)
        for table in tables:
            require_unread(services, slug, table)
        # The pointers of the resource's datasets are hidden in the same transaction.
        hidden = hide_writes(services, slug, self._kind, name, call.principal.id)
        services.resources.delete(resource, hidden, tables)
        return Answer(status=204)


def _require_project(project: Definition | None, slug: str) -> Definition:
    if project is None:
        raise missing("project", slug)
    return project


def _without_view_fields(body: Any, name: str, slug: str) -> Any:
    """The document without the fields that only answers have, so that an answer can be sent back by PUT."""
    if not isinstance(body, dict):
        return body
    if body.get("name", name) != name or body.get("project", slug) != slug:
        raise Invalid("`name` and `project` in the body must be those of the path.")
    return {key: value for key, value in body.items() if key not in ("name", "project", "test_results")}


def _test_results(services: Container, project: str, model: Definition) -> dict[str, Any]:
    name = model.name.partition("#")[2]
    return {"test_results": services.test_results.latest(DatasetId.of_project_resource(project, "model", name))}


MODELS = ResourceRoutes("model", Model, check_model, lambda services: services.settings.max_models, _test_results)
REPORTS = ResourceRoutes("report", Report, check_report, lambda services: services.settings.max_reports)
ENDPOINTS = ResourceRoutes("endpoint", Endpoint, check_endpoint, lambda services: services.settings.max_endpoints)
