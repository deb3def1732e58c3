"""How far forecasts are from what came, and the forecast that any other must beat."""

from __future__ import annotations

from collections.abc import Sequence
from math import fsum, isnan


def seasonal_naive(values: Sequence[float], period: int, horizon: int) -> list[float]:
    """The last value of the same part of the season, for each of the next periods.

    Args:
        values: the value of each period; NaN where there is none.
        period: how many periods a season has; with 1 the last value is repeated.
        horizon: how many periods.

    Returns:
        A value for each; the last value of all where that part of the season has none.
    """
    last = [value for value in values if not isnan(value)][-1]
    result = []
    for step in range(horizon):
        place = len(values) - period + step % period
        same = [values[index] for index in range(place, -1, -period) if not isnan(values[index])]
        result.append(same[0] if same else last)
    return result


def mase(actual: Sequence[float], forecast: Sequence[float], before: Sequence[float], period: int) -> float | None:
    """The mean absolute scaled error: 1 is the error of the seasonal-naive forecast one season ahead in the past.

    Args:
        actual: the values that came; NaN where there is none.
        forecast: the forecast of each.
        before: the values before the forecast.
        period: how many periods a season has.

    Returns:
        None if nothing can be compared, or if the past had no change.
    """
    errors = [abs(value - guess) for value, guess in zip(actual, forecast, strict=True) if not isnan(value)]
    changes = [abs(after - value) for value, after in zip(before, before[period:], strict=False)]
    changes = [change for change in changes if not isnan(change)]
    if not errors or not changes or fsum(changes) == 0:
        return None
    return (fsum(errors) / len(errors)) / (fsum(changes) / len(changes))


def smape(actual: Sequence[float], forecast: Sequence[float]) -> float | None:
    """The symmetric mean absolute percentage error, from 0 to 200.

    Args:
        actual: the values that came; NaN where there is none.
        forecast: the forecast of each.

    Returns:
        None if nothing can be compared.
    """
    errors = [
        0.0 if value == guess else 200 * abs(value - guess) / (abs(value) + abs(guess))
        for value, guess in zip(actual, forecast, strict=True)
        if not isnan(value)
    ]
    return fsum(errors) / len(errors) if errors else None
