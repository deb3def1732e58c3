"""Secrets: values go in and never come out."""

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, StringConstraints

from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, IF_MATCH, LIMIT, Routes
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.base import Document
from sluice.domain.datasource import Datasource
from sluice.domain.datasource.http_source import url_fault
from sluice.domain.names import SECRET_NAME_PATTERN, Slug
from sluice.errors import Invalid

routes = Routes("secrets")


def _check_host(host: str) -> str:
    fault = url_fault(f"https://{host}/")
    if fault is not None:
        raise ValueError(fault)
    _ = urlsplit(f"//{host}").port  # raises ValueError for a port that cannot be
    return host


Host = Annotated[
    str,
    StringConstraints(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^\s/?#@:\[\]]+)(:[0-9]{1,5})?$", min_length=1, max_length=259),
    AfterValidator(_check_host),
]


class SecretValue(Document):
    """A secret's value as it is set, and where it may go."""

    value: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    hosts: Annotated[list[Host], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="The only hosts that it is sent to, with a port or without. Null: only datasources that an admin "
        "wrote last may use it.",
    )
    projects: Annotated[list[Slug], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="The only projects that data fetched with it may go into; besides admins, only their owners may "
        "write a datasource that uses it. Null: all.",
    )


def _view(found: Definition, users: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "name": found.name,
        "etag": found.etag,
        "hosts": found.document.get("hosts"),
        "projects": found.document.get("projects"),
        "used_by": users.get(found.name, []),
        "created_at": found.created_at,
        "updated_at": found.document["set_at"],
        "created_by": found.created_by,
    }


def _users(services: Container) -> dict[str, list[str]]:
    users: dict[str, list[str]] = {}
    for found in services.definitions.all("datasource"):
        for name in Datasource.model_validate(found.document).secrets().values():
            users.setdefault(name, []).append(found.name)
    return users


@routes.get("/secrets", "secret.manage", answer="SecretViewList", parameters=[LIMIT, CURSOR])
def list_secrets(call: Call, services: Container) -> Answer:
    """The names of the secrets, and the datasources that use each."""
    after = services.cursors.open("secrets", call.one("cursor"))
    found, following = services.definitions.page("secret", call.limit(), after)
    users = _users(services)
    cursor = services.cursors.seal("secrets", following) if following is not None else None
    return Answer({"items": [_view(one, users) for one in found], "next": cursor})


@routes.put("/secrets/{name}", "secret.manage", body=SecretValue, answer="SecretView", parameters=[IF_MATCH])
def put_secret(call: Call, services: Container, name: str) -> Answer:
    """Set a secret's value, and where it may go; it can never be read back."""
    if re.match(SECRET_NAME_PATTERN, name) is None:
        raise Invalid(f"A secret's name matches {SECRET_NAME_PATTERN}.")
    stored = services.definitions.find("secret", name)
    secret = call.document(SecretValue, None, lambda: call.require_match(stored.etag if stored else None))
    found, created = services.secrets_registry.put(name, secret.value, call.principal.id, secret.hosts, secret.projects)
    headers = {"ETag": f'"{found.etag}"'}
    return Answer(_view(found, _users(services)), 201 if created else 200, headers)


@routes.delete("/secrets/{name}", "secret.manage", status=204, parameters=[IF_MATCH])
def delete_secret(call: Call, services: Container, name: str) -> Answer:
    """Forget a secret; datasources that use it fail until it is set again."""
    call.require_match(services.definitions.get("secret", name).etag)
    call.require_known_parameters()
    services.secrets_registry.delete(name)
    return Answer(status=204)
