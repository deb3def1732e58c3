"""Self-registration: who may sign up, the role of new people, and the end of sign-ups that nobody confirms."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Protocol

from sluice.domain.names import now
from sluice.errors import Forbidden
from sluice.settings import Settings


class SignUps(Protocol):
    """The accounts of the user pool, by their user names."""

    def add_to_group(self, user_name: str, group: str) -> None:
        """Put an account into a group."""
        ...

    def unconfirmed(self, before: datetime) -> Iterator[str]:
        """The accounts that were created before a time and never confirmed."""
        ...

    def delete(self, user_name: str) -> None:
        """Delete an account."""
        ...


class Services(Protocol):
    """What the functions of this module need."""

    @property
    def settings(self) -> Settings:
        """The settings."""
        ...

    @property
    def user_pool(self) -> SignUps | None:
        """The stack's own user pool; null if it has none."""
        ...


def refuse_outsiders(email: str, domains: str) -> None:
    """Refuse an e-mail address that may not sign up.

    Args:
        domains: the allowed domains, separated by commas; subdomains are domains of their own. `*` allows all.

    Raises:
        Forbidden: the domain is not allowed; or the address has capital letters, since the pool would take it for
            another one than that in small letters.
    """
    allowed = sorted({domain.strip().lower() for domain in domains.split(",")} - {""})
    local, _, domain = email.rpartition("@")
    if not allowed:
        raise Forbidden("Nobody can sign up here; ask an admin for an account.")
    if not local or not domain:
        raise Forbidden("Sign up with an e-mail address.")
    if "*" not in allowed and domain.lower() not in allowed:
        raise Forbidden(f"Sign up with an e-mail address of {' or '.join(allowed)}.")
    if email != email.lower():
        raise Forbidden("Write the e-mail address in small letters.")


def give_first_role(services: Services, user_name: str) -> None:
    """Put a person who has confirmed the e-mail address into the group of the role for new people.

    Raises:
        Unavailable: Cognito throttled or failed.
    """
    assert services.user_pool is not None
    services.user_pool.add_to_group(user_name, services.settings.sign_up_role)


def remove_unconfirmed(services: Services) -> int:
    """Delete accounts that were not confirmed within `UNCONFIRMED_DAYS`, for at most `SWEEP_SECONDS`.

    Returns:
        How many were deleted; the next call continues with those that remain.
    """
    assert services.user_pool is not None
    before = now() - timedelta(days=services.settings.unconfirmed_days)
    end, deleted = time.monotonic() + services.settings.sweep_seconds, 0
    for user_name in services.user_pool.unconfirmed(before):
        if time.monotonic() > end:
            break
        services.user_pool.delete(user_name)
        deleted += 1
    return deleted
