"""API keys, and the caller of a request."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from sluice.domain.base import Document, Record
from sluice.domain.datasource import DisplayName
from sluice.domain.member import MemberRole
from sluice.domain.names import Moment, Slug

Role = Literal["viewer", "editor", "admin"]


class KeyRequest(Document):
    """An API key as an admin requests it."""

    name: DisplayName = Field(description="Who or what uses the key, so that it can be recognised and revoked later.")
    role: Role = Field(
        description="`viewer` reads; `editor` also writes, runs and sees raw pages; `admin` also manages keys and "
        "secrets."
    )
    projects: list[Slug] | None = Field(
        None, description="The slugs of the projects that the key can access. Null: all. An admin key always has all."
    )
    expires_at: Moment | None = Field(
        None, description="The time from which the key is refused, RFC 3339 with an offset. Null: it does not expire."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.role == "admin" and self.projects is not None:
            raise ValueError("an admin key is valid for the whole workspace; omit projects")
        return self


class RotationRequest(Document):
    """The options of a rotation."""

    keep_old_seconds: int | None = Field(
        None,
        ge=0,
        description="How long the old secret is valid besides the new one. 0: the old one stops working at once, as "
        "it must if it has leaked. Null: `ROTATION_OVERLAP_SECONDS`. The key's own expiry ends it earlier.",
    )


class ApiKey(Record):
    """A key as it is stored: with its hashes, without the secrets."""

    id: str = Field(description="The id of the key, for `/keys/{key_id}`; the key itself contains it.")
    name: str = Field(description="Who or what uses the key.")
    role: Role = Field(description="What the key allows: `viewer`, `editor` or `admin`.")
    projects: list[str] | None = Field(
        None, description="The slugs of the projects that the key can access. Null: all."
    )
    expires_at: str | None = Field(
        None, description="The time from which the key is refused, RFC 3339 in UTC. Null: it does not expire."
    )
    hash: str
    old_hash: str | None = None
    old_expires_at: str | None = Field(
        None,
        description="The time from which the secret before the last rotation is refused, RFC 3339 in UTC. Null: it is "
        "refused already, or the key was never rotated.",
    )
    created_at: str = Field(description="When the key was created, RFC 3339 in UTC.")
    created_by: str = Field(description="The principal that created the key.")


class Share(Record):
    """One resource that is shared with a principal.

    Args:
        resource: `{kind}/{slug}`.
        resource_created_at: when the resource was created, which tells it from a later one of the same name.
    """

    resource: str
    resource_created_at: str
    role: MemberRole


class Principal(Record):
    """The caller of one request.

    Args:
        projects: the projects that a key is limited to; None: it is not.
        groups: the groups of a person, from the token.
        shares: what is shared with it, once that was read; see `catalog/members.py`.
        email, name: of a person, from the token; only the function that checks the token needs them.
    """

    id: str
    role: Role
    projects: list[str] | None = None
    groups: list[str] = Field(default_factory=list)
    shares: list[Share] | None = Field(None, exclude=True)
    email: str | None = Field(None, exclude=True)
    name: str | None = Field(None, exclude=True)

    @property
    def is_person(self) -> bool:
        """Whether it signed in with a token."""
        return self.id.startswith("user/")

    @property
    def names(self) -> list[str]:
        """What things can be shared with so that it has them: its own id and its groups."""
        return [self.id, *(f"group/{group}" for group in self.groups)]

    @property
    def sees_everything(self) -> bool:
        """Whether it sees the whole workspace: an admin, or a key that is not limited to projects."""
        return self.role == "admin" or (self.projects is None and not self.is_person)
