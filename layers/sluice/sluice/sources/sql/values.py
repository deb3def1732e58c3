"""Convert the values of a result's column to JSON values, and determine their column type.

The server's type decides. If a batch has values that the column type does not hold, such as a date before the year 1,
the column has the type `string` for that batch, so that every value is kept as the server wrote it.
"""

from __future__ import annotations

import math
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from typing import Any

import orjson

# Takes a batch of one column's values, which may include nulls; returns JSON values and their common column type, or
# None if the batch does not show a type.
Convert = Callable[[Sequence[Any]], tuple[Sequence[Any], str | None]]
_MOST_DIGITS = 38


def plain(column_type: str) -> Convert:
    """Return a converter for values that are JSON values already."""
    return lambda values: (values, column_type)


def each(function: Callable[[Any], Any], column_type: str) -> Convert:
    """Return a converter that applies a function to each value; nulls stay null.

    Args:
        function: converts one value.
        column_type: the type of the results.
    """
    return lambda values: ([None if value is None else function(value) for value in values], column_type)


def base64_text(value: bytes) -> str:
    """Return bytes as base64."""
    return b2a_base64(value, newline=False).decode()


def doubles(values: Sequence[Any]) -> tuple[Sequence[Any], str]:
    """Convert floats; NaN and the infinities become texts, since JSON has no numbers for them."""
    # The sum is finite only if every value is: one call in C instead of one for each value.
    if math.isfinite(sum(filter(None, values))):
        return values, "double"
    return [value if value is None else double(value) for value in values], "double"


def double(value: float) -> float | str:
    """Return a float, or a text for NaN and the infinities."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def decimals(precision: int, scale: int) -> Convert:
    """Return a converter for texts of numbers of one type; a batch with `NaN` or `Infinity` is of type string.

    Args:
        precision: the number of digits.
        scale: the number of digits after the point.
    """
    if not 0 <= scale <= precision <= _MOST_DIGITS:
        return any_decimals
    column_type = f"decimal({precision},{scale})"

    def convert(values: Sequence[Any]) -> tuple[Sequence[Any], str]:
        return values, "string" if _has_words(values) else column_type

    return convert


def any_decimals(values: Sequence[Any]) -> tuple[Sequence[Any], str | None]:
    """Convert texts of numbers whose type has no precision; the type is the narrowest decimal that holds them."""
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
    """Return whether a text of a number is NaN or an infinity: only these have an `a` or a `y`."""
    text = "".join(filter(None, values))
    return "a" in text or "y" in text


def dates(values: Sequence[Any]) -> tuple[Sequence[Any], str]:
    """Convert texts of dates; a batch with infinity or with years outside 1 to 9999 is of type string."""
    usual = all(len(value) == 10 and "-00" not in value and value[:4] != "0000" for value in filter(None, values))
    return values, "date" if usual else "string"


def timestamps(zone: str = "", mark: str = "") -> Convert:
    """Return a converter of texts such as `2026-01-31 12:00:00.5` to ISO 8601.

    Infinity and times with years outside 1 to 9999 stay as they are; their batch is of type string.

    Args:
        zone: the suffix that each text has, such as `+00`.
        mark: the suffix that replaces it, such as `Z`.
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
    """Return whether a time is in the years 1 to 9999 and has the zone; `C` is the end of PostgreSQL's ` BC`."""
    day = text[:10]
    return text[10:11] == " " and text.endswith(zone) and text[-1] != "C" and "-00" not in day and day[:4] != "0000"


def documents(values: Sequence[Any]) -> tuple[Sequence[Any], str]:
    """Convert texts of JSON, which become part of the page unchanged."""
    return [None if value is None else document(value) for value in values], "json"


def document(text: str) -> Any:
    """Return a JSON text as it is, for orjson to insert; a text that is not valid JSON becomes a string."""
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
    # JSON Lines needs each record on one line; in valid JSON a line feed can only be white space.
    return orjson.Fragment(text.replace("\n", " ").replace("\r", " ") if "\n" in text or "\r" in text else text)


def observed(values: Sequence[Any]) -> tuple[Sequence[Any], str | None]:
    """Convert values of an engine whose columns have no types, such as SQLite: the values decide about the type."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int}:
        return values, "bigint"
    if bytes in kinds:
        return [base64_text(value) if isinstance(value, bytes) else value for value in values], "string"
    if kinds <= {int, float} and kinds:
        return doubles(values)[0], "double" if _keeps_integers(values) else "string"
    return values, "string" if kinds else None


def _keeps_integers(values: Sequence[Any]) -> bool:
    """Return whether a double holds all whole numbers among the values exactly."""
    return all(abs(value) <= 2**53 for value in values if isinstance(value, int))
