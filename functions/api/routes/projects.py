"""Projects and their refreshes."""

from typing import Literal

from pydantic import Field

from sluice.api.call import Answer, Call
from sluice.api.resources import PROJECTS, retry_overtaken_write
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, LIMIT, MERGE_PATCH, PREFER, Routes
from sluice.api.running import start_answer
from sluice.catalog.definitions import Definition, missing
from sluice.container import Container
from sluice.domain.base import Document
from sluice.domain.project import Project
from sluice.domain.run_types import RUN_TYPES
from sluice.projects import definitions
from sluice.runs.start import refresh_run, start_refresh

routes = Routes("projects")


class RefreshRequest(Document):
    """What a refresh does."""

    ingest: Literal["stale", "all", "none"] = Field(
        "stale", description="Which datasources to fetch before the merge: the `stale` ones, `all`, or `none`."
    )
    dry_run: bool = Field(
        False, description="Merge the published versions and report the result; ingest and publish nothing."
    )


@routes.get("/projects", "project.list", answer="ProjectViewList", parameters=[LIMIT, CURSOR])
def list_projects(call: Call, services: Container) -> Answer:
    """The projects, by slug."""
    return PROJECTS.list(call, services)


@routes.post(
    "/projects", "project.create", body=Project, answer="ProjectView", status=201, parameters=[IDEMPOTENCY_KEY]
)
def create_project(call: Call, services: Container) -> Answer:
    """Create a project."""
    return PROJECTS.create(call, services)


@routes.get("/projects/{slug}", "project.read", answer="ProjectView", parameters=[IF_NONE_MATCH])
def get_project(call: Call, services: Container, slug: str) -> Answer:
    """One project."""
    return PROJECTS.read(call, services)


@routes.put(
    "/projects/{slug}",
    "project.update",
    creates="project.create",
    body=Project,
    answer="ProjectView",
    parameters=[IF_MATCH],
)
def put_project(call: Call, services: Container, slug: str) -> Answer:
    """Create a project of this slug, or replace it."""
    return PROJECTS.put(call, services, slug)


@routes.patch("/projects/{slug}", "project.update", body=MERGE_PATCH, answer="ProjectView", parameters=[IF_MATCH])
def patch_project(call: Call, services: Container, slug: str) -> Answer:
    """Change fields of a project."""
    return PROJECTS.patch(call, services, slug)


@routes.delete("/projects/{slug}", "project.delete", status=204, parameters=[IF_MATCH])
def delete_project(call: Call, services: Container, slug: str) -> Answer:
    """Delete a project and its assignments; its published versions stay in the lake."""
    call.require_match(call.definition.etag)
    call.require_known_parameters()

    def delete(definition: Definition | None) -> Answer:
        if definition is None:
            raise missing("project", slug)
        definitions.delete_project(services, definition, call.principal.id)
        return Answer(status=204)

    answer = retry_overtaken_write(call, delete)
    definitions.clean_up_project(services, slug, call.principal.id)
    return answer


@routes.post(
    "/projects/{slug}/runs",
    RUN_TYPES["refresh"].action,
    body=RefreshRequest,
    answer="RunView",
    status=202,
    parameters=[IDEMPOTENCY_KEY, PREFER],
)
def start_project_run(call: Call, services: Container, slug: str) -> Answer:
    """Start a refresh: ingest the datasources, then merge them."""
    request = call.document(RefreshRequest, {})
    by = call.principal.id
    run = refresh_run(slug, "api", by, request.ingest, dry_run=request.dry_run)
    return start_answer(call, services, lambda: start_refresh(services, run))
