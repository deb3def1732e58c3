"""Sharing projects, datasources and inputs."""

from __future__ import annotations

from typing import Any, Protocol

from sluice.catalog.definitions import Definition
from sluice.domain.member import Member, MemberRole, in_paths, principal_id, require_principal
from sluice.domain.names import now, rfc3339
from sluice.errors import Conflict, NotFound
from sluice.services import WithKeys, WithMembers, WithSettings


class Services(WithMembers, WithKeys, WithSettings, Protocol):
    """What sharing needs."""


def members_of(services: WithMembers, resource: Definition) -> list[dict[str, Any]]:
    """Those who may do something with a resource by owning it or by a share, the owner first."""
    return [member_view(member) for member in (_owner(resource), *services.members.of_resource(resource))]


def _owner(resource: Definition) -> Member:
    by = resource.created_by
    return Member(principal=by, role="owner", created_at=resource.created_at, created_by=by)


def member_view(member: Member) -> dict[str, Any]:
    """A member as the API shows it."""
    shown = {"principal": in_paths(member.principal), "created_by": in_paths(member.created_by)}
    return {**member.model_dump(mode="json"), **shown, "etag": member.etag}


def find_member(services: WithMembers, resource: Definition, text: str) -> Member | None:
    """As what a principal owns a resource or has a share of it.

    Args:
        text: the principal as the path has it, such as `user:x`.

    Returns:
        None if it has nothing of it, or the text names no principal.
    """
    principal = principal_id(text)
    if principal == resource.created_by:
        return _owner(resource)
    return services.members.find(resource, principal) if principal is not None else None


def share(
    services: Services, resource: Definition, text: str, role: MemberRole, by: str, before: Member | None
) -> Member:
    """Share a resource with a principal, or change as what it is shared.

    Args:
        text: the principal as the path has it, such as `user:x`.
        by: the principal that shares it.
        before: what `find_member` has found.

    Raises:
        Invalid: the text names no principal.
        NotFound: there is no such key.
        PreconditionFailed: the share was changed meanwhile.
        Conflict: it owns the resource, or the resource has the most members.
    """
    principal = _principal(services, text)
    if principal == resource.created_by:
        raise Conflict(f"{text} owns this {resource.kind} and keeps it.")
    if before is not None and before.role == role:
        return before  # the same again changes nothing
    member = Member(principal=principal, role=role, created_at=rfc3339(now()), created_by=by)
    services.members.put(resource, member, before, services.settings.max_members)
    return member


def unshare(services: WithMembers, resource: Definition, text: str, before: Member | None) -> None:
    """End that a resource is shared with a principal; its next request no longer has it.

    Args:
        text: the principal as the path has it, such as `user:x`.
        before: what `find_member` has found.

    Raises:
        Invalid: the text names no principal.
        NotFound: it is not shared with the principal.
        PreconditionFailed: the share was changed meanwhile.
        Conflict: the principal owns it.
    """
    principal = require_principal(text)
    if principal == resource.created_by:
        raise Conflict(f"{text} owns this {resource.kind} and keeps it.")
    if before is None:
        raise NotFound(f"The {resource.kind} {resource.name!r} is not shared with {text}.")
    services.members.remove(resource, before)


def _principal(services: WithKeys, text: str) -> str:
    principal = require_principal(text)
    kind, _, name = principal.partition("/")
    # The issuer knows which users and groups there are, and may come to know more.
    if kind == "key" and services.keys.find(name) is None:
        raise NotFound(f"There is no key {name!r}.")
    return principal
