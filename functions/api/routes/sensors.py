"""Sensors of equipment."""

from sluice.api.asset_imports import CHECK, CSV_BODY, import_answer
from sluice.api.assets import SENSORS, list_sensors_answer
from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, LIMIT, MERGE_PATCH, Parameter, Routes
from sluice.container import Container
from sluice.domain.assets.kinds import SENSOR
from sluice.domain.assets.sensor import Sensor

routes = Routes("sensors")
FILTERS = [
    Parameter("site", "Only sensors of equipment that is at the site of this code."),
    Parameter("equipment", "Only sensors of the equipment of this code."),
    Parameter("metric", "Only sensors of this metric."),
]


@routes.get("/sensors", "asset.read", answer="SensorViewList", parameters=[*FILTERS, LIMIT, CURSOR])
def list_sensors(call: Call, services: Container) -> Answer:
    """The sensors, by id."""
    return list_sensors_answer(call, services)


@routes.post("/sensors", "asset.write", body=Sensor, answer="SensorView", status=201, parameters=[IDEMPOTENCY_KEY])
def create_sensor(call: Call, services: Container) -> Answer:
    """Create a sensor."""
    return SENSORS.create(call, services)


@routes.post(
    "/sensors/import",
    "asset.write",
    body=CSV_BODY,
    body_media_type="text/csv",
    answer="ImportResultView",
    parameters=[CHECK, IDEMPOTENCY_KEY],
    small=True,
)
def import_sensors(call: Call, services: Container) -> Answer:
    """Create and change sensors as the rows of a CSV file describe them.

    All rows are checked before the first is stored. Repeat an import that was interrupted.

    The columns are `id`, `equipment`, `metric`, `unit` and those of the limits, such as `high`. A row whose id exists
    changes the columns that the file has.
    """
    return import_answer(call, services, SENSOR)


@routes.get("/sensors/{sensor_id}", "asset.read", answer="SensorView", parameters=[IF_NONE_MATCH])
def get_sensor(call: Call, services: Container, sensor_id: str) -> Answer:
    """One sensor."""
    return SENSORS.read(call)


@routes.put(
    "/sensors/{sensor_id}",
    "asset.write",
    creates="asset.write",
    body=Sensor,
    answer="SensorView",
    parameters=[IF_MATCH],
)
def put_sensor(call: Call, services: Container, sensor_id: str) -> Answer:
    """Create a sensor of this id, or replace it."""
    return SENSORS.put(call, services, sensor_id)


@routes.patch("/sensors/{sensor_id}", "asset.write", body=MERGE_PATCH, answer="SensorView", parameters=[IF_MATCH])
def patch_sensor(call: Call, services: Container, sensor_id: str) -> Answer:
    """Change fields of a sensor."""
    return SENSORS.patch(call, services, sensor_id)


@routes.delete("/sensors/{sensor_id}", "asset.write", status=204, parameters=[IF_MATCH])
def delete_sensor(call: Call, services: Container, sensor_id: str) -> Answer:
    """Delete a sensor; its history stays."""
    return SENSORS.delete(call, services, sensor_id)


@routes.get("/sensors/{sensor_id}/history", "asset.read", answer="HistoryEntryViewList", parameters=[LIMIT, CURSOR])
def list_sensor_history(call: Call, services: Container, sensor_id: str) -> Answer:
    """The changes of a sensor, newest first; also of one that was deleted."""
    return SENSORS.history(call, services, sensor_id)
