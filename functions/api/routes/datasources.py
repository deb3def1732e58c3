"""Datasources and their runs."""

from typing import Annotated

from pydantic import Field

from sluice.api.call import Answer, Call
from sluice.api.datasource_rules import datasource_view
from sluice.api.paging import paginate
from sluice.api.resources import DATASOURCES, retry_overtaken_write
from sluice.api.routes import (
    CURSOR,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    LIMIT,
    MERGE_PATCH,
    PREFER,
    Parameter,
    Routes,
)
from sluice.api.running import start_answer
from sluice.catalog.definitions import Definition, missing
from sluice.container import Container
from sluice.domain.base import Document
from sluice.domain.datasource import Datasource
from sluice.domain.erasure import ErasureRequest
from sluice.domain.run_types import RUN_TYPES
from sluice.erasure.requests import start_erasure
from sluice.projects import definitions
from sluice.projects.visibility import visible_assignments
from sluice.runs.ingest_requests import requested_ingest
from sluice.runs.start import start

routes = Routes("datasources")
FORCE = Parameter(
    "force", "`true` deletes the datasource even if it is assigned to projects.", {"type": "boolean", "default": False}
)


class IngestRequest(Document):
    """What an ingest run does; an empty object calls the upstream."""

    replay: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Read the raw pages of this version instead of calling the upstream."
    )


@routes.get("/datasources", "datasource.list", answer="DatasourceViewList", parameters=[LIMIT, CURSOR])
def list_datasources(call: Call, services: Container) -> Answer:
    """The datasources, by slug."""
    return DATASOURCES.list(call, services)


@routes.post(
    "/datasources",
    "datasource.create",
    body=Datasource,
    answer="DatasourceView",
    status=201,
    parameters=[IDEMPOTENCY_KEY],
)
def create_datasource(call: Call, services: Container) -> Answer:
    """Create a datasource."""
    return DATASOURCES.create(call, services)


@routes.get("/datasources/{slug}", "datasource.read", answer="DatasourceView", parameters=[IF_NONE_MATCH])
def get_datasource(call: Call, services: Container, slug: str) -> Answer:
    """One datasource."""
    return DATASOURCES.read(call, services)


@routes.put(
    "/datasources/{slug}",
    "datasource.update",
    creates="datasource.create",
    body=Datasource,
    answer="DatasourceView",
    parameters=[IF_MATCH],
)
def put_datasource(call: Call, services: Container, slug: str) -> Answer:
    """Create a datasource of this slug, or replace it."""
    return DATASOURCES.put(call, services, slug)


@routes.patch(
    "/datasources/{slug}", "datasource.update", body=MERGE_PATCH, answer="DatasourceView", parameters=[IF_MATCH]
)
def patch_datasource(call: Call, services: Container, slug: str) -> Answer:
    """Change fields of a datasource."""
    return DATASOURCES.patch(call, services, slug)


@routes.delete("/datasources/{slug}", "datasource.delete", status=204, parameters=[IF_MATCH, FORCE])
def delete_datasource(call: Call, services: Container, slug: str) -> Answer:
    """Delete a datasource and its schedule; its data stays, and its slug stays reserved for its restoration."""
    # Checked here too, since 412 comes before the 422 of an invalid `force`.
    call.require_match(call.definition.etag)
    call.require_known_parameters()
    force = call.choice("force", ("true", "false"), "false") == "true"

    def delete(definition: Definition | None) -> Answer:
        if definition is None:
            raise missing("datasource", slug)
        definitions.delete_datasource(services, definition, call.principal, force=force)
        return Answer(status=204)

    answer = retry_overtaken_write(call, delete)
    definitions.clean_up_datasource(services, slug)
    return answer


@routes.post("/datasources/{slug}/restore", "datasource.restore", answer="DatasourceView", parameters=[IDEMPOTENCY_KEY])
def restore_datasource(call: Call, services: Container, slug: str) -> Answer:
    """Restore a deleted datasource, its versions and its schedule, but not its assignments to projects."""
    call.require_known_parameters()
    definition = definitions.restore_datasource(services, slug, call.principal.id)
    return Answer(datasource_view(services, call.principal, definition), headers={"ETag": f'"{definition.etag}"'})


@routes.get("/datasources/{slug}/stats", "datasource.read", answer="DatasourceStats")
def get_datasource_stats(call: Call, services: Container, slug: str) -> Answer:
    """Statistics of the calls to a datasource's upstream."""
    return Answer(services.calls.statistics(slug, call.definition.created_at))


@routes.get("/datasources/{slug}/projects", "datasource.read", answer="AssignmentViewList", parameters=[LIMIT, CURSOR])
def list_datasource_projects(call: Call, services: Container, slug: str) -> Answer:
    """The projects that a datasource is assigned to: all for who may share it, else those that the caller sees."""
    visible = [item.presented() for item in visible_assignments(services, call.principal, call.definition)]
    return paginate(call, services, ["projects", slug], visible)


@routes.post(
    "/datasources/{slug}/runs",
    RUN_TYPES["ingest"].action,
    body=IngestRequest,
    answer="RunView",
    status=202,
    parameters=[IDEMPOTENCY_KEY, PREFER],
)
def start_datasource_run(call: Call, services: Container, slug: str) -> Answer:
    """Start an ingest run."""
    replay = call.document(IngestRequest, {}).replay
    if replay is not None:
        call.require("datasource.replay")
    run = requested_ingest(services, call.definition, replay, call.principal.id)
    return start_answer(call, services, lambda: start(services, run))


@routes.post(
    "/datasources/{slug}/erase",
    RUN_TYPES["erase"].action,
    body=ErasureRequest,
    answer="RunView",
    status=202,
    parameters=[IDEMPOTENCY_KEY, PREFER],
)
def erase_datasource_record(call: Call, services: Container, slug: str) -> Answer:
    """Erase one record from everything that is stored: pages, versions, what was computed of it, and caches."""
    request = call.document(ErasureRequest)
    definition, by = call.definition, call.principal.id
    return start_answer(call, services, lambda: start_erasure(services, definition, request, by))
