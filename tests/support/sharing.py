"""People who share a project, a datasource and an input."""

from __future__ import annotations

from sluice.domain.identity import Principal, Role
from sluice.errors import Unauthenticated
from support.client import Client

MEMBERS = "/projects/p/members"


class People:
    """The port of tokens, with people instead of an issuer: the token is `{name}.{role}.{groups}`."""

    configured = True

    def authenticate(self, token: str) -> Principal:
        name, role, groups = token.split(".")
        if role not in ("viewer", "editor", "admin"):
            raise Unauthenticated("no role")
        return Principal(id=f"user/{name}", role=role, groups=[role, *filter(None, groups.split("-"))])


def person(name: str, role: Role = "viewer", groups: str = "") -> Client:
    return Client(f"{name}.{role}.{groups}")
