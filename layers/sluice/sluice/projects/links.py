"""Which signed links can be opened: those whose creators may still create links of their projects."""

from __future__ import annotations

from sluice.access.links import Link
from sluice.access.policy import decide
from sluice.access.principals import present_principal
from sluice.container import Container
from sluice.errors import NotFound
from sluice.projects.visibility import resource_of


def valid_links(services: Container, project: str) -> list[Link]:
    """The links of a project that can be opened, oldest first."""
    return [link for link in services.links.unexpired(project) if _is_valid(services, link)]


def opened_link(services: Container, token: str | None) -> Link:
    """The link that a token opens.

    Raises:
        NotFound: the token's signature is wrong, the link has expired or was revoked, its project was deleted, or its
            creator may no longer create links of it.
    """
    link = services.links.find(token)
    if link is None or not _is_valid(services, link):
        raise NotFound("The link has expired, was revoked, or never existed.")
    return link


def _is_valid(services: Container, link: Link) -> bool:
    project = services.definitions.find("project", link.project)
    # A link does not open a later project of the same name.
    if project is None or project.created_at > link.created_at:
        return False
    creator = present_principal(services, link.created_by)
    return creator is not None and (
        decide(creator, "project.link", resource_of(services, creator, project)) == "allowed"
    )
