"""Secrets: their values are written and never read back."""

from typing import Any

from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, IF_MATCH, LIMIT, Routes
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.names import SECRET_NAME_PATTERN, is_secret_name
from sluice.domain.secret import SecretValue
from sluice.errors import Invalid

routes = Routes("secrets")


def _view(secret: Definition, users: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "name": secret.name,
        "etag": secret.etag,
        "hosts": secret.document.get("hosts"),
        "projects": secret.document.get("projects"),
        "used_by": users.get(secret.name, []),
        "created_at": secret.created_at,
        "updated_at": secret.document["set_at"],
        "created_by": secret.created_by,
    }


@routes.get("/secrets", "secret.manage", answer="SecretViewList", parameters=[LIMIT, CURSOR], audited=True)
def list_secrets(call: Call, services: Container) -> Answer:
    """The names of the secrets, and the datasources that use each."""
    after = services.cursors.open("secrets", call.query_value("cursor"))
    definitions, following = services.definitions.page("secret", call.limit(), after)
    users = services.secrets_registry.users()
    cursor = services.cursors.seal("secrets", following) if following is not None else None
    return Answer({"items": [_view(item, users) for item in definitions], "next": cursor})


@routes.put("/secrets/{name}", "secret.manage", body=SecretValue, answer="SecretView", parameters=[IF_MATCH])
def put_secret(call: Call, services: Container, name: str) -> Answer:
    """Set a secret's value, and where it may be sent; the value can never be read back."""
    if not is_secret_name(name):
        raise Invalid(f"The name {name!r} cannot be used: {SECRET_NAME_PATTERN.words}.")
    stored = services.definitions.find("secret", name)
    secret = call.document(SecretValue, None, lambda: call.require_match(stored.etag if stored else None))
    definition, is_new = services.secrets_registry.put(
        name, secret.value, call.principal.id, secret.hosts, secret.projects
    )
    headers = {"ETag": f'"{definition.etag}"'}
    return Answer(_view(definition, services.secrets_registry.users()), 201 if is_new else 200, headers)


@routes.delete("/secrets/{name}", "secret.manage", status=204, parameters=[IF_MATCH])
def delete_secret(call: Call, services: Container, name: str) -> Answer:
    """Delete a secret; datasources that use it fail until it is set again."""
    call.require_match(services.definitions.get("secret", name).etag)
    call.require_known_parameters()
    services.secrets_registry.delete(name)
    return Answer(status=204)
