"""Batches of a stream, as Lambda's event source mappings deliver them: of Kinesis, and of Kafka (Amazon MSK).

A record is a reading as JSON, or an array of readings, or one reading on each line.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import a2b_base64
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson

from sluice.catalog.quarantine import Quarantine, Quarantined
from sluice.domain.names import rfc3339
from sluice.errors import MalformedRequest
from sluice.readings.intake import Services as IntakeServices
from sluice.readings.intake import Taken, take_in
from sluice.readings.posts import parse_readings

_LONGEST_RECORD = 2000
_ENCODED = b"base64"


class Services(IntakeServices, Protocol):
    """What this module needs."""

    @property
    def quarantine(self) -> Quarantine:
        """Refused readings."""
        ...


@dataclass(frozen=True)
class StreamRecord:
    """A record of a stream.

    Args:
        id: unique over all streams and deliveries.
        sequence: what Kinesis wants back if the record must be delivered again; null for Kafka.
        data: its content.
        arrived_at: when the stream received it, in epoch seconds; null if that is not known.
    """

    id: str
    sequence: str | None
    data: bytes
    arrived_at: float | None


def stream_records(event: dict[str, Any]) -> list[StreamRecord]:
    """The records of an event of Kinesis or Kafka, in their order.

    Raises:
        KeyError: the event is neither.
    """
    if isinstance(event.get("records"), dict):  # Kafka: lists by topic and partition
        return [_kafka_record(record) for records in event["records"].values() for record in records]
    return [_kinesis_record(record) for record in event["Records"]]


def _kinesis_record(record: dict[str, Any]) -> StreamRecord:
    sequence = record["kinesis"]["sequenceNumber"]
    # `eventID` is the shard and the sequence number; sequence numbers are unique in their shard only.
    stream = record["eventSourceARN"].rpartition("/")[2]
    data, arrived_at = a2b_base64(record["kinesis"]["data"]), record["kinesis"]["approximateArrivalTimestamp"]
    return StreamRecord(f"kinesis/{stream}/{record['eventID']}", sequence, data, arrived_at)


def _kafka_record(record: dict[str, Any]) -> StreamRecord:
    place = f"{record['topic']}/{record['partition']}/{record['offset']}"
    # A Kafka record may have no value: a tombstone.
    data = b64decode(record.get("value") or "")
    return StreamRecord(f"kafka/{place}", None, data, record["timestamp"] / 1000)


def consume(services: Services, records: list[StreamRecord]) -> Taken:
    """Store the readings of a batch of records; refused ones go to quarantine. It is safe to repeat.

    Returns:
        What became of it; `refused` is by record.

    Raises:
        Unavailable: a service throttled or failed; the batch must be delivered again.
    """
    owners: list[int] = []  # for each reading, the index of its record
    refused: dict[int, str] = {}
    items = list(_readings(records, owners, refused))
    taken = take_in(services, _received(records), enumerate(items))
    refused |= {owners[position]: reason for position, reason in taken.refused.items()}
    if refused:
        services.quarantine.add(
            Quarantined(
                id=records[index].id,
                reason=reason,
                record=_shortened(records[index].data),
                page=taken.page,
                position=index,
                arrived_at=_time(records[index].arrived_at),
            )
            for index, reason in sorted(refused.items())
        )
    return replace(taken, refused=refused)


def _readings(records: list[StreamRecord], owners: list[int], refused: dict[int, str]) -> Iterator[Any]:
    """The readings of all records; why a record has none goes into `refused`, by its index."""
    for index, record in enumerate(records):
        try:
            reading = orjson.loads(record.data)
            if type(reading) is dict:  # most records are one reading
                owners.append(index)
                yield reading
                continue
        except orjson.JSONDecodeError:
            pass
        try:
            readings = [reading for _, reading in parse_readings(record.data)]
        except MalformedRequest as error:
            refused[index] = error.detail
            continue
        owners += [index] * len(readings)
        yield from readings


def _received(records: list[StreamRecord]) -> bytes:
    """The batch as received: a record on each line; if one has line breaks, the word `base64`, then each in base64."""
    lines = [record.data for record in records]
    if any(b"\n" in line for line in lines) or lines[:1] == [_ENCODED]:
        lines = [_ENCODED, *(b64encode(line) for line in lines)]
    return b"\n".join(lines)


def record_at(page: bytes, position: int) -> bytes:
    """The record at a position of a batch as it was stored, see `_received`."""
    lines = page.split(b"\n")
    return b64decode(lines[position + 1]) if lines[0] == _ENCODED else lines[position]


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else rfc3339(datetime.fromtimestamp(seconds, UTC))


def _shortened(data: bytes) -> str:
    text = data.decode(errors="backslashreplace")
    return text if len(text) <= _LONGEST_RECORD else text[:_LONGEST_RECORD] + "…"
