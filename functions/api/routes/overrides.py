"""Manual overrides of merged values."""

from typing import Any

from sluice.bootstrap import Platform
from sluice.domain.override import OverrideRequest
from sluice.http.call import Answer, Call
from sluice.http.resources import PROJECTS
from sluice.http.routes import IF_MATCH, RECORD_KEY, Routes
from sluice.runs.overrides import delete_override, overrides_of, put_override

routes = Routes("projects")


@routes.get("/projects/{slug}/overrides", answer={"type": "object"})
def list_overrides(call: Call, services: Platform, slug: str) -> Answer:
    """The overrides of a project, by field and key."""
    PROJECTS.load(call, services, slug)
    items: list[dict[str, Any]] = [one.model_dump(mode="json") for one in overrides_of(services, slug)]
    return Answer({"items": items, "next": None})


@routes.put(
    "/projects/{slug}/overrides/{field}",
    body=OverrideRequest,
    answer={"type": "object"},
    parameters=[RECORD_KEY, IF_MATCH],
)
def set_override(call: Call, services: Platform, slug: str, field: str) -> Answer:
    """Put a value in the place of what the sources say; it counts from the next refresh on."""
    project = PROJECTS.load(call, services, slug)
    request = call.document(OverrideRequest)
    stored, new = put_override(services, project, field, call.many("key"), request, call.principal.id)
    location = {"Location": call.link(f"/projects/{slug}/overrides/{field}")} if new else {}
    return Answer(stored.model_dump(mode="json"), 201 if new else 200, location)


@routes.delete("/projects/{slug}/overrides/{field}", status=204, parameters=[RECORD_KEY])
def remove_override(call: Call, services: Platform, slug: str, field: str) -> Answer:
    """Let the sources speak again; it counts from the next refresh on."""
    project = PROJECTS.load(call, services, slug)
    call.require_known_parameters()
    delete_override(services, project, field, call.many("key"))
    return Answer(status=204)
