"""Manual overrides of merged values."""

from typing import Any
from urllib.parse import quote

from sluice.api.call import Answer, Call
from sluice.api.resources import retry_overtaken_write
from sluice.api.routes import CURSOR, IF_MATCH, IF_NONE_MATCH, LIMIT, RECORD_KEY, Routes
from sluice.catalog.definitions import Definition, missing
from sluice.container import Container
from sluice.domain.override import Override, OverrideRequest, override_name, parse_override
from sluice.projects.overrides import delete_override, find_override, put_override, stored_overrides

routes = Routes("projects")


def _view(override: Override, stored: Definition) -> dict[str, Any]:
    return {**override.model_dump(mode="json"), "etag": stored.etag}


@routes.get("/projects/{slug}/overrides", "project.read", answer="OverrideViewList", parameters=[LIMIT, CURSOR])
def list_overrides(call: Call, services: Container, slug: str) -> Answer:
    """The overrides of a project, by field and key."""
    bound, limit = ["overrides", slug], call.limit()
    after = services.cursors.open(bound, call.query_value("cursor"))
    stored = stored_overrides(services, slug)
    overrides = [_view(*item) for item in stored if after is None or [item[0].field, item[0].key] > after]
    items = overrides[:limit]
    last = [items[-1]["field"], items[-1]["key"]] if len(overrides) > limit else None
    return Answer({"items": items, "next": services.cursors.seal(bound, last) if last else None})


@routes.get(
    "/projects/{slug}/overrides/{field}",
    "project.read",
    answer="OverrideView",
    parameters=[RECORD_KEY, IF_NONE_MATCH],
)
def get_override(call: Call, services: Container, slug: str, field: str) -> Answer:
    """The override of one field of one record."""
    override, stored = find_override(services, slug, field, call.query_values("key"))
    headers = {"ETag": f'"{stored.etag}"'}
    return (
        Answer(status=304, headers=headers)
        if call.client_has(stored.etag)
        else Answer(_view(override, stored), 200, headers)
    )


@routes.put(
    "/projects/{slug}/overrides/{field}",
    "project.override",
    body=OverrideRequest,
    answer="OverrideView",
    parameters=[RECORD_KEY, IF_MATCH],
)
def set_override(call: Call, services: Container, slug: str, field: str) -> Answer:
    """Replace a merged value with this one, from the next refresh on."""

    def put(project: Definition | None) -> Answer:
        if project is None:
            raise missing("project", slug)
        body = call.json(exact=True)
        key = call.query_values("key")
        before = services.definitions.find("override", override_name(slug, field, key))
        call.require_match(before.etag if before else None)
        call.require_known_parameters()
        request, exact = parse_override(body)
        override, stored = put_override(services, project, field, key, request, exact, call.principal.id, before)
        headers = {"ETag": f'"{stored.etag}"'}
        if before is None:
            query = "&".join(f"key={quote(part, safe='')}" for part in key)
            headers["Location"] = call.url(f"/projects/{slug}/overrides/{quote(field, safe='')}?{query}")
        return Answer(_view(override, stored), 200 if before else 201, headers)

    return retry_overtaken_write(call, put)


@routes.delete("/projects/{slug}/overrides/{field}", "project.override", status=204, parameters=[RECORD_KEY, IF_MATCH])
def remove_override(call: Call, services: Container, slug: str, field: str) -> Answer:
    """Remove an override; from the next refresh on the merged value is that of the sources."""

    def delete(project: Definition | None) -> Answer:
        if project is None:
            raise missing("project", slug)
        _, stored = find_override(services, slug, field, call.query_values("key"))
        call.require_match(stored.etag)
        call.require_known_parameters()
        delete_override(services, project, stored)
        return Answer(status=204)

    return retry_overtaken_write(call, delete)
