"""What a fitted model says of the next periods: the mean and the variance, both by formula.

The formulas are those of Hyndman, Koehler, Ord and Snyder: of their class 1 for absolute errors, and of class 3 for
relative errors with a season that multiplies. To the latter is added, to the first order, that an error which moves the
level also moves the season.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sluice.numeric.batch import Floats
from sluice.numeric.smoothing_fit import Fit


@dataclass(frozen=True)
class Outlook:
    """The next periods of some series.

    Args:
        means: shape (horizon, series).
        variances: shape (horizon, series).
    """

    means: Floats
    variances: Floats


def outlook(fit: Fit, horizon: int) -> Outlook:
    """The mean and the variance of the next periods.

    Args:
        fit: the fitted model of some series.
        horizon: how many periods.
    """
    model, states = fit.model, fit.states
    alpha, beta, gamma, phi = (part[:, 0] for part in (states.alpha, states.beta, states.gamma, states.phi))
    reach = _trend_reach(phi, horizon)
    base = states.level[:, 0] + reach * states.trend[:, 0]
    moved = alpha + beta * reach  # by how much an error of 1 moves the base of each later period
    if model.multiplies:
        season = states.season[np.arange(horizon) % model.period, :, 0]
        return Outlook(base * season, season * season * _relative_spread(base, moved, gamma, fit, horizon))
    if model.season == "additive":
        base = base + states.season[np.arange(horizon) % model.period, :, 0]
        moved[model.period - 1 :: model.period] += gamma
    spread = np.ones_like(base)
    for period in range(1, horizon):
        spread[period] = spread[period - 1] + moved[period - 1] ** 2
    return Outlook(base, fit.variance * spread)


def _trend_reach(phi: Floats, horizon: int) -> Floats:
    """How many times the trend has been added after each number of periods: fewer if it is damped."""
    reach, power = np.zeros((horizon, len(phi))), np.ones_like(phi)
    for period in range(horizon):
        power = power * phi
        reach[period] = power if period == 0 else reach[period - 1] + power
    return reach


def _relative_spread(base: Floats, moved: Floats, gamma: Floats, fit: Fit, horizon: int) -> Floats:
    """The variance of the forecasts without their season."""
    variance = fit.variance
    squares = np.zeros_like(base)  # the second moments of the base
    spread = np.zeros_like(base)
    season_moment = np.ones_like(gamma)
    for period in range(horizon):
        squares[period] = base[period] ** 2
        for back in range(period):
            squares[period] += variance * moved[back] ** 2 * squares[period - 1 - back]
        if period and period % fit.model.period == 0:
            season_moment = season_moment * (1 + gamma * gamma * variance)
        spread[period] = squares[period] * (1 + variance) * season_moment - base[period] ** 2
        for back in range(fit.model.period - 1, period, fit.model.period):
            spread[period] += 2 * variance * moved[back] * gamma * base[period - 1 - back] * base[period]
    return spread
