"""Datasources and their runs."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from sluice.bootstrap import Platform
from sluice.catalog.definitions import missing
from sluice.domain.base import Document
from sluice.domain.datasource import Datasource
from sluice.domain.run import RunView
from sluice.errors import Conflict
from sluice.http.call import Answer, Call
from sluice.http.lists import paged
from sluice.http.openapi import listed
from sluice.http.resources import DATASOURCES, view, viewed
from sluice.http.routes import (
    CURSOR,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_NONE_MATCH,
    LIMIT,
    PREFER,
    Parameter,
    Routes,
)
from sluice.http.running import started
from sluice.runs.starting import ingest_run, start
from sluice.runs.tables import follow

routes = Routes("datasources")
View = viewed(Datasource)
FORCE = Parameter("force", "`true` deletes even while assigned.", {"type": "boolean", "default": False})


class IngestRequest(Document):
    """What an ingest run is to do; an empty object asks the upstream."""

    replay: Annotated[int, Field(ge=1)] | None = Field(
        None, description="Take the raw pages of this version instead of asking the upstream."
    )


@routes.get("/datasources", answer=listed(View), parameters=[LIMIT, CURSOR])
def list_datasources(call: Call, services: Platform) -> Answer:
    """The datasources, by slug."""
    return DATASOURCES.list(call, services)


@routes.post("/datasources", body=Datasource, answer=View, status=201, parameters=[IDEMPOTENCY_KEY])
def create_datasource(call: Call, services: Platform) -> Answer:
    """Make a datasource."""
    return DATASOURCES.create(call, services)


@routes.get("/datasources/{slug}", answer=View, parameters=[IF_NONE_MATCH])
def get_datasource(call: Call, services: Platform, slug: str) -> Answer:
    """One datasource."""
    return DATASOURCES.read(call, services, slug)


@routes.put("/datasources/{slug}", body=Datasource, answer=View, parameters=[IF_MATCH])
def put_datasource(call: Call, services: Platform, slug: str) -> Answer:
    """Make a datasource of this slug, or replace it."""
    return DATASOURCES.put(call, services, slug)


@routes.patch("/datasources/{slug}", body={"type": "object"}, answer=View, parameters=[IF_MATCH])
def patch_datasource(call: Call, services: Platform, slug: str) -> Answer:
    """Change parts of a datasource."""
    return DATASOURCES.patch(call, services, slug)


@routes.delete("/datasources/{slug}", status=204, parameters=[IF_MATCH, FORCE])
def delete_datasource(call: Call, services: Platform, slug: str) -> Answer:
    """Hide a datasource and stop its schedule; its data stays."""
    found = DATASOURCES.load(call, services, slug)
    call.principal.require_owner(found.created_by)
    call.require_match(found.etag)
    call.require_known_parameters()
    force = call.choice("force", ("true", "false"), "false") == "true"
    assigned = services.assignments.of_datasource(slug) if force else []
    for one in assigned:
        services.assignments.delete(one.project, slug)
    services.definitions.delete(found, services.datasets.hiding(f"datasource/{slug}"))
    services.schedules.remove("datasource", slug)
    follow(services, f"datasource/{slug}")
    return Answer(status=204)


@routes.post("/datasources/{slug}/restore", answer=View, parameters=[IDEMPOTENCY_KEY])
def restore_datasource(call: Call, services: Platform, slug: str) -> Answer:
    """Bring back a deleted datasource, its versions and its schedule; not its part in projects."""
    call.require_known_parameters()
    gone = services.definitions.deleted("datasource", slug)
    if gone is None and services.definitions.find("datasource", slug) is not None:
        DATASOURCES.load(call, services, slug)  # who may not know of it is told nothing
    if gone is not None:
        if call.principal.projects is not None and gone.created_by != call.principal.id:
            raise missing("datasource", slug)
        call.principal.require_owner(gone.created_by)
    within = timedelta(days=services.settings.restore_days)
    found = services.definitions.restore(
        "datasource", slug, within, lambda: services.datasets.showing(f"datasource/{slug}")
    )
    document = Datasource.model_validate(found.document)
    services.schedules.apply("datasource", slug, document.schedule, enabled=document.enabled)
    follow(services, f"datasource/{slug}")
    return Answer(view(found), headers={"ETag": f'"{found.etag}"'})


@routes.get("/datasources/{slug}/stats", answer={"type": "object"})
def get_datasource_stats(call: Call, services: Platform, slug: str) -> Answer:
    """How the upstream has answered so far."""
    found = DATASOURCES.load(call, services, slug)
    return Answer(services.calls.of(slug, found.created_at))


@routes.get("/datasources/{slug}/projects", answer={"type": "object"}, parameters=[LIMIT, CURSOR])
def list_datasource_projects(call: Call, services: Platform, slug: str) -> Answer:
    """The projects that a datasource is part of."""
    DATASOURCES.load(call, services, slug)
    found = services.assignments.of_datasource(slug)
    seen = [one.presented() for one in found if call.principal.sees_project(one.project)]
    return paged(call, services, ["projects", slug], seen)


@routes.post(
    "/datasources/{slug}/runs", body=IngestRequest, answer=RunView, status=202, parameters=[IDEMPOTENCY_KEY, PREFER]
)
def start_datasource_run(call: Call, services: Platform, slug: str) -> Answer:
    """Start an ingest run."""
    found = DATASOURCES.load(call, services, slug)
    request = call.document(IngestRequest, {})
    if request.replay is None and found.document["kind"] != "http":
        how = "drop a file instead" if found.document["kind"] == "file" else "post records instead"
        raise Conflict(f"{slug!r} is of kind {found.document['kind']}: nothing can be asked for; {how}.")
    if request.replay is not None:
        services.datasets.version(f"datasource/{slug}", request.replay)
    run = ingest_run(slug, "api", call.principal.id, replay=request.replay)
    run.replay_over = services.datasets.pointer(f"datasource/{slug}").published or 0
    return started(call, services, lambda: start(services, run))
