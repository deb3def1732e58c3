"""Datasources assigned to projects."""

from sluice.api.call import Answer, Call
from sluice.api.paging import paged
from sluice.api.resources import DATASOURCES, until_stored
from sluice.api.routes import CURSOR, IF_MATCH, IF_NONE_MATCH, LIMIT, Routes
from sluice.catalog.assignments import Assigned, not_assigned
from sluice.catalog.definitions import Definition, missing
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.project import Assignment
from sluice.errors import Conflict, SecretForbidden

routes = Routes("projects")


@routes.get("/projects/{slug}/datasources", "project.read", answer="AssignmentViewList", parameters=[LIMIT, CURSOR])
def list_project_datasources(call: Call, services: Container, slug: str) -> Answer:
    """A project's datasources, best ranked first."""
    found = services.assignments.of_project(slug)
    return paged(call, services, ["assignments", slug], [assigned.presented() for assigned in found])


@routes.get(
    "/projects/{slug}/datasources/{datasource}", "project.read", answer="AssignmentView", parameters=[IF_NONE_MATCH]
)
def get_assignment(call: Call, services: Container, slug: str, datasource: str) -> Answer:
    """How a datasource takes part in a project; 304 when the client knows."""
    assigned = _stored(services, slug, datasource)
    headers = {"ETag": f'"{_etag(assigned)}"'}
    return (
        Answer(status=304, headers=headers) if call.has(_etag(assigned)) else Answer(assigned.presented(), 200, headers)
    )


@routes.put(
    "/projects/{slug}/datasources/{datasource}",
    "project.assign",
    body=Assignment,
    answer="AssignmentView",
    parameters=[IF_MATCH],
)
def put_assignment(call: Call, services: Container, slug: str, datasource: str) -> Answer:
    """Assign a datasource to a project, or change how it takes part."""

    def put(project: Definition | None) -> Answer:
        if project is None:
            raise missing("project", slug)
        found = DATASOURCES.load(call, services, datasource)
        stored = services.assignments.find(slug, datasource)
        assignment = call.document(Assignment, {}, lambda: call.require_match(_etag(stored) if stored else None))

        def check(before: Assigned | None, after: Assigned) -> None:
            if before is None:
                _require_secrets_allowed(services, found, project)
            elif before.table_name != after.table_name:
                _require_unread(services, slug, before.table_name)

        assigned, created = services.assignments.put(project, datasource, assignment, call.principal.id, check)
        headers = {"ETag": f'"{_etag(assigned)}"'}
        if created:
            headers["Location"] = call.link(f"/projects/{slug}/datasources/{datasource}")
        return Answer(assigned.presented(), 201 if created else 200, headers)

    return until_stored(call, put)


def _require_secrets_allowed(services: Container, found: Definition, project: Definition) -> None:
    """Refuse to bring the data of a secret into a project that the secret does not name.

    What was fetched counts, too: the documents of the published version and of those it adds to.

    Raises:
        Conflict: the datasource uses such a secret, or holds data that was fetched with one.
    """
    if all(secret.document.get("projects") is None for secret in services.definitions.all("secret")):
        return
    names = set(Datasource.model_validate(found.document).secrets().values())
    pointer = services.datasets.pointer(DatasetId.of_datasource(found.name))
    key = None
    if pointer.published is not None:
        key = services.datasets.version(pointer.dataset, pointer.published).manifest_key
    while key is not None:
        manifest = services.lake.manifest(key)
        auth = ((manifest.spec.get("datasource") or {}).get("http") or {}).get("auth") or {}
        names |= {auth["secret"]} if auth.get("secret") else set()
        key = manifest.previous
    try:
        for name in sorted(names):
            services.secret_use.require_for_project(name, project)
    except SecretForbidden as error:
        raise Conflict(error.detail) from None


@routes.delete("/projects/{slug}/datasources/{datasource}", "project.assign", status=204, parameters=[IF_MATCH])
def delete_assignment(call: Call, services: Container, slug: str, datasource: str) -> Answer:
    """Take a datasource out of a project; its data stays."""

    def delete(_: Definition | None) -> Answer:
        assigned = _stored(services, slug, datasource)
        call.require_match(_etag(assigned))
        call.require_known_parameters()
        _require_unread(services, slug, assigned.table_name)
        services.assignments.delete(assigned)
        return Answer(status=204)

    return until_stored(call, delete)


def _etag(assigned: Assigned) -> str:
    return str(assigned.version)


def _require_unread(services: Container, slug: str, name: str) -> None:
    from sluice.api.project_resources import require_unread  # models, reports and SQL: only where a name is taken away

    require_unread(services, slug, name)


def _stored(services: Container, slug: str, datasource: str) -> Assigned:
    assigned = services.assignments.find(slug, datasource)
    if assigned is None:
        raise not_assigned(slug, datasource)
    return assigned
