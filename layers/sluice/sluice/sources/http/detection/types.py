"""The types of columns that the values of JSON show only to people: times, dates and decimal numbers as text."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sluice.domain.schema import convert
from sluice.domain.text_values import parse_date, parse_timestamp
from sluice.sources.http.detection.columns import SampledColumn

_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_MOST_DIGITS = 38
# Enough for the prices of most upstreams; values with more decimal places get as many as the sample has.
_USUAL_SCALE = 18
_NAMED_TIME = re.compile(
    r"(^|_|\b)(time|timestamp|date|created|updated|modified|dt|ts|at|expires|unix|epoch)$", re.IGNORECASE
)
_OFFSET = re.compile(r"(Z|UTC|[+-]\d\d:?(\d\d)?)$")
# The years 2000 to 2099 in seconds since 1970.
_SECONDS = range(946_684_800, 4_102_444_800)


def find_types(columns: list[SampledColumn]) -> dict[str, tuple[str, str]]:
    """The types of columns that differ from the types of their JSON values.

    Args:
        columns: the columns with the values of the sample.

    Returns:
        For each such column its type and the reason.
    """
    types = {}
    for column in columns:
        values = [value for value in column.values if value not in (None, "")]
        for rule in _RULES:
            result = rule(column, values) if values else None
            if result is not None and all(_converts(value, result[0]) for value in column.values if value is not None):
                types[column.name] = result
                break
    return types


def _converts(value: Any, kind: str) -> bool:
    try:
        convert(value, kind)
    except ValueError:
        return False
    return True


def _times(column: SampledColumn, values: list[Any]) -> tuple[str, str] | None:
    if not all(isinstance(value, str) and value[:4].isdecimal() and ":" in value for value in values):
        return None
    if not all(_parses(parse_timestamp, value) for value in values):
        return None
    zone = "" if all(_OFFSET.search(value) for value in values) else "; those without an offset count as UTC"
    return "timestamp", f"All {len(values)} values are ISO 8601 times, such as {values[0]!r}{zone}."


def _dates(column: SampledColumn, values: list[Any]) -> tuple[str, str] | None:
    if not all(isinstance(value, str) and value[:4].isdecimal() and _parses(parse_date, value) for value in values):
        return None
    return "date", f"All {len(values)} values are dates, such as {values[0]!r}."


def _parses(parse: Callable[[str], Any], text: str) -> bool:
    try:
        parse(text)
    except (ValueError, OverflowError):
        return False
    return True


def _decimals(column: SampledColumn, values: list[Any]) -> tuple[str, str] | None:
    """Texts such as "67000.52": APIs send prices as text so that no digit is lost. Whole numbers may be identifiers."""
    matches = [_DECIMAL.fullmatch(value) if isinstance(value, str) else None for value in values]
    if not all(matches) or not any(match[2] for match in matches if match):
        return None
    scale = max(_USUAL_SCALE, *(len(match[2] or ".") - 1 for match in matches if match))
    whole = max(len(match[1]) for match in matches if match)
    if whole + scale > _MOST_DIGITS:
        return None
    return f"decimal({_MOST_DIGITS},{scale})", f"All {len(values)} values are numbers as text, such as {values[0]!r}."


def _seconds(column: SampledColumn, values: list[Any]) -> tuple[str, str] | None:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", str(column.path[-1]) if column.path else column.name)
    whole = all(isinstance(value, int) and not isinstance(value, bool) and value in _SECONDS for value in values)
    if not whole or _NAMED_TIME.search(name) is None:
        return None
    return "timestamp", f"All {len(values)} values are seconds since 1970, such as {values[0]}."


_RULES = (_times, _dates, _decimals, _seconds)
