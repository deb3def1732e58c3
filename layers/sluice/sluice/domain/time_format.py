"""Declared formats of dates and times such as `%d.%m.%Y`, with the codes that Python and DuckDB share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sluice.domain.text_values import BLANKS, to_utc

_MONTHS = ["january", "february", "march", "april", "may", "june", "july"]
_MONTHS += ["august", "september", "october", "november", "december"]
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
# The most digits of each number. Fewer are allowed, unless digits of another code are adjacent.
_NUMBERS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "I": 2, "M": 2, "S": 2}
_PATTERNS = {
    "f": r"[0-9]{1,6}",
    "b": "|".join(name[:3] for name in _MONTHS),
    "B": "|".join(_MONTHS),
    "a": "|".join(name[:3] for name in _DAYS),
    "A": "|".join(_DAYS),
    "p": "am|pm",
    "z": r"(?:[+-])[0-9]{2}(?::?[0-9]{2})?",
}
_DATE_CODES = ("Yy", "mbB", "d")
_IN_DATES = frozenset("YymbBdaA")
_OFFSET = re.compile(r"([+-])([0-9]{2}):?([0-9]{2})?")
_PART = re.compile(r"%(.)|([^%]+)", re.DOTALL)


@dataclass(frozen=True)
class TimeFormat:
    """A format of dates or times.

    Args:
        text: `strptime` codes; other characters match themselves.
        kind: `date` or `timestamp`.
        pattern: a regular expression that matches the texts in this format, ignoring case.
        codes: the codes in order, one for each group of the pattern.
    """

    text: str
    kind: str
    pattern: str
    codes: tuple[str, ...]

    def iso(self, text: str) -> str:
        """Rewrite a date or time in this format as ISO 8601; times are converted to UTC.

        Raises:
            ValueError: the text does not have this format, or there is no such day or time.
            OverflowError: the time is outside the years 1 to 9999.
        """
        match = _compiled(self.pattern).fullmatch(text.strip(BLANKS))
        if match is None:
            raise ValueError(f"not a {self.kind} in the format {self.text}")
        moment = _moment(dict(zip(self.codes, match.groups(), strict=True)))
        return moment.date().isoformat() if self.kind == "date" else moment.isoformat(timespec="microseconds")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.ASCII)


@cache
def time_format(text: str, kind: str) -> TimeFormat:
    """Compile a format.

    Args:
        text: `strptime` codes and literal text.
        kind: `date` or `timestamp`.

    Raises:
        ValueError: a code is unknown or repeated, or a required one is missing.
    """
    parts = _PART.findall(text)
    if "".join(f"%{code}" if code else literal for code, literal in parts) != text:
        raise ValueError("the format ends with %; write %% for a percent sign")
    codes = tuple(code for code, _ in parts if code and code != "%")
    _check(codes, kind)
    pattern = ""
    for index, (code, literal) in enumerate(parts):
        neighbours = [parts[at][0] for at in (index - 1, index + 1) if 0 <= at < len(parts)]
        pattern += f"({_pattern(code, neighbours)})" if code and code != "%" else re.escape(literal or "%")
    return TimeFormat(text, kind, pattern, codes)


def _check(codes: tuple[str, ...], kind: str) -> None:
    all_codes = [*_NUMBERS, *_PATTERNS]
    allowed = [code for code in all_codes if kind == "timestamp" or code in _IN_DATES]
    unknown = [code for code in codes if code not in allowed]
    if unknown:
        raise ValueError(
            f"unknown code %{unknown[0]} in a {kind} format; use {', '.join(f'%{code}' for code in allowed)}"
        )
    for group in (*_DATE_CODES, "HI", "aA", "M", "S", "f", "p", "z"):
        if sum(code in group for code in codes) > 1:
            raise ValueError(f"the format has {' or '.join(f'%{code}' for code in group)} twice")
    for group in _DATE_CODES:
        if not any(code in group for code in codes):
            raise ValueError(f"the format needs {' or '.join(f'%{code}' for code in group)}")
    if kind == "timestamp" and not {"H", "I"} & set(codes):
        raise ValueError("a timestamp format needs %H or %I")
    if ("I" in codes) != ("p" in codes):
        raise ValueError("%I and %p need each other")
    for code, before in (("S", "M"), ("f", "S")):
        if code in codes and before not in codes:
            raise ValueError(f"%{code} needs %{before}")


def _pattern(code: str, neighbours: list[str]) -> str:
    if code not in _NUMBERS:
        return _PATTERNS[code]
    digits = _NUMBERS[code]
    fixed = code in "Yy" or any(other in _NUMBERS or other == "f" for other in neighbours)
    return rf"[0-9]{{{digits}}}" if fixed else rf"[0-9]{{1,{digits}}}"


def _moment(parts: dict[str, str]) -> datetime:
    year = int(parts["Y"]) if "Y" in parts else _century(int(parts["y"]))
    month = int(parts["m"]) if "m" in parts else _month(parts.get("b") or parts["B"])
    fraction = int(parts.get("f", "").ljust(6, "0"))
    moment = datetime(
        year, month, int(parts["d"]), _hour(parts), int(parts.get("M", 0)), int(parts.get("S", 0)), fraction
    )
    offset = _OFFSET.fullmatch(parts.get("z", ""))
    return to_utc(moment, offset[1], offset[2], offset[3]) if offset else moment


def _century(year: int) -> int:
    # The POSIX rule, which Python and DuckDB follow too: 69 to 99 are 1969 to 1999.
    return year + (1900 if year > 68 else 2000)


def _month(name: str) -> int:
    return [month[:3] for month in _MONTHS].index(name[:3].lower()) + 1


def _hour(parts: dict[str, str]) -> int:
    if "I" not in parts:
        return int(parts.get("H", 0))
    hour = int(parts["I"])
    if not 1 <= hour <= 12:
        raise ValueError("hour must be in 1..12 with am or pm")
    return hour % 12 + (12 if parts["p"].lower() == "pm" else 0)
