"""Values as people read them: grouped digits, dates with the month's name, a dash for null."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

from sluice.domain.json_text import dumps
from sluice.domain.report import ColumnFormat
from sluice.domain.schema import is_number, scale_of
from sluice.errors import ModelFailed

NULL = "–"
MINUS = "\u2212"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Doubles show this many significant digits, or this many decimals if those are more digits.
_SIGNIFICANT, _DECIMALS = 4, 2
# Doubles with other orders of magnitude are written as powers of ten.
_PLAIN_ORDERS = range(-9, 15)
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_IDENTIFIERS = frozenset({"id", "year", "code", "zip", "postcode"})
_DIGITS = Context(prec=400)


@dataclass(frozen=True)
class ColumnStyle:
    """How the values of one column are shown.

    Args:
        name: the column's name.
        type: its type.
        unit: shown beside the name.
        decimals: digits after the decimal point.
        exact: whether all numbers have exactly `decimals`; if not, small ones have more.
        grouping: whether thousands are separated.
        time_digits: how many characters of the time of day timestamps show: 0, 5 or 8.
    """

    name: str
    type: str
    unit: str | None = None
    decimals: int = 0
    exact: bool = True
    grouping: bool = True
    time_digits: int = 5

    @property
    def is_number(self) -> bool:
        """Whether the values are numbers."""
        return is_number(self.type)

    @property
    def is_time(self) -> bool:
        """Whether the values are dates or timestamps."""
        return self.type in ("date", "timestamp")

    @property
    def label(self) -> str:
        """The column's name and unit."""
        return f"{self.name} ({self.unit})" if self.unit else self.name

    def text(self, value: Any) -> str:
        """Return a value as text.

        Args:
            value: a value of a query's result; decimals, dates and timestamps are texts there.
        """
        if value is None:
            return NULL
        if self.is_number:
            return self._number(decimal_of(value))
        if self.is_time:
            return _time_text(value, self.time_digits if self.type == "timestamp" else 0)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return value if isinstance(value, str) else dumps(value).decode()

    def quantity(self, value: Any) -> str:
        """Return a value as text with its unit."""
        return f"{self.text(value)} {self.unit}" if self.unit and value is not None else self.text(value)

    def _number(self, number: Decimal) -> str:
        if self.type == "double" and number and number.adjusted() not in _PLAIN_ORDERS:
            return _as_power(number)
        decimals = self.decimals if self.exact else max(self.decimals, _places(_significant(number)))
        return grouped(number, decimals, grouping=self.grouping)


@dataclass(frozen=True)
class Rows:
    """The result of a section's query.

    Args:
        columns: `{"name", "type"}` of each column.
        items: the rows, by column name.
        truncated: whether the query has more rows.
        formats: how to show columns, by their names in any case.
    """

    columns: list[dict[str, str]]
    items: list[dict[str, Any]]
    truncated: bool = False
    formats: dict[str, ColumnFormat] = field(default_factory=dict)

    def styles(self) -> list[ColumnStyle]:
        """How each column is shown.

        Raises:
            ModelFailed: `formats` names a column that the query does not have.
        """
        formats = self._formats_by_name()
        return [self._style(column, formats) for column in self.columns]

    def style(self, name: str, user: str) -> ColumnStyle:
        """How the values of one column are shown.

        Args:
            name: the column's name in any case, as SQL compares names.
            user: what names the column, for the error.

        Raises:
            ModelFailed: the query has no such column.
        """
        own_name = self._own_name(name, user)
        column = next(column for column in self.columns if column["name"] == own_name)
        return self._style(column, self._formats_by_name())

    def _style(self, column: dict[str, str], formats: dict[str, ColumnFormat]) -> ColumnStyle:
        name = column["name"]
        return _style(column, [row[name] for row in self.items], formats.get(name, ColumnFormat()))

    def _formats_by_name(self) -> dict[str, ColumnFormat]:
        return {self._own_name(name, "format"): declared for name, declared in self.formats.items()}

    def _own_name(self, name: str, user: str) -> str:
        """Return the name of a column as the query has it."""
        names = [column["name"] for column in self.columns]
        for candidate in (name, *names):
            if candidate in names and candidate.lower() == name.lower():
                return candidate
        raise ModelFailed(f"The {user} names the column {name!r}; its query gives {', '.join(names)}.")


def decimal_of(value: Any) -> Decimal:
    """Return a number of a query's result with the digits that it is written with."""
    return value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else value)


def grouped(number: Decimal, decimals: int, *, grouping: bool = True) -> str:
    """Return a number as a plain decimal with a true minus sign, rounded half up.

    Args:
        decimals: digits after the decimal point.
        grouping: whether to separate thousands by commas.
    """
    rounded = number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _DIGITS)
    # Zero has no sign, also if it was a small negative number.
    text = format(rounded if rounded else abs(rounded), ",f" if grouping else "f")
    return text.replace("-", MINUS)


def power_of_ten(exponent: int) -> str:
    """Return `10⁶` for 6."""
    return "10" + str(exponent).translate(_SUPERSCRIPTS)


def _as_power(number: Decimal) -> str:
    mantissa, _, exponent = format(number, f".{_SIGNIFICANT - 1}e").partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".").replace("-", MINUS)
    return f"{mantissa} × {power_of_ten(int(exponent))}"


def _style(column: dict[str, str], values: list[Any], declared: ColumnFormat) -> ColumnStyle:
    name, kind = column["name"], column["type"]
    if kind == "timestamp":
        return ColumnStyle(name, kind, declared.unit or "UTC", time_digits=_time_digits(values))
    if not is_number(kind):
        return ColumnStyle(name, kind, declared.unit)
    grouping = declared.grouping if declared.grouping is not None else not _is_identifier(name)
    numbers = [decimal_of(value) for value in values if value is not None]
    if declared.decimals is not None:
        return ColumnStyle(name, kind, declared.unit, declared.decimals, grouping=grouping)
    if kind == "double":
        return ColumnStyle(name, kind, declared.unit, _decimals_of_doubles(numbers), exact=False, grouping=grouping)
    # Exact numbers keep their digits; two decimals are amounts of money, which have both.
    decimals = max(map(_places, numbers), default=0)
    return ColumnStyle(name, kind, declared.unit, max(decimals, min(scale_of(kind), _DECIMALS)), grouping=grouping)


def _is_identifier(name: str) -> bool:
    """Whether a column's numbers identify things or years, by the last word of its name."""
    words = _WORDS.findall(name)
    return bool(words) and words[-1].lower() in _IDENTIFIERS


def _decimals_of_doubles(numbers: Iterable[Decimal]) -> int:
    """The decimals that a column of doubles has in common: those that its largest number needs."""
    plain = [number for number in numbers if number and number.adjusted() in _PLAIN_ORDERS]
    if not plain:
        return 0
    most = max(_DECIMALS, _SIGNIFICANT - 1 - max(number.adjusted() for number in plain))
    return min(most, max(_places(_significant(number)) for number in plain))


def _significant(number: Decimal) -> Decimal:
    """Round a number to the digits that are shown."""
    decimals = max(_DECIMALS, _SIGNIFICANT - 1 - number.adjusted()) if number else 0
    return number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, _DIGITS)


def _places(number: Decimal) -> int:
    """The number of decimals without zeros at the end."""
    _, _, decimals = format(number, "f").partition(".")
    return len(decimals.rstrip("0"))


def _time_digits(values: Iterable[Any]) -> int:
    """How much of the time of day a column shows: nothing if all are midnights, seconds if one has some."""
    times = {str(value).partition("T")[2][:8] for value in values if value is not None}
    if times <= {"00:00:00"}:
        return 0
    return 5 if all(time.endswith(":00") for time in times) else 8


def _time_text(value: str, digits: int) -> str:
    day, _, time = str(value).partition("T")
    try:
        moment = date.fromisoformat(day)
    except ValueError:
        return str(value)  # years that Python's dates do not have
    return f"{day_text(moment)}, {time[:digits]}" if digits else day_text(moment)


def day_text(day: date) -> str:
    """Return a date as text: `31 Jan 2026`."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def moment_text(value: str) -> str:
    """Return an RFC 3339 time, to the minute: `31 Jan 2026, 12:35 UTC`; any other text as it is."""
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return value
    return f"{_time_text(value, 5)} UTC"
