"""The page of who may call which route."""

from __future__ import annotations

from reference.markdown import NOTICE, code, table
from sluice.access.policy import ACTIONS
from sluice.api.routes import Route

_INTRODUCTION = """\
`make access` prints this table, and a test calls each route with each role and with none.

- **role**: the lowest role of a key or person. A person needs it for what he owns; for what is shared with him,
  the last column counts instead. Without a role, no credentials are needed.
- **owner**: of keys with the role, only the one that has created the resource may do it, and admins.
- **member**: the lowest role as which a project, datasource or input must be shared. A key never may more than its own
  role says.

A resource that the caller may not see is answered as if it did not exist, with 404. How things are shared is described
in [credentials](credentials.md#sharing)."""


def access_page() -> dict[str, str]:
    """`reference/access.md`, with every route."""
    lines = [NOTICE, "# Who may call which route", "", *_INTRODUCTION.splitlines(), "", *access_table()]
    return {"reference/access.md": "\n".join(lines) + "\n"}


def access_table() -> list[str]:
    """The routes with their actions and roles, as lines of a Markdown table."""
    from api.app import ROUTES as API_ROUTES
    from authoring.app import ROUTES as AUTHORING_ROUTES
    from console.app import ROUTES as CONSOLE_ROUTES
    from probe.app import ROUTES as PROBE_ROUTES
    from query.app import ROUTES as QUERY_ROUTES

    routes = [*API_ROUTES, *QUERY_ROUTES, *AUTHORING_ROUTES, *PROBE_ROUTES, *CONSOLE_ROUTES]
    rows = [_row(route) for route in sorted(routes, key=lambda route: (route.path, route.method))]
    return table(("route", "action", "role", "owner", "member"), rows)


def _row(route: Route) -> tuple[str, str, str, str, str]:
    name = code(f"{route.method} {route.path or '/'}")
    if route.action is None:
        return name, "–", "–", "", ""
    rule = ACTIONS[route.action]
    action = code(route.action) + (f", or {code(route.creates)} for a new one" if route.creates else "")
    return name, action, rule.role, "owner" if rule.owner else "", rule.member or ""
