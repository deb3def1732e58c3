"""The function `authoring`: the routes that write models, reports, endpoints and links.

They share modules with the routes of `query`, which read the same things and may write none of them.
"""

from typing import Any

from query.routes import links, models
from sluice.api.dispatch import Dispatcher

ROUTES = [route for route in [*models.routes, *links.routes] if route.method != "GET"]
dispatcher = Dispatcher([ROUTES])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    return dispatcher.handle(event, context)
