"""Signed links: stored, listed, revoked, and ended with the key that made them."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from sluice.access.api_keys import KeyRing
from sluice.access.cursors import Cursors
from sluice.catalog.definitions import Definition, Definitions
from sluice.catalog.project_resources import ProjectResources, resource_name
from sluice.domain.base import Record
from sluice.domain.names import now, parse_time, rfc3339
from sluice.errors import Invalid, NotFound

_BOUND = ["link"]


class Link(Record):
    """A signed link as it is stored.

    Args:
        target: what it leads to within its project, with query parameters.
        created_by: the principal that made it; the link ends with its key.
    """

    id: str
    project: str
    target: str
    expires_at: str
    created_at: str
    created_by: str

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return parse_time(self.expires_at) <= now()


class Links:
    """The signed links of all projects."""

    def __init__(self, definitions: Definitions, parts: ProjectResources, cursors: Cursors, keys: KeyRing) -> None:
        self._definitions = definitions
        self._parts = parts
        self._cursors = cursors
        self._keys = keys

    def create(self, project: Definition, target: str, lifetime: timedelta, by: str, most: int) -> Link:
        """Store a link.

        Args:
            most: how many links of a project may be valid at once.

        Raises:
            Conflict: the project has that many.
        """
        for stored in self._parts.all("link", project.name).values():
            if _link(stored).is_expired:
                self._parts.delete(stored)
        moment = now()
        link = Link(
            id=secrets.token_hex(8),
            project=project.name,
            target=target,
            expires_at=rfc3339(moment + lifetime),
            created_at=rfc3339(moment),
            created_by=by,
        )
        self._parts.create("link", project, link.id, link.model_dump(), by, most)
        return link

    def valid(self, project: str) -> list[Link]:
        """The links of a project that can be opened, oldest first."""
        links = [_link(stored) for stored in self._parts.all("link", project).values()]
        return sorted((link for link in links if self._is_valid(link)), key=lambda link: (link.created_at, link.id))

    def delete(self, project: str, link_id: str) -> None:
        """Revoke a link: from now on it leads nowhere.

        Raises:
            NotFound: the project has no such link.
        """
        stored = self._definitions.find("link", resource_name(project, link_id))
        if stored is None:
            raise NotFound(f"The project {project!r} has no link {link_id!r}.")
        self._parts.delete(stored)

    def token(self, link: Link) -> str:
        """What opens a link."""
        return self._cursors.seal(_BOUND, [link.project, link.id])

    def opened(self, token: str | None) -> Link:
        """The link that a token opens.

        Raises:
            NotFound: we did not sign it, or the link has expired, was revoked, or ended with its
                maker's key or its project.
        """
        gone = NotFound("The link has expired, was revoked, or was never given out.")
        try:
            position: Any = self._cursors.open(_BOUND, token)
        except Invalid:
            raise gone from None
        # Links of releases before 0.3 hold four parts and were stored nowhere, so nobody could revoke them.
        if not isinstance(position, list) or len(position) != 2:
            raise gone
        stored = self._definitions.find("link", resource_name(position[0], position[1]))
        if stored is None or not self._is_valid(_link(stored)):
            raise gone
        return _link(stored)

    def _is_valid(self, link: Link) -> bool:
        if link.is_expired or not self._keys.is_valid(link.created_by):
            return False
        project = self._definitions.find("project", link.project)
        return project is not None and project.created_at <= link.created_at


def _link(stored: Definition) -> Link:
    return Link.model_validate(stored.document)
