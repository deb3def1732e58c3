"""The page of the deprecated routes."""

from __future__ import annotations

from api.app import ROUTES as API_ROUTES
from authoring.app import ROUTES as AUTHORING_ROUTES
from console.app import ROUTES as CONSOLE_ROUTES
from probe.app import ROUTES as PROBE_ROUTES
from query.app import ROUTES as QUERY_ROUTES
from reference.markdown import NOTICE, code, table

_INTRODUCTION = """\
A route that another one has replaced is deprecated first: it works as before, beside its successor. These places say
so:

- each answer, problems included, has the header `Deprecation` ([RFC 9745](https://www.rfc-editor.org/rfc/rfc9745)) with
  the time from which the route is deprecated, in seconds since 1970 after an `@`; `Sunset`
  ([RFC 8594](https://www.rfc-editor.org/rfc/rfc8594)) with the time from which it may be missing; and `Link` with the
  address to call instead, as `rel="successor-version"`
- the OpenAPI document has `deprecated: true`, and the description names the successor
- the Python client warns with a `FutureWarning`, which names the line that has sent the request; the command line shows
  it, too

A route is removed in a release after its sunset, never before. A cursor of a list belongs to its route, so begin with
the first page when you change to the successor."""


def deprecations_page() -> dict[str, str]:
    """`reference/deprecations.md`, with every route that declares a deprecation."""
    routes = [*API_ROUTES, *AUTHORING_ROUTES, *PROBE_ROUTES, *QUERY_ROUTES, *CONSOLE_ROUTES]
    rows = [
        (
            code(f"{route.method} {route.path}"),
            str(route.deprecated.since),
            str(route.deprecated.sunset or "not decided"),
            code(f"GET {route.deprecated.successor}"),
        )
        for route in sorted(routes, key=lambda route: (route.path, route.method))
        if route.deprecated is not None
    ]
    lines = [NOTICE, "# Deprecated routes", "", _INTRODUCTION, ""]
    lines += table(("route", "deprecated since", "may be missing from", "call instead"), rows)
    return {"reference/deprecations.md": "\n".join(lines) + "\n"}
