"""API keys: shown once when they are created, and stored as a hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from typing import Any

from sluice.catalog.definitions import Definition, Definitions, missing
from sluice.domain.identity import ApiKey, KeyRequest, Principal
from sluice.domain.names import now, parse_time, rfc3339
from sluice.errors import Invalid, PreconditionFailed, Unauthenticated

_FORM = re.compile(r"^slc_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$")
_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def _hash(secret: str) -> str:
    # Without a salt or key stretching: a secret of 256 random bits cannot be found by trying.
    return hashlib.sha256(secret.encode()).hexdigest()


def make_key(request: KeyRequest, by: str, key_id: str | None = None) -> tuple[ApiKey, str]:
    """A new key.

    Args:
        request: name, role, projects, expiry.
        by: who asked for it.
        key_id: the id to keep when a key is rotated.

    Returns:
        What is stored, and the key itself, which nobody can ever read again.

    Raises:
        Invalid: it would have expired already.
    """
    if request.expires_at is not None and request.expires_at <= now():
        fault = {"pointer": "/expires_at", "message": "Give a time in the future."}
        raise Invalid("The key would have expired already.", [fault])
    key_id = key_id or "".join(secrets.choice(_ID_ALPHABET) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    stored = ApiKey(
        id=key_id,
        name=request.name,
        role=request.role,
        projects=request.projects,
        expires_at=rfc3339(request.expires_at) if request.expires_at else None,
        hash=_hash(secret),
        created_at=rfc3339(now()),
        created_by=by,
    )
    return stored, f"slc_{key_id}_{secret}"


def presented(key: ApiKey) -> dict[str, Any]:
    """A key as the API shows it: without its hash."""
    return key.model_dump(mode="json", exclude={"hash"})


class KeyRing:
    """The workspace's keys.

    Args:
        access: the table of keys, which only the function `api` may write.
        definitions: the table that releases before 0.3 kept keys in; they are found there until
            `sluice migrate --apply` moves them.
    """

    def __init__(self, access: Definitions, definitions: Definitions) -> None:
        self._access = access
        self._definitions = definitions

    def find(self, key_id: str) -> Definition | None:
        """A key as it is stored; null if it does not exist or was revoked."""
        return self._located(key_id)[1]

    def get(self, key_id: str) -> Definition:
        """A key as it is stored.

        Raises:
            NotFound: there is no such key.
        """
        found = self.find(key_id)
        if found is None:
            raise missing("key", key_id)
        return found

    def page(self, limit: int, after: str | None) -> tuple[list[Definition], str | None]:
        """One page of the keys, ordered by id.

        Args:
            after: a key's id; the page begins after it.

        Returns:
            The keys, and the id that the next page begins after; null if there is none.
        """
        # In this order, a key that a migration moves between the two reads is in both, not in none.
        pages = [table.page("key", limit, after) for table in (self._definitions, self._access)]
        by_id = {key.name: key for keys, _ in pages for key in keys}
        ordered = [by_id[key_id] for key_id in sorted(by_id)]
        more = len(ordered) > limit or any(following is not None for _, following in pages)
        return ordered[:limit], ordered[limit - 1].name if more else None

    def revoke(self, stored: Definition) -> None:
        """Revoke a key; it stops working at once.

        Args:
            stored: the key as it was read.

        Raises:
            PreconditionFailed: it was changed since it was read.
        """
        self._change(stored, lambda table: table.delete(stored))

    def _change(self, stored: Definition, write: Callable[[Definitions], object]) -> None:
        """Change a key in the table that it is in, even if a migration moves it at the same time."""
        table, _ = self._located(stored.name)
        try:
            write(table)
        except PreconditionFailed:
            current_table, _ = self._located(stored.name)
            if current_table is table:
                raise
            write(current_table)

    def _located(self, key_id: str) -> tuple[Definitions, Definition | None]:
        """The table that a key is in, and the key; null if there is none."""
        # The third read finds a key that a migration has moved between the first two.
        for table in (self._access, self._definitions, self._access):
            stored = table.find("key", key_id)
            if stored is not None:
                return table, stored
        return self._access, None

    def issue(self, request: KeyRequest, by: str) -> tuple[ApiKey, str]:
        """Make and store a key; what is stored, and the key to show once."""
        stored, key = make_key(request, by)
        self._access.create("key", stored.id, stored.model_dump(), by)
        return stored, key

    def rotate(self, key_id: str) -> tuple[ApiKey, str]:
        """Give a key a new secret; the old one stops working at once.

        Raises:
            NotFound: there is no such key.
            PreconditionFailed: another request changed it at the same time.
        """
        found = self.get(key_id)
        old = ApiKey.model_validate(found.document)
        expires_at = parse_time(old.expires_at) if old.expires_at else None
        request = KeyRequest(name=old.name, role=old.role, projects=old.projects, expires_at=expires_at)
        stored, key = make_key(request, old.created_by, key_id)
        stored.created_at = old.created_at
        self._change(found, lambda table: table.replace(found, stored.model_dump()))
        return stored, key

    def is_valid(self, principal: str) -> bool:
        """Whether a principal can still send requests: its key exists and has not expired.

        Whether a person still has an account is known to the issuer of their tokens only.
        """
        kind, _, key_id = principal.partition("/")
        if kind != "key":
            return True
        found = self.find(key_id)
        return found is not None and not _is_expired(ApiKey.model_validate(found.document))

    def authenticate(self, key: str) -> Principal:
        """The principal that a key identifies.

        Raises:
            Unauthenticated: the key is unknown, revoked or expired.
        """
        refused = Unauthenticated("The API key is missing, unknown or expired.")
        match = _FORM.match(key)
        found = self.find(match[1]) if match else None
        if match is None or found is None:
            raise refused
        stored = ApiKey.model_validate(found.document)
        if not hmac.compare_digest(stored.hash, _hash(match[2])):
            raise refused
        if _is_expired(stored):
            raise refused
        return Principal(id=f"key/{stored.id}", role=stored.role, projects=stored.projects)


def _is_expired(key: ApiKey) -> bool:
    return key.expires_at is not None and parse_time(key.expires_at) <= now()
