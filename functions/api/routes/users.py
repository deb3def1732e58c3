"""People, and whom to share with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, LIMIT, Parameter, Routes
from sluice.container import Container
from sluice.domain.identity import Principal
from sluice.errors import Invalid

if TYPE_CHECKING:
    from sluice.access.directory import Entry

routes = Routes("users")

_SHORTEST_SEARCH, _LONGEST_SEARCH = 3, 200
SEARCH = Parameter(
    "search",
    "A part of a name or an e-mail address, in any case. Only admins may leave it out.",
    {"type": "string", "minLength": _SHORTEST_SEARCH, "maxLength": _LONGEST_SEARCH},
)


@routes.get("/users", "user.list", answer="UserViewList", parameters=[SEARCH, LIMIT, CURSOR])
def list_users(call: Call, services: Container) -> Answer:
    """Find people, and API keys, to share with; without `search`, admins list all people who have signed in.

    Editors and admins find API keys by their names, too. A page may have fewer items than `limit` although `next` is
    not null.
    """
    call.require_known_parameters()
    text, principal, limit = call.query_value("search"), call.principal, call.limit()
    if text is None and principal.role == "admin":
        after = services.cursors.open("users", call.query_value("cursor"))
        entries, following = services.directory.page(limit, after)
        return _list(call, services, "users", entries, following)
    bound = ["users", text := _search_text(text), principal.role]
    position = services.cursors.open(bound, call.query_value("cursor"))
    entries, end = services.directory.search(text, limit, position, keys=principal.role != "viewer")
    return _list(call, services, bound, entries, end)


def _search_text(text: str | None) -> str:
    """The text to search for.

    Raises:
        Invalid: it is missing, too short or too long.
    """
    trimmed = (text or "").strip()
    if not _SHORTEST_SEARCH <= len(trimmed) <= _LONGEST_SEARCH:
        message = f"Send {_SHORTEST_SEARCH} to {_LONGEST_SEARCH} characters of a name or an e-mail address."
        raise Invalid("This search needs a longer or shorter text.", [{"pointer": "?search", "message": message}])
    return trimmed


def _list(call: Call, services: Container, bound: Any, entries: list[Entry], following: Any) -> Answer:
    cursor = services.cursors.seal(bound, following) if following is not None else None
    return Answer({"items": [_view(entry, call.principal) for entry in entries], "next": cursor})


def _view(entry: Entry, viewer: Principal) -> dict[str, Any]:
    view: dict[str, Any] = {
        "principal": entry.principal.replace("/", ":", 1),
        "name": entry.name,
        "email": entry.email,
    }
    if entry.person is not None and viewer.role == "admin":
        view |= entry.person.model_dump(mode="json", include={"role", "groups", "last_seen_at"})
    return view
