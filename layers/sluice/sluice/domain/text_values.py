"""What a text says when it is read as a number, a date or a time, and whether a double keeps all of it."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Context, Decimal, InvalidOperation

# What may stand around a number, a date or a truth value without being part of it.
BLANKS = " \t\r\n"
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(
    r"[+-]?(?:(?:0|[1-9][0-9]{0,400})(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?", re.ASCII
)
_NOT_FINITE = re.compile(r"([+-]?)(?:inf|infinity)|nan", re.IGNORECASE | re.ASCII)
# The year comes first, so that day and month cannot be confused.
_DAY = r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})"
_DATE = re.compile(_DAY)
_TIMESTAMP = re.compile(
    rf"{_DAY}[T ]([0-9]{{1,2}}):([0-9]{{2}})(?::([0-9]{{2}})(?:\.([0-9]{{1,9}}))?)?"
    r"(?: ?(?:(Z|UTC)|([+-])([0-9]{2}):?([0-9]{2})?))?"
)
# Characters of a number, without an exponent, that no double loses.
_ALWAYS_EXACT = 15
# Holds every digit of a double and of a number that the pattern above accepts.
_EVERY_DIGIT = Context(prec=2_500, Emax=999_999, Emin=-999_999)


def is_whole_number(text: str) -> bool:
    """Whether a text is a whole number of at most 19 digits, without zeros before it."""
    return _INTEGER.fullmatch(text) is not None


def is_numeral(text: str) -> bool:
    """Whether a text is a number without zeros before it: `5`, `-.5`, `5.`, `+5`, `1e-5`."""
    return _NUMBER.fullmatch(text) is not None


def not_finite(text: str) -> str | None:
    """What DuckDB calls the number that `inf`, `-Infinity` or `nan` means; none for other texts."""
    match = _NOT_FINITE.fullmatch(text)
    if match is None:
        return None
    sign: str | None = match[1]
    return "NaN" if sign is None else f"{sign.replace('+', '')}Infinity"


def loses_digits(text: str) -> bool:
    """Whether a double would not give back the number that the text says; one that is no number loses nothing.

    A text with more digits than a double has loses nothing if a double, printed with as many
    digits, is that text: `48.053808600000004`, or what `%.18e` writes.
    """
    if len(text) <= _ALWAYS_EXACT and "e" not in text and "E" not in text:
        return False
    try:
        number, exact = float(text), Decimal(text)
    except (ValueError, InvalidOperation):
        return False
    if not exact.is_finite():
        return False
    if math.isinf(number):
        return True
    if Decimal(repr(number)) == exact:
        return False
    return Decimal(number).quantize(exact, context=_EVERY_DIGIT) != exact


def parse_date(text: str) -> date:
    """The day that a text such as `2026-01-31` or `2026/1/31` says.

    Raises:
        ValueError: it says none.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("not a date such as 2026-01-31")
    return date(int(match[1]), int(match[3]), int(match[4]))


def parse_timestamp(text: str) -> datetime:
    """The time in UTC, to the microsecond, that a text such as `2026-01-31T12:00:00+01:00` says.

    A time without an offset is UTC.

    Raises:
        ValueError: it says none.
        OverflowError: it is outside the years 1 to 9999.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 time such as 2026-01-31T12:00:00Z")
    year, _, month, day, hour, minute, second, fraction, _, sign, hours, minutes = match.groups()
    micro = int((fraction or "")[:6].ljust(6, "0"))
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micro)
    if sign is None:
        return moment
    return utc(moment, sign, hours, minutes)


def utc(moment: datetime, sign: str, hours: str, minutes: str | None) -> datetime:
    """A local time in UTC, given its offset.

    Raises:
        ValueError: there is no such offset.
        OverflowError: the time is outside the years 1 to 9999.
    """
    if int(minutes or 0) > 59:
        raise ValueError("not an offset from UTC")
    offset = timedelta(hours=int(hours), minutes=int(minutes or 0))
    zone = timezone(-offset if sign == "-" else offset)
    return moment.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


def has_nanoseconds(text: str) -> bool:
    """Whether a time has digits beyond microseconds that are not zeros."""
    match = _TIMESTAMP.fullmatch(text.strip(BLANKS)) if "." in text else None
    return match is not None and (match[8] or "")[6:].strip("0") != ""
