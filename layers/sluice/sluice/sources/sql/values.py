"""The values of a result's column as JSON, and the column type that holds them.

A server's type decides. Where a batch has values that our type does not hold, such as a date before
the year 1, its column is of type `string` for that batch, so that every value is kept as it was written.
"""

from __future__ import annotations

import math
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from typing import Any

import orjson

# A batch of one column's values, nulls among them, becomes JSON values and the type of all of them;
# without a type where nothing speaks for one.
Convert = Callable[[Sequence[Any]], tuple[Sequence[Any], str | None]]
_MOST_DIGITS = 38


def plain(column_type: str) -> Convert:
    """Values that the driver gives as JSON has them."""
    return lambda values: (values, column_type)


def each(function: Callable[[Any], Any], column_type: str) -> Convert:
    """Values of which each is converted alone; nulls stay."""
    return lambda values: ([None if value is None else function(value) for value in values], column_type)


def base64_text(value: bytes) -> str:
    """Bytes as base64."""
    return b2a_base64(value, newline=False).decode()


def doubles(values: Sequence[Any]) -> tuple[Sequence[Any], str]:
    """Floats; JSON has no number for NaN and the infinities, so they become texts."""
    if math.isfinite(sum(filter(None, values))):
        return values, "double"
    return [value if value is None else double(value) for value in values], "double"


def double(value: float) -> float | str:
    """A float, or the text of one that JSON has no number for."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def decimals(precision: int, scale: int) -> Convert:
    """Texts of numbers of one type; `NaN` and `Infinity` make it text."""
    if not 0 <= scale <= precision <= _MOST_DIGITS:
        return any_decimals
    column_type = f"decimal({precision},{scale})"

    def convert(values: Sequence[Any]) -> tuple[Sequence[Any], str]:
        return values, "string" if _has_words(values) else column_type

    return convert


def any_decimals(values: Sequence[Any]) -> tuple[Sequence[Any], str | None]:
    """Texts of numbers whose type has no precision: the narrowest decimal holds them."""
    if _has_words(values):
        return values, "string"
    whole, scale = 0, 0
    for value in filter(None, values):
        digits, _, fraction = value.partition(".")
        whole = max(whole, len(digits.lstrip("-")))
        scale = max(scale, len(fraction))
    if not whole:
        return values, None
    return values, f"decimal({whole + scale},{scale})" if whole + scale <= _MOST_DIGITS else "string"


def _has_words(values: Sequence[Any]) -> bool:
    """Whether one of some texts of numbers is NaN or an infinity."""
    text = "".join(filter(None, values))
    return "a" in text or "y" in text


def dates(values: Sequence[Any]) -> tuple[Sequence[Any], str]:
    """Texts of days; infinity, and days outside the years 1 to 9999, make it text."""
    usual = all(len(value) == 10 and "-00" not in value and value[:4] != "0000" for value in filter(None, values))
    return values, "date" if usual else "string"


def timestamps(zone: str = "", mark: str = "") -> Convert:
    """Texts such as `2026-01-31 12:00:00.5` as ISO 8601; infinity, and times outside the years 1 to 9999, stay.

    Args:
        zone: what each text ends with, as `+00`.
        mark: what it gets in the place of that, as `Z`.
    """

    def convert(values: Sequence[Any]) -> tuple[Sequence[Any], str]:
        usual = True
        converted: list[str | None] = []
        for value in values:
            if value is None:
                converted.append(None)
            elif _is_usual(value, zone):
                converted.append(f"{value[:10]}T{value[11 : len(value) - len(zone)]}{mark}")
            else:
                usual = False
                converted.append(value)
        return converted, "timestamp" if usual else "string"

    return convert


def _is_usual(text: str, zone: str) -> bool:
    """Whether a time lies in the years 1 to 9999 and ends with its zone."""
    day = text[:10]
    return text[10:11] == " " and text.endswith(zone) and text[-1] != "C" and "-00" not in day and day[:4] != "0000"


def documents(values: Sequence[Any]) -> tuple[Sequence[Any], str]:
    """Texts of JSON, which become part of the page as they are."""
    return [None if value is None else document(value) for value in values], "json"


def document(text: str) -> Any:
    """JSON as the database wrote it; a text that other readers of JSON would refuse becomes a string."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    # White space is all that a line feed can be in JSON; a page has one record a line.
    return orjson.Fragment(text.replace("\n", " ").replace("\r", " ") if "\n" in text or "\r" in text else text)


def observed(values: Sequence[Any]) -> tuple[Sequence[Any], str | None]:
    """Values of an engine whose columns have no types of their own, as SQLite's: those that are seen decide."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int}:
        return values, "bigint"
    if bytes in kinds:
        return [base64_text(value) if isinstance(value, bytes) else value for value in values], "string"
    if kinds <= {int, float} and kinds:
        return doubles(values)[0], "double" if _keeps_integers(values) else "string"
    return values, "string" if kinds else None


def _keeps_integers(values: Sequence[Any]) -> bool:
    """Whether a double gives back the whole numbers among some."""
    return all(abs(value) <= 2**53 for value in values if isinstance(value, int))
