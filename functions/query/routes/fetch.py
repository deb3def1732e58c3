"""Fetching a project: refreshing it and returning the merged data."""

from sluice.api.call import Answer, Call
from sluice.api.project_fetch import fetch_project
from sluice.api.routes import Routes
from sluice.container import Container

routes = Routes("data")


@routes.get("/projects/{slug}/fetch", "project.fetch", answer="ProjectFetch", also={202: "RunView"}, acts=True)
def get_project_fetch(call: Call, services: Container, slug: str) -> Answer:
    """Refresh a project and return its merged data, with the datasources that failed."""
    call.require_known_parameters()
    return fetch_project(call, services, slug)
