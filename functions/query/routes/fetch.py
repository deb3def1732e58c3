"""Fetching a project: everything of it, merged, as of now."""

from sluice.api.call import Answer, Call
from sluice.api.project_fetch import fetch_project
from sluice.api.routes import Routes
from sluice.container import Container

routes = Routes("data")


@routes.get("/projects/{slug}/fetch", "project.fetch", answer="ProjectFetch", also={202: "RunView"})
def get_project_fetch(call: Call, services: Container, slug: str) -> Answer:
    """Refresh a project and answer with its merged data, and with what failed."""
    call.require_known_parameters()
    return fetch_project(call, services, slug)
