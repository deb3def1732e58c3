"""Exponential smoothing in state-space form: the models, their parameters, and their one-step errors.

The notation is that of Hyndman, Koehler, Ord and Snyder, "Forecasting with Exponential Smoothing" (2008): a level, a
trend and a season, each moved on by a part of the last error. A value that is missing moves nothing on.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np

from sluice.numeric.batch import Batch, Flags, Floats, Whole
from sluice.numeric.elementary import LN2, exponential, logarithm

Trend = Literal["none", "additive", "damped"]
Season = Literal["none", "additive", "multiplicative"]

# Of beta as a part of alpha, and of gamma as a part of 1 - alpha.
_LIMITS = {"alpha": (1e-4, 1 - 1e-4), "beta": (1e-4, 1 - 1e-4), "gamma": (1e-4, 1 - 1e-4), "phi": (0.8, 0.98)}
# Seasons with more periods keep the initial states of a decomposition: each free state makes a fit slower.
LONGEST_FREE_SEASON = 24


@dataclass(frozen=True)
class Model:
    """A model; its errors are relative to the forecast where the season multiplies, else absolute.

    Args:
        trend: none, additive, or additive and damped.
        season: none, additive or multiplicative.
        period: how many periods a season has; 1 without a season.
    """

    trend: Trend
    season: Season = "none"
    period: int = 1

    @property
    def multiplies(self) -> bool:
        """Whether season and errors multiply the level."""
        return self.season == "multiplicative"

    @property
    def name(self) -> str:
        """The model in the field's notation, such as `ETS(A,Ad,N)`: error, trend, season."""
        trend = {"none": "N", "additive": "A", "damped": "Ad"}[self.trend]
        season = {"none": "N", "additive": "A", "multiplicative": "M"}[self.season]
        return f"ETS({'M' if self.multiplies else 'A'},{trend},{season})"

    @property
    def smoothing(self) -> tuple[str, ...]:
        """The smoothing parameters."""
        trend = {"none": (), "additive": ("beta",), "damped": ("beta", "phi")}[self.trend]
        return ("alpha", *trend, *(("gamma",) if self.season != "none" else ()))

    @property
    def free_seasons(self) -> int:
        """How many initial states of the season are fitted; the last one follows from the others."""
        return self.period - 1 if self.season != "none" and self.period <= LONGEST_FREE_SEASON else 0

    @property
    def fitted(self) -> int:
        """How many numbers a fit looks for."""
        return len(self.smoothing) + 1 + (self.trend != "none") + self.free_seasons

    @property
    def parameters(self) -> int:
        """How many parameters the model has in AICc: smoothing, initial states, and the variance of the errors."""
        return len(self.smoothing) + 1 + (self.trend != "none") + (self.period - 1) + 1


def candidates(period: int) -> list[Model]:
    """The models to select from, the simplest first.

    Args:
        period: how many periods a season has; 1: there is none.
    """
    trends: tuple[Trend, ...] = ("none", "additive", "damped")
    seasons: tuple[Season, ...] = ("none", "additive", "multiplicative") if period > 1 else ("none",)
    return [Model(trend, season, 1 if season == "none" else period) for season in seasons for trend in trends]


@dataclass
class States:
    """Smoothing parameters and states of some lanes: of each series, as many variants as are tried at a time.

    Args:
        alpha: shape (series, variants), as that of all others; how fast the level follows.
        beta: how fast the trend follows.
        gamma: how fast the season follows.
        phi: by how much the trend is damped in each period; 1: not at all.
        level: the level.
        trend: the trend in one period.
        season: shape (period, series, variants): the season; at first that of the first period comes first.
    """

    alpha: Floats
    beta: Floats
    gamma: Floats
    phi: Floats
    level: Floats
    trend: Floats
    season: Floats

    def take(self, selected: Floats) -> States:
        """The states of some series."""
        parts = {item.name: getattr(self, item.name) for item in fields(self)}
        season = parts.pop("season")
        return States(**{name: part[selected] for name, part in parts.items()}, season=season[:, selected])


def bounds(model: Model) -> tuple[Floats, Floats]:
    """The bounds of the numbers of a fit, of shape (`model.fitted`,) each."""
    limits = [_LIMITS[name] for name in model.smoothing]
    limits += [(-np.inf, np.inf)] * (model.fitted - len(limits))
    low, high = np.array(limits).T
    return low, high


def unpacked(model: Model, numbers: Floats, seasons: Floats) -> States:
    """The parameters and initial states that the numbers of a fit stand for.

    Args:
        model: the model.
        numbers: shape (series, variants, `model.fitted`): the smoothing parameters, with beta as a part of alpha and
            gamma as one of 1 - alpha; the level, the trend, and the free states of the season.
        seasons: shape (period, series): the season's initial states if they are not fitted.
    """
    columns = iter(np.moveaxis(numbers, 2, 0))
    free = {name: next(columns) for name in model.smoothing}
    zero = np.zeros(numbers.shape[:2])
    alpha = free["alpha"]
    beta = alpha * free["beta"] if "beta" in free else zero
    gamma = (1 - alpha) * free["gamma"] if "gamma" in free else zero
    phi = free.get("phi", zero + 1)
    level = next(columns).copy()
    trend = next(columns).copy() if model.trend != "none" else zero
    if model.free_seasons:
        first = list(columns)
        last = zero + (model.period if model.multiplies else 0)
        for column in first:
            last = last - column
        season = np.stack([*first, last])
    else:
        season = np.repeat(seasons[:, :, None], numbers.shape[1], axis=2)
    return States(alpha, beta, gamma, phi, level, trend, season)


def packed(model: Model, smoothing: dict[str, float], level: Floats, trend: Floats, seasons: Floats) -> Floats:
    """The numbers of a fit for some smoothing parameters and the initial states of each series.

    Args:
        model: the model.
        smoothing: `alpha`, `phi`, and `beta` and `gamma` as parts of what they may be at most.
        level: shape (series,).
        trend: shape (series,).
        seasons: shape (period, series).

    Returns:
        Shape (series, `model.fitted`).
    """
    columns = [np.full_like(level, smoothing[name]) for name in model.smoothing]
    columns += [level, *([trend] if model.trend != "none" else []), *seasons[: model.free_seasons]]
    return np.stack(columns, axis=1)


@dataclass(frozen=True)
class Errors:
    """What one-step forecasts missed.

    Args:
        errors: shape (periods, series, variants); 0 where nothing is observed.
        scale: shape (series, variants): the geometric mean of the forecasts, if errors are relative; else 1. The sum of
            squares of errors times scale decides the likelihood.
        states: the states after each series' last period.
    """

    errors: Floats
    scale: Floats
    states: States


def one_step_errors(model: Model, batch: Batch, states: States) -> Errors:
    """Run a model through series.

    Args:
        model: the model.
        batch: the series.
        states: parameters and initial states, which are moved on in place.

    Returns:
        The errors; infinite or NaN from where a forecast of a model with relative errors is not positive.
    """
    errors = np.zeros((len(batch.values), *states.level.shape))
    move_on = _multiply if model.multiplies else _add
    mantissa, exponent = np.ones_like(states.level), np.zeros(states.level.shape, dtype=np.int64)
    with np.errstate(all="ignore"):
        for period, reach in batch.periods():
            season = states.season[period % model.period, :reach] if model.season != "none" else None
            value, seen = batch.values[period, :reach, None], batch.observed[period, :reach, None]
            errors[period, :reach], forecast = move_on(states, reach, season, value, seen)
            if model.multiplies:
                # A product of many factors, which a double could not hold as a whole.
                part, power = np.frexp(mantissa[:reach] * np.where(seen, forecast, 1.0))
                mantissa[:reach], exponent[:reach] = part, exponent[:reach] + power
        scale = _geometric_mean(mantissa, exponent, batch.counts) if model.multiplies else np.ones_like(mantissa)
    return Errors(errors, scale, states)


def _geometric_mean(mantissa: Floats, exponent: Whole, counts: Floats) -> Floats:
    return exponential((logarithm(mantissa) + exponent * LN2) / np.maximum(counts, 1.0)[:, None])


def _add(states: States, reach: int, season: Floats | None, value: Floats, seen: Flags) -> tuple[Floats, Floats]:
    trend = states.phi[:reach] * states.trend[:reach]
    base = states.level[:reach] + trend
    forecast = base if season is None else base + season
    error = np.where(seen, value - forecast, 0.0)
    states.level[:reach] = base + states.alpha[:reach] * error
    states.trend[:reach] = trend + states.beta[:reach] * error
    if season is not None:
        season += states.gamma[:reach] * error
    return error, forecast


def _multiply(states: States, reach: int, season: Floats | None, value: Floats, seen: Flags) -> tuple[Floats, Floats]:
    assert season is not None, "only seasons multiply"
    trend = states.phi[:reach] * states.trend[:reach]
    base = states.level[:reach] + trend
    forecast = base * season
    # A forecast that is not positive makes the product of the forecasts NaN, and the fit invalid.
    forecast = np.where(forecast > 0, forecast, np.nan)
    error = np.where(seen, (value - forecast) / forecast, 0.0)
    move = base * error
    states.level[:reach] = base + states.alpha[:reach] * move
    states.trend[:reach] = trend + states.beta[:reach] * move
    season *= 1 + states.gamma[:reach] * error
    return error, forecast
