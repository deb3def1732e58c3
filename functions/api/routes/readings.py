"""Readings that are posted."""

from itertools import islice

from api.routes.arrivals import Upload
from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, LIMIT, Routes
from sluice.container import Container
from sluice.domain.reading_requests import DiscardedIds, QuarantinedIds
from sluice.domain.run import READINGS
from sluice.readings.intake import take_in
from sluice.readings.posts import parse_readings
from sluice.readings.quarantine import redrive
from sluice.runs.arrivals import upload_form

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
    listed = islice(taken.refused.items(), services.settings.max_listed_refusals)
    refused = [{"index": index, "message": message} for index, message in listed]
    more = {"refused_count": len(taken.refused)} if len(refused) < len(taken.refused) else {}
    return Answer({"accepted": taken.accepted, "refused": refused, **more}, 202)


@routes.post("/readings/uploads", "reading.write", body=Upload, answer="UploadForm", parameters=[IDEMPOTENCY_KEY])
def create_readings_upload(call: Call, services: Container) -> Answer:
    """Create a presigned form by which anybody who has it can upload one file of readings.

    The file is CSV (with the columns sensor, time, value and if needed quality and revision), JSON Lines or a JSON
    array, and may be gzipped. Refused readings go to quarantine.
    """
    return Answer(upload_form(services, READINGS, call.document(Upload).filename))


@routes.get("/readings/quarantine", "reading.write", answer="QuarantinedRecordList", parameters=[LIMIT, CURSOR])
def list_quarantined_readings(call: Call, services: Container) -> Answer:
    """The records of streams and files that were refused, by id, each with its reason."""
    after = services.cursors.open("quarantine", call.query_value("cursor"))
    records, following = services.quarantine.page(call.limit(), after)
    cursor = services.cursors.seal("quarantine", following) if following is not None else None
    return Answer({"items": [record.model_dump() for record in records], "next": cursor})


@routes.post(
    "/readings/quarantine/redrive",
    "reading.write",
    body=QuarantinedIds,
    answer="RedriveReceipt",
    parameters=[CURSOR, IDEMPOTENCY_KEY],
)
def redrive_quarantined_readings(call: Call, services: Container) -> Answer:
    """Take refused records in again, for example after their sensor was created.

    Records whose readings are stored leave the quarantine. All records may take more than one request: then send `next`
    as the cursor.
    """
    request = call.document(QuarantinedIds)
    after = services.cursors.open("redrive", call.query_value("cursor"))
    outcome = redrive(services, request, after)
    refused = [{"id": name, "message": message} for name, message in outcome.refused.items()]
    cursor = services.cursors.seal("redrive", outcome.following) if outcome.following is not None else None
    return Answer({"accepted": outcome.accepted, "refused": refused, "next": cursor})


@routes.post("/readings/quarantine/discard", "reading.write", body=DiscardedIds, status=204)
def discard_quarantined_readings(call: Call, services: Container) -> Answer:
    """Delete refused records that will never be readings; the batches as received stay in the lake.

    Ids of which there is no record are ignored.
    """
    services.quarantine.remove(call.document(DiscardedIds).ids)
    return Answer(status=204)
