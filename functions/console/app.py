"""The function `console`: the web console's page and files; its role allows nothing else."""

from typing import Any

from console.routes import routes
from sluice.api.dispatch import Dispatcher

ROUTES = [*routes]
dispatcher = Dispatcher([ROUTES])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event of one of `ROUTES`."""
    return dispatcher.handle(event, context)
