"""Taking refused readings in again, after their cause is gone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from itertools import groupby

from sluice.catalog.quarantine import Quarantined
from sluice.domain.names import parse_time
from sluice.domain.reading_requests import QuarantinedIds
from sluice.readings.streams import Services, StreamRecord, consume, record_at

_PAGE_RECORDS = 500


@dataclass(slots=True)
class Redriven:
    """What became of quarantined records.

    Args:
        accepted: the number of records whose readings are stored now; they are in quarantine no more.
        refused: why others are not, by id.
        following: the id after which further records were not tried; None if all were.
    """

    accepted: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    following: str | None = None


def redrive(services: Services, request: QuarantinedIds, after: str | None) -> Redriven:
    """Take quarantined records in again, as they were received. It is safe to repeat.

    Args:
        after: if no ids are given, the id to begin after.

    Raises:
        Unavailable: a service throttled or failed; records that were taken in may still be in quarantine.
    """
    outcome = Redriven()
    if request.ids is not None:
        named = {name: services.quarantine.find(name) for name in request.ids}
        outcome.refused = {name: "There is no such record in quarantine." for name in named if named[name] is None}
        _take_in(services, [record for record in named.values() if record is not None], outcome)
        return outcome
    deadline = time.monotonic() + services.settings.redrive_seconds
    while True:
        records, after = services.quarantine.page(_PAGE_RECORDS, after)
        _take_in(services, records, outcome)
        if after is None or time.monotonic() > deadline:
            outcome.following = after
            return outcome


def _take_in(services: Services, records: list[Quarantined], outcome: Redriven) -> None:
    """Store the readings of records as a batch of its own; those that are refused again go back to quarantine."""
    if not records:
        return
    batch = []
    for page, of_page in groupby(sorted(records, key=lambda record: record.page), lambda record: record.page):
        with services.lake.raw(page) as content:
            received = content.read()
        batch += [_stream_record(record, received) for record in of_page]
    refused = consume(services, batch).refused
    services.quarantine.remove(record.id for index, record in enumerate(batch) if index not in refused)
    outcome.accepted += len(batch) - len(refused)
    outcome.refused |= {batch[index].id: reason for index, reason in refused.items()}


def _stream_record(record: Quarantined, page: bytes) -> StreamRecord:
    arrived_at = parse_time(record.arrived_at).timestamp() if record.arrived_at else None
    return StreamRecord(record.id, None, record_at(page, record.position), arrived_at)
