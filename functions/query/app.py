"""The function `query`: the routes that read data or bring SQL, and so need the engines."""

from typing import Any

from query.routes import data, diff, endpoints, explain, fetch, links, models, query, reports
from sluice.http.dispatch import Dispatcher

ROUTES = [
    *data.routes,
    *explain.routes,
    *diff.routes,
    *fetch.routes,
    *query.routes,
    *models.routes,
    *reports.routes,
    *endpoints.routes,
    *links.routes,
]
dispatcher = Dispatcher([ROUTES])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    return dispatcher.handle(event, context)
