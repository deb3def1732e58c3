"""The function `authoring`: the routes that write a project's resources, start algorithms, or read workbooks.

The former share modules with the routes of `query`, which reads the same definitions. Two functions, so that
only this one's role can write them.
"""

from typing import Any

from authoring.routes import algorithms, inputs
from query.routes import links, models
from sluice.api.dispatch import Dispatcher

ROUTES = [
    *(route for route in [*models.routes, *links.routes] if route.method != "GET"),
    *algorithms.routes,
    *inputs.routes,
]
dispatcher = Dispatcher([ROUTES])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event of one of `ROUTES`."""
    return dispatcher.handle(event, context)
