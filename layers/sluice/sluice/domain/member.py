"""Members: with whom a project, datasource or input is shared, and as what."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from sluice.domain.base import Document, Record

MemberRole = Literal["viewer", "designer", "editor", "owner"]
MEMBER_ROLES: tuple[MemberRole, ...] = ("viewer", "designer", "editor", "owner")
_PRINCIPAL = re.compile(r"(key|user|group)[:/]([A-Za-z0-9][A-Za-z0-9_.@+-]{0,127})")


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


def principal_id(text: str) -> str | None:
    """The id of a principal, such as `user/x`, from its form in paths, `user:x`; None if it has neither form."""
    match = _PRINCIPAL.fullmatch(text)
    return f"{match[1]}/{match[2]}" if match else None


def in_paths(principal: str) -> str:
    """A principal as paths and lists have it: `user:x`, since gateways decode a slash within a segment."""
    return principal.replace("/", ":", 1)
