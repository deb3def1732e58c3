"""The lake's files of readings, as items of the table `Readings`: `workspace#/files` / `day#part#hash`.

A file of the part `new` has the readings of one batch on one day; it is stored first and `applied` to the blocks
after that, so that a process that is killed leaves a file from which the rest can be done. Compaction replaces the
new files of a day by one file for each bucket of sensors, in one transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from sluice.catalog.table import ConditionFailed, Item, Table, transact
from sluice.domain.base import Record
from sluice.domain.names import now, rfc3339

NEW = "new"
_LAST = "~"  # after every other character of a key
_ALWAYS = "attribute_exists(#time) OR attribute_not_exists(#time)"


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
    """

    day: str
    part: str
    sha256: str
    key: str
    readings: int
    bytes: int
    applied: bool = False
    created_at: str = ""


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
            item = file.model_dump() | {"created_at": rfc3339(now())}
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

    def replace(self, old: Sequence[ReadingFile], new: Sequence[ReadingFile]) -> None:
        """Replace files by others in one transaction, of at most 100 files together.

        Raises:
            ConditionFailed: an old file was replaced by another process.
        """
        added = [self._key(file) | file.model_dump() | {"created_at": rfc3339(now())} for file in new]
        kept = {(file.day, file.part, file.sha256) for file in new}
        removed = [file for file in old if (file.day, file.part, file.sha256) not in kept]
        writes = [self._table.delete(self._key(file), "attribute_exists(#time)") for file in removed]
        writes += [self._table.put(item, _ALWAYS) for item in added]
        transact(self._table.client, writes)
