"""Responses about readings of sensors."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from sluice.api.responses.base import NextCursor, Response, list_model

SensorId = Annotated[str, Field(description="The id of the sensor.")]
ReadingTime = Annotated[
    str, Field(description="Of a reading, its time; of a point, the start of its window. RFC 3339 in UTC.")
]
Quality = Literal["good", "uncertain", "bad"]


class RefusedReading(Response):
    """A reading that was not stored."""

    index: int = Field(description="Its index in the body, from 0; blank lines are not counted.")
    message: str = Field(description="Why it was refused, as a sentence that says what to do.")


class ReadingReceipt(Response):
    """What became of posted readings."""

    accepted: int = Field(description="How many readings are stored; a repeated one counts each time.")
    refused: list[RefusedReading] = Field(description="The readings that are not stored, or the first 10000 of them.")
    refused_count: int = Field(0, description="How many are not stored. Absent: as many as are listed.")


class SensorReading(Response):
    """A reading, or the point of a rollup: only with the fields that its resolution has and `agg` names."""

    time: ReadingTime
    value: float = Field(0, description="Of a reading: the value, in the sensor's unit.")
    quality: Quality = Field("good", description="Of a reading: its quality. Rollups have those of good quality only.")
    revision: int = Field(0, description="Of a reading: the number of its correction. Absent: it was never corrected.")
    avg: float = Field(0, description="Of a point: the sum divided by the count.")
    min: float = Field(0, description="Of a point: the smallest value.")
    max: float = Field(0, description="Of a point: the largest value.")
    sum: float = Field(0, description="Of a point: the sum, rounded once from the exact sum.")
    count: int = Field(0, description="Of a point: the number of readings of good quality.")
    last: float = Field(0, description="Of a point: the value of the latest reading.")


class ReadingOfSensor(SensorReading):
    """A reading or point with its sensor."""

    sensor: SensorId


class LatestReading(Response):
    """The latest reading of a sensor."""

    sensor: SensorId
    time: str = Field(description="The time of the reading, RFC 3339 in UTC.")
    value: float = Field(description="The value, in the sensor's unit.")
    quality: Quality = Field(description="The quality of the reading.")


class SensorReadingList(Response):
    """One page of the readings or points of a sensor, by time."""

    items: list[SensorReading] = Field(description="The readings or points of this page.")
    next: NextCursor
    resolution: Literal["raw", "1m", "1h", "1d"] = Field(
        description="The width of the points; `raw`: the items are readings."
    )


class ReadingList(SensorReadingList):
    """One page of the readings or points of several sensors, by sensor and time."""

    items: list[ReadingOfSensor] = Field(description="The readings or points of this page.")  # type: ignore[assignment]


LatestReadingList = list_model(LatestReading)


class QuarantinedRecord(Response):
    """A record of a stream or file that was refused."""

    id: str = Field(description="Where it came from, such as `kinesis/sluice-readings/shardId-000000000000:4960…`.")
    reason: str = Field(description="Why it was refused.")
    record: str = Field(description="The record as text, shortened if it is long.")
    page: str = Field(description="Hash of the batch as received; `GET /pages/{hash}` returns it.")
    position: int = Field(description="Where in the batch the record is, from 0.")
    arrived_at: str | None = Field(description="When the stream or bucket received it.")


QuarantinedRecordList: Any = list_model(QuarantinedRecord)


class StillRefused(Response):
    """A record that stays in quarantine."""

    id: str = Field(description="The record's id.")
    message: str = Field(description="Why it is refused.")


class RedriveReceipt(Response):
    """What became of quarantined records."""

    accepted: int = Field(description="How many records are stored and have left the quarantine.")
    refused: list[StillRefused] = Field(description="The records that stay in quarantine.")
    next: str | None = Field(description="The cursor with which to go on; null if all records were tried.")
