"""A series: the readings of one sensor, at most one for each time.

Series are sets: uniting two of them does not depend on the order, and a reading that is in both counts once. So
batches may be delivered again, in part, late or in any order.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from operator import lt
from typing import NamedTuple

# In the order of their codes, which stored series contain.
QUALITIES = ("good", "uncertain", "bad")
GOOD = 0


class Mark(NamedTuple):
    """What most readings have none of.

    Args:
        quality: an index into `QUALITIES`.
        revision: the number of the correction; 0 for a first value.
    """

    quality: int = GOOD
    revision: int = 0


_PLAIN = Mark()


@dataclass(slots=True)
class Series:
    """Readings ordered by time.

    Args:
        times: microseconds since 1970 (UTC), increasing.
        values: the values, one for each time.
        marks: by time, the marks of those readings whose quality is not good or whose revision is not 0.
    """

    times: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    marks: dict[int, Mark] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.times)

    def between(self, start: int, end: int) -> Series:
        """The readings with `start <= time < end`, in microseconds."""
        first, last = bisect_left(self.times, start), bisect_left(self.times, end)
        marks = {time: mark for time, mark in self.marks.items() if start <= time < end} if self.marks else {}
        return Series(self.times[first:last], self.values[first:last], marks)

    def windows(self, width: int) -> Iterator[tuple[int, Series]]:
        """The readings in windows of `width` microseconds, each with its start; empty windows are left out."""
        first = 0
        while first < len(self.times):
            start = self.times[first] // width * width
            last = bisect_left(self.times, start + width, first)
            times = self.times[first:last]
            marks = {time: self.marks[time] for time in times if time in self.marks} if self.marks else {}
            yield start, Series(times, self.values[first:last], marks)
            first = last

    def good(self) -> tuple[array[int], array[float]]:
        """The times and values of the readings of good quality."""
        bad = {time for time, mark in self.marks.items() if mark.quality != GOOD}
        if not bad:
            return self.times, self.values
        kept = [index for index, time in enumerate(self.times) if time not in bad]
        return array("q", (self.times[i] for i in kept)), array("d", (self.values[i] for i in kept))

    def united_with(self, other: Series) -> Series:
        """The readings of both; of two with the same time, the winner (see `wins`)."""
        if not self.times or not other.times:
            return self if self.times else other
        if self.times[-1] < other.times[0]:
            return Series(self.times + other.times, self.values + other.values, {**self.marks, **other.marks})
        if self == other:
            return self
        values, marks = dict(zip(self.times, self.values, strict=True)), dict(self.marks)
        for time, value in zip(other.times, other.values, strict=True):
            mark = other.marks.get(time, _PLAIN)
            if time in values and not wins(value, mark, values[time], marks.get(time, _PLAIN)):
                continue
            values[time] = value
            marks.pop(time, None)
            if mark != _PLAIN:
                marks[time] = mark
        times = sorted(values)
        return Series(array("q", times), array("d", map(values.__getitem__, times)), marks)

    @classmethod
    def of(cls, times: list[int], values: list[float], marks: dict[int, Mark] | None = None) -> Series:
        """A series of readings in any order, which may repeat a time.

        Args:
            marks: by position in `times`, the marks of the readings that have one.
        """
        marks = marks or {}
        chosen = winners(times, values, marks)
        if chosen is None:
            return cls(array("q", times), array("d", values), {times[at]: mark for at, mark in marks.items()})
        return cls(
            array("q", map(times.__getitem__, chosen)),
            array("d", map(values.__getitem__, chosen)),
            {times[at]: marks[at] for at in chosen if at in marks},
        )


def winners(times: list[int], values: list[float], marks: dict[int, Mark]) -> list[int] | None:
    """The positions of the readings that a series keeps, ordered by time; None if it keeps all of them as they are."""
    if all(map(lt, times, islice(times, 1, None))):
        return None
    chosen: dict[int, int] = {}
    for at, time in enumerate(times):
        held = chosen.get(time)
        if held is None or wins(values[at], marks.get(at, _PLAIN), values[held], marks.get(held, _PLAIN)):
            chosen[time] = at
    return [chosen[time] for time in sorted(chosen)]


def wins(value: float, mark: Mark, held_value: float, held: Mark) -> bool:
    """Whether a reading replaces the one that is held for the same sensor and time.

    The higher revision wins; of the same revision, the smaller hash of value and quality. So the winner does not
    depend on which came first.
    """
    if mark.revision != held.revision:
        return mark.revision > held.revision
    if value == held_value and mark.quality == held.quality:
        return False
    return reading_hash(value, mark.quality) < reading_hash(held_value, held.quality)


def reading_hash(value: float, quality: int) -> str:
    """The hash that decides between two readings of the same revision: SHA-256 of `value|quality`, in hexadecimal."""
    return hashlib.sha256(f"{value!r}|{QUALITIES[quality]}".encode()).hexdigest()
