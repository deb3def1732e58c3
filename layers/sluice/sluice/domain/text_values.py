"""Numbers, dates and times in texts, and whether a double keeps all digits."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Context, Decimal, InvalidOperation

# Blanks around a number, a date or a boolean are ignored.
BLANKS = " \t\r\n"
_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,18})")
_NUMBER = re.compile(
    r"[+-]?(?:(?:0|[1-9][0-9]{0,400})(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,4})?", re.ASCII
)
_NOT_FINITE = re.compile(r"([+-]?)(?:inf|infinity)|nan", re.IGNORECASE | re.ASCII)
# Only dates whose year comes first: otherwise day and month could be confused.
_DAY = r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})"
_DATE = re.compile(_DAY)
_TIMESTAMP = re.compile(
    rf"{_DAY}[T ]([0-9]{{1,2}}):([0-9]{{2}})(?::([0-9]{{2}})(?:\.([0-9]{{1,9}}))?)?"
    r"(?: ?(?:(Z|UTC)|([+-])([0-9]{2}):?([0-9]{2})?))?"
)
# A number of so many characters without an exponent never loses digits in a double.
_ALWAYS_EXACT = 15
# Enough digits for every double and every number that the pattern above accepts.
_EVERY_DIGIT = Context(prec=2_500, Emax=999_999, Emin=-999_999)


def is_whole_number(text: str) -> bool:
    """Whether a text is an integer of at most 19 digits without leading zeros."""
    return _INTEGER.fullmatch(text) is not None


def is_numeral(text: str) -> bool:
    """Whether a text is a number without leading zeros: `5`, `-.5`, `5.`, `+5`, `1e-5`."""
    return _NUMBER.fullmatch(text) is not None


def non_finite_word(text: str) -> str | None:
    """DuckDB's word for `inf`, `-Infinity`, `nan` and their like; None for other texts."""
    match = _NOT_FINITE.fullmatch(text)
    if match is None:
        return None
    sign: str | None = match[1]
    return "NaN" if sign is None else f"{sign.replace('+', '')}Infinity"


def loses_digits(text: str) -> bool:
    """Whether a double cannot represent the number in a text; False if the text is not a number.

    A text with more digits than a double has loses nothing if the double, printed with as many digits, is that text:
    `48.053808600000004`, or the output of `%.18e`.
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
    """Parse a date such as `2026-01-31` or `2026/1/31`.

    Raises:
        ValueError: the text is not such a date.
    """
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError("not a date such as 2026-01-31")
    return date(int(match[1]), int(match[3]), int(match[4]))


def parse_timestamp(text: str) -> datetime:
    """Parse a time such as `2026-01-31T12:00:00+01:00`.

    Returns:
        The time in UTC without tzinfo; digits beyond microseconds are cut off. Without an offset the text is UTC.

    Raises:
        ValueError: the text is not such a time.
        OverflowError: the time is outside the years 1 to 9999.
    """
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError("not an ISO 8601 time such as 2026-01-31T12:00:00Z")
    year, _, month, day, hour, minute, second, fraction, _, sign, hours, minutes = match.groups()
    micro = int((fraction or "")[:6].ljust(6, "0"))
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micro)
    if sign is None:
        return moment
    return to_utc(moment, sign, hours, minutes)


def to_utc(moment: datetime, sign: str, hours: str, minutes: str | None) -> datetime:
    """Convert a local time with an offset to UTC.

    Args:
        moment: the local time, without tzinfo.
        sign: `+` or `-`.
        hours: the hours of the offset.
        minutes: the minutes of the offset; None: 0.

    Returns:
        The time in UTC, without tzinfo.

    Raises:
        ValueError: the offset is invalid.
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
