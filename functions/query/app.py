"""The function `query`: the routes that read data by SQL and need DuckDB."""

from typing import Any

from query.routes import (
    algorithms,
    data,
    diff,
    endpoints,
    explain,
    fetch,
    links,
    models,
    query,
    readings,
    reports,
    results,
)
from sluice.api.dispatch import Dispatcher

ROUTES = [
    *data.routes,
    *explain.routes,
    *diff.routes,
    *fetch.routes,
    *query.routes,
    *(route for route in models.routes if route.method == "GET"),
    *reports.routes,
    *algorithms.routes,
    *results.routes,
    *endpoints.routes,
    *readings.routes,
    *(route for route in links.routes if route.method == "GET"),
]
dispatcher = Dispatcher([ROUTES])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event of one of `ROUTES`."""
    return dispatcher.handle(event, context)
