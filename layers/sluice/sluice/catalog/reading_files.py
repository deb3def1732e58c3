"""The lake's files of readings, as items of the table `Readings`: `workspace#/files` / `day#part#hash`.

A file of the part `new` has the readings of one batch on one day; it is stored first and `applied` to the blocks
after that, so that a process that is killed leaves a file from which the rest can be done. Compaction replaces the
new files of a day by one file for each bucket of sensors.

An item is the memory of what happens to its object, in this order:

    planned     the object may not be stored yet; no one reads it
    used        readers read it
    replaced    its readings are in other used files
    discarded   the object is being deleted
    removed     the object is deleted

Series are sets, so a reading may be in several used files at a time; it is always in at least one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Literal

from sluice.catalog.table import ConditionFailed, Item, Table, Write
from sluice.catalog.transactions import transact
from sluice.domain.base import Record
from sluice.domain.names import now, rfc3339

FileState = Literal["planned", "used", "replaced", "discarded", "removed"]
NEW = "new"
_LAST = "~"  # after every other character of a key
_ALWAYS = "attribute_exists(#time) OR attribute_not_exists(#time)"
# A query may have passed a file's successor before that was used, so files that were replaced this long before the
# query are read, too. It is longer than any query, and than clocks differ.
_OVERLAP = timedelta(seconds=60)


class ReadingFile(Record):
    """One file.

    Args:
        day: the day of its readings (UTC), such as 2026-11-25.
        part: `new`, or the bucket of sensors, such as b07.
        sha256: the hash of its content, in hexadecimal.
        key: its key in the lake.
        readings: how many readings it has.
        bytes: its size.
        applied: whether its readings are in the blocks, as far as they are recent enough to belong there.
        state: what happens to its object.
        changed_at: since when it has this state.
    """

    day: str
    part: str
    sha256: str
    key: str
    readings: int
    bytes: int
    applied: bool = False
    created_at: str = ""
    state: FileState = "used"
    changed_at: str = ""


class ReadingFiles:
    """The files of a workspace."""

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._partition = f"{workspace}#/files"

    def _key(self, file: ReadingFile) -> Item:
        return {"workspace_series": self._partition, "time": f"{file.day}#{file.part}#{file.sha256}"}

    def add(self, files: Iterable[ReadingFile]) -> list[ReadingFile]:
        """Store files that are not stored yet.

        Returns:
            The files as they are stored: those that were stored before may be applied.
        """
        stored = []
        for file in files:
            item = _item(file)
            write = self._table.update(self._key(file), {}, _ALWAYS, once=item)
            stored.append(ReadingFile.model_validate(self._table.execute(write)))
        return stored

    def mark_applied(self, files: Iterable[ReadingFile]) -> None:
        """Note that the readings of files are in the blocks."""
        for file in files:
            with suppress(ConditionFailed):  # compaction has replaced the file meanwhile
                self._table.execute(self._table.update(self._key(file), {"applied": True}, "attribute_exists(#time)"))

    def between(self, first_day: str, last_day: str) -> Iterator[ReadingFile]:
        """The files of some days, both included, ordered by day and part."""
        condition = "#workspace_series = :pk AND #time BETWEEN :first AND :last"
        values = {"pk": self._partition, "first": first_day, "last": f"{last_day}{_LAST}"}
        for item in self._table.query_all(condition, values):
            yield ReadingFile.model_validate(item)

    def all(self) -> Iterator[ReadingFile]:
        """Every file, ordered by day and part."""
        return self.between("0", "9")

    def readable(self, first_day: str, last_day: str) -> Iterator[ReadingFile]:
        """The files that have the readings of some days, both included, ordered by day and part."""
        since = rfc3339(now() - _OVERLAP)
        for file in self.between(first_day, last_day):
            if file.state == "used" or (file.state == "replaced" and file.changed_at > since):
                yield file

    def plan(self, file: ReadingFile) -> FileState:
        """Store a file before its object, so that the object is deleted if no file comes of it.

        Returns:
            The file's state: planned, or another one if it was stored before.
        """
        write = self._table.put(
            self._key(file) | _item(file.model_copy(update={"state": "planned"})),
            "attribute_not_exists(#time) OR #state = :planned",
            {"planned": "planned"},
        )
        try:
            self._table.execute(write)
        except ConditionFailed as failure:
            return ReadingFile.model_validate(failure.item).state
        return "planned"

    def replace(self, old: Sequence[ReadingFile], new: Sequence[ReadingFile]) -> None:
        """Have readers read planned files instead of used ones, in one transaction of at most 100 files together.

        The planned files have the readings of the used ones, or others have them already.

        Raises:
            ConditionFailed: another process has changed one of them.
        """
        writes = [self._change(file, "planned", "used") for file in new]
        writes += [self._change(file, "used", "replaced") for file in old]
        if writes:
            transact(self._table.client, writes)

    def change(self, file: ReadingFile, state: FileState) -> bool:
        """Note what happens to a file's object.

        Returns:
            Whether it was done; not if another process has changed the file since it was read.
        """
        try:
            self._table.execute(self._change(file, file.state, state))
        except ConditionFailed:
            return False
        return True

    def _change(self, file: ReadingFile, before: FileState, after: FileState) -> Write:
        changes = {"state": after, "changed_at": rfc3339(now())}
        return self._table.update(self._key(file), changes, "#state = :before", {"before": before})

    def forget(self, file: ReadingFile) -> None:
        """Delete a file whose object is removed."""
        with suppress(ConditionFailed):  # another process was faster
            self._table.execute(self._table.delete(self._key(file), "#state = :removed", {"removed": "removed"}))


def _item(file: ReadingFile) -> Item:
    moment = rfc3339(now())
    return file.model_dump() | {"created_at": moment, "changed_at": moment}
