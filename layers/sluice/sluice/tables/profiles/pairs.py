"""What columns have to do with each other: correlations, and keys of one or two columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

from sluice.algorithms.algorithm import TableInput
from sluice.domain.names import quoted
from sluice.tables.profiles.columns import ColumnProfile, number
from sluice.tables.profiles.exact import exact_sum, power_above, root, sum_of, unit

# Doubles are measurements: that no two are equal is chance.
_NO_KEYS = ("double", "json")
# Columns whose pairs are tried as keys: those with the most different values.
_MOST_KEY_COLUMNS = 10


@dataclass(frozen=True)
class Correlation:
    """How two columns vary together; None where one of them does not vary.

    Args:
        first: the name of one column.
        second: the name of the other one.
        rows: how many rows have a finite number in both.
        pearson: the correlation of the values.
        spearman: the correlation of their ranks, equal values having the mean of theirs.
    """

    first: str
    second: str
    rows: int
    pearson: float | None
    spearman: float | None


def correlate(table: TableInput, first: ColumnProfile, second: ColumnProfile) -> Correlation:
    """Correlate two numeric columns over the rows that have both.

    Args:
        table: the table.
        first: a column with a mean.
        second: another column with a mean.
    """
    x, y = number(first.column), number(second.column)
    places = {
        "x": unit(f"(x - '{first.mean!r}'::DOUBLE)", _power(first)),
        "y": unit(f"(y - '{second.mean!r}'::DOUBLE)", _power(second)),
    }
    values = {f"v{name}": exact_sum(cell) for name, cell in _products(places["x"], places["y"]).items()}
    ranks = {f"r{name}": f"coalesce(sum({cell}), 0)::VARCHAR" for name, cell in _products("rx", "ry").items()}
    sums = ", ".join(f"{cell} AS {name}" for name, cell in {**values, **ranks}.items())
    # The sum of the lowest and the highest rank of equal values is twice the mean rank.
    rank = "(rank() OVER (ORDER BY {0}) + count(*) OVER (ORDER BY {0}))::HUGEINT AS r{0}"
    [row] = table.query(
        f"WITH pairs AS (SELECT {x} AS x, {y} AS y FROM data WHERE {x} IS NOT NULL AND {y} IS NOT NULL), "
        f"ranked AS (SELECT x, y, {rank.format('x')}, {rank.format('y')} FROM pairs) "
        f"SELECT count(*) AS n, {sums} FROM ranked"
    )
    count = int(row["n"])
    return Correlation(
        first.column.name,
        second.column.name,
        count,
        _coefficient(count, *(sum_of(row[name]) for name in values)),
        _coefficient(count, *(Fraction(int(row[name])) for name in ranks)),
    )


def _power(profile: ColumnProfile) -> int:
    assert profile.mean is not None
    assert profile.low is not None
    assert profile.high is not None
    return power_above(max(profile.high - profile.mean, profile.mean - profile.low))


def _products(x: str, y: str) -> dict[str, str]:
    return {"x": x, "y": y, "xx": f"{x} * {x}", "yy": f"{y} * {y}", "xy": f"{x} * {y}"}


def _coefficient(count: int, x: Fraction, y: Fraction, xx: Fraction, yy: Fraction, xy: Fraction) -> float | None:
    spread = (count * xx - x * x) * (count * yy - y * y)
    if count < 2 or spread <= 0:
        return None
    together = count * xy - x * y
    size = min(root(together * together / spread), 1.0)
    return size if together >= 0 else -size


def candidate_keys(table: TableInput, profiles: Sequence[ColumnProfile], rows: int) -> list[list[str]]:
    """The columns, or else the pairs of columns, that tell all rows apart.

    Args:
        table: the table.
        profiles: its columns, whose different values were counted.
        rows: the number of rows.

    Returns:
        The keys, in the order of the columns; pairs only if no single column is a key. None without rows.
    """
    if not rows:
        return []
    complete = [
        profile for profile in profiles if profile.nulls == 0 and profile.exact and profile.column.type not in _NO_KEYS
    ]
    single = [[profile.column.name] for profile in complete if profile.distinct == rows]
    if single:
        return single
    likely = sorted(complete, key=lambda profile: -profile.distinct)[:_MOST_KEY_COLUMNS]
    pairs = [pair for pair in combinations(complete, 2) if pair[0] in likely and pair[1] in likely]
    return [
        [first.column.name, second.column.name]
        for first, second in pairs
        if first.distinct * second.distinct >= rows and _distinct(table, first, second) == rows
    ]


def _distinct(table: TableInput, first: ColumnProfile, second: ColumnProfile) -> int:
    cells = ", ".join(f"{quoted(profile.column.name)} AS {name}" for profile, name in ((first, "x"), (second, "y")))
    [row] = table.query(f"SELECT count(*) AS n FROM (SELECT DISTINCT {cells} FROM data)")
    return int(row["n"])
