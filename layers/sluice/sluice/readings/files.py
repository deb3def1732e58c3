"""Files of readings that are dropped into the inbox below `_readings/`.

A file is read as a stream, and its readings are stored in batches as those of a stream of records are. After each batch
its place is noted, so that the next call continues there when time runs out or the function is killed.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from gzip import BadGzipFile
from io import BufferedReader
from itertools import islice
from typing import Any, Protocol

from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

from sluice.aws import translated
from sluice.catalog.locks import Locks
from sluice.domain.run import FAILED, Drop
from sluice.errors import Unavailable, UnreadableData
from sluice.lake.gzipped import open_reader
from sluice.readings.file_records import FileRecord, file_records
from sluice.readings.streams import Services as StreamServices
from sluice.readings.streams import StreamRecord, consume

# Longer than the 14 days that an event can stay in the queue of undelivered events: it must find its file's place.
_SEEN_SECONDS = 15 * 86400
_GZIP = b"\x1f\x8b"
# DynamoDB's limit for the id of a quarantined record is 1024 bytes.
_LONGEST_ID = 900
_BUFFERED = 1 << 20
logger = Logger()


class Inbox(Protocol):
    """The bucket of dropped files."""

    def set_aside(self, drop: Drop, folder: str, reason: str) -> None:
        """Move a file to a folder, and store the reason beside it."""
        ...


class Services(StreamServices, Protocol):
    """What this module needs."""

    @property
    def s3(self) -> Any:
        """The S3 client."""
        ...

    @property
    def inbox(self) -> Inbox:
        """The bucket of dropped files."""
        ...

    @property
    def locks(self) -> Locks:
        """The places of files."""
        ...


def receive_file(services: Services, drop: Drop, remaining_seconds: Callable[[], float]) -> None:
    """Store the readings of a dropped file; one that cannot be read is moved to `_failed/`. It is safe to repeat.

    Args:
        remaining_seconds: how much time this call has left.

    Raises:
        Unavailable: time ran out, or a service throttled or failed; call again.
    """
    if not drop.has_readings:
        return
    place = services.locks.read(drop.lock) or {"line": 0}
    if place.get("done"):
        return
    try:
        _store(services, drop, place["line"], remaining_seconds)
    except UnreadableData as error:
        services.inbox.set_aside(drop, FAILED, error.detail)
    services.locks.overwrite(drop.lock, _SEEN_SECONDS, done=True)


def _store(services: Services, drop: Drop, after: int, remaining_seconds: Callable[[], float]) -> None:
    """Store the readings of a file after a line, a batch at a time.

    Raises:
        UnreadableData: the file is not of a form that is known.
        Unavailable: as above.
    """
    settings = services.settings
    body = _open(services, drop)
    if body is None:
        return
    with body, translated(), _damage():
        packed = BufferedReader(body, _BUFFERED)
        content = BufferedReader(open_reader(packed), _BUFFERED) if packed.peek(2)[:2] == _GZIP else packed
        records = (record for record in file_records(content, settings.max_document_bytes) if record.line > after)
        while batch := list(islice(records, settings.reading_batch)):
            if remaining_seconds() < settings.reading_reserve_seconds:
                raise Unavailable(f"The file is read up to line {after}; the next call continues.")
            consume(services, [_stream_record(drop, record) for record in batch])
            after = batch[-1].line
            services.locks.overwrite(drop.lock, _SEEN_SECONDS, line=after)


@contextmanager
def _damage() -> Iterator[None]:
    """Within this context, what a damaged gzip file raises becomes `UnreadableData`."""
    try:
        yield
    except (BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableData(f"The file is damaged: {error}.") from None


def _open(services: Services, drop: Drop) -> Any:
    """The content of a file; None if it is gone."""
    request = {"Bucket": drop.bucket, "Key": drop.key} | ({"VersionId": drop.version_id} if drop.version_id else {})
    with translated():
        try:
            return services.s3.get_object(**request)["Body"]
        except ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NoSuchVersion"):
                logger.info("a dropped file is gone", extra={"key": drop.key})
                return None
            raise


def _stream_record(drop: Drop, record: FileRecord) -> StreamRecord:
    name = f"{drop.bucket}/{drop.key}/{drop.version_id or drop.etag}"
    if len(name.encode()) > _LONGEST_ID:
        name = hashlib.sha256(name.encode()).hexdigest()
    return StreamRecord(f"file/{name}/{record.line}", None, record.data, None)
