"""Responses about the platform, its keys and its secrets."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sluice.api.responses.base import Response, list_model, record_model
from sluice.domain.identity import ApiKey, Role


class Health(Response):
    """The health of the platform."""

    status: Literal["ok"]
    version: str


class Identity(Response):
    """The caller of a request."""

    id: str
    role: Role
    projects: list[str] | None
    workspace: str


class ApiDescription(Response):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    servers: list[dict[str, Any]]
    security: list[dict[str, Any]]
    paths: dict[str, dict[str, Any]]
    components: dict[str, dict[str, Any]]


class Redirect(Response):
    """The URL of an answer that is too large to be inline, as in the header `Location`."""

    location: str


KeyView: Any = record_model("KeyView", ApiKey, {"hash"}, about="An API key, without its secret.")
KeyViewList: Any = list_model(KeyView)


class NewKey(KeyView):  # type: ignore[misc]
    """A key with its secret."""

    key: str = Field("", description="Shown in this answer only; absent when the answer is replayed.")


class SecretView(Response):
    """A secret without its value."""

    name: str
    etag: str
    hosts: list[str] | None
    projects: list[str] | None
    used_by: list[str] = Field(description="The datasources that use it.")
    created_at: str
    updated_at: str
    created_by: str


SecretViewList: Any = list_model(SecretView)
