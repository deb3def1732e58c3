"""Responses about the platform, its keys and its secrets."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sluice.api.responses.base import CreatedAt, CreatedBy, ETag, Response, list_model, record_model
from sluice.domain.identity import ApiKey, Role
from sluice.domain.member import Member


class ApiRoot(Response):
    """The API, and absolute links to its main resources."""

    name: str = Field(description="The name of the software: `Sluice`.")
    release: str = Field(description="The release that is deployed.")
    docs: str = Field(description="Swagger UI: read about operations, and try them.")
    redoc: str = Field(description="Redoc: the whole reference on one page.")
    openapi: str = Field(description="The OpenAPI document, for generators of clients.")
    health: str = Field(description="The health of the platform; it needs no key.")
    me: str = Field(description="The identity and role of the caller.")
    datasources: str = Field(description="The list of datasources.")
    projects: str = Field(description="The list of projects.")
    runs: str = Field(description="The list of runs.")
    sites: str = Field(description="The list of sites: vessels, factories and plants.")
    vessels: str = Field(description="The list of vessels.")
    equipment: str = Field(description="The list of the equipment of all sites.")
    operations: str = Field(description="The list of operations on equipment.")
    sensors: str = Field(description="The list of sensors.")
    readings: str = Field(description="The readings of sensors, of the last 24 hours unless `from` and `to` are sent.")
    alarms: str = Field(description="The list of alarms of sensors.")
    subscriptions: str = Field(description="The list of the caller's subscriptions to events, for editors.")
    secrets: str = Field(description="The list of secrets, for admins.")
    users: str = Field(description="The people and API keys to share with; send `search`.")
    keys: str = Field(description="The list of API keys, for admins.")


class Health(Response):
    """The health of the platform."""

    status: Literal["ok"] = Field(description="`ok`: the API answers.")
    version: str = Field(description="The release that is deployed.")


class Identity(Response):
    """The caller of a request."""

    id: str = Field(description="The principal: `key/{id}`, or the subject of a token.")
    role: Role = Field(description="What the caller may do: `viewer`, `editor` or `admin`.")
    projects: list[str] | None = Field(description="The slugs of the projects that the caller can access. Null: all.")
    groups: list[str] = Field(description="The groups of a person, from the token; empty for keys.")
    workspace: str = Field(description="The name of the workspace; a stack has one.")
    actions: list[str] = Field(
        description="The actions of the access policy that the caller may do on the resource that the request names. "
        "Without one: those that the caller's role allows."
    )


class ConsoleConfig(Response):
    """What the console needs to know before anybody has signed in."""

    issuer: str | None = Field(description="The OpenID Connect issuer at which people sign in. Null: by API keys only.")
    client_id: str | None = Field(description="The console's client id at the issuer.")
    scope: str = Field(description="The scopes that it asks for.")


class ApiDescription(Response):
    """An OpenAPI document."""

    openapi: str = Field(description="The version of the OpenAPI specification.")
    info: dict[str, Any] = Field(description="The title, release and licence of the API.")
    servers: list[dict[str, Any]] = Field(description="The addresses of the API.")
    security: list[dict[str, Any]] = Field(description="The ways to send credentials; one of them is enough.")
    tags: list[dict[str, Any]] = Field(description="The groups of operations, in the order to read them.")
    paths: dict[str, dict[str, Any]] = Field(description="The operations, by path and method.")
    components: dict[str, dict[str, Any]] = Field(
        description="The schemas, examples and security schemes that operations refer to."
    )


class Redirect(Response):
    """The URL of an answer that is too large to be inline, as in the header `Location`."""

    location: str = Field(description="The presigned URL; it needs no credentials and expires soon.")


class UserView(Response):
    """A person or an API key, to share with."""

    principal: str = Field(description="`user:{subject of the token}` or `key:{id}`, as members are named.")
    name: str | None = Field(description="The person's name, from the token, or the key's. Null: it is not known.")
    email: str | None = Field(description="The person's e-mail address. Null: it is not known, or this is a key.")
    role: Role | None = Field(None, description="The person's role; for admins only.")
    groups: list[str] | None = Field(None, description="The person's groups, those of roles included; for admins only.")
    last_seen_at: str | None = Field(
        None,
        description="When the person last sent a request, RFC 3339 in UTC; at most `LAST_USE_SECONDS` before the true "
        "time. For admins only, and absent for people who have not signed in yet.",
    )


UserViewList: Any = list_model(UserView)
KeyView: Any = record_model(
    "KeyView",
    ApiKey,
    {"hash", "old_hash"},
    about="An API key, without its secret.",
    last_used_at=(
        str | None,
        Field(
            description="When the key was used, RFC 3339 in UTC; at most `LAST_USE_SECONDS` before its true last use. "
            "Null: it was not used yet. It does not change the ETag."
        ),
    ),
)
KeyViewList: Any = list_model(KeyView)


class NewKey(KeyView):  # type: ignore[misc]
    """A key with its secret."""

    key: str = Field("", description="Shown in this answer only; absent when the answer is replayed.")


class SecretView(Response):
    """A secret without its value."""

    name: str = Field(description="The name by which datasources refer to the secret.")
    etag: ETag
    hosts: list[str] | None = Field(
        description="The only hosts that the value is sent to. Null: only datasources that an admin wrote last may "
        "use it."
    )
    projects: list[str] | None = Field(
        description="The slugs of the only projects that data fetched with it may enter. Null: all."
    )
    used_by: list[str] = Field(description="The slugs of the datasources that use it.")
    created_at: CreatedAt
    updated_at: str = Field(description="When the value was set last, RFC 3339 in UTC.")
    created_by: CreatedBy


SecretViewList: Any = list_model(SecretView)


MemberView: Any = record_model("MemberView", Member, etag=(ETag, ...))
MemberViewList: Any = list_model(MemberView)
