"""Data that arrives by itself: pushed records, and files uploaded into the inbox."""

from typing import Annotated

from pydantic import Field, StringConstraints

from sluice.api.call import Answer, Call
from sluice.api.routes import IDEMPOTENCY_KEY, Routes
from sluice.container import Container
from sluice.domain.base import Document
from sluice.runs.arrivals import count_pushed_records, create_upload_form, push_once
from sluice.runs.pushes import parse_records

routes = Routes("datasources")
_RECORDS = {"type": "array", "items": {}, "description": "A JSON array, or one JSON object on each line."}


class Upload(Document):
    """A file to upload."""

    filename: Annotated[str, StringConstraints(min_length=1, max_length=200)] = Field(
        description="The name under which the file is stored in the inbox; its ending tells the format if the "
        "datasource does not. The format of readings is told by their content."
    )


@routes.post(
    "/datasources/{slug}/records",
    "datasource.push",
    body=_RECORDS,
    answer="PushReceipt",
    status=202,
    parameters=[IDEMPOTENCY_KEY],
)
def push_records(call: Call, services: Container, slug: str) -> Answer:
    """Push records; they are stored at once, and readable when the run has ended."""
    body = call.body()
    documents, media_type = parse_records(body, services.settings.max_nesting)
    call.require_known_parameters()
    definition, by = call.definition, call.principal.id
    records = count_pushed_records(services, definition, documents, media_type)
    if records == 0:
        return Answer({"accepted": 0, "run": None}, 202)
    run = push_once(services, definition, body, records, media_type, by, call.header("idempotency-key"))
    return Answer({"accepted": records, "run": run.id}, 202, {"Location": call.url(f"/runs/{run.id}")})


@routes.post(
    "/datasources/{slug}/uploads", "datasource.push", body=Upload, answer="UploadForm", parameters=[IDEMPOTENCY_KEY]
)
def create_upload(call: Call, services: Container, slug: str) -> Answer:
    """Create a presigned form by which anybody who has it can upload one file."""
    return Answer(create_upload_form(services, call.definition, call.document(Upload).filename))
