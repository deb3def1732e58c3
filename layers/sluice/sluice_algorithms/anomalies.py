"""Unusual values in a table: beside the trend and season of a series, or beside the median of a column."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from sluice.algorithms.algorithm import Algorithm, Input, Result, ResultTable, Solution, TableInput, Task
from sluice.domain.base import Document, Record
from sluice.domain.schema import Column
from sluice.settings import load_settings
from sluice.tables.columns import (
    columns_without_rows,
    count_rows,
    number_column,
    number_columns,
    plain_columns,
    refusal,
    result_columns,
)
from sluice.tables.series import STEP_PATTERN, Aggregate, SeriesRequest, read_series
from sluice.tables.values import read_values

if TYPE_CHECKING:
    from sluice.numeric.robust import Judged

_ADDED = [
    Column(name="column", type="string", nullable=False),
    Column(name="value", type="double", nullable=False),
    *(Column(name=name, type="double") for name in ("expected", "lower", "upper", "score")),
    Column(name="is_anomaly", type="boolean", nullable=False),
]
# Values so unusual are left out of the search for a season.
_WILD = 5.0


class Parameters(Document):
    """Which values to judge, and what counts as unusual."""

    time: str | None = Field(
        None,
        description="The column of times: a timestamp, a date or whole numbers. null: rows have no order, and values "
        "are compared with the median of their column and group.",
    )
    values: list[str] | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="The numeric columns to judge, each on its own; null: all that no other parameter names.",
    )
    groups: list[str] = Field([], max_length=10, description="Columns that tell series apart, or groups of rows.")
    keys: list[str] = Field(
        [], max_length=10, description="Without `time`: columns that tell rows apart; they stand in the result."
    )
    season: int | None = Field(
        None, ge=1, le=1440, description="How many periods a season has; 1: there is none; null: it is detected."
    )
    threshold: float = Field(
        4.0, gt=0, le=100, description="From how many robust standard deviations on a value is an anomaly."
    )
    step: Annotated[str, STEP_PATTERN] | None = Field(
        None,
        description="The distance of times: a number and `s`, `m` (minutes), `h`, `d`, `w`, `mo` (months) or `y`. "
        "Times become the beginning of their step. null: inferred from the times.",
    )
    aggregate: Aggregate | None = Field(
        None, description="What several values of one time become; null: they are an error."
    )
    only_anomalies: bool = Field(False, description="Whether the table has anomalies only, else all values.")


class JudgedGroup(Record):
    """A series, or a group of rows, in one column."""

    column: str = Field(description="The column of the values.")
    group: dict[str, Any] = Field(description="The values of the columns in `groups`.")
    season: int | None = Field(description="How many periods a season has; 1: there is none; null without `time`.")
    scale: float | None = Field(
        description="The usual distance from the expected value, as a standard deviation by medians; null: too few "
        "values to know."
    )
    values: int = Field(description="How many values were judged.")
    anomalies: int = Field(description="How many of them are anomalies.")


class Output(Record):
    """How many anomalies there are."""

    step: str | None = Field(description="The distance of times, such as `1h`; null without `time` or rows.")
    threshold: float = Field(description="From how many robust standard deviations on a value is an anomaly.")
    values: int = Field(description="How many values were judged.")
    anomalies: int = Field(description="How many of them are anomalies.")
    groups: list[JudgedGroup] = Field(description="By column in the order of `values`, then by the groups' values.")


@dataclass(frozen=True)
class _Part:
    """Judged values of one column and group.

    Args:
        group: the group's values.
        places: what stands before the column's name in each row: group, keys or time.
        values: the values.
        judged: what is expected of them; None: they are too few.
        season: the season.
    """

    group: list[Any]
    places: list[list[Any]]
    values: list[float]
    judged: Judged | None
    season: int | None


@dataclass(frozen=True)
class _JudgedColumn:
    """One column whose values were judged.

    Args:
        parts: its groups.
        warnings: what was left out or is missing, as sentences.
        times: the column of times, if there is one.
        step: the distance of times; None without times.
    """

    parts: list[_Part]
    warnings: list[str]
    times: list[Column] = field(default_factory=list)
    step: str | None = None


def _solve(task: Task, prepared: Any, restart: int) -> Solution:
    parameters: Parameters = task.parameters
    table = task.tables["data"]
    _check_keys(parameters)
    if not count_rows(table):
        return _without_rows(task, parameters)
    groups = plain_columns(table, parameters.groups, "groups")
    keys = plain_columns(table, parameters.keys, "keys")
    names = _value_names(table, parameters)
    judge_column = _judge_rows if parameters.time is None else _judge_series
    document = _empty_document(parameters)
    rows: list[list[Any]] = []
    times: list[Column] = []
    warnings: dict[str, None] = {}
    for number, name in enumerate(names):
        judged = judge_column(table, name, parameters)
        document["step"], times = judged.step, judged.times
        warnings |= dict.fromkeys(judged.warnings)
        for part in judged.parts:
            rows += _add(document, part, name, parameters)
        task.progress(number + 1, len(names), f"{number + 1} of {len(names)} columns")
    few = sum(group["scale"] is None for group in document["groups"])
    if few:
        warnings[f"Groups with too few values to know what is usual: {few}; none is an anomaly."] = None
    columns, renamed = result_columns([*groups, *keys, *times], _ADDED)
    for warning in (*renamed, *warnings):
        task.warn(warning)
    return _solution(document, columns, rows)


def _check_keys(parameters: Parameters) -> None:
    if parameters.time is not None and parameters.keys:
        raise refusal("keys", "Keys are only for tables without time: a series has one row for each time.")
    for index, name in enumerate(parameters.keys):
        if name in parameters.groups:
            raise refusal(f"keys/{index}", f"The column {name} is among the groups, so it is in the result already.")


def _empty_document(parameters: Parameters) -> dict[str, Any]:
    return {"step": None, "threshold": parameters.threshold, "values": 0, "anomalies": 0, "groups": []}


def _solution(document: dict[str, Any], columns: list[Column], rows: list[list[Any]]) -> Solution:
    return Solution({"document": document, "columns": [column.model_dump() for column in columns], "rows": rows})


def _without_rows(task: Task, parameters: Parameters) -> Solution:
    """No anomalies: a refresh goes on until its data come."""
    times = [] if parameters.time is None else [parameters.time]
    places = columns_without_rows(task.tables["data"], [*parameters.groups, *parameters.keys, *times])
    columns, renamed = result_columns(places, _ADDED)
    for warning in (*renamed, "The table has no rows, so no value is judged."):
        task.warn(warning)
    return _solution(_empty_document(parameters), columns, [])


def _finish(task: Task, prepared: Any, solved: Any) -> Result:
    columns = [Column.model_validate(column) for column in solved["columns"]]
    return Result(solved["document"], {"main": ResultTable(columns, solved["rows"])})


def _value_names(table: TableInput, parameters: Parameters) -> list[str]:
    if parameters.values is not None:
        for index, name in enumerate(parameters.values):
            number_column(table, name, f"values/{index}")
        return list(dict.fromkeys(parameters.values))
    used = {parameters.time, *parameters.groups, *parameters.keys}
    names = [name for name in number_columns(table) if name not in used]
    if not names:
        raise refusal("values", "The table has no numeric column that no other parameter names.")
    return names


def _judge_series(table: TableInput, name: str, parameters: Parameters) -> _JudgedColumn:
    import numpy as np

    from sluice.numeric.batch import Batch
    from sluice.numeric.robust import FEWEST, judge_series
    from sluice.numeric.seasons import detect_period

    assert parameters.time is not None, "rows are judged without"
    limit = load_settings().series_points
    request = SeriesRequest(
        parameters.time, name, parameters.groups, parameters.step, parameters.aggregate, limit, "values"
    )
    series = read_series(table, request)
    arrays = [np.array(item.values) for item in series.series]
    season = parameters.season
    if season is None:
        calm = [_without_wild(values, judge_series(values, 1)) for values in arrays]
        season = detect_period(Batch.of(sorted(calm, key=len, reverse=True)), series.grid.periods())
    parts, short = [], 0
    for item, values in zip(series.series, arrays, strict=True):
        seen = np.flatnonzero(~np.isnan(values))
        # Less than two seasons have no neighbors to compare with.
        period = season if len(values) >= 2 * season else 1
        short += period < season
        judged = judge_series(values, period) if len(seen) >= FEWEST else None
        places = [[*item.group, series.time_text(item, item.first + int(index))] for index in seen]
        parts.append(_Part(item.group, places, [item.values[index] for index in seen], _only(judged, seen), period))
    warnings = series.warnings
    if short:
        text = f"Series of {name} with fewer than two seasons of {season} periods, judged without a season"
        warnings = [*warnings, f"{text}: {short} of {len(parts)}."]
    return _JudgedColumn(parts, warnings, [series.time], series.grid.step)


def _without_wild(values: Any, judged: Judged) -> list[float]:
    import numpy as np

    wild = np.abs(np.nan_to_num(judged.scores)) > _WILD
    return [float(value) for value in np.where(wild, judged.expected, values)]


def _only(judged: Judged | None, seen: Any) -> Judged | None:
    from dataclasses import replace

    if judged is None:
        return None
    return replace(judged, expected=judged.expected[seen], scores=judged.scores[seen])


def _judge_rows(table: TableInput, name: str, parameters: Parameters) -> _JudgedColumn:
    import numpy as np

    from sluice.numeric.robust import FEWEST, judge

    rows = read_values(table, name, parameters.groups, parameters.keys, load_settings().series_points)
    size, parts = len(parameters.groups), []
    for group, members in groupby(rows.rows, lambda row: row[:size]):
        places, values = [], []
        for *place, value in members:
            places.append(place)
            values.append(value)
        judged = judge(np.array(values)) if len(values) >= FEWEST else None
        parts.append(_Part(group, places, values, judged, None))
    return _JudgedColumn(parts, rows.warnings)


def _add(document: dict[str, Any], part: _Part, name: str, parameters: Parameters) -> list[list[Any]]:
    """Add the counts of a group to the document; returns its rows."""
    rows: list[list[Any]] = []
    anomalies = 0
    for index, (place, value) in enumerate(zip(part.places, part.values, strict=True)):
        cells: list[Any] = [None] * 4
        unusual = False
        if part.judged is not None:
            expected, score = float(part.judged.expected[index]), float(part.judged.scores[index])
            width = parameters.threshold * part.judged.scale
            cells = [expected, expected - width, expected + width, score]
            unusual = abs(score) >= parameters.threshold
        anomalies += unusual
        if unusual or not parameters.only_anomalies:
            rows.append([*place, name, value, *cells, unusual])
    document["values"] += len(part.values)
    document["anomalies"] += anomalies
    document["groups"].append(
        {
            "column": name,
            "group": dict(zip(parameters.groups, part.group, strict=True)),
            "season": part.season,
            "scale": part.judged.scale if part.judged else None,
            "values": len(part.values),
            "anomalies": anomalies,
        }
    )
    return rows


ALGORITHM = Algorithm(
    title="Anomalies",
    description="Looks for unusual values: beside the trend and season of each series, or, in a table without time, "
    "beside the median of each column. Medians decide what is usual, so that anomalies do not hide each other.",
    layer="numeric",
    inputs={"data": Input(("table",), "The dataset or model with the values.")},
    parameters=Parameters,
    output=Output,
    solve=_solve,
    finish=_finish,
    tables={"main": "Each value with what was expected, its bounds, its score, and whether it is an anomaly."},
    code=(
        "sluice.numeric",
        "sluice.tables.columns",
        "sluice.tables.values",
        "sluice.tables.series",
    ),
    packages=("numpy",),
)
