"""Pushed records: kept raw at once, then drained by one run at a time."""

from __future__ import annotations

import io
from contextlib import suppress

import orjson

from sluice.bootstrap import Platform
from sluice.catalog.batches import Batch
from sluice.domain.json_text import depth, loads
from sluice.domain.names import new_run_id, now, rfc3339
from sluice.domain.run import Run
from sluice.errors import Conflict, MalformedRequest, Unavailable
from sluice.runs.starting import ingest_run, make_good

_LOCK_SECONDS = 6 * 3600
_TRIES = 20
_JSON, _LINES = "application/json", "application/x-ndjson"


def parse_records(body: bytes, nesting: int) -> tuple[int, str]:
    """How many records a push has, and the media type it is kept as.

    Args:
        body: a JSON array, one JSON document, or one on each line.
        nesting: the deepest nesting that is taken.

    Raises:
        MalformedRequest: it is none of these; the detail says where.
    """
    try:
        document = loads(body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        return _count_lines(body, error, nesting), _LINES
    if depth(document) > nesting:
        raise MalformedRequest(f"The records are nested more than {nesting} levels deep.")
    return len(document) if isinstance(document, list) else 1, _JSON


def _count_lines(body: bytes, whole: orjson.JSONDecodeError, nesting: int) -> int:
    count = 0
    for number, line in enumerate(body.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            document = loads(line)
        except orjson.JSONDecodeError as error:
            if count == 0:
                raise MalformedRequest(f"The body is neither a JSON array nor JSON on each line: {whole}.") from None
            raise MalformedRequest(f"Line {number} is not JSON: {error.msg} (column {error.colno}).") from None
        if depth(document) > nesting:
            raise MalformedRequest(f"Line {number} is nested more than {nesting} levels deep.")
        count += 1
    if count == 0:
        raise MalformedRequest("The body is empty; send a JSON array, or one JSON object on each line.")
    return count


def push(services: Platform, datasource: str, body: bytes, records: int, media_type: str, by: str) -> Run:
    """Keep pushed bytes, and have a run drain them.

    Returns:
        The run that will: one that is yet to begin.
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
    services.batches.put(datasource, batch)
    return drain(services, datasource, by)


def drain(services: Platform, datasource: str, by: str) -> Run:
    """The run that takes what waits by now: a new one, or one that has not begun to.

    While a run is at it, the next one is named on its lock and stored, and starts when the
    first one has ended; so there is one at a time, and everybody knows which one is theirs.
    """
    lock = _lock(datasource)
    for _ in range(_TRIES):
        run = ingest_run(datasource, "push", by)
        held = services.locks.acquire(lock, _LOCK_SECONDS, run=run.id)
        if held is None:
            return make_good(services, run)
        holder = services.runs.find(held["run"])
        if holder is None or holder.status == "pending":
            return make_good(services, run.model_copy(update={"id": held["run"]}))
        if holder.finished:
            _pass_on(services, datasource, held)
        elif "next" in held:
            return _stored(services, run.model_copy(update={"id": held["next"]}))
        elif services.locks.change(
            lock, "#run = :run AND attribute_not_exists(#next)", {"run": holder.id}, next=run.id
        ):
            return _stored(services, run)
    raise Unavailable("The datasource is being pushed to by many at once; try again.")


def _stored(services: Platform, run: Run) -> Run:
    """A run that waits for the one before it."""
    with suppress(Conflict):
        services.runs.create(run)
    return services.runs.get(run.id)


def release_drain(services: Platform, run: Run) -> None:
    """Let go of what a draining run holds; the next one begins if there is one, or more to take."""
    held = services.locks.read(_lock(run.datasource or ""))
    if held is not None and held["run"] == run.id:
        _pass_on(services, run.datasource or "", held)


def _pass_on(services: Platform, datasource: str, held: dict[str, str]) -> None:
    """Hand the lock of a run that has ended to the next one, or let it go when nothing waits.

    Whoever is killed in between leaves a lock that names a run which can be made good.
    """
    lock, before = _lock(datasource), {"run": held["run"]}
    following = ingest_run(datasource, "push", "sluice")
    if "next" in held:
        following = following.model_copy(update={"id": held["next"]})
        taken = services.locks.change(
            lock, "#run = :run AND #next = :next", {**before, "next": held["next"]}, run=held["next"], next=None
        )
    elif services.batches.waiting(datasource, 1):
        taken = services.locks.change(lock, "#run = :run AND attribute_not_exists(#next)", before, run=following.id)
    else:
        services.locks.release(lock, "#run = :run AND attribute_not_exists(#next)", before)
        return
    if taken:
        make_good(services, following)


def _lock(datasource: str) -> str:
    return f"push#{datasource}"
