"""Time series of a table: one for each group, on a regular grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Literal

from sluice.algorithms.algorithm import TableInput
from sluice.domain.names import quoted
from sluice.domain.schema import Column, is_decimal
from sluice.numeric.time_grid import DAY, STEP_PATTERN, Grid, MonthGrid, infer_grid, step_grid, text_of
from sluice.tables.columns import (
    LARGEST,
    column_of,
    number_column,
    plain_columns,
    refusal,
    stored,
    too_large,
)

__all__ = ["STEP_PATTERN", "Aggregate", "Series", "SeriesRequest", "SeriesTable", "read_series"]

Aggregate = Literal["sum", "mean", "min", "max", "median", "count"]

# Sums are in the order of the values: another order has other rounding errors.
_AGGREGATES = {
    "sum": "sum(v ORDER BY v)",
    "mean": "sum(v ORDER BY v) / count(v)",
    "min": "min(v)",
    "max": "max(v)",
    "median": "median(v)",
    "count": "count(v)::DOUBLE",
}
_UNITS = {"timestamp": 1, "date": DAY, "bigint": 0}
_LONGEST_GAP_LIST = 3


@dataclass(frozen=True)
class SeriesRequest:
    """Which columns are the series of a table.

    Args:
        time: the column of times.
        value: the column of values.
        groups: the columns that tell series apart; without any there is one series.
        step: the distance of times; None: inferred from them.
        aggregate: what several values of one time become; None: they are an error.
        most_points: most times of all series together.
        parameter: the parameter that names the column of values.
    """

    time: str
    value: str
    groups: Sequence[str]
    step: str | None
    aggregate: Aggregate | None
    most_points: int
    parameter: str = "value"


@dataclass(frozen=True)
class Series:
    """One series.

    Args:
        group: the values of the group's columns, as tables store them.
        first: the number of its first time on the grid.
        values: the value of each time from then on; NaN where there is none.
        offset: what to add to the grid's times: series of one table may be shifted against each other.
    """

    group: list[Any]
    first: int
    values: list[float]
    offset: int


@dataclass(frozen=True)
class SeriesTable:
    """The series of a table.

    Args:
        time: the column of times.
        groups: the columns of groups.
        grid: the grid of times.
        unit: microseconds in the unit of times; 0 for plain numbers.
        series: in the order of their groups, each with at least one value.
        warnings: what was left out or is missing, as sentences.
    """

    time: Column
    groups: list[Column]
    grid: Grid
    unit: int
    series: list[Series]
    warnings: list[str]

    def time_text(self, series: Series, index: int) -> str | int:
        """The time of a number on the grid, as tables store it."""
        return text_of(self.grid.time(index) + series.offset, self.unit)


def read_series(table: TableInput, request: SeriesRequest) -> SeriesTable:
    """Read the series of a table.

    Args:
        table: the table.
        request: which columns.

    Raises:
        Invalid: a column does not exist or has a wrong type; there is no row with a time and a value; values are
            infinite; a time has several values, but no aggregate is given; the times are not regular; or there are more
            than `most_points` times.
    """
    time = _time_column(table, request.time)
    number_column(table, request.value, request.parameter)
    groups = plain_columns(table, request.groups, "groups")
    for index, name in enumerate(request.groups):
        if name in (request.time, request.value):
            raise refusal(f"groups/{index}", f"The column {name} is the series' time or value, so it is no group.")
    unit = _UNITS[time.type]
    if request.step is not None and not unit:
        raise refusal("step", f"The times in {time.name} are numbers; a step is only for dates and timestamps.")
    warnings = _checked(table, request, _finite(time))
    fixed = _fixed_grid(request.step, unit)
    moment = _bucket(_number_of(time), fixed, unit)
    rows = _grouped_rows(table, request, moment, _finite(time))
    points = _points(rows, request)
    warnings += [f"The group {_text(group)} has no value and is left out." for group, times in points if not times]
    points = [(group, times) for group, times in points if times]
    grid = fixed or _inferred(points, unit)
    _require_grid(points, grid, request.most_points)
    series = [_series(group, times, grid) for group, times in points]
    return SeriesTable(time, groups, grid, unit, series, [*warnings, *_gap_warnings(series)])


def _time_column(table: TableInput, name: str) -> Column:
    column = column_of(table, name, "time")
    kind = "bigint" if is_decimal(column.type) and column.type.endswith(",0)") else column.type
    if kind not in _UNITS:
        message = f"The column {name} is of type {column.type}; times are a timestamp, a date, or whole numbers."
        raise refusal("time", message)
    return column.model_copy(update={"type": kind})


def _finite(time: Column) -> str:
    """The SQL of a time; null if it is infinite."""
    cell = quoted(time.name)
    return cell if time.type == "bigint" else f"CASE WHEN isfinite({cell}) THEN {cell} END"


def _number_of(time: Column) -> str:
    """The SQL of a finite time as a whole number."""
    cell = quoted(time.name)
    if time.type == "timestamp":
        return f"epoch_us({cell})"
    return f"date_diff('day', DATE '1970-01-01', {cell})" if time.type == "date" else f"{cell}::BIGINT"


def _checked(table: TableInput, request: SeriesRequest, time: str) -> list[str]:
    """Refuse values that no series can have; warnings about those that are left out."""
    value = f"{quoted(request.value)}::DOUBLE"
    [counts] = table.query(
        f"SELECT count(*) AS rows, count({time}) AS times, count({value}) FILTER (({time}) IS NOT NULL) AS usable, "
        f"count(*) FILTER (abs({value}) > {LARGEST!r} AND NOT isnan({value})) AS infinite, "
        f"count(*) FILTER (isnan({value})) AS nan FROM data"
    )
    if counts["infinite"]:
        raise too_large(request.value, counts["infinite"], request.parameter)
    if counts["usable"] <= counts["nan"]:
        raise refusal(request.parameter, f"No row has both a time in {request.time} and a value in {request.value}.")
    warnings = []
    if counts["times"] < counts["rows"]:
        missing = counts["rows"] - counts["times"]
        warnings.append(f"Rows without a time in {request.time} are left out: {missing} of {counts['rows']}.")
    if counts["nan"]:
        warnings.append(f"Values that are not a number (NaN) in {request.value} count as missing: {counts['nan']}.")
    return warnings


def _fixed_grid(step: str | None, unit: int) -> Grid | None:
    if step is None:
        return None
    try:
        return step_grid(step, unit)
    except ValueError as error:
        raise refusal("step", f"{str(error)[0].upper()}{str(error)[1:]}.") from None


def _bucket(number: str, grid: Grid | None, unit: int) -> str:
    """The SQL of the time at which a time's step begins."""
    if grid is None:
        return number
    if isinstance(grid, MonthGrid):
        day = f"(DATE '1970-01-01' + ({_floored(number, DAY // unit)} // {DAY // unit})::INTEGER)"
        month = f"(year({day}) * 12 + month({day}) - 1) // {grid.months} * {grid.months}"
        return f"date_diff('day', DATE '1970-01-01', make_date({month} // 12, {month} % 12 + 1, 1)) * {DAY // unit}"
    origin, size = grid.time(0), grid.time(1) - grid.time(0)
    return f"{origin} + {_floored(f'({number} - {origin})', size)}"


def _floored(number: str, size: int) -> str:
    """The SQL of the largest multiple of a size that is not above a number; `//` and `%` round towards zero."""
    return f"({number} - (({number}) % {size} + {size}) % {size})"


def _grouped_rows(table: TableInput, request: SeriesRequest, moment: str, time: str) -> list[dict[str, Any]]:
    value = f"{quoted(request.value)}::DOUBLE"
    cells = [f"{quoted(name)} AS g{index}" for index, name in enumerate(request.groups)]
    names = [f"g{index}" for index in range(len(request.groups))]
    source = (
        f"SELECT {', '.join([*cells, f'{moment} AS t'])}, CASE WHEN NOT isnan({value}) THEN {value} END AS v "
        f"FROM data WHERE ({time}) IS NOT NULL"
    )
    aggregate = _AGGREGATES[request.aggregate or "max"]
    keys = ", ".join([*names, "t"])
    rows = table.query(
        f"SELECT {keys}, count(v) AS n, {aggregate} AS v FROM ({source}) GROUP BY {keys} "
        f"ORDER BY {', '.join(f'{name} NULLS LAST' for name in [*names, 't'])} LIMIT {request.most_points + 1}"
    )
    if len(rows) > request.most_points:
        message = f"The series have more than {request.most_points} times: select fewer rows, or give a larger step."
        raise refusal("step", message)
    return rows


def _points(rows: list[dict[str, Any]], request: SeriesRequest) -> list[tuple[list[Any], list[tuple[int, float]]]]:
    """The times and values of each group; times without a value are left out."""
    size = len(request.groups)
    repeated = [row for row in rows if row["n"] > 1]
    if repeated and request.aggregate is None:
        names = ", ".join(f"{name} {stored(repeated[0][f'g{index}'])}" for index, name in enumerate(request.groups))
        message = (
            f"Times with several values: {len(repeated)}{', first in ' + names if names else ''}. "
            "Give aggregate, such as mean, or groups that tell the series apart."
        )
        raise refusal("aggregate", message)
    # One null of a count is no value, but a sum of nothing is null in SQL, too.
    return [
        (list(group), [(row["t"], row["v"]) for row in members if row["n"]])
        for group, members in groupby(rows, lambda row: tuple(stored(row[f"g{index}"]) for index in range(size)))
    ]


def _inferred(points: list[tuple[list[Any], list[tuple[int, float]]]], unit: int) -> Grid:
    try:
        return infer_grid([[time for time, _ in times] for _, times in points], unit)
    except ValueError as error:
        raise refusal("step", f"{str(error)[0].upper()}{str(error)[1:]}.") from None


def _require_grid(points: list[tuple[list[Any], list[tuple[int, float]]]], grid: Grid, most: int) -> None:
    """Refuse a grid with too many times, most of which would have no value."""
    count = sum(grid.index(times[-1][0]) - grid.index(times[0][0]) + 1 for _, times in points)
    if count > most:
        message = (
            f"From the first to the last value there are {count} times at distances of {grid.step}, more than {most}: "
            "give a larger step, or select fewer rows."
        )
        raise refusal("step", message)


def _series(group: list[Any], times: list[tuple[int, float]], grid: Grid) -> Series:
    first, last = grid.index(times[0][0]), grid.index(times[-1][0])
    values = [math.nan] * (last - first + 1)
    for time, value in times:
        values[grid.index(time) - first] = value
    return Series(group, first, values, times[0][0] - grid.time(first))


def _gap_warnings(series: list[Series]) -> list[str]:
    gaps = [(item, sum(map(math.isnan, item.values))) for item in series]
    gaps = [(item, missing) for item, missing in gaps if missing]
    if not gaps:
        return []
    missing, whole = sum(count for _, count in gaps), sum(len(item.values) for item in series)
    groups = [f"{_text(item.group)} {count}" for item, count in gaps if item.group]
    more = f", and {len(groups) - _LONGEST_GAP_LIST} more groups" if len(groups) > _LONGEST_GAP_LIST else ""
    listed = f" ({', '.join(groups[:_LONGEST_GAP_LIST])}{more})" if groups else ""
    return [f"Times without a value: {missing} of {whole}{listed}. Models pass over them."]


def _text(group: list[Any]) -> str:
    return " ".join("null" if value is None else str(value) for value in group)
