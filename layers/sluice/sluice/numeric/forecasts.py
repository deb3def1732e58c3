"""Forecasts of many series: the best model of each, its outlook, and how it did on the periods held out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

import numpy as np

from sluice.numeric.accuracy import mase, seasonal_naive, smape
from sluice.numeric.batch import Batch
from sluice.numeric.smoothing import candidates
from sluice.numeric.smoothing_fit import Fit, fewest_values, fit_model, select
from sluice.numeric.smoothing_forecast import Outlook, outlook

NAIVE = "naive"
_HELD_OUT = 4  # at most a part of 1/4 is held out
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Accuracy:
    """Errors on the periods that were held out.

    Args:
        periods: how many were held out.
        mase: of the model, see `accuracy.mase`; None if it cannot be computed.
        smape: of the model, in percent.
        naive_mase: of the seasonal-naive forecast.
        naive_smape: of the seasonal-naive forecast, in percent.
    """

    periods: int
    mase: float | None
    smape: float | None
    naive_mase: float | None
    naive_smape: float | None


@dataclass(frozen=True)
class SeriesForecast:
    """The forecast of a series.

    Args:
        model: the model's name; `naive`: too few values for any.
        means: the forecast of each period.
        deviations: the standard deviation of each; empty if it is not known.
        parameters: the smoothing parameters by name, and `sigma`, the standard deviation of one-step errors.
        aicc: the criterion by which the model was selected.
        level: the level after the last period.
        trend: the trend in one period.
        season: the season of the next periods, one season long.
        accuracy: errors on the periods that were held out; None if there were too few values.
    """

    model: str
    means: list[float]
    deviations: list[float] = field(default_factory=list)
    parameters: dict[str, float] = field(default_factory=dict)
    aicc: float | None = None
    level: float | None = None
    trend: float | None = None
    season: list[float] = field(default_factory=list)
    accuracy: Accuracy | None = None


def fewest_for_season(period: int) -> int:
    """How many values a series must have for a model with a season of so many periods, which are more than 1."""
    return min(fewest_values(model) for model in candidates(period) if model.season != "none")


def forecast(
    series: Sequence[Sequence[float]],
    period: int,
    horizon: int,
    progress: Progress | None = None,
    *,
    hold_out: bool = True,
) -> list[SeriesForecast]:
    """Forecast series, each on its own.

    Args:
        series: the value of each period, NaN where there is none; at least one value in each.
        period: how many periods a season has; 1: there is none.
        horizon: how many periods to forecast.
        progress: called with the number of fitted models and of all.
        hold_out: whether the last periods are also forecast from those before, for `accuracy`.

    Returns:
        A forecast for each series.
    """
    held = [min(horizon, len(values) // _HELD_OUT) if hold_out else 0 for values in series]
    tested = [index for index, count in enumerate(held) if count]
    before = [series[index][: -held[index]] for index in tested]
    # What is held out is forecast as a series of its own, so that all are fitted at a time.
    horizons = [horizon] * len(series) + [held[index] for index in tested]
    forecasts = _selected([*series, *before], period, horizons, progress)
    results = forecasts[: len(series)]
    for index, past, test in zip(tested, before, forecasts[len(series) :], strict=True):
        if test.model != NAIVE:
            accuracy = _accuracy(series[index][-held[index] :], test.means, past, period)
            results[index] = replace(results[index], accuracy=accuracy)
    return results


def _accuracy(actual: Sequence[float], means: list[float], before: Sequence[float], period: int) -> Accuracy:
    naive = seasonal_naive(before, period, len(actual))
    return Accuracy(
        len(actual),
        mase(actual, means, before, period),
        smape(actual, means),
        mase(actual, naive, before, period),
        smape(actual, naive),
    )


def _selected(
    series: Sequence[Sequence[float]], period: int, horizons: list[int], progress: Progress | None
) -> list[SeriesForecast]:
    """The forecast of each series by its best model."""
    order = sorted(range(len(series)), key=lambda index: -len(series[index]))
    batch = Batch.of([series[index] for index in order])
    fits = []
    models = candidates(period)
    for model in models:
        fits.append(fit_model(batch, model))
        if progress is not None:
            progress(len(fits), len(models))
    choice = select(fits, batch.size)
    results: list[SeriesForecast] = [SeriesForecast(NAIVE, [])] * len(series)
    for place in np.flatnonzero(choice < 0):
        values = series[order[place]]
        means = seasonal_naive(values, period, horizons[order[place]]) if np.isfinite(values).any() else []
        results[order[place]] = SeriesForecast(NAIVE, means)
    for number, fit in enumerate(fits):
        chosen = np.flatnonzero(choice[fit.series] == number)
        if len(chosen):
            selected = [order[place] for place in fit.series[chosen]]
            future = outlook(fit, max(max(horizons[index] for index in selected), 1))
            for place, index in zip(chosen, selected, strict=True):
                results[index] = _described(fit, int(place), future, horizons[index])
    return results


def _described(fit: Fit, place: int, future: Outlook, horizon: int) -> SeriesForecast:
    model, states = fit.model, fit.states
    names = model.smoothing
    parameters = {name: float(getattr(states, name)[place, 0]) for name in names}
    return SeriesForecast(
        model.name,
        [float(value) for value in future.means[:horizon, place]],
        [sqrt(max(float(value), 0.0)) for value in future.variances[:horizon, place]],
        {**parameters, "sigma": sqrt(float(fit.variance[place]))},
        float(fit.aicc[place]),
        float(states.level[place, 0]),
        float(states.trend[place, 0]) if model.trend != "none" else None,
        [float(value) for value in states.season[:, place, 0]] if model.season != "none" else [],
    )
