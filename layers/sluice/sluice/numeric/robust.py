"""What values are expected of a series, by medians, which a few wild values do not move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sluice.numeric.batch import Floats

FEWEST = 8  # values; of fewer it is not known what is usual
_WINDOW = 11  # periods of the running median of a series without a season
_SEASONS = 11  # so many seasons are compared with each other
_ROUNDS = 3
# Of normal values: the standard deviation divided by the median, and by the mean, of absolute deviations.
_OF_MEDIAN, _OF_MEAN = 1.482602218505602, 1.2533141373155003
_ROUNDING = 1e-12
_MOST_NUMBERS = 4_000_000


@dataclass(frozen=True)
class Judged:
    """Values beside what was expected.

    Args:
        expected: shape (values,).
        scale: the standard deviation from it, by medians; 0 if nearly all values are as expected.
        scores: shape (values,): distances from the expected value divided by the scale; NaN where there is no value.
    """

    expected: Floats
    scale: float
    scores: Floats


def judge(values: Floats) -> Judged:
    """Compare values with their median.

    Args:
        values: shape (values,), at least one.
    """
    return _judged(values, np.full_like(values, np.median(values)))


def judge_series(values: Floats, period: int) -> Judged:
    """Compare each value of a series with its trend and season.

    The trend is a running median, the season the running median of the same part of neighboring seasons; both are
    refined in turns. In the end each value is compared with its neighbors only, not with itself, since residuals would
    otherwise be smaller than what is usual.

    Args:
        values: shape (periods,): the value of each period; NaN where there is none, but at least one value.
        period: how many periods a season has, of which there must be two; 1: there is none.
    """
    places = np.flatnonzero(~np.isnan(values))
    whole = np.interp(np.arange(len(values)), places, values[places])
    # Whole seasons, so that the median does not move with the season.
    seasons = period * -(-_WINDOW // period)
    window = seasons | 1
    trend, season = running_median(whole, seasons, period=period), np.zeros_like(whole)
    for _ in range(_ROUNDS if period > 1 else 0):
        season = _season(whole - trend, period)
        trend = running_median(whole - season, window)
    others = running_median(whole - season, window, itself=False)
    if period > 1:
        season = _season(whole - trend, period, itself=False)
    return _judged(values, others + season)


def running_median(values: Floats, window: int, *, itself: bool = True, period: int = 1) -> Floats:
    """The median of the values around each; before the first and after the last a straight line or the season goes on.

    Args:
        values: shape (periods,).
        window: how many values; fewer if there are not so many. With an even number the mean of two medians counts,
            of the values from half a window before to half a window after.
        itself: whether the value in the middle counts.
        period: how many periods a season has; 1: there is none.
    """
    window = window if window <= len(values) else len(values) - 1 + len(values) % 2
    half = window // 2
    if half == 0:
        return values.copy()
    before = _continued(values[::-1], half, window, period)[::-1]
    after = _continued(values, half, window, period)
    around = np.lib.stride_tricks.sliding_window_view(np.concatenate([before, values, after]), window)
    counted = np.arange(window) if itself else np.delete(np.arange(window), half)
    share = max(_MOST_NUMBERS // window, 1)
    parts = [np.median(around[start : start + share, counted], axis=1) for start in range(0, len(around), share)]
    medians = np.concatenate(parts)
    return medians if window % 2 else (medians[1:] + medians[:-1]) / 2


def _continued(values: Floats, count: int, window: int, period: int) -> Floats:
    """The next values: the last season moved on by the median change of a season, or a line."""
    if period == 1 or len(values) < 2 * period:
        return _line(values[-window:], count)
    recent = values[-(period + window) :]
    change = np.median(recent[period:] - recent[:-period])
    places = np.arange(count)
    following: Floats = values[-period:][places % period] + change * (places // period + 1)
    return following


def _line(values: Floats, count: int) -> Floats:
    """The next values on a line through some values, whose slope is a median of slopes."""
    distance = len(values) - len(values) // 2
    slope = np.median(values[distance:] - values[:-distance]) / distance
    level = np.median(values - slope * np.arange(len(values)))
    line: Floats = level + slope * np.arange(len(values), len(values) + count)
    return line


def _season(values: Floats, period: int, *, itself: bool = True) -> Floats:
    """The median of the same part of neighboring seasons, for each value; of a whole season it is 0 in the median."""
    season = np.zeros_like(values)
    for part in range(period):
        season[part::period] = _neighbors(values[part::period], itself=itself)
    return season - running_median(season, period, period=period)


def _neighbors(values: Floats, *, itself: bool) -> Floats:
    """The median of the nearest values to both sides, always of equally many."""
    count = min(_SEASONS, len(values))
    first = np.clip(np.arange(len(values)) - count // 2, 0, len(values) - count)
    places = first[:, None] + np.arange(count)
    if not itself and count > 1:
        places = places[places != np.arange(len(values))[:, None]].reshape(len(values), count - 1)
    medians: Floats = np.median(values[places], axis=1)
    return medians


def _judged(values: Floats, expected: Floats) -> Judged:
    seen = ~np.isnan(values)
    rest = values[seen] - expected[seen]
    expected = expected + np.median(rest)
    distances = np.abs(values[seen] - expected[seen])
    largest = float(np.max(np.abs(values[seen])))
    scale = _OF_MEDIAN * float(np.median(distances))
    if scale <= _ROUNDING * largest:
        # More than half of the values are exactly as expected.
        scale = _OF_MEAN * float(np.cumsum(np.sort(distances))[-1]) / len(distances)
    if scale <= _ROUNDING * largest:
        return Judged(expected, 0.0, np.where(seen, 0.0, np.nan))
    return Judged(expected, scale, (values - expected) / scale)
