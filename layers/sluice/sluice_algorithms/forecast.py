"""Forecasts of the series in a table, by exponential smoothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, field_validator

from sluice.algorithms.algorithm import Algorithm, Input, Result, ResultTable, Solution, Task
from sluice.domain.base import Document, Record
from sluice.domain.schema import Column
from sluice.settings import load_settings
from sluice.tables.columns import columns_without_rows, count_rows, refusal, result_columns
from sluice.tables.series import STEP_PATTERN, Aggregate, Series, SeriesRequest, SeriesTable, read_series

if TYPE_CHECKING:
    from sluice.numeric.forecasts import SeriesForecast

_MOST_LISTED = 5  # groups in a warning


class Parameters(Document):
    """What to forecast, and how far."""

    time: str = Field(description="The column of times: a timestamp, a date or whole numbers.")
    value: str = Field(description="The numeric column to forecast.")
    groups: list[str] = Field([], max_length=10, description="Columns that tell series apart; each has its forecast.")
    horizon: int = Field(12, ge=1, le=1000, description="How many periods to forecast.")
    season: int | None = Field(
        None, ge=1, le=1440, description="How many periods a season has; 1: there is none; null: it is detected."
    )
    levels: list[float] = Field(
        [0.8, 0.95], max_length=5, description="Probabilities of the intervals, such as 0.8: 8 of 10 values are inside."
    )
    step: Annotated[str, STEP_PATTERN] | None = Field(
        None,
        description="The distance of times: a number and `s`, `m` (minutes), `h`, `d`, `w`, `mo` (months) or `y`. "
        "Times become the beginning of their step. null: inferred from the times.",
    )
    aggregate: Aggregate | None = Field(
        None, description="What several values of one time become; null: they are an error."
    )
    history: int | None = Field(
        1000, ge=10, description="How many of the last periods of each series are used; null: all."
    )

    @field_validator("levels")
    @classmethod
    def _check_levels(cls, levels: list[float]) -> list[float]:
        if len(set(levels)) < len(levels):
            raise ValueError("a level is given twice")
        if any(not 0 < level < 1 for level in levels):
            raise ValueError("a level must be between 0 and 1, such as 0.95")
        if len({_percent(level) for level in levels}) < len(levels):
            raise ValueError("two levels differ by less than the names of their columns can say")
        return sorted(levels)


class Holdout(Record):
    """Errors on the last periods of a series, forecast from those before."""

    periods: int = Field(description="How many periods were held out.")
    mase: float | None = Field(
        description="Mean absolute error of the model, divided by that of the seasonal-naive forecast one season ahead "
        "in the past; null if nothing can be compared."
    )
    smape: float | None = Field(description="Symmetric mean absolute percentage error of the model, 0 to 200.")
    naive_mase: float | None = Field(description="`mase` of the seasonal-naive forecast on the same periods.")
    naive_smape: float | None = Field(description="`smape` of the seasonal-naive forecast on the same periods.")


class GroupForecast(Record):
    """The model of a series."""

    group: dict[str, Any] = Field(description="The values of the columns in `groups`.")
    model: str = Field(
        description="The model: error, trend and season as in `ETS(A,Ad,N)`; `naive`: too few values for a model."
    )
    parameters: dict[str, float] = Field(
        description="`alpha`, `beta`, `gamma`, `phi`, as far as the model has them, and `sigma`, the standard "
        "deviation of its errors, relative ones for `ETS(M,…)`."
    )
    aicc: float | None = Field(description="Corrected Akaike criterion, by which the model was selected.")
    level: float | None = Field(description="The level after the last period.")
    trend: float | None = Field(description="The trend in one period; null if the model has none.")
    season: list[float] = Field(description="The season of the next periods; empty if the model has none.")
    last_time: str | int = Field(description="The last time of the series.")
    values: int = Field(description="How many values were used.")
    missing: int = Field(description="How many periods between them have no value.")
    holdout: Holdout | None = Field(description="Errors on held-out periods; null if there were too few values.")
    better_than_naive: bool | None = Field(
        description="Whether the model's `mase` is below that of the seasonal-naive forecast; null if not known."
    )


class Output(Record):
    """The models that were selected."""

    step: str | None = Field(
        description="The distance of times, such as `1h`, `1mo` or `weekday`; null: the table has no rows."
    )
    season: int = Field(
        description="How many periods the season of the models has; 1: there is none, or all series are too short."
    )
    season_detected: bool = Field(description="Whether the season was looked for; else it was given.")
    groups: list[GroupForecast] = Field(description="The model of each series, in the order of the groups' values.")


def _solve(task: Task, prepared: Any, restart: int) -> Solution:
    from sluice.numeric.forecasts import forecast

    parameters: Parameters = task.parameters
    if not count_rows(task.tables["data"]):
        return _without_rows(task, parameters)
    request = SeriesRequest(
        parameters.time,
        parameters.value,
        parameters.groups,
        parameters.step,
        parameters.aggregate,
        load_settings().series_points,
    )
    table = read_series(task.tables["data"], request)
    columns, renamed = result_columns([*table.groups, table.time], _added(parameters.levels))
    used = [item.values[-parameters.history :] if parameters.history else item.values for item in table.series]
    season, unused = _season(parameters.season, table, used)
    forecasts = forecast(used, season, parameters.horizon, _watched(task))
    groups = [_group(table, index, forecasts[index], used[index]) for index in range(len(used))]
    document = {
        "step": table.grid.step,
        "season": season,
        "season_detected": parameters.season is None,
        "groups": groups,
    }
    rows = [row for index in range(len(used)) for row in _rows(table, index, forecasts[index], parameters.levels)]
    shorter = _history_warnings(table, parameters.history)
    for warning in (*renamed, *table.warnings, *shorter, *unused, *_model_warnings(groups, season)):
        task.warn(warning)
    return _solution(document, columns, rows)


def _solution(document: dict[str, Any], columns: list[Column], rows: list[list[Any]]) -> Solution:
    return Solution({"document": document, "columns": [column.model_dump() for column in columns], "rows": rows})


def _without_rows(task: Task, parameters: Parameters) -> Solution:
    """A forecast of nothing: a refresh goes on until its data come."""
    places = columns_without_rows(task.tables["data"], [*parameters.groups, parameters.time])
    columns, renamed = result_columns(places, _added(parameters.levels))
    for warning in (*renamed, "The table has no rows, so nothing is forecast."):
        task.warn(warning)
    return _solution({"step": None, "season": 1, "season_detected": False, "groups": []}, columns, [])


def _season(given: int | None, table: SeriesTable, used: list[list[float]]) -> tuple[int, list[str]]:
    """The season of the models, and a warning if all series are too short for it, so that there is none."""
    from sluice.numeric.batch import Batch
    from sluice.numeric.forecasts import fewest_for_season
    from sluice.numeric.seasons import detect_period

    season = given
    if season is None:
        season = detect_period(Batch.of(sorted(used, key=len, reverse=True)), table.grid.periods())
    if season == 1:
        return 1, []
    most = max(sum(value == value for value in values) for values in used)
    needed = fewest_for_season(season)
    if most >= needed:
        return season, []
    return 1, [f"A season of {season} periods needs {needed} values, but no series has more than {most}: none is used."]


def _watched(task: Task) -> Callable[[int, int], None]:
    """Note the progress, and refuse series that will not be done in time rather than lose the run."""
    begun = task.seconds_left()

    def note(done: int, whole: int) -> None:
        task.progress(done, whole, f"{done} of {whole} models")
        left = task.seconds_left()
        needed = (begun - left) / done * (whole - done)
        if needed > left:
            message = (
                f"The fits need {needed:.0f} seconds more, but the step has {left:.0f} left: "
                "select fewer series, or give a shorter history."
            )
            raise refusal("history", message)

    return note


def _finish(task: Task, prepared: Any, solved: Any) -> Result:
    columns = [Column.model_validate(column) for column in solved["columns"]]
    return Result(solved["document"], {"main": ResultTable(columns, solved["rows"])})


def _group(table: SeriesTable, index: int, forecast: SeriesForecast, used: list[float]) -> dict[str, Any]:
    series, accuracy = table.series[index], forecast.accuracy
    missing = sum(value != value for value in used)
    better = None
    if accuracy is not None and accuracy.mase is not None and accuracy.naive_mase is not None:
        better = accuracy.mase < accuracy.naive_mase
    return {
        "group": dict(zip((column.name for column in table.groups), series.group, strict=True)),
        "model": forecast.model,
        "parameters": forecast.parameters,
        "aicc": forecast.aicc,
        "level": forecast.level,
        "trend": forecast.trend,
        "season": forecast.season,
        "last_time": table.time_text(series, series.first + len(series.values) - 1),
        "values": len(used) - missing,
        "missing": missing,
        "holdout": None if accuracy is None else vars(accuracy),
        "better_than_naive": better,
    }


def _added(levels: list[float]) -> list[Column]:
    added = [Column(name="forecast", type="double", nullable=False)]
    for level in levels:
        added += [Column(name=f"{side}_{_percent(level)}", type="double") for side in ("lower", "upper")]
    return added


def _percent(level: float) -> str:
    """A level in a column's name: `80` for 0.8, `99_5` for 0.995."""
    return f"{level * 100:.10g}".replace(".", "_")


def _rows(table: SeriesTable, index: int, forecast: SeriesForecast, levels: list[float]) -> list[list[Any]]:
    from statistics import NormalDist

    series = table.series[index]
    widths = [NormalDist().inv_cdf(0.5 + level / 2) for level in levels]
    rows = []
    for step, mean in enumerate(forecast.means):
        sides: list[float | None] = [None] * (2 * len(levels))
        if forecast.deviations:
            sides = [mean + sign * width * forecast.deviations[step] for width in widths for sign in (-1, 1)]
        time = _future(table, series, step)
        rows.append([*series.group, time, mean, *sides])
    return rows


def _future(table: SeriesTable, series: Series, step: int) -> str | int:
    try:
        return table.time_text(series, series.first + len(series.values) + step)
    except (OverflowError, ValueError):
        raise refusal("horizon", "The forecast would go beyond the year 9999: give a smaller horizon.") from None


def _history_warnings(table: SeriesTable, history: int | None) -> list[str]:
    longer = sum(len(series.values) > history for series in table.series) if history else 0
    return [f"Series with more than {history} periods: {longer}; their last {history} are used."] if longer else []


def _model_warnings(groups: list[dict[str, Any]], season: int) -> list[str]:
    from sluice.numeric.forecasts import fewest_for_season

    needed = fewest_for_season(season) if season > 1 else 0
    unseasonal = [group for group in groups if group["model"] != "naive" and group["values"] < needed]
    short = [group for group in groups if group["model"] == "naive"]
    untested = [group for group in groups if group["model"] != "naive" and group["holdout"] is None]
    worse = [group for group in groups if group["better_than_naive"] is False]
    whole = len(groups)
    sentences = (
        (short, "Series with too few values for a model, whose last values are repeated without intervals"),
        (unseasonal, f"Series with fewer than the {needed} values of a season of {season}, whose models have none"),
        (untested, "Series with too few values to hold some out, so that the error is unknown"),
        (worse, "Series whose seasonal-naive forecast had the smaller error on the periods held out"),
    )
    return [f"{sentence}: {len(some)} of {whole}{_listed(some)}." for some, sentence in sentences if some]


def _listed(groups: list[dict[str, Any]]) -> str:
    names = [" ".join(map(str, group["group"].values())) for group in groups]
    if not any(names):
        return ""
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return f" ({', '.join(names[:_MOST_LISTED])}{more})"


ALGORITHM = Algorithm(
    title="Forecast",
    description="Forecasts each series of a dataset or model with intervals, by the exponential smoothing that fits it "
    "best, and compares it with the seasonal-naive forecast on periods held out.",
    layer="numeric",
    inputs={"data": Input(("table",), "The dataset or model with the series.")},
    parameters=Parameters,
    output=Output,
    solve=_solve,
    finish=_finish,
    tables={"main": "For each series and each period of the horizon: the forecast and the bounds of each interval."},
    code=(
        "sluice.numeric",
        "sluice.tables.columns",
        "sluice.tables.series",
    ),
    packages=("numpy",),
)
