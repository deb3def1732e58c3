"""Which columns identify a record."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sluice.sources.http.detection.columns import SampledColumn
from sluice.sources.http.detection.paths import plain_name
from sluice.sources.http.detection.reasons import Confidence, plural

# What identifies a record in most APIs, the most telling name first.
_NAMES = ("id", "uuid", "guid", "key", "code", "symbol", "slug", "sku", "isin", "cik", "ticker", "cca3", "iso3", "iso")
_ENDS = re.compile(r"(_|-|\.)(id|uuid|guid|code|symbol|key)$|[a-z](Id|ID|Uuid|Code)$", re.IGNORECASE)
_WEAK = ("name", "url", "title", "number")
_TIMES = ("time", "date", "timestamp", "datetime", "day", "month", "year", "period", "ts")
# With fewer records, uniqueness is no evidence.
_FEWEST = 2
# Combinations of many columns would be unique by chance.
_COMBINED = 6


@dataclass(frozen=True)
class Key:
    """A proposed primary key.

    Args:
        columns: its columns.
        reason: why, with counts.
        confidence: how sure the choice is.
    """

    columns: list[SampledColumn]
    reason: str
    confidence: Confidence


def find_key(columns: list[SampledColumn], count: int) -> Key | None:
    """Find a column, or two, whose values are unique and never null in the sample, and whose name fits.

    Args:
        columns: the columns with the values of the sample.
        count: the number of records of the sample.
    """
    if count < _FEWEST:
        return None
    complete = [column for column in columns if all(map(_identifies, column.values))]
    named = sorted((rank, index) for index, column in enumerate(complete) if (rank := _rank(column)) is not None)
    for rank, index in named:
        column = complete[index]
        if _is_unique([column]):
            confidence: Confidence = "likely" if rank < len(_NAMES) + 100 else "guess"
            return Key([column], f"`{column.name}` {_evidence(count)}.", confidence)
    times = [column for column in complete if _is_time(column)]
    for column in times:
        if _is_unique([column]):
            return Key([column], f"`{column.name}` {_evidence(count)}: one record for each time.", "likely")
    # Of several columns that name the same thing, the first is enough.
    entities = [complete[index] for _, index in named][:_COMBINED]
    for pair in [*((entity, time) for entity in entities for time in times), *combinations(entities, 2)]:
        if _is_unique(pair):
            names = " and ".join(f"`{column.name}`" for column in pair)
            return Key(list(pair), f"{names} together are unique and not null in {plural(count, 'record')}.", "likely")
    return None


def no_key_reason(count: int) -> str:
    """Why no primary key is proposed.

    Args:
        count: the number of records of the sample.
    """
    if count < _FEWEST:
        return f"None: {plural(count, 'record')} cannot show what is unique."
    return f"None: no column that is named like an identifier is unique and not null in {plural(count, 'record')}."


def _evidence(count: int) -> str:
    return f"is unique and not null in {plural(count, 'record')}"


def _identifies(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and value != ""


def _is_unique(columns: list[SampledColumn] | tuple[SampledColumn, ...]) -> bool:
    rows = list(zip(*(column.values for column in columns), strict=True))
    return len(set(rows)) == len(rows)


def _rank(column: SampledColumn) -> int | None:
    """The lower, the better; None if the name is not that of an identifier."""
    name = str(column.path[-1]) if isinstance(column.path[-1], str) else column.name
    # A key of an object within the record identifies that object, not the record.
    depth = 40 * (len([step for step in column.path if isinstance(step, str)]) - _wrappers(column) - 1)
    plain = plain_name(name)
    if plain in _NAMES:
        return depth + _NAMES.index(plain)
    if _ENDS.search(name):
        return depth + len(_NAMES)
    return depth + 200 if plain in _WEAK else None


def _wrappers(column: SampledColumn) -> int:
    return int(len(column.path) > 1 and column.name == "_".join(map(str, column.path[1:])))


def _is_time(column: SampledColumn) -> bool:
    words = re.split(r"[_\W]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column.name).lower())
    return words[-1] in _TIMES
