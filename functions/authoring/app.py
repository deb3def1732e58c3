"""The function `authoring`: the routes that write models, reports, endpoints, links and settings of algorithms.

They share modules with the routes of `query`, which reads the same definitions. Two functions, so that
only this one's role can write them.
"""

from typing import Any

from query.routes import algorithms, links, models
from sluice.api.dispatch import Dispatcher

ROUTES = [route for route in [*models.routes, *links.routes, *algorithms.routes] if route.method != "GET"]
dispatcher = Dispatcher([ROUTES])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event of one of `ROUTES`."""
    return dispatcher.handle(event, context)
