"""Reading sensors' readings back."""

from sluice.api.call import Answer, Call
from sluice.api.reading_answers import (
    MEDIA_TYPES,
    PAGE_PARAMETERS,
    RANGE_PARAMETERS,
    SELECTION_PARAMETERS,
    latest_answer,
    selection_answer,
    sensor_answer,
)
from sluice.api.routes import Routes
from sluice.container import Container

routes = Routes("readings")


@routes.get(
    "/sensors/{sensor_id}/readings",
    "reading.read",
    answer="SensorReadingList",
    parameters=RANGE_PARAMETERS,
    media_types=MEDIA_TYPES,
    head=True,
)
def get_sensor_readings(call: Call, services: Container, sensor_id: str) -> Answer:
    """The readings of one sensor, or its rollups of one minute, hour or day.

    Points are those whose window begins in the range; only readings of good quality are counted. A page may be shorter
    than `limit`, or empty, while `next` is not null.
    """
    return sensor_answer(call, services, sensor_id)


@routes.get(
    "/readings",
    "reading.read",
    answer="ReadingList",
    parameters=[*SELECTION_PARAMETERS, *RANGE_PARAMETERS],
    media_types=MEDIA_TYPES,
    head=True,
)
def list_readings(call: Call, services: Container) -> Answer:
    """The readings or rollups of several sensors, ordered by sensor and time.

    Without a filter, of all sensors. See `GET /sensors/{sensor_id}/readings`.
    """
    return selection_answer(call, services)


@routes.get(
    "/readings/latest",
    "reading.read",
    answer="LatestReadingList",
    parameters=[*SELECTION_PARAMETERS, *PAGE_PARAMETERS],
    media_types=MEDIA_TYPES,
    head=True,
)
def list_latest_readings(call: Call, services: Container) -> Answer:
    """The latest reading of each of several sensors, by the time of the reading and not by that of its arrival.

    Sensors without a reading are left out.
    """
    return latest_answer(call, services)
