"""Data that its senders deliver: the rules for pushed records and for uploaded files."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import orjson

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.datasource import Arrival, Datasource
from sluice.domain.run import Run
from sluice.errors import Conflict, Invalid
from sluice.runs.pushes import accepted_records, push

# Control characters and slashes would change the object's key; a leading dot is reserved for hidden files.
_FORBIDDEN_IN_FILENAMES = re.compile(r"[\x00-\x1f/\\]")


def count_pushed_records(services: Container, definition: Definition, documents: list[Any], media_type: str) -> int:
    """Check that a datasource takes pushed records and that each of these can become a row.

    Args:
        definition: the stored datasource.
        documents: the parsed body, as `parse_records` returns it.
        media_type: the media type that `parse_records` returned.

    Returns:
        The number of records.

    Raises:
        Invalid: a record cannot become a row, or lacks a value of the primary key.
        Conflict: the datasource does not take pushed records.
    """
    datasource = Datasource.model_validate(definition.document)
    _require_arrival(datasource, "pushed", "records are posted to push datasources only")
    return accepted_records(datasource, documents, media_type, services.settings)


def push_once(
    services: Container,
    definition: Definition,
    body: bytes,
    records: int,
    media_type: str,
    by: str,
    idempotency_key: str | None,
) -> Run:
    """Store pushed records and give them to a run.

    Args:
        definition: the stored datasource.
        body: the request body, which is stored as received.
        records: how many records the body has.
        media_type: how the body is written.
        by: the principal that pushes the records.
        idempotency_key: the request's `Idempotency-Key`, if it has one.

    Returns:
        The run that publishes the records. A repeated request gets the run of the first one.
    """
    repetition = None
    if idempotency_key is not None:
        # Stored with the batch, in one transaction: it recognises a repetition even where the first
        # request was killed before its answer could be stored under the Idempotency-Key.
        text = body.decode("utf-8", "replace")
        parts = [by, definition.name, definition.created_at, idempotency_key, text]
        repetition = hashlib.sha256(orjson.dumps(parts)).hexdigest()
    return push(services, definition.name, body, records, media_type, by, repetition)


def create_upload_form(services: Container, definition: Definition, filename: str) -> dict[str, Any]:
    """A presigned S3 POST form for one file.

    Args:
        definition: the stored datasource, whose folder of the inbox receives the file.
        filename: the file's name without a path.

    Returns:
        `url` and `fields`; anyone who has them can upload one file.

    Raises:
        Invalid: the file name has slashes or control characters, or begins with a dot.
        Conflict: the datasource does not take files.
    """
    datasource = Datasource.model_validate(definition.document)
    if datasource.inbox_key() is None:  # a file that runs read takes an upload, although it starts no run
        _require_arrival(datasource, "dropped", "files are uploaded for datasources that read them only")
    return upload_form(services, f"{definition.name}/", filename)


def upload_form(services: Container, folder: str, filename: str) -> dict[str, Any]:
    """A presigned S3 POST form for one file of a folder of the inbox.

    Args:
        folder: its key prefix, with a slash at its end.
        filename: the file's name without a path.

    Raises:
        Invalid: the file name has slashes or control characters, or begins with a dot.
    """
    if _FORBIDDEN_IN_FILENAMES.search(filename) or filename.startswith("."):
        message = "A file name must not contain slashes or control characters, and must not begin with a dot."
        raise Invalid(message, [{"pointer": "/filename", "message": message}])
    return services.inbox.presigned_upload(folder, filename, services.settings.max_drop_bytes)


def _require_arrival(datasource: Datasource, arrival: Arrival, advice: str) -> None:
    if arrival != datasource.ARRIVAL:
        raise Conflict(f"{datasource.slug!r} is a datasource of kind {datasource.kind}: {advice}.")
