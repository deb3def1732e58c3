"""The function `probe`: the routes that ask an upstream once and keep nothing."""

from typing import Any

from probe.routes import datasources
from sluice.api.dispatch import Dispatcher

ROUTES = [*datasources.routes]
dispatcher = Dispatcher([ROUTES])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event."""
    return dispatcher.handle(event, context)
