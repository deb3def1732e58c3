"""Pushed records: stored as received, then ingested by one run of the datasource at a time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson

from sluice.catalog.batches import Batch
from sluice.catalog.table import ConditionFailed
from sluice.container import Container
from sluice.domain.datasource import Datasource
from sluice.domain.expression import RecordContext
from sluice.domain.json_text import depth, loads
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.record_selection import select_records
from sluice.domain.run import PageReceipt, Run
from sluice.errors import Conflict, Invalid, MalformedRequest, Unavailable, UnreadableData
from sluice.extract.by_record.flatten import ColumnNames, RowMaker
from sluice.runs.start import ensure_started, ingest_run
from sluice.settings import Settings

_LOCK_SECONDS = 6 * 3600
_ATTEMPTS = 40
_JSON, _LINES = "application/json", "application/x-ndjson"
_BOM = b"\xef\xbb\xbf"


def parse_records(body: bytes, nesting: int) -> tuple[list[Any], str]:
    """Parse the body of a push.

    Args:
        body: a JSON array, a single JSON document, or JSON Lines.
        nesting: the deepest nesting that is accepted.

    Returns:
        The documents, and the media type: one document for JSON, those of all lines for JSON Lines.

    Raises:
        MalformedRequest: the body is not JSON, or is nested too deeply; the detail names the line.
    """
    body = body.removeprefix(_BOM)
    try:
        document = loads(body)
    except orjson.JSONDecodeError as error:
        return list(_parse_lines(body, error, nesting)), _LINES
    if document is None:
        raise MalformedRequest("The body is null; send a JSON array, or one JSON object on each line.")
    if depth(document) > nesting:
        raise MalformedRequest(f"The records are nested more than {nesting} levels deep.")
    return [document], _JSON


def _parse_lines(body: bytes, whole: orjson.JSONDecodeError, nesting: int) -> Iterator[Any]:
    """Parse JSON Lines.

    Args:
        whole: the error of parsing the body as one document, which is reported if the first line fails, too.
    """
    has_documents = False
    for number, line in enumerate(body.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            document = loads(line)
        except orjson.JSONDecodeError as error:
            if not has_documents:
                raise MalformedRequest(f"The body is neither a JSON array nor JSON on each line: {whole}.") from None
            raise MalformedRequest(f"Line {number} is not JSON: {error.msg} (column {error.colno}).") from None
        if depth(document) > nesting:
            raise MalformedRequest(f"Line {number} is nested more than {nesting} levels deep.")
        has_documents = True
        yield document
    if not has_documents:
        raise MalformedRequest("The body is empty; send a JSON array, or one JSON object on each line.")


def accepted_records(datasource: Datasource, documents: list[Any], media_type: str, settings: Settings) -> int:
    """Check that each record of a push can become a row.

    This is checked before the records are stored, so that a bad record is refused to its sender, and
    does not fail a run that also has the records of other senders.

    Args:
        documents: as `parse_records` returns them.
        media_type: as `parse_records` returns it.
        settings: the limits.

    Returns:
        The number of records.

    Raises:
        Invalid: a record cannot become a row, or lacks a value of the primary key.
    """
    try:
        if media_type != _JSON and datasource.records == "@":
            records = [(document, RecordContext(document)) for document in documents]
        else:
            records = select_records(datasource.records, documents[0] if media_type == _JSON else documents) or []
        run, columns = ingest_run(datasource.slug, "push", ""), ColumnNames(settings.max_columns)
        maker = RowMaker(datasource, run, columns, settings.max_field_growth)
        page = PageReceipt(number=1, ok=True, url="", fetched_at=rfc3339(now()))
        for index, (record, context) in enumerate(records):
            row = maker.row(record, page, context)
            missing = [name for name in datasource.primary_key or [] if row.get(name) is None]
            if missing and datasource.write_disposition == "upsert":
                message = f"Record {index} has no value in {missing[0]!r}, which is part of the primary key."
                raise Invalid(message, [{"pointer": f"/{index}/{missing[0]}", "message": message}])
    except UnreadableData as error:
        raise Invalid(error.detail) from None
    except ValueError as error:
        raise Invalid(f"`records`: {error}.") from None
    return len(records)


def push(
    services: Container, datasource: str, body: bytes, records: int, media_type: str, by: str, key: str | None
) -> Run:
    """Store pushed records, and give them to a run that has not begun.

    Args:
        datasource: the slug.
        body: the records as received.
        records: their number.
        media_type: how the body is written, as `parse_records` returns it.
        by: the principal that pushes them.
        key: identifies repetitions of this push; None if they cannot be recognized.

    Returns:
        The run that will ingest the records. A repetition gets the run of the first push.

    Raises:
        Unavailable: too many concurrent pushes to the datasource.
    """
    batch = Batch(
        id=new_run_id(),
        hash=services.lake.put_raw(io.BytesIO(body)),
        bytes=len(body),
        media_type=media_type,
        records=records,
        received_at=rfc3339(now()),
        received_from=by,
    )
    for _ in range(_ATTEMPTS):
        run = _receiving_run(services, datasource, by)
        writes = [services.runs.require_pending_write(run.id), services.batches.put_write(run.id, batch)]
        if key is not None:
            lifetime = services.settings.idempotency_hours * 3600
            writes.append(services.locks.acquire_write(f"pushed#{key}", lifetime, run=run.id))
        try:
            services.batches.transact(writes)
        except ConditionFailed as failure:
            if failure.position == 2 and failure.item is not None:
                return ensure_started(services, services.runs.get(failure.item["run"]))
            continue  # the run has begun meanwhile: give the batch to the next one
        return ensure_started(services, run) if _may_start(services, datasource, run) else run
    raise Unavailable("Too many concurrent pushes to the datasource; try again.")


def _may_start(services: Container, datasource: str, run: Run) -> bool:
    """Whether no other run of the datasource is active."""
    held = services.locks.read(_lock(datasource))
    return held is None or held["run"] == run.id


def _receiving_run(services: Container, datasource: str, by: str) -> Run:
    """The run that can take a batch: the active one if it has not begun, otherwise the next one.

    The datasource's lock names the active run and the next one. So only one run is active at a time, and
    each push knows the run that ingests its records before that run starts.
    """
    lock = _lock(datasource)
    for _ in range(_ATTEMPTS):
        run = ingest_run(datasource, "push", by)
        held = services.locks.acquire(lock, _LOCK_SECONDS, run=run.id)
        if held is None:
            return _create_if_missing(services, run)
        holder = services.runs.find(held["run"])
        if holder is None or holder.status == "pending":
            return _create_if_missing(services, run.model_copy(update={"id": held["run"]}))
        if holder.finished:
            _release_or_hand_over(services, held)
        elif "next" in held:
            return _create_if_missing(services, run.model_copy(update={"id": held["next"]}))
        elif services.locks.extend(
            lock, _LOCK_SECONDS, "#run = :run AND attribute_not_exists(#next)", {"run": holder.id}, next=run.id
        ):
            return _create_if_missing(services, run)
    raise Unavailable("Too many concurrent pushes to the datasource; try again.")


def _create_if_missing(services: Container, run: Run) -> Run:
    """Store a run unless it exists; it is not started."""
    with suppress(Conflict):
        services.runs.create(run)
    return services.runs.get(run.id)


def release_drain(services: Container, run: Run) -> None:
    """Release the lock of an ended push run, and start the next run if there is one."""
    held = services.locks.read(_lock(run.datasource or ""))
    if held is not None and held["run"] == run.id:
        _release_or_hand_over(services, held)


def _release_or_hand_over(services: Container, held: dict[str, Any]) -> None:
    """Release the lock of an ended run, or hand it over to the next run and start that.

    Args:
        held: the lock's item.
    """
    ended = services.runs.get(held["run"])
    lock, values = _lock(ended.datasource or ""), {"run": ended.id}
    if "next" not in held:
        services.locks.release(lock, "#run = :run AND attribute_not_exists(#next)", values)
        return
    condition, values = "#run = :run AND #next = :next", {**values, "next": held["next"]}
    # The lock first: if the process is killed before the start, the lock names the run, and the next push or the
    # sweep starts it.
    if services.locks.extend(lock, _LOCK_SECONDS, condition, values, run=held["next"], next=None):
        following = services.runs.find(held["next"])
        ensure_started(
            services,
            following or ingest_run(ended.datasource or "", "push", "sluice").model_copy(update={"id": held["next"]}),
        )


def _lock(datasource: str) -> str:
    return f"push#{datasource}"
