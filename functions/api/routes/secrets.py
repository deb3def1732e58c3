"""Secrets: values go in and never come out."""

import re
from typing import Annotated, Any

from pydantic import StringConstraints

from sluice.bootstrap import Platform
from sluice.catalog.definitions import Definition
from sluice.domain.base import Document
from sluice.domain.names import SECRET_NAME_PATTERN
from sluice.errors import Invalid
from sluice.http.call import Answer, Call
from sluice.http.routes import CURSOR, LIMIT, Routes

routes = Routes("secrets")


class SecretValue(Document):
    """A secret's value, as it is set."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=4096)]


def _view(found: Definition, users: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "name": found.name,
        "used_by": users.get(found.name, []),
        "created_at": found.created_at,
        "updated_at": found.document["set_at"],
        "created_by": found.created_by,
    }


def _users(services: Platform) -> dict[str, list[str]]:
    users: dict[str, list[str]] = {}
    for found in services.definitions.all("datasource"):
        secret = ((found.document.get("http") or {}).get("auth") or {}).get("secret")
        if secret:
            users.setdefault(secret, []).append(found.name)
    return users


@routes.get("/secrets", role="admin", answer={"type": "object"}, parameters=[LIMIT, CURSOR])
def list_secrets(call: Call, services: Platform) -> Answer:
    """The names of the secrets, and the datasources that use each."""
    after = services.cursors.open("secrets", call.one("cursor"))
    found, following = services.definitions.page("secret", call.limit(), after)
    users = _users(services)
    cursor = services.cursors.seal("secrets", following) if following is not None else None
    return Answer({"items": [_view(one, users) for one in found], "next": cursor})


@routes.put("/secrets/{name}", role="admin", body=SecretValue, answer={"type": "object"})
def put_secret(call: Call, services: Platform, name: str) -> Answer:
    """Set a secret's value; it can never be read back."""
    if re.match(SECRET_NAME_PATTERN, name) is None:
        raise Invalid(f"A secret's name matches {SECRET_NAME_PATTERN}.")
    value = call.document(SecretValue).value
    found, created = services.secrets_registry.put(name, value, call.principal.id)
    return Answer(_view(found, _users(services)), 201 if created else 200)


@routes.delete("/secrets/{name}", role="admin", status=204)
def delete_secret(call: Call, services: Platform, name: str) -> Answer:
    """Forget a secret; datasources that use it fail until it is set again."""
    call.require_known_parameters()
    services.secrets_registry.delete(name)
    return Answer(status=204)
