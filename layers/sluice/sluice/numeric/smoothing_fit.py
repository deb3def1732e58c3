"""Fits of exponential smoothing, and the choice among models by AICc."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import pi

import numpy as np

from sluice.numeric.batch import Batch, Floats, Whole, filled, moving_means, total
from sluice.numeric.elementary import LN2, logarithm
from sluice.numeric.least_squares import Minimum, Residuals, minimize
from sluice.numeric.smoothing import Errors, Model, States, bounds, one_step_errors, packed, unpacked

# Where searches begin: at the first of these, where the states hardly move, and at the best of the others. Likelihoods
# often have a maximum near both. Beta and gamma are parts of what they may be at most.
_STARTS: dict[str, tuple[float, ...]] = {
    "alpha": (0.05, 0.3, 0.7, 0.95),
    "beta": (0.02, 0.3, 0.95),
    "gamma": (0.02, 0.3),
    "phi": (0.95,),
}
_FIRST_VALUES = 10  # of which the initial level and trend are a straight line
_FIRST_SEASONS = 4  # of which the initial season is the mean
# Errors below this part of the values' scale are rounding: a model without any is not better than one with them.
_ROUNDING = 1e-9
# Most numbers in an array of a fit: 64 MB.
_MOST_NUMBERS = 8_000_000


@dataclass(frozen=True)
class Fit:
    """A model with its parameters and states of some series. Numbers are in the series' own units.

    Args:
        model: the model.
        series: shape (fits,): the indexes of the series, ascending.
        states: after the last period, with one variant; `season` begins with the season of the next period.
        initial: before the first period.
        variance: shape (fits,): of the one-step errors, which are relative if the model multiplies.
        aicc: shape (fits,): Akaike's criterion, corrected for few values; lower is better.
    """

    model: Model
    series: Whole
    states: States
    initial: States
    variance: Floats
    aicc: Floats


def select(fits: Sequence[Fit], size: int) -> Whole:
    """The number of the best fit for each series: the lowest AICc, and of equal ones the first.

    Args:
        fits: the fits of one batch.
        size: the number of series.

    Returns:
        -1 for a series that no model fits.
    """
    choice, lowest = np.full(size, -1, dtype=np.intp), np.full(size, np.inf)
    for number, fit in enumerate(fits):
        # A difference in the last digits is rounding; the simpler model comes first.
        better = fit.aicc < lowest[fit.series] - 1e-6
        choice[fit.series[better]], lowest[fit.series[better]] = number, fit.aicc[better]
    return choice


def fewest_values(model: Model) -> int:
    """How many values a series must have for a model: more than it has parameters, and those of two seasons."""
    return max(model.parameters + 2, 2 * model.period)


def fit_model(batch: Batch, model: Model) -> Fit:
    """Fit a model by maximum likelihood.

    Args:
        batch: the series.
        model: the model.

    Returns:
        The fit of those series that have enough values, all of them positive if the model multiplies.
    """
    counts = batch.counts
    able = counts >= fewest_values(model)
    if model.multiplies:
        able &= ~(batch.observed & (batch.values <= 0)).any(axis=0)
    series = np.flatnonzero(able)
    longest = max(int(batch.lengths.max(initial=1)), 1)
    share = max(_MOST_NUMBERS // (2 * longest * (model.fitted + 1)), 1)
    parts = np.split(series, range(share, len(series), share))
    return _joined(model, [_fit(batch.take(part), model, part) for part in parts if len(part)])


def _fit(batch: Batch, model: Model, series: Whole) -> Fit:
    center, exponent = _scale(batch, model)
    scaled = batch.with_values(np.ldexp(batch.values - center, -exponent))
    level, trend, seasons = _initial(scaled, model)

    def weighted(members: Whole, numbers: Floats) -> Floats:
        result = one_step_errors(model, scaled.take(members), unpacked(model, numbers, seasons[:, members]))
        return result.errors * result.scale

    minimum = _least_squares(weighted, model, _packed_starts(model, level, trend, seasons))
    numbers = minimum.numbers[:, None, :]
    result = one_step_errors(model, scaled, unpacked(model, numbers, seasons))
    initial = unpacked(model, numbers, seasons)
    counts = batch.counts
    least = counts * _ROUNDING**2
    squares = np.maximum(minimum.squares, least)
    size = model.parameters
    aicc = (
        counts * (logarithm(squares / counts) + 2 * exponent * LN2 + logarithm(np.array(2 * pi)) + 1)
        + 2 * size
        + 2 * size * (size + 1) / (counts - size - 1)
    )
    unit = np.ldexp(1.0, 0 if model.multiplies else exponent)
    variance = _variance(result, counts, model) * unit * unit
    _rotate(result.states, batch.lengths, model)
    return Fit(
        model, series, _restored(result.states, model, center, exponent), _restored(initial, model, center, exponent),
        variance, np.where(np.isfinite(minimum.squares), aicc, np.inf),
    )  # fmt: skip


def _variance(result: Errors, counts: Floats, model: Model) -> Floats:
    """The variance of the errors, each fitted number taking one of their degrees of freedom."""
    return total(result.errors[:, :, 0] ** 2) / (counts - (model.parameters - 1))


def _scale(batch: Batch, model: Model) -> tuple[Floats, Whole]:
    """The mean of each series, which absolute errors do not depend on, and a power of two near its deviations."""
    counts = batch.counts
    mean = total(batch.values) / counts
    center = np.zeros_like(mean) if model.multiplies else mean
    deviations = total(np.where(batch.observed, (batch.values - center) ** 2, 0.0)) / counts
    # Deviations that are rounding are none.
    noise = np.sqrt(deviations) <= 1e-13 * np.abs(mean)
    exponent = np.frexp(np.where(noise, np.maximum(np.abs(mean), 1e-300), np.sqrt(deviations)))[1]
    return center, np.where(noise & (mean == 0), 0, exponent).astype(np.intp)


def _initial(batch: Batch, model: Model) -> tuple[Floats, Floats, Floats]:
    """Initial level, trend and season: rough, since the fit moves them."""
    values = filled(batch)
    seasons = _initial_seasons(batch, values, model)
    periods = min(max(_FIRST_VALUES, model.period), len(values))
    places = np.arange(periods) % model.period
    season = seasons[places]
    level_values = values[:periods] / season if model.multiplies else values[:periods] - season
    times = np.arange(1, periods + 1, dtype=np.float64)
    reached = (times[:, None] <= batch.lengths).astype(np.float64)
    count = total(reached)
    mean_time, mean = total(reached * times[:, None]) / count, total(reached * level_values) / count
    apart = reached * (times[:, None] - mean_time)
    slope = total(apart * (level_values - mean)) / np.maximum(total(apart * apart), 1.0)
    if model.trend == "none":
        return mean, np.zeros_like(mean), seasons
    level = mean - slope * mean_time
    return np.where(level > 0, level, mean) if model.multiplies else level, slope, seasons


def _initial_seasons(batch: Batch, values: Floats, model: Model) -> Floats:
    """The mean of each part of the season over the first seasons, beside means of one season around each period."""
    period, size = model.period, batch.size
    if model.season == "none":
        return np.zeros((1, size))
    smooth = moving_means(values, period)
    first = period // 2
    sums, counts = np.zeros((period, size)), np.zeros((period, size))
    for place in range(min(len(smooth), _FIRST_SEASONS * period)):
        at = place + first
        inside = batch.lengths >= place + period + (period % 2 == 0)
        with np.errstate(all="ignore"):
            part = values[at] / smooth[place] if model.multiplies else values[at] - smooth[place]
        sums[at % period] += np.where(inside, part, 0.0)
        counts[at % period] += inside
    neutral = 1.0 if model.multiplies else 0.0
    means = np.where(counts > 0, sums / np.maximum(counts, 1.0), neutral)
    mean = total(means) / period
    return np.maximum(means / mean, 1e-3) if model.multiplies else means - mean


def _packed_starts(model: Model, level: Floats, trend: Floats, seasons: Floats) -> Floats:
    """The numbers with which searches may begin; shape (series, starts, `model.fitted`)."""
    combinations = product(*(_STARTS[name] for name in model.smoothing))
    smoothing = [dict(zip(model.smoothing, values, strict=True)) for values in combinations]
    return np.stack([packed(model, values, level, trend, seasons) for values in smoothing], axis=1)


def _least_squares(weighted: Residuals, model: Model, starts: Floats) -> Minimum:
    """The best of two searches for each series."""
    size = len(starts)
    with np.errstate(all="ignore"):
        squares = total(weighted(np.arange(size), starts[:, 1:]) ** 2)
    best = np.argmin(np.where(np.isfinite(squares), squares, np.inf), axis=1)
    # Both searches of a series are beside each other, so that the longest series still come first.
    start = np.stack([starts[:, 0], starts[np.arange(size), best + 1]], axis=1).reshape(2 * size, -1)
    minimum = minimize(lambda problems, numbers: weighted(problems // 2, numbers), start, *bounds(model))
    chosen = 2 * np.arange(size) + (minimum.squares[1::2] < minimum.squares[::2])
    return Minimum(minimum.numbers[chosen], minimum.squares[chosen])


def _rotate(states: States, lengths: Whole, model: Model) -> None:
    """Let the season begin with that of the period after the last one."""
    for place in np.unique(lengths % model.period):
        members = np.flatnonzero(lengths % model.period == place)
        states.season[:, members] = np.roll(states.season[:, members], -int(place), axis=0)


def _restored(states: States, model: Model, center: Floats, exponent: Whole) -> States:
    """States in the units of the series."""
    unit = np.ldexp(1.0, exponent)[:, None]
    season = states.season if model.season != "additive" else states.season * unit
    return States(
        states.alpha, states.beta, states.gamma, states.phi,
        states.level * unit + center[:, None], states.trend * unit, season,
    )  # fmt: skip


def _joined(model: Model, parts: list[Fit]) -> Fit:
    if not parts:
        empty = np.zeros((0, 1))
        none = States(empty, empty, empty, empty, empty, empty, np.zeros((model.period, 0, 1)))
        return Fit(model, np.zeros(0, dtype=np.intp), none, none, np.zeros(0), np.zeros(0))
    if len(parts) == 1:
        return parts[0]
    return Fit(
        model,
        np.concatenate([part.series for part in parts]),
        _joined_states([part.states for part in parts]),
        _joined_states([part.initial for part in parts]),
        np.concatenate([part.variance for part in parts]),
        np.concatenate([part.aicc for part in parts]),
    )


def _joined_states(parts: list[States]) -> States:
    names = ("alpha", "beta", "gamma", "phi", "level", "trend")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return States(**joined, season=np.concatenate([part.season for part in parts], axis=1))
