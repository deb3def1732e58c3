"""Sharing projects, datasources and inputs."""

from __future__ import annotations

from typing import Any, Protocol

from sluice.catalog.definitions import Definition
from sluice.domain.member import Member, MemberRole, in_paths, require_principal
from sluice.errors import Conflict, NotFound
from sluice.services import WithKeys, WithMembers, WithSettings


class Services(WithMembers, WithKeys, WithSettings, Protocol):
    """What sharing needs."""


def members_of(services: WithMembers, resource: Definition) -> list[dict[str, Any]]:
    """Those who may do something with a resource by owning it or by a share, the owner first."""
    owner = Member(
        principal=resource.created_by, role="owner", created_at=resource.created_at, created_by=resource.created_by
    )
    return [member_view(member) for member in (owner, *services.members.of_resource(resource))]


def member_view(member: Member) -> dict[str, Any]:
    """A member as the API shows it."""
    shown = {"principal": in_paths(member.principal), "created_by": in_paths(member.created_by)}
    return {**member.model_dump(mode="json"), **shown}


def share(
    services: Services, resource: Definition, text: str, role: MemberRole, by: str
) -> tuple[dict[str, Any], bool]:
    """Share a resource with a principal, or change as what it is shared.

    Args:
        text: the principal as the path has it, such as `user:x`.
        by: the principal that shares it.

    Returns:
        The member, and whether it is a new one.

    Raises:
        Invalid: the text names no principal.
        NotFound: there is no such key.
        Conflict: it owns the resource, or the resource has the most members.
    """
    principal = _principal(services, text)
    if principal == resource.created_by:
        raise Conflict(f"{text} owns this {resource.kind} and keeps it.")
    is_new = services.members.put(resource, principal, role, by, services.settings.max_members)
    member = next(item for item in services.members.of_resource(resource) if item.principal == principal)
    return member_view(member), is_new


def unshare(services: WithMembers, resource: Definition, text: str) -> None:
    """End that a resource is shared with a principal; its next request no longer has it.

    Raises:
        Invalid: the text names no principal.
        NotFound: it is not shared with the principal.
        Conflict: the principal owns it.
    """
    principal = require_principal(text)
    if principal == resource.created_by:
        raise Conflict(f"{text} owns this {resource.kind} and keeps it.")
    services.members.remove(resource, principal)


def _principal(services: WithKeys, text: str) -> str:
    principal = require_principal(text)
    kind, _, name = principal.partition("/")
    # The issuer knows which users and groups there are, and may come to know more.
    if kind == "key" and services.keys.find(name) is None:
        raise NotFound(f"There is no key {name!r}.")
    return principal
