"""Readings that are posted."""

from sluice.api.call import Answer, Call
from sluice.api.routes import IDEMPOTENCY_KEY, Routes
from sluice.container import Container
from sluice.readings.intake import take_in
from sluice.readings.posts import parse_readings

routes = Routes("readings")
_READINGS = {"type": "array", "items": {}, "description": "A JSON array of readings, or one reading on each line."}


@routes.post(
    "/readings", "reading.write", body=_READINGS, answer="ReadingReceipt", status=202, parameters=[IDEMPOTENCY_KEY]
)
def post_readings(call: Call, services: Container) -> Answer:
    """Store readings of sensors.

    A reading is stored when the answer comes. Refused readings are listed with their reasons; the others are stored.
    It is safe to send readings again: each sensor has one reading for each time.
    """
    body = call.body()
    call.require_known_parameters()
    taken = take_in(services, body, parse_readings(body))
    refused = [{"index": index, "message": message} for index, message in taken.refused.items()]
    return Answer({"accepted": taken.accepted, "refused": refused}, 202)
