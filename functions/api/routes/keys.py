"""API keys."""

from datetime import timedelta

from sluice.access.api_keys import key_view
from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, LIMIT, Routes
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.identity import ApiKey, KeyRequest, RotationRequest
from sluice.errors import Invalid

routes = Routes("keys")


@routes.post("/keys", "key.manage", body=KeyRequest, answer="NewKey", status=201, parameters=[IDEMPOTENCY_KEY])
def create_key(call: Call, services: Container) -> Answer:
    """Create an API key; its secret is shown in this answer only."""
    stored, key = services.keys.issue(call.document(KeyRequest), call.principal.id)
    location = {"Location": call.url(f"/keys/{stored.id}")}
    return Answer({**key_view(stored), "key": key}, 201, location, shown_once=("key",))


@routes.get("/keys", "key.manage", answer="KeyViewList", parameters=[LIMIT, CURSOR], audited=True)
def list_keys(call: Call, services: Container) -> Answer:
    """The API keys, without their secrets."""
    after = services.cursors.open("keys", call.query_value("cursor"))
    keys, following = services.keys.page(call.limit(), after)
    cursor = services.cursors.seal("keys", following) if following is not None else None
    return Answer({"items": [_view(item) for item in keys], "next": cursor})


@routes.get("/keys/{key_id}", "key.manage", answer="KeyView", parameters=[IF_NONE_MATCH], audited=True)
def get_key(call: Call, services: Container, key_id: str) -> Answer:
    """One API key, without its secret; 304 if the client has its current state."""
    definition = services.keys.get(key_id)
    if call.client_has(definition.etag):
        return Answer(status=304, headers={"ETag": f'"{definition.etag}"'})
    return Answer(_view(definition), headers={"ETag": f'"{definition.etag}"'})


@routes.delete("/keys/{key_id}", "key.manage", status=204, parameters=[IF_MATCH])
def delete_key(call: Call, services: Container, key_id: str) -> Answer:
    """Revoke an API key; it stops working at once."""
    stored = services.keys.get(key_id)
    call.require_match(stored.etag)
    call.require_known_parameters()
    services.keys.revoke(stored)
    return Answer(status=204)


@routes.post("/keys/{key_id}/rotate", "key.manage", body=RotationRequest, answer="NewKey", parameters=[IDEMPOTENCY_KEY])
def rotate_key(call: Call, services: Container, key_id: str) -> Answer:
    """Give an API key a new secret; the old one stays valid for a while, or stops working at once."""
    keep_old = _overlap(call.document(RotationRequest, default={}), services)
    last_used_at = services.keys.get(key_id).last_used_at
    stored, key = services.keys.rotate(key_id, keep_old)
    return Answer({**key_view(stored, last_used_at), "key": key}, shown_once=("key",))


def _overlap(request: RotationRequest, services: Container) -> timedelta:
    """How long a rotation keeps the old secret valid."""
    seconds, most = request.keep_old_seconds, services.settings.max_rotation_overlap_seconds
    if seconds is None:
        seconds = services.settings.rotation_overlap_seconds
    elif seconds > most:
        fault = {"pointer": "/keep_old_seconds", "message": f"At most {most} seconds."}
        raise Invalid("The old secret cannot be kept for so long.", [fault])
    return timedelta(seconds=seconds)


def _view(definition: Definition) -> dict[str, object]:
    return key_view(ApiKey.model_validate(definition.document), definition.last_used_at)
