"""The function `probe`: the routes that call an upstream and store nothing."""

from typing import Any

from probe.routes import datasources
from sluice.api.dispatch import Dispatcher

ROUTES = [*datasources.routes]
dispatcher = Dispatcher([ROUTES])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event of one of `ROUTES`."""
    return dispatcher.handle(event, context)
