"""How many periods a season has."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import NormalDist

import numpy as np

from sluice.numeric.batch import Batch, Floats, Whole, filled, moving_means, total

_SEASONS = 3  # a series must have so many seasons to show one
_LEVEL = 0.01  # of the test, over all periods that are considered
# The trend is the mean of at least so many periods: that of fewer would leave a season in mere noise.
_TREND = 12


def detect_period(batch: Batch, periods: Iterable[int]) -> int:
    """The number of periods after which the series repeat best.

    The means of the season's parts, less the trend, must differ more than by chance: a one-way analysis of variance,
    whose F statistic becomes a normal score by the formula of Wilson and Hilferty. A wrong season does little harm to a
    forecast, for which models without a season are tried, too.

    Args:
        batch: the series.
        periods: the numbers to consider.

    Returns:
        The number; 1 if there is no such season on the average of the series.
    """
    values = filled(batch)
    considered = sorted({period for period in periods if period > 1})
    best, strongest = 1, NormalDist().inv_cdf(1 - _LEVEL / max(len(considered), 1))
    for period in considered:
        members = np.flatnonzero(batch.lengths >= max(_SEASONS * period, _TREND + 2 * period))
        if len(members):
            scores = _scores(values[:, members], batch.lengths[members], period)
            score = float(total(scores[:, None])[0]) / len(scores)
            if score > strongest:
                best, strongest = period, score
    return best


def _scores(values: Floats, lengths: Whole, period: int) -> Floats:
    """How much more the parts of the season differ than they would by chance, in standard deviations."""
    # Sums of centered values lose fewer digits.
    values = values - values[0]
    window = period * -(-_TREND // period)
    smooth = moving_means(values, window)
    first = window // 2
    inside = np.arange(len(smooth))[:, None] + first < lengths - first
    rest = np.where(inside, values[first : first + len(smooth)] - smooth, 0.0)
    sums, counts = np.zeros((period, len(lengths))), np.zeros((period, len(lengths)))
    for place in range(len(rest)):
        sums[place % period] += rest[place]
        counts[place % period] += inside[place]
    count = total(counts)
    mean = total(sums) / count
    between = total(sums * sums / np.maximum(counts, 1.0)) - count * mean * mean
    # What rounding leaves is no season.
    within = np.maximum(total(rest * rest) - count * mean * mean - between, 1e-12 * total(values * values))
    freedom = count - period
    ratio = np.maximum(between, 0.0) / (period - 1) / np.where(within > 0, within / freedom, np.inf)
    root, low, high = np.cbrt(ratio), 2 / (9 * (period - 1)), 2 / (9 * freedom)
    score: Floats = ((1 - high) * root - (1 - low)) / np.sqrt(low + high * root * root)
    return score
