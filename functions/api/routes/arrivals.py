"""Data that arrives by itself: pushed records, and files uploaded into the inbox."""

import hashlib
import re
from typing import Annotated

import orjson
from pydantic import StringConstraints

from sluice.api.call import Answer, Call
from sluice.api.routes import IDEMPOTENCY_KEY, Routes
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.base import Document
from sluice.domain.datasource import Datasource
from sluice.errors import Conflict, Invalid
from sluice.runs.pushes import accepted_records, parse_records, push

routes = Routes("datasources")
_RECORDS = {"type": "array", "items": {}, "description": "A JSON array, or one JSON object on each line."}


class Upload(Document):
    """A file that is about to be uploaded."""

    filename: Annotated[str, StringConstraints(min_length=1, max_length=200)]


def _require_kind(found: Definition, kind: str, advice: str) -> None:
    if found.document["kind"] != kind:
        raise Conflict(f"{found.name!r} is of kind {found.document['kind']}, not {kind}; {advice}.")


@routes.post(
    "/datasources/{slug}/records",
    "datasource.push",
    body=_RECORDS,
    answer="PushReceipt",
    status=202,
    parameters=[IDEMPOTENCY_KEY],
)
def push_records(call: Call, services: Container, slug: str) -> Answer:
    """Push records; they are kept at once, and readable when the run has ended."""
    found = call.definition
    body = call.body()
    documents, media_type = parse_records(body, services.settings.max_nesting)
    call.require_known_parameters()
    datasource = Datasource.model_validate(found.document)
    if datasource.kind == "push":
        records = accepted_records(datasource, documents, media_type, services.settings.max_columns)
    _require_kind(found, "push", "records are posted to push datasources only")
    if records == 0:
        return Answer({"accepted": 0, "run": None}, 202)
    run = push(services, slug, body, records, media_type, call.principal.id, _told_by(call, found))
    return Answer({"accepted": records, "run": run.id}, 202, {"Location": call.link(f"/runs/{run.id}")})


def _told_by(call: Call, found: Definition) -> str | None:
    """What tells a repetition of this push, even one whose answer was lost before it was kept."""
    key = call.header("idempotency-key")
    if key is None:
        return None
    told = [call.principal.id, found.name, found.created_at, key, call.body().decode("utf-8", "replace")]
    return hashlib.sha256(orjson.dumps(told)).hexdigest()


@routes.post(
    "/datasources/{slug}/uploads", "datasource.push", body=Upload, answer="UploadForm", parameters=[IDEMPOTENCY_KEY]
)
def create_upload(call: Call, services: Container, slug: str) -> Answer:
    """An address for one file, of which everybody who has it may make one POST of a form."""
    found = call.definition
    filename = call.document(Upload).filename
    if re.search(r"[\x00-\x1f/\\\\]", filename) or filename.startswith("."):
        message = "A file's name has no slashes and no control characters, and does not begin with a dot."
        raise Invalid(message, [{"pointer": "/filename", "message": message}])
    _require_kind(found, "file", "files are uploaded for file datasources only")
    return Answer(services.inbox.presigned_upload(slug, filename, services.settings.max_drop_bytes))
