"""Signed links: stored, listed and revoked. `projects/links.py` says which of them are valid."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from sluice.access.cursors import Cursors
from sluice.catalog.definitions import Definition, Definitions
from sluice.catalog.project_resources import ProjectResources, resource_name
from sluice.domain.base import Record
from sluice.domain.names import now, parse_time, rfc3339
from sluice.errors import Invalid, NotFound

_BOUND = ["link"]


class Link(Record):
    """A stored link.

    Args:
        target: a resource of the project with query parameters, as `parse_target` reads it.
        created_by: the principal that created it; the link is valid as long as it may create links.
    """

    id: str
    project: str
    target: str
    expires_at: str
    created_at: str
    created_by: str

    @property
    def is_expired(self) -> bool:
        """Whether its lifetime is over."""
        return parse_time(self.expires_at) <= now()


class Links:
    """The signed links of all projects.

    Args:
        resources: counts each project's links.
        cursors: signs the tokens.
    """

    def __init__(self, definitions: Definitions, resources: ProjectResources, cursors: Cursors) -> None:
        self._definitions = definitions
        self._resources = resources
        self._cursors = cursors

    def create(self, project: Definition, target: str, lifetime: timedelta, by: str, limit: int) -> Link:
        """Create a link, and delete the project's expired ones.

        Args:
            target: as `parse_target` reads it.
            by: the principal that creates it.
            limit: the most links that a project may have.

        Raises:
            Conflict: the project has that many.
        """
        # Deleted here and not by DynamoDB's time to live: each link counts towards the project's limit.
        for stored in self._resources.all("link", project.name).values():
            if _link(stored).is_expired:
                self._resources.delete(stored)
        moment = now()
        link = Link(
            id=secrets.token_hex(8),
            project=project.name,
            target=target,
            expires_at=rfc3339(moment + lifetime),
            created_at=rfc3339(moment),
            created_by=by,
        )
        self._resources.create("link", project, link.id, link.model_dump(), by, limit)
        return link

    def unexpired(self, project: str) -> list[Link]:
        """The links of a project whose lifetime is not over, oldest first."""
        links = [_link(stored) for stored in self._resources.all("link", project).values()]
        return sorted((link for link in links if not link.is_expired), key=lambda link: (link.created_at, link.id))

    def delete(self, project: str, link_id: str) -> None:
        """Revoke a link; it can no longer be opened.

        Raises:
            NotFound: the project has no such link.
        """
        stored = self._definitions.find("link", resource_name(project, link_id))
        if stored is None:
            raise NotFound(f"The project {project!r} has no link {link_id!r}.")
        self._resources.delete(stored)

    def token(self, link: Link) -> str:
        """The token that opens a link: its project and id, signed."""
        # Only the id: whether the link is valid is looked up each time, so that it can be revoked.
        return self._cursors.seal(_BOUND, [link.project, link.id])

    def find(self, token: str | None) -> Link | None:
        """The link that a token is of; None if its signature is wrong, or if the link has expired or was revoked."""
        try:
            position: Any = self._cursors.open(_BOUND, token)
        except Invalid:
            return None
        # Tokens of releases before 0.3 have four parts. Those links were not stored, so they could not be revoked.
        if not isinstance(position, list) or len(position) != 2:
            return None
        stored = self._definitions.find("link", resource_name(position[0], position[1]))
        return None if stored is None or _link(stored).is_expired else _link(stored)


def _link(stored: Definition) -> Link:
    return Link.model_validate(stored.document)
