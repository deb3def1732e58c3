"""The assignments of datasources to projects."""

from sluice.api.call import Answer, Call
from sluice.api.paging import paginate
from sluice.api.resources import DATASOURCES, retry_overtaken_write
from sluice.api.routes import CURSOR, IF_MATCH, IF_NONE_MATCH, LIMIT, Routes
from sluice.catalog.assignments import Assigned, not_assigned
from sluice.catalog.definitions import Definition, missing
from sluice.container import Container
from sluice.domain.project import Assignment
from sluice.projects.secret_scope import require_secrets_allow
from sluice.projects.visibility import require_usable

routes = Routes("projects")


@routes.get("/projects/{slug}/datasources", "project.read", answer="AssignmentViewList", parameters=[LIMIT, CURSOR])
def list_project_datasources(call: Call, services: Container, slug: str) -> Answer:
    """A project's datasources, best ranked first."""
    assignments = services.assignments.of_project(slug)
    return paginate(call, services, ["assignments", slug], [assignment.presented() for assignment in assignments])


@routes.get(
    "/projects/{slug}/datasources/{datasource}", "project.read", answer="AssignmentView", parameters=[IF_NONE_MATCH]
)
def get_assignment(call: Call, services: Container, slug: str, datasource: str) -> Answer:
    """The assignment of a datasource to a project; 304 if the client has its current state."""
    assignment = _stored(services, slug, datasource)
    headers = {"ETag": f'"{_etag(assignment)}"'}
    return (
        Answer(status=304, headers=headers)
        if call.client_has(_etag(assignment))
        else Answer(assignment.presented(), 200, headers)
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
        definition = DATASOURCES.load(call, services, datasource)
        stored = services.assignments.find(slug, datasource)
        document = call.document(Assignment, {}, lambda: call.require_match(_etag(stored) if stored else None))

        def check(before: Assigned | None, after: Assigned) -> None:
            if before is None:
                require_usable(services, call.principal, definition)
                require_secrets_allow(services, definition, project)
            elif before.table_name != after.table_name:
                _require_unread(services, slug, before.table_name)

        assignment, created = services.assignments.put(project, datasource, document, call.principal.id, check)
        headers = {"ETag": f'"{_etag(assignment)}"'}
        if created:
            headers["Location"] = call.url(f"/projects/{slug}/datasources/{datasource}")
        return Answer(assignment.presented(), 201 if created else 200, headers)

    return retry_overtaken_write(call, put)


@routes.delete("/projects/{slug}/datasources/{datasource}", "project.assign", status=204, parameters=[IF_MATCH])
def delete_assignment(call: Call, services: Container, slug: str, datasource: str) -> Answer:
    """Remove a datasource from a project; its data stays."""

    def delete(_: Definition | None) -> Answer:
        assignment = _stored(services, slug, datasource)
        call.require_match(_etag(assignment))
        call.require_known_parameters()
        _require_unread(services, slug, assignment.table_name)
        services.assignments.delete(assignment)
        return Answer(status=204)

    return retry_overtaken_write(call, delete)


def _etag(assignment: Assigned) -> str:
    return str(assignment.version)


def _require_unread(services: Container, slug: str, name: str) -> None:
    # Imported here: it brings the SQL parser, which the function `api` needs for nothing else.
    from sluice.projects.resource_checks import require_unread

    require_unread(services, slug, name)


def _stored(services: Container, slug: str, datasource: str) -> Assigned:
    assignment = services.assignments.find(slug, datasource)
    if assignment is None:
        raise not_assigned(slug, datasource)
    return assignment
