"""Regular times: the grid that the times of a table lie on, and the times after its end.

A time is a whole number: microseconds since 1970 of a timestamp, days since 1970 of a date, or a bigint itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from itertools import pairwise
from math import gcd
from typing import Protocol

from sluice.patterns import Pattern

STEP_PATTERN = Pattern(
    r"^[1-9][0-9]{0,5}(s|m|h|d|w|mo|y)$",
    "give a whole number and a unit (s, m, h, d, w, mo or y), such as 15m or 1d",
)
SECOND = 1_000_000
DAY = 86_400 * SECOND
_UNITS = {"s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND, "d": DAY, "w": 7 * DAY}
_MONTHS = {"mo": 1, "y": 12}
_EPOCH = date(1970, 1, 1)
_MONDAY = 4  # days after 1970-01-01
_FEWEST_FILLED = 0.1  # less of a grid that is filled means that it is not the grid of these times


class Grid(Protocol):
    """Equally spaced times, numbered from some time on."""

    @property
    def step(self) -> str:
        """The distance of two times, such as `1h`, `1mo` or `5`."""
        ...

    def index(self, time: int) -> int:
        """The number of a time that lies on the grid."""
        ...

    def time(self, index: int) -> int:
        """The time of a number."""
        ...

    def periods(self) -> list[int]:
        """How many periods a season may have."""
        ...


@dataclass(frozen=True)
class EvenGrid:
    """Times at equal distances.

    Args:
        size: the distance, in the times' own unit.
        unit: microseconds in that unit; 0 for plain numbers.
        origin: the time with the number 0.
    """

    size: int
    unit: int
    origin: int = 0

    @property
    def step(self) -> str:
        """The distance in the largest unit that divides it."""
        if not self.unit:
            return str(self.size)
        whole = self.size * self.unit
        for name in ("w", "d", "h", "m", "s"):
            if whole % _UNITS[name] == 0:
                return f"{whole // _UNITS[name]}{name}"
        return f"{whole / SECOND:g}s"

    def index(self, time: int) -> int:
        """The number of a time."""
        return (time - self.origin) // self.size

    def time(self, index: int) -> int:
        """The time of a number."""
        return self.origin + index * self.size

    def periods(self) -> list[int]:
        """Hours, days, weeks and years of the calendar; of plain numbers any up to 60."""
        if not self.unit:
            return list(range(2, 61))
        whole = self.size * self.unit
        if whole == 7 * DAY:
            return [52]
        cycles = (3600 * SECOND, DAY, 7 * DAY)
        return [cycle // whole for cycle in cycles if cycle % whole == 0 and 2 <= cycle // whole <= 1440]


@dataclass(frozen=True)
class MonthGrid:
    """The same day of every month, every third month, and so on.

    Args:
        months: the distance.
        unit: microseconds in the unit of times.
        day: the day of the month; 31 stands for the last day.
        clock: the time of the day, in the unit of times.
        origin: the month with the number 0, counted from the year 0.
    """

    months: int
    unit: int
    day: int
    clock: int
    origin: int = 0

    @property
    def step(self) -> str:
        """The distance, such as `1mo` or `1y`."""
        return f"{self.months // 12}y" if self.months % 12 == 0 else f"{self.months}mo"

    def index(self, time: int) -> int:
        """The number of a time."""
        return (_month(_date(time, self.unit)) - self.origin) // self.months

    def time(self, index: int) -> int:
        """The time of a number."""
        year, month = divmod(self.origin + index * self.months, 12)
        following = date(year + (month == 11), (month + 1) % 12 + 1, 1)
        last = following - timedelta(days=1)
        day = last.replace(day=min(self.day, last.day))
        return (day - _EPOCH).days * (DAY // self.unit) + self.clock

    def periods(self) -> list[int]:
        """A year."""
        return [12 // self.months] if 12 % self.months == 0 and self.months < 12 else []


@dataclass(frozen=True)
class WeekdayGrid:
    """Monday to Friday of every week.

    Args:
        unit: microseconds in the unit of times.
        clock: the time of the day, in the unit of times.
    """

    unit: int
    clock: int

    @property
    def step(self) -> str:
        """Always the same."""
        return "weekday"

    def index(self, time: int) -> int:
        """The number of a time."""
        week, day = divmod(time // (DAY // self.unit) - _MONDAY, 7)
        return week * 5 + day

    def time(self, index: int) -> int:
        """The time of a number."""
        week, day = divmod(index, 5)
        return (week * 7 + day + _MONDAY) * (DAY // self.unit) + self.clock

    def periods(self) -> list[int]:
        """A week."""
        return [5]


def infer_grid(series: Sequence[Sequence[int]], unit: int) -> Grid:
    """The grid that all times lie on.

    Args:
        series: the times of each series, ascending, distinct, at least one.
        unit: microseconds in the unit of times; 0 for plain numbers.

    Returns:
        The coarsest grid.

    Raises:
        ValueError: no series has two times, or the times are not regular; the message says what to do.
    """
    distances = Counter(after - before for times in series for before, after in pairwise(times))
    if not distances:
        raise ValueError("no series has two times, so the distance of times is unknown: give step, such as 1d")
    if unit:
        calendar = _month_grid(series, unit) or _weekday_grid(series, unit, min(distances))
        if calendar is not None:
            return calendar
    size = reduce(gcd, sorted(distances))
    grid = EvenGrid(size, unit, min(times[0] for times in series))
    slots = sum((times[-1] - times[0]) // size + 1 for times in series)
    points = sum(map(len, series))
    if points < _FEWEST_FILLED * slots:
        usual = min(distances, key=lambda distance: (-distances[distance], distance))
        raise ValueError(
            f"the times are not regular: the most frequent distance is {EvenGrid(usual, unit).step}, but all times "
            f"lie only on a grid of {grid.step}, of which they fill {100 * points / slots:.1f} %; "
            "give step and aggregate, such as 1h and mean"
        )
    return grid


def step_grid(step: str, unit: int) -> Grid:
    """The grid of a step that a user gives; its times are the beginnings of the steps.

    Args:
        step: matches `STEP_PATTERN`.
        unit: microseconds in the unit of times.

    Raises:
        ValueError: the step is smaller than the unit.
    """
    match = re.fullmatch(r"(\d+)([a-z]+)", step)
    assert match is not None, "the pattern is checked"
    count, name = int(match[1]), match[2]
    if name in _MONTHS:
        return MonthGrid(count * _MONTHS[name], unit, 1, 0)
    size = count * _UNITS[name]
    if size % unit:
        raise ValueError("the times are dates, so the step must be of whole days, such as 1d, 1w or 1mo")
    # Weeks begin on Mondays.
    return EvenGrid(size // unit, unit, _MONDAY * (DAY // unit) if name == "w" else 0)


def text_of(time: int, unit: int) -> str | int:
    """A time as tables store it: a number, a date, or a timestamp with microseconds."""
    if not unit:
        return time
    if unit == DAY:
        return (_EPOCH + timedelta(days=time)).isoformat()
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=time)
    return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def _date(time: int, unit: int) -> date:
    return _EPOCH + timedelta(days=time // (DAY // unit))


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _is_last(day: date) -> bool:
    return (day + timedelta(days=1)).month != day.month


def _clocks(series: Iterable[Iterable[int]], unit: int) -> set[int]:
    return {time % (DAY // unit) for times in series for time in times}


def _month_grid(series: Sequence[Sequence[int]], unit: int) -> MonthGrid | None:
    clocks = _clocks(series, unit)
    if len(clocks) != 1:
        return None
    days = [_date(time, unit) for times in series for time in times]
    numbers = {day.day for day in days}
    months = sorted({_month(day) for day in days})
    if len(months) < 2:
        return None
    last = all(map(_is_last, days))
    if not last and len(numbers) != 1:
        return None
    distance = reduce(gcd, (month - months[0] for month in months))
    return MonthGrid(distance, unit, 31 if last else numbers.pop(), clocks.pop(), months[0])


def _weekday_grid(series: Sequence[Sequence[int]], unit: int, smallest: int) -> WeekdayGrid | None:
    clocks = _clocks(series, unit)
    if len(clocks) != 1 or smallest != DAY // unit:
        return None
    weekdays = {_date(time, unit).weekday() for times in series for time in times}
    longest = max(times[-1] - times[0] for times in series)
    if weekdays != {0, 1, 2, 3, 4} or longest < 14 * (DAY // unit):
        return None
    return WeekdayGrid(unit, clocks.pop())
