"""API keys, and the caller of a request."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from sluice.domain.base import Document, Record
from sluice.domain.datasource import DisplayName
from sluice.domain.names import Slug

Role = Literal["viewer", "editor", "admin"]


class KeyRequest(Document):
    """An API key as an admin requests it."""

    name: DisplayName
    role: Role
    projects: list[Slug] | None = Field(None, description="The projects that it can access; null: all.")
    expires_at: AwareDatetime | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.role == "admin" and self.projects is not None:
            raise ValueError("an admin key is valid for the whole workspace; omit projects")
        return self


class ApiKey(Record):
    """A key as it is stored: with its hash, without the key itself."""

    id: str
    name: str
    role: Role
    projects: list[str] | None = None
    expires_at: str | None = None
    hash: str
    created_at: str
    created_by: str


class Principal(Record):
    """The caller of one request."""

    id: str
    role: Role
    projects: list[str] | None = None
