"""People who have signed in, and the accounts of the stack's own user pool."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from sluice.domain.base import Record
from sluice.domain.identity import Role


class Person(Record):
    """A person whose token was accepted, as the newest token described them.

    Args:
        id: the principal, `user/{sub}`.
        groups: the names in the token's claim of roles and groups.
        last_seen_at: about when the newest token was used.
    """

    id: str
    email: str | None = None
    name: str | None = None
    role: Role
    groups: list[str] = Field(default_factory=list)
    last_seen_at: str


@dataclass(frozen=True)
class Account:
    """An account of the user pool, with which nobody may have signed in yet.

    Args:
        sub: the subject of its tokens.
        name: the display name; None if it has none.
    """

    sub: str
    email: str | None
    name: str | None
