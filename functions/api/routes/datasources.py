"""Datasources and their runs."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from sluice.api.call import Answer, Call
from sluice.api.datasource_rules import shown_datasource
from sluice.api.paging import paged
from sluice.api.resources import DATASOURCES, until_stored
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
from sluice.api.running import started
from sluice.api.targets import is_visible
from sluice.catalog.definitions import Definition, missing
from sluice.container import Container
from sluice.domain.base import Document
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.run_types import RUN_TYPES
from sluice.errors import Conflict
from sluice.runs.start import ingest_run, start

routes = Routes("datasources")
FORCE = Parameter("force", "`true` deletes even while assigned.", {"type": "boolean", "default": False})


class IngestRequest(Document):
    """What an ingest run is to do; an empty object asks the upstream."""

    replay: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Take the raw pages of this version instead of asking the upstream."
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
    """Make a datasource."""
    return DATASOURCES.create(call, services)


@routes.get("/datasources/{slug}", "datasource.read", answer="DatasourceView", parameters=[IF_NONE_MATCH])
def get_datasource(call: Call, services: Container, slug: str) -> Answer:
    """One datasource."""
    return DATASOURCES.read(call)


@routes.put(
    "/datasources/{slug}",
    "datasource.update",
    creates="datasource.create",
    body=Datasource,
    answer="DatasourceView",
    parameters=[IF_MATCH],
)
def put_datasource(call: Call, services: Container, slug: str) -> Answer:
    """Make a datasource of this slug, or replace it."""
    return DATASOURCES.put(call, services, slug)


@routes.patch(
    "/datasources/{slug}", "datasource.update", body=MERGE_PATCH, answer="DatasourceView", parameters=[IF_MATCH]
)
def patch_datasource(call: Call, services: Container, slug: str) -> Answer:
    """Change parts of a datasource."""
    return DATASOURCES.patch(call, services, slug)


@routes.delete("/datasources/{slug}", "datasource.delete", status=204, parameters=[IF_MATCH, FORCE])
def delete_datasource(call: Call, services: Container, slug: str) -> Answer:
    """Hide a datasource and stop its schedule; its data stays, and its slug stays reserved for its restoration."""
    call.require_match(call.definition.etag)
    call.require_known_parameters()
    force = call.choice("force", ("true", "false"), "false") == "true"
    dataset = DatasetId.of_datasource(slug)

    def delete(found: Definition | None) -> Answer:
        if found is None:
            raise missing("datasource", slug)
        if force:
            services.assignments.remove(services.assignments.of_datasource(slug))
        services.definitions.delete(found, services.datasets.hiding(dataset, call.principal.id))
        return Answer(status=204)

    answer = until_stored(call, delete)
    services.schedules.remove("datasource", slug)
    return answer


@routes.post("/datasources/{slug}/restore", "datasource.restore", answer="DatasourceView", parameters=[IDEMPOTENCY_KEY])
def restore_datasource(call: Call, services: Container, slug: str) -> Answer:
    """Bring back a deleted datasource, its versions and its schedule; not its part in projects."""
    call.require_known_parameters()
    within = timedelta(days=services.settings.restore_days)
    found = services.definitions.restore(
        "datasource",
        slug,
        within,
        lambda: services.datasets.showing(DatasetId.of_datasource(slug), call.principal.id),
    )
    document = Datasource.model_validate(found.document)
    services.schedules.apply("datasource", slug, document.schedule, enabled=document.enabled)
    return Answer(shown_datasource(found), headers={"ETag": f'"{found.etag}"'})


@routes.get("/datasources/{slug}/stats", "datasource.read", answer="DatasourceStats")
def get_datasource_stats(call: Call, services: Container, slug: str) -> Answer:
    """How the upstream has answered so far."""
    found = call.definition
    return Answer(services.calls.of(slug, found.created_at))


def _sees(call: Call, services: Container, project: str) -> bool:
    found = services.definitions.find("project", project)
    return found is not None and is_visible(services, call.principal, found)


@routes.get("/datasources/{slug}/projects", "datasource.read", answer="AssignmentViewList", parameters=[LIMIT, CURSOR])
def list_datasource_projects(call: Call, services: Container, slug: str) -> Answer:
    """The projects that a datasource is part of."""
    found = services.assignments.of_datasource(slug)
    seen = [one.presented() for one in found if _sees(call, services, one.project)]
    return paged(call, services, ["projects", slug], seen)


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
    found = call.definition
    request = call.document(IngestRequest, {})
    datasource = Datasource.model_validate(found.document)
    if request.replay is None and datasource.ARRIVAL != "pulled":
        raise Conflict(f"{slug!r} is of kind {datasource.kind}: nothing can be asked for; {datasource.INSTEAD}.")
    if request.replay is not None:
        call.require("datasource.replay")
        services.datasets.version(DatasetId.of_datasource(slug), request.replay)
    run = ingest_run(slug, "api", call.principal.id, replay=request.replay)
    run.replay_over = services.datasets.pointer(DatasetId.of_datasource(slug)).published or 0
    return started(call, services, lambda: start(services, run))
