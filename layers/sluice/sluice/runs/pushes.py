"""Pushed records: kept raw at once, then drained by one run at a time."""

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
from sluice.domain.expression import search
from sluice.domain.json_text import depth, loads
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import PageReceipt, Run
from sluice.errors import Conflict, Invalid, MalformedRequest, Unavailable, UnreadableData
from sluice.extract.by_record.flatten import ColumnNames, RowMaker
from sluice.runs.start import ensure_started, ingest_run

_LOCK_SECONDS = 6 * 3600
_ATTEMPTS = 40
_JSON, _LINES = "application/json", "application/x-ndjson"
_BOM = b"\xef\xbb\xbf"


def parse_records(body: bytes, nesting: int) -> tuple[list[Any], str]:
    """The documents of a push, and the media type it is kept as.

    Args:
        body: a JSON array, one JSON document, or one on each line.
        nesting: the deepest nesting that is taken.

    Returns:
        One document, or those of all lines.

    Raises:
        MalformedRequest: it is none of these; the detail says where.
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
    found = False
    for number, line in enumerate(body.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            document = loads(line)
        except orjson.JSONDecodeError as error:
            if not found:
                raise MalformedRequest(f"The body is neither a JSON array nor JSON on each line: {whole}.") from None
            raise MalformedRequest(f"Line {number} is not JSON: {error.msg} (column {error.colno}).") from None
        if depth(document) > nesting:
            raise MalformedRequest(f"Line {number} is nested more than {nesting} levels deep.")
        found = True
        yield document
    if not found:
        raise MalformedRequest("The body is empty; send a JSON array, or one JSON object on each line.")


def accepted_records(datasource: Datasource, documents: list[Any], media_type: str, most_columns: int) -> int:
    """How many records a push has, when each of them can become a row.

    They are tried here, so that one that cannot is refused to whoever sent it, and does not fail
    the run that takes others' records with it.

    Raises:
        Invalid: a record cannot become a row, or lacks a value in the primary key.
    """
    document = documents[0] if media_type == _JSON else documents
    try:
        selected = search(datasource.records, document)
        found = selected if isinstance(selected, list) else [] if selected is None else [selected]
        maker = RowMaker(datasource, ingest_run(datasource.slug, "push", ""), ColumnNames(most_columns))
        page = PageReceipt(number=1, ok=True, url="", fetched_at=rfc3339(now()))
        for index, record in enumerate(found):
            row = maker.row(record, page)
            missing = [name for name in datasource.primary_key or [] if row.get(name) is None]
            if missing and datasource.write_disposition == "upsert":
                message = f"Record {index} has no value in {missing[0]!r}, which is part of the primary key."
                raise Invalid(message, [{"pointer": f"/{index}/{missing[0]}", "message": message}])
    except UnreadableData as error:
        raise Invalid(error.detail) from None
    except ValueError as error:
        raise Invalid(f"`records`: {error}.") from None
    return len(found)


def push(
    services: Container, datasource: str, body: bytes, records: int, media_type: str, by: str, key: str | None
) -> Run:
    """Keep pushed bytes, and have a run drain them.

    Args:
        key: what tells a repetition of this very push; none where it cannot be told.

    Returns:
        The run that will: the batch is given to it before it begins.
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
            continue  # the run has begun meanwhile: the next one takes it
        return ensure_started(services, run) if _may_start(services, datasource, run) else run
    raise Unavailable("The datasource is being pushed to by many at once; try again.")


def _may_start(services: Container, datasource: str, run: Run) -> bool:
    """Whether no other run is at it, so that this one may begin."""
    held = services.locks.read(_lock(datasource))
    return held is None or held["run"] == run.id


def _receiving_run(services: Container, datasource: str, by: str) -> Run:
    """A run that has not begun: the lock's own, or the one that follows it.

    While a run is at it, the next one is named on its lock and stored, and starts when the first
    one has ended; so there is one at a time, and everybody knows which one is theirs.
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
    raise Unavailable("The datasource is being pushed to by many at once; try again.")


def _create_if_missing(services: Container, run: Run) -> Run:
    """A run that is made, but not started yet."""
    with suppress(Conflict):
        services.runs.create(run)
    return services.runs.get(run.id)


def release_drain(services: Container, run: Run) -> None:
    """Let go of what a draining run holds; the next one begins if there is one."""
    held = services.locks.read(_lock(run.datasource or ""))
    if held is not None and held["run"] == run.id:
        _release_or_hand_over(services, held)


def _release_or_hand_over(services: Container, held: dict[str, Any]) -> None:
    """Hand the lock of a run that has ended to the next one, or let it go.

    Whoever is killed in between leaves a lock that names a run which can be made good.
    """
    ended = services.runs.get(held["run"])
    lock, before = _lock(ended.datasource or ""), {"run": ended.id}
    if "next" not in held:
        services.locks.release(lock, "#run = :run AND attribute_not_exists(#next)", before)
        return
    condition, values = "#run = :run AND #next = :next", {**before, "next": held["next"]}
    if services.locks.extend(lock, _LOCK_SECONDS, condition, values, run=held["next"], next=None):
        following = services.runs.find(held["next"])
        ensure_started(
            services,
            following or ingest_run(ended.datasource or "", "push", "sluice").model_copy(update={"id": held["next"]}),
        )


def _lock(datasource: str) -> str:
    return f"push#{datasource}"
