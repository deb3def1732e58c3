"""The sweep of the lake's files of readings: finishing what was interrupted, and compacting small files into few.

Each step may be interrupted after any call and repeated, also by two processes at the same time: readings are in a used
file before the files that they came in are replaced, and uniting them again changes nothing.
"""

from __future__ import annotations

import gzip
import time as clock
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Protocol

from sluice.catalog.reading_files import NEW, ReadingFile, ReadingFiles
from sluice.catalog.table import ConditionFailed
from sluice.domain.names import now, rfc3339
from sluice.domain.new_readings import unpack_new
from sluice.lake.parquet import engine
from sluice.lake.store import sha256_of
from sluice.readings.bucket_files import DayRows, data_key, part_of
from sluice.readings.followers import apply
from sluice.readings.recent import Services as RecentServices

# DynamoDB's limit for a transaction.
_MAX_FILES = 100


class Services(RecentServices, Protocol):
    """What this module needs."""

    @property
    def reading_files(self) -> ReadingFiles:
        """The lake's files of readings."""
        ...


def sweep_files(services: Services, grace_seconds: int) -> dict[str, int]:
    """Apply files that are not in the blocks, compact days, and delete objects that were replaced long enough ago.

    Args:
        grace_seconds: a file that is not applied is left alone for so long, since a function may be about to do it.

    Returns:
        How many files were `applied`, `compacted` and `deleted`.

    Raises:
        Exception: of the first file that could not be applied, after everything else was done.
        Unavailable: a service throttled or failed; the next sweep continues.
    """
    deadline = clock.monotonic() + services.settings.compaction_seconds
    files = list(services.reading_files.all())
    failures: list[Exception] = []
    applied = _apply_pending(services, files, grace_seconds, failures)
    compacted = 0
    for _, of_day in groupby(files, lambda file: file.day):
        used = [file for file in of_day if file.state == "used"]
        new = [file for file in used if file.part == NEW and file.applied]
        if _is_due(services, new) and clock.monotonic() <= deadline:
            compacted += _compact(services, new, [file for file in used if file.part != NEW])
    deleted = _delete_replaced(services, files)
    if failures:
        raise failures[0]
    return {"applied": applied, "compacted": compacted, "deleted": deleted}


def _apply_pending(
    services: Services, files: Sequence[ReadingFile], grace_seconds: int, failures: list[Exception]
) -> int:
    """Put the readings of files into the blocks that a killed function has not.

    Args:
        failures: gets the errors of files that could not be applied.

    Returns:
        The number of files that were applied.
    """
    until = _ago(grace_seconds)
    applied = 0
    for file in files:
        if file.part != NEW or file.applied or file.created_at > until:
            continue
        try:
            _, parts = unpack_new(gzip.decompress(services.lake.get(file.key)))
            apply(services, {part.sensor: part.series for part in parts})
        except Exception as error:  # one file must not keep the others, and their days, from the sweep
            failures.append(error)
            continue
        services.reading_files.mark_applied([file])
        applied += 1
    return applied


def _is_due(services: Services, new: Sequence[ReadingFile]) -> bool:
    settings = services.settings
    if len(new) >= settings.compaction_files:
        return True
    return any(file.created_at <= _ago(settings.compaction_age_seconds) for file in new)


def _compact(services: Services, new: Sequence[ReadingFile], old: Sequence[ReadingFile]) -> int:
    """Replace the new files of a day.

    Args:
        old: the day's compacted files.

    Returns:
        The number of new files that were replaced. If another process has changed some of the files meanwhile, the
        rest is left to the next sweep.
    """
    replaced = 0
    with suppress(ConditionFailed):
        while replaced < len(new):
            turn = _first_turn(new[replaced:], services.settings.compaction_readings)
            old = _unite(services, turn, old)
            # The readings are in used files now, so this need not be in the same transactions.
            for first in range(0, len(turn), _MAX_FILES):
                services.reading_files.replace(turn[first : first + _MAX_FILES], [])
            replaced += len(turn)
    return replaced


def _first_turn(new: Sequence[ReadingFile], most: int) -> Sequence[ReadingFile]:
    """The first files with at most so many readings together, at least one file."""
    total = 0
    for index, file in enumerate(new):
        total += file.readings
        if index and total > most:
            return new[:index]
    return new


def _unite(services: Services, new: Sequence[ReadingFile], old: Sequence[ReadingFile]) -> list[ReadingFile]:
    """Unite the readings of a day's new files with its compacted ones.

    Returns:
        The day's compacted files, which have all the readings.

    Raises:
        ConditionFailed: another process has changed some of the files.
    """
    compacted = list(old)
    with services.lake.scratch() as path, engine(services.settings, path.with_name("spill")) as connection:
        rows = DayRows(connection)
        for file in new:
            rows.add(*unpack_new(gzip.decompress(services.lake.get(file.key))))
        for bucket in rows.finish():
            held = [file for file in old if file.part == part_of(bucket)]
            united = _write(services, rows, new[0].day, bucket, held, path)
            stale = [file for file in held if file.sha256 != united.sha256]
            services.reading_files.replace(stale, [united] if united not in held else [])
            compacted = [file for file in compacted if file not in held] + [united]
    return compacted


def _write(
    services: Services, rows: DayRows, day: str, bucket: int, held: Sequence[ReadingFile], path: Path
) -> ReadingFile:
    """Store the compacted file of a bucket in the lake, unless it is one of those that the day has.

    Args:
        held: the day's compacted files of this bucket.
        path: where it is written first.

    Raises:
        ConditionFailed: another process has used this very file, or is deleting it.
    """
    readings = rows.write(bucket, [services.lake.local(file.key, file.sha256) for file in held], path)
    with path.open("rb") as content:
        digest = sha256_of(content)
    for file in held:
        if file.sha256 == digest:
            return file
    file = ReadingFile(
        day=day,
        part=part_of(bucket),
        sha256=digest,
        key=data_key(day, bucket, digest),
        readings=readings,
        bytes=path.stat().st_size,
        applied=True,
    )
    if services.reading_files.plan(file) != "planned":
        raise ConditionFailed(None)
    services.lake.put_file(file.key, path)
    return file


def _delete_replaced(services: Services, files: Sequence[ReadingFile]) -> int:
    """Delete the objects that were replaced, or stored for a file that was never used; their number.

    A file is remembered for a while after its object was deleted: a batch that comes again at that very moment must
    not become a file whose object is missing.
    """
    until = _ago(services.settings.replaced_file_seconds)
    deleted = 0
    for file in files:
        if file.state in ("planned", "replaced") and file.changed_at <= until:
            if not services.reading_files.change(file, "discarded"):
                continue
            file.state = "discarded"
        if file.state == "discarded":
            services.lake.delete(file.key)
            deleted += services.reading_files.change(file, "removed")
        elif file.state == "removed" and file.changed_at <= until:
            services.reading_files.forget(file)
    return deleted


def _ago(seconds: float) -> str:
    return rfc3339(now() - timedelta(seconds=seconds))
