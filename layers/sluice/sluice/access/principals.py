"""Principals whose id was stored, as they are now: their role, projects and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from sluice.access.api_keys import is_expired
from sluice.domain.identity import ApiKey, Principal, Role

if TYPE_CHECKING:
    from sluice.access.api_keys import KeyRing
    from sluice.catalog.people import People


class Services(Protocol):
    """What finding a principal needs."""

    @property
    def keys(self) -> KeyRing:
        """The API keys."""
        ...

    @property
    def people(self) -> People:
        """The people who have signed in."""
        ...


def present_principal(services: Services, principal: str, role: Role = "viewer") -> Principal | None:
    """A key or a person as it is now.

    Args:
        principal: the id, such as `user/x`.
        role: the role of a person who was never recorded, which is so if `LAST_USE_SECONDS` is 0.

    Returns:
        The principal; None for a key that does not exist any more. A person has the role and groups of when he last
        signed in: only the issuer knows whether the account still exists.
    """
    kind, _, name = principal.partition("/")
    if kind != "key":
        person = services.people.find_all([principal]).get(principal)
        return Principal(id=principal, role=person.role if person else role, groups=person.groups if person else [])
    stored = services.keys.find(name)
    if stored is None:
        return None
    key = ApiKey.model_validate(stored.document)
    return None if is_expired(key) else Principal(id=principal, role=key.role, projects=key.projects)
