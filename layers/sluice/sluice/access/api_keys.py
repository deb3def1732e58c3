"""API keys: shown once when they are created, and stored as a hash."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from sluice.catalog.definitions import Definition, Definitions, missing
from sluice.domain.identity import ApiKey, KeyRequest, Principal
from sluice.domain.names import now, parse_time, rfc3339
from sluice.errors import Invalid, PreconditionFailed, Unauthenticated, Unavailable

_FORM = re.compile(r"^slc_([a-z0-9]{12})_([A-Za-z0-9_-]{43})$")
_PAGE = 100
_ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"


def _hash(secret: str) -> str:
    # Without a salt or key stretching: a secret of 256 random bits cannot be found by trying.
    return hashlib.sha256(secret.encode()).hexdigest()


def make_key(request: KeyRequest, by: str, key_id: str | None = None) -> tuple[ApiKey, str]:
    """Create a key without storing it.

    Args:
        request: name, role, projects, expiry.
        by: the principal that creates it.
        key_id: the id of a key that is rotated; null for a new id.

    Returns:
        What is stored, and the key itself, which cannot be recovered from it.

    Raises:
        Invalid: the expiry is not in the future.
    """
    if request.expires_at is not None and request.expires_at <= now():
        fault = {"pointer": "/expires_at", "message": "Give a time in the future."}
        raise Invalid("The expiry is not in the future.", [fault])
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


def key_view(key: ApiKey, last_used_at: str | None = None) -> dict[str, Any]:
    """A key as the API shows it, without its hashes.

    Args:
        last_used_at: the `last_used_at` of its definition.
    """
    view = key.model_dump(mode="json", exclude={"hash", "old_hash"})
    if not _accepts_old(key):
        view["old_expires_at"] = None
    return {**view, "last_used_at": last_used_at}


class KeyRing:
    """The API keys of the workspace.

    Args:
        access: the table of keys, which only the function `api` may write.
        definitions: the table in which releases before 0.3 stored keys. They are found there until
            `sluice migrate --apply` moves them.
        use_interval: how far the stored last use of a key may be behind; zero: it is not stored.
    """

    def __init__(
        self, access: Definitions, definitions: Definitions, use_interval: timedelta = timedelta(minutes=10)
    ) -> None:
        self._access = access
        self._definitions = definitions
        self._use_interval = use_interval

    def find(self, key_id: str) -> Definition | None:
        """A stored key; null if it does not exist or was revoked."""
        return self._locate(key_id)[1]

    def get(self, key_id: str) -> Definition:
        """A stored key.

        Raises:
            NotFound: there is no such key.
        """
        definition = self.find(key_id)
        if definition is None:
            raise missing("key", key_id)
        return definition

    def page(self, limit: int, after: str | None) -> tuple[list[Definition], str | None]:
        """One page of the keys, by id.

        Args:
            limit: the most keys.
            after: the id that the page begins after; null for the first page.

        Returns:
            The keys, and the id that the next page begins after; null on the last one.
        """
        # In this order, a key that a migration moves between the two reads is in both pages, not in neither.
        pages = [store.page("key", limit, after) for store in (self._definitions, self._access)]
        by_id = {key.name: key for page, _ in pages for key in page}
        keys = [by_id[key_id] for key_id in sorted(by_id)]
        has_more = len(keys) > limit or any(following is not None for _, following in pages)
        return keys[:limit], keys[limit - 1].name if has_more else None

    def revoke(self, key: Definition) -> None:
        """Revoke a key; it stops working at once.

        Args:
            key: as it was read.

        Raises:
            PreconditionFailed: it was changed since it was read.
        """
        self._change(key, lambda store: store.delete(key))

    def forget_project(self, slug: str) -> None:
        """Take a deleted project from all keys that are limited to it: they must not reach a later one of its name.

        Args:
            slug: the project's.
        """
        after: str | None = None
        while True:
            keys, after = self.page(_PAGE, after)
            for listed in keys:
                key: Definition | None = listed
                while key is not None and slug in (key.document["projects"] or []):
                    key = self._without(key, slug)
            if after is None:
                return

    def _without(self, key: Definition, slug: str) -> Definition | None:
        """Take a project from a key; null if that is done, otherwise the key as another request has changed it."""
        document = {**key.document, "projects": [name for name in key.document["projects"] if name != slug]}
        try:
            self._change(key, lambda store: store.replace(key, document))
        except PreconditionFailed:
            return self.find(key.name)
        return None

    def _change(self, key: Definition, write: Callable[[Definitions], object]) -> None:
        """Change a key in the table that it is in, even if a migration moves it at the same time."""
        store, _ = self._locate(key.name)
        try:
            write(store)
        except PreconditionFailed:
            current_store, _ = self._locate(key.name)
            if current_store is store:
                raise
            write(current_store)

    def _locate(self, key_id: str) -> tuple[Definitions, Definition | None]:
        """The table that a key is in, and the key; null if there is none."""
        # The third read finds a key that a migration moved between the first two.
        for store in (self._access, self._definitions, self._access):
            key = store.find("key", key_id)
            if key is not None:
                return store, key
        return self._access, None

    def issue(self, request: KeyRequest, by: str) -> tuple[ApiKey, str]:
        """Create and store a key.

        Args:
            by: the principal that creates it.

        Returns:
            What is stored, and the key itself, which is shown once.

        Raises:
            Invalid: the expiry is not in the future.
        """
        stored, key = make_key(request, by)
        self._access.create("key", stored.id, stored.model_dump(), by)
        return stored, key

    def rotate(self, key_id: str, keep_old: timedelta) -> tuple[ApiKey, str]:
        """Give a key a new secret.

        A secret from before an earlier rotation stops working at once: never more than two are valid.

        Args:
            keep_old: how long the old secret stays valid; zero: it stops working at once.

        Returns:
            What is stored, and the new key, which is shown once.

        Raises:
            NotFound: there is no such key.
            PreconditionFailed: another request changed it at the same time.
        """
        definition = self.get(key_id)
        old = ApiKey.model_validate(definition.document)
        expires_at = parse_time(old.expires_at) if old.expires_at else None
        request = KeyRequest(name=old.name, role=old.role, projects=old.projects, expires_at=expires_at)
        stored, key = make_key(request, old.created_by, key_id)
        stored.created_at = old.created_at
        if keep_old:
            stored.old_hash, stored.old_expires_at = old.hash, rfc3339(now() + keep_old)
        self._change(definition, lambda store: store.replace(definition, stored.model_dump()))
        return stored, key

    def authenticate(self, key: str) -> Principal:
        """The principal that a key identifies.

        Raises:
            Unauthenticated: the key is unknown, revoked or expired.
        """
        invalid = Unauthenticated("The API key is missing, unknown or expired.")
        match = _FORM.match(key)
        definition = self.find(match[1]) if match else None
        if match is None or definition is None:
            raise invalid
        stored = ApiKey.model_validate(definition.document)
        if is_expired(stored) or not _has_secret(stored, match[2]):
            raise invalid
        self._record_use(definition)
        return Principal(id=f"key/{stored.id}", role=stored.role, projects=stored.projects)

    def _record_use(self, key: Definition) -> None:
        moment = now()
        # The key was just read: most requests need no write, not even one whose condition fails.
        recorded = key.last_used_at is not None and parse_time(key.last_used_at) > moment - self._use_interval
        if self._use_interval and not recorded:
            # A time that is for information must not fail requests. Keys that were not moved yet have none.
            with suppress(Unavailable):
                self._access.record_use(key, moment, self._use_interval)


def _has_secret(key: ApiKey, secret: str) -> bool:
    """Whether a secret is the key's, or its old one while that is still accepted."""
    hashed = _hash(secret)
    if hmac.compare_digest(key.hash, hashed):
        return True
    return key.old_hash is not None and _accepts_old(key) and hmac.compare_digest(key.old_hash, hashed)


def _accepts_old(key: ApiKey) -> bool:
    return key.old_expires_at is not None and parse_time(key.old_expires_at) > now()


def is_expired(key: ApiKey) -> bool:
    """Whether a key is refused because of its expiry."""
    return key.expires_at is not None and parse_time(key.expires_at) <= now()
