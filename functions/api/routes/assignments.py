"""Datasources assigned to projects."""

from sluice.bootstrap import Platform
from sluice.catalog.assignments import Assigned
from sluice.domain.project import Assignment
from sluice.http.call import Answer, Call
from sluice.http.lists import paged
from sluice.http.resources import DATASOURCES, PROJECTS
from sluice.http.routes import CURSOR, LIMIT, Routes

routes = Routes("projects")


@routes.get("/projects/{slug}/datasources", answer={"type": "object"}, parameters=[LIMIT, CURSOR])
def list_project_datasources(call: Call, services: Platform, slug: str) -> Answer:
    """A project's datasources, best ranked first."""
    PROJECTS.load(call, services, slug)
    found = services.assignments.of_project(slug)
    return paged(call, services, ["assignments", slug], [one.presented() for one in found])


@routes.put("/projects/{slug}/datasources/{datasource}", body=Assignment, answer=Assigned)
def put_assignment(call: Call, services: Platform, slug: str, datasource: str) -> Answer:
    """Assign a datasource to a project, or change how it takes part."""
    project = PROJECTS.load(call, services, slug)
    call.principal.require_owner(project.created_by)
    DATASOURCES.load(call, services, datasource)
    assignment = call.document(Assignment, {})
    assigned, created = services.assignments.put(slug, datasource, assignment, call.principal.id)
    location = {"Location": call.link(f"/projects/{slug}/datasources/{datasource}")} if created else {}
    return Answer(assigned.presented(), 201 if created else 200, location)


@routes.delete("/projects/{slug}/datasources/{datasource}", status=204)
def delete_assignment(call: Call, services: Platform, slug: str, datasource: str) -> Answer:
    """Take a datasource out of a project; its data stays."""
    project = PROJECTS.load(call, services, slug)
    call.principal.require_owner(project.created_by)
    call.require_known_parameters()
    services.assignments.delete(slug, datasource)
    return Answer(status=204)
