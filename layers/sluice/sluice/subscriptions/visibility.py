"""Which events and names a subscription's author may know of."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.access.policy import decide
from sluice.access.principals import present_principal
from sluice.catalog.definitions import Definition, Kind, missing
from sluice.container import Container
from sluice.domain.event import Event
from sluice.domain.identity import Principal
from sluice.domain.subscription import Subscription
from sluice.errors import Invalid
from sluice.projects.visibility import is_visible

# The filters that name what somebody may not see, each with the kind of what it names. The project comes first: an
# event with both is the project's.
_SUBJECTS: dict[str, Kind] = {"project": "project", "datasource": "datasource"}


def may_see(services: Container, definition: Definition, event: Event) -> bool:
    """Whether the author of a subscription may know of an event now.

    Keys get revoked and expire, some are for some projects only, and what was shared with somebody may be so no longer.
    """
    author = present_principal(services, definition.created_by, definition.written_by_role or "editor")
    if author is None or decide(author, "subscription.create") != "allowed":
        return False
    if author.sees_everything:
        return True
    subject = _subject_of(event.scope)
    if subject is None:  # assets belong to no project
        return decide(author, "alarm.read") == "allowed"
    resource = services.definitions.find(*subject)
    return resource is not None and is_visible(services, author, resource)


def _subject_of(scope: Mapping[str, str | None]) -> tuple[Kind, str] | None:
    """The kind and name of the project or datasource that an event is about; None if it is about assets."""
    return next(((kind, name) for field, kind in _SUBJECTS.items() if (name := scope.get(field)) is not None), None)


def require_visible(services: Container, subscription: Subscription, principal: Principal) -> None:
    """Refuse names that a principal must not know of, in the words for names that do not exist.

    Who sees everything may subscribe to what will be created later.

    Raises:
        Invalid: the principal sees no project or datasource of a name.
    """
    if principal.sees_everything:
        return
    for field, kind in _SUBJECTS.items():
        name = getattr(subscription, field)
        if name is None:
            continue
        definition = services.definitions.find(kind, name)
        if definition is None or not is_visible(services, principal, definition):
            message = missing(kind, name).detail
            raise Invalid(message, [{"pointer": f"/{field}", "message": message}])
