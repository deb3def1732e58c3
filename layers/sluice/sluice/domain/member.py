"""Members: with whom a project, datasource or input is shared, and as what."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from pydantic import Field

from sluice.domain.base import Document, Record
from sluice.errors import Invalid

MemberRole = Literal["viewer", "designer", "editor", "owner"]
MEMBER_ROLES: tuple[MemberRole, ...] = ("viewer", "designer", "editor", "owner")
_PRINCIPAL = re.compile(r"(key|user|group)[:/]([^/]+)")
# OIDC's limit for the subject of a token, which leaves room in DynamoDB's keys.
_MOST_NAME_BYTES = 255


class MemberRequest(Document):
    """As what a resource is shared."""

    role: MemberRole = Field(
        description="`viewer` reads; `designer` also writes new versions of inputs; `editor` also changes and runs; "
        "`owner` also shares and deletes."
    )


class Member(Record):
    """One principal with whom a resource is shared."""

    principal: str = Field(description="`user:{subject}`, `group:{name}` or `key:{id}`.")
    role: MemberRole = Field(description="What it may do with the resource.")
    created_at: str = Field(description="When it was shared, RFC 3339 in UTC.")
    created_by: str = Field(description="The principal that shared it.")

    @property
    def etag(self) -> str:
        """The state of the share: each that is written gets another time, role or author."""
        return hashlib.sha256(f"{self.role} {self.created_at} {self.created_by}".encode()).hexdigest()[:32]


def principal_id(text: str) -> str | None:
    """The id of a principal, such as `user/x`, from its form in paths, `user:x`; None if it has neither form.

    The name is whatever the issuer calls a person or a group, such as `auth0|5f7c` or `Network planners`.
    """
    match = _PRINCIPAL.fullmatch(text)
    if match is None or not match[2].isprintable() or match[2] != match[2].strip():
        return None
    return f"{match[1]}/{match[2]}" if len(match[2].encode()) <= _MOST_NAME_BYTES else None


def require_principal(text: str, pointer: str = "") -> str:
    """The id of a principal that a client has sent.

    Args:
        text: the principal, such as `user:x`.
        pointer: where it was sent, for the error; empty for the path.

    Raises:
        Invalid: it has not this form.
    """
    principal = principal_id(text)
    if principal is None:
        message = (
            f"{text!r} is none of user:<subject>, group:<name> and key:<id>, with a name of printable characters other "
            f"than a slash and of at most {_MOST_NAME_BYTES} bytes."
        )
        raise Invalid(message, [{"pointer": pointer, "message": message}])
    return principal


def in_paths(principal: str) -> str:
    """A principal as paths and lists have it: `user:x`, since gateways decode a slash within a segment."""
    return principal.replace("/", ":", 1)
