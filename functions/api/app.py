"""The function `api`: all routes that need the catalog only."""

from typing import Any

from api.routes import (
    alarms,
    arrivals,
    assignments,
    audit,
    datasources,
    documentation,
    equipment,
    inputs,
    keys,
    members,
    operations,
    overrides,
    pages,
    pins,
    platform,
    projects,
    readings,
    runs,
    secrets,
    sensors,
    sites,
    subscriptions,
    users,
    versions,
    vessels,
)
from sluice.api.dispatch import Dispatcher

ROUTES = [
    *platform.routes,
    *documentation.routes,
    *users.routes,
    *keys.routes,
    *members.routes,
    *audit.routes,
    *secrets.routes,
    *datasources.routes,
    *arrivals.routes,
    *projects.routes,
    *assignments.routes,
    *overrides.routes,
    *inputs.routes,
    *pins.routes,
    *versions.routes,
    *runs.routes,
    *pages.routes,
    *readings.routes,
    *sites.routes,
    *vessels.routes,
    *equipment.routes,
    *operations.routes,
    *sensors.routes,
    *alarms.routes,
    *subscriptions.routes,
]
dispatcher = Dispatcher([ROUTES])


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer an API Gateway proxy event of one of `ROUTES`."""
    return dispatcher.handle(event, context)
