"""What another principal sees: an admin reads as if it were that principal."""

from __future__ import annotations

from typing import Protocol

from sluice.access.principals import present_principal
from sluice.domain.identity import Principal
from sluice.domain.member import require_principal
from sluice.errors import Forbidden, NotFound
from sluice.services import WithKeys, WithPeople


class Services(WithKeys, WithPeople, Protocol):
    """What finding a principal needs."""


def viewed_principal(services: Services, admin: Principal, text: str) -> Principal:
    """The principal as whom an admin reads.

    Args:
        admin: who asks.
        text: the principal, such as `key:x`.

    Returns:
        The principal. A user has the role and groups of when he last signed in; before the first time, the role viewer.

    Raises:
        Forbidden: the caller is no admin.
        Invalid: the text names no principal.
        NotFound: there is no such key.
    """
    if admin.role != "admin":
        raise Forbidden("Only an admin may read as somebody else, by view_as.")
    principal = require_principal(text, "?view_as")
    kind, _, name = principal.partition("/")
    if kind == "group":
        return Principal(id=f"user/(a member of {name})", role="viewer", groups=[name])
    viewed = present_principal(services, principal)
    if viewed is None:
        raise NotFound(f"There is no key {name!r}, or it has expired.")
    return viewed
