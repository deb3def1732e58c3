"""What is in each column: counts, extremes, moments, quantiles, frequent values and histograms."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from sluice.algorithms.algorithm import TableInput
from sluice.domain.names import quoted
from sluice.domain.schema import Column, is_number
from sluice.tables.profiles.exact import exact_sum, power_above, root, sum_of, times_power, unit

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
TEXT_LENGTH = 200
# A column of a large table with more different values has none that is frequent enough to look for.
_MOST_COUNTED = 100_000


@dataclass(frozen=True)
class Frequent:
    """A frequent value.

    Args:
        text: the value as text, at most `TEXT_LENGTH` characters of it.
        rows: how many rows have it.
    """

    text: str
    rows: int


@dataclass(frozen=True)
class Bin:
    """A part of a histogram, with its lower bound; only the last part includes its upper bound."""

    lower: float
    upper: float
    rows: int


@dataclass
class ColumnProfile:
    """What is in a column.

    Args:
        column: the column.
        nulls: how many rows have no value.
        not_finite: how many values are infinite or not a number; moments and quantiles leave them out.
        minimum: the smallest value as text, finite if there is a finite one; None without values.
        maximum: the largest value as text.
        low: the smallest finite number, of numeric columns.
        high: the largest finite number, of numeric columns.
        distinct: how many different values there are.
        exact: whether `distinct` is exact.
        mean: of finite numbers.
        deviation: their sample standard deviation.
        quantiles: of finite numbers, at `QUANTILES`.
        frequent: the most frequent values.
        bins: the histogram of finite numbers.
    """

    column: Column
    nulls: int
    not_finite: int
    minimum: str | None
    maximum: str | None
    low: float | None
    high: float | None
    distinct: int
    exact: bool = False
    mean: float | None = None
    deviation: float | None = None
    quantiles: list[float] = field(default_factory=list)
    frequent: list[Frequent] = field(default_factory=list)
    bins: list[Bin] = field(default_factory=list)


def number(column: Column) -> str:
    """The SQL of a finite number of a numeric column; null if it is not finite."""
    cell = quoted(column.name)
    return f"CASE WHEN isfinite({cell}) THEN {cell} END" if column.type == "double" else f"{cell}::DOUBLE"


def profile_column(table: TableInput, column: Column, rows: int, exact: bool, top: int, bins: int) -> ColumnProfile:
    """Look at a column.

    Args:
        table: the table.
        column: the column.
        rows: the number of rows.
        exact: whether different values are counted exactly.
        top: how many frequent values.
        bins: how many parts a histogram has.
    """
    profile = _counts(table, column, rows)
    if exact or profile.distinct <= _MOST_COUNTED:
        _add_frequent(table, profile, top)
    if profile.low is not None and profile.high is not None:
        _add_moments(table, profile, profile.low, profile.high)
        _add_quantiles(table, profile, rows)
        _add_bins(table, profile, profile.low, profile.high, bins)
    return profile


def _value(column: Column) -> str:
    """The SQL of a value that can be compared."""
    cell = quoted(column.name)
    return f"{cell}::VARCHAR" if column.type == "json" else cell


def _counts(table: TableInput, column: Column, rows: int) -> ColumnProfile:
    value, numeric = _value(column), is_number(column.type)
    finite = number(column) if numeric else value
    cells = [
        f"count({value}) AS present",
        f"count({finite}) AS finite",
        f"approx_count_distinct({value}) AS distinct_values",
        f"coalesce(min({_finite(column)}), min({value}))::VARCHAR AS minimum",
        f"coalesce(max({_finite(column)}), max({value}))::VARCHAR AS maximum",
        f"min({finite}) AS low" if numeric else "NULL AS low",
        f"max({finite}) AS high" if numeric else "NULL AS high",
    ]
    [row] = table.query(f"SELECT {', '.join(cells)} FROM data")
    return ColumnProfile(
        column,
        nulls=rows - row["present"],
        not_finite=row["present"] - row["finite"],
        minimum=_shortened(row["minimum"]),
        maximum=_shortened(row["maximum"]),
        low=row["low"],
        high=row["high"],
        distinct=min(row["distinct_values"], row["present"]),
    )


def _finite(column: Column) -> str:
    return number(column) if column.type == "double" else _value(column)


def _shortened(text: str | None) -> str | None:
    return None if text is None else text[:TEXT_LENGTH]


def _add_frequent(table: TableInput, profile: ColumnProfile, top: int) -> None:
    value = _value(profile.column)
    rows = table.query(
        f"WITH counted AS (SELECT {value} AS value, count(*) AS n FROM data WHERE {value} IS NOT NULL GROUP BY 1) "
        "SELECT value::VARCHAR AS value, n, (SELECT count(*) FROM counted) AS distinct_values "
        f"FROM counted ORDER BY n DESC, counted.value LIMIT {max(top, 1)}"
    )
    profile.distinct, profile.exact = (rows[0]["distinct_values"] if rows else 0), True
    profile.frequent = [Frequent(row["value"][:TEXT_LENGTH], row["n"]) for row in rows[:top]]


def _add_moments(table: TableInput, profile: ColumnProfile, low: float, high: float) -> None:
    cell = number(profile.column)
    power = power_above(max(abs(low), abs(high)))
    [row] = table.query(f"SELECT {exact_sum(unit(cell, power))} AS total, count({cell}) AS n FROM data")
    count = int(row["n"])
    mean = times_power(sum_of(row["total"]) / count, power)
    # The mean of equal values is one of them.
    profile.mean = min(max(mean, low), high)
    apart = max(high - profile.mean, profile.mean - low)
    if count < 2 or not math.isfinite(apart):
        return
    power = power_above(apart)
    distance = unit(f"({cell} - '{profile.mean!r}'::DOUBLE)", power)
    [row] = table.query(f"SELECT {exact_sum(f'{distance} * {distance}')} AS squares FROM data")
    profile.deviation = root(sum_of(row["squares"]) / (count - 1) * Fraction(4) ** power)


def _add_quantiles(table: TableInput, profile: ColumnProfile, rows: int) -> None:
    """Quantiles between the values nearest to them, from a sort that the engine can spill to disk."""
    count = rows - profile.nulls - profile.not_finite
    positions = [(count - 1) * quantile for quantile in QUANTILES]
    places = sorted({place for position in positions for place in (math.floor(position), math.ceil(position))})
    values = order_statistics(table, number(profile.column), places)
    for position in positions:
        before, after = values[math.floor(position)], values[math.ceil(position)]
        share = position - math.floor(position)
        # Both ends are multiplied, since their difference might not be a double.
        between = before if before == after else before * (1 - share) + after * share
        profile.quantiles.append(min(max(between, before), after))


def order_statistics(table: TableInput, cell: str, places: Sequence[int]) -> dict[int, float]:
    """The values at places of the ordered values, from 0."""
    numbers = ", ".join(str(place + 1) for place in places)
    rows = table.query(
        f"SELECT place, v FROM (SELECT {cell} AS v, row_number() OVER (ORDER BY {cell}) AS place FROM data "
        f"WHERE {cell} IS NOT NULL) WHERE place IN ({numbers}) ORDER BY place"
    )
    return {row["place"] - 1: row["v"] for row in rows}


def _add_bins(table: TableInput, profile: ColumnProfile, low: float, high: float, bins: int) -> None:
    width = (high - low) / bins
    if not math.isfinite(width):
        return
    if low + width == low:
        # Between equal values, or values next to each other, is no room for parts.
        bins, width = 1, high - low
    cell = number(profile.column)
    place = "0" if bins == 1 else (
        f"least(floor(({cell} - '{low!r}'::DOUBLE) / '{width!r}'::DOUBLE)::BIGINT, {bins - 1})"
    )  # fmt: skip
    rows = table.query(
        f"SELECT {place} AS place, count(*) AS n FROM data WHERE {cell} IS NOT NULL GROUP BY 1 ORDER BY 1"
    )
    counts = {row["place"]: row["n"] for row in rows}
    edges = [low + width * index for index in range(bins)] + [high]
    profile.bins = [Bin(edges[index], edges[index + 1], counts.get(index, 0)) for index in range(bins)]
