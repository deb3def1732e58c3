"""Many series in one array, so that one NumPy operation moves all of them on by one period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Whole = NDArray[np.intp]


@dataclass(frozen=True)
class Batch:
    """Series side by side, the longest first.

    Args:
        values: shape (periods, series); 0 where there is no value.
        observed: shape (periods, series): whether there is a value. Periods after a series' last are not observed.
        lengths: the number of periods of each series, descending.
    """

    values: Floats
    observed: Flags
    lengths: Whole

    @classmethod
    def of(cls, series: Sequence[Sequence[float]]) -> Batch:
        """A batch of series, of which none may be longer than the one before it.

        Args:
            series: the values of each period; NaN where there is none.
        """
        lengths = np.array([len(values) for values in series], dtype=np.intp)
        table = np.full((int(lengths.max(initial=0)), len(series)), np.nan)
        for index, values in enumerate(series):
            table[: len(values), index] = values
        observed = ~np.isnan(table)
        return cls(np.where(observed, table, 0.0), observed, lengths)

    @property
    def size(self) -> int:
        """The number of series."""
        return len(self.lengths)

    @property
    def counts(self) -> Floats:
        """The number of values of each series."""
        counts: Floats = self.observed.sum(axis=0).astype(np.float64)
        return counts

    def take(self, selected: NDArray[Any]) -> Batch:
        """Some of the series.

        Args:
            selected: their indexes in ascending order, or a flag for each series.
        """
        lengths = self.lengths[selected]
        periods = int(lengths.max(initial=0))
        return Batch(self.values[:periods, selected], self.observed[:periods, selected], lengths)

    def with_values(self, values: Floats) -> Batch:
        """The same series with other values in the same places."""
        return Batch(np.where(self.observed, values, 0.0), self.observed, self.lengths)

    def periods(self) -> Iterator[tuple[int, int]]:
        """Each period and how many series reach it; those are the first ones."""
        reach = self.size
        for period in range(len(self.values)):
            while reach and self.lengths[reach - 1] <= period:
                reach -= 1
            yield period, reach


def total(rows: Floats) -> Floats:
    """The sum over the first axis in its order, which NumPy's own sum does not promise."""
    result = np.zeros(rows.shape[1:])
    for row in rows:
        result += row
    return result


def filled(batch: Batch) -> Floats:
    """The values with gaps filled by straight lines; the nearest value before the first and after the last.

    Returns:
        Shape (periods, series); 0 after the end of a series, and for a series without values.
    """
    result = batch.values.copy()
    for index in np.flatnonzero(batch.counts < batch.lengths):
        length = int(batch.lengths[index])
        places = np.flatnonzero(batch.observed[:length, index])
        if len(places):
            result[:length, index] = np.interp(np.arange(length), places, batch.values[places, index])
    return result


def moving_means(values: Floats, period: int) -> Floats:
    """The mean of a season around each period that has one; of even seasons with half of the values at both ends.

    Args:
        values: shape (periods, series).
        period: how many periods a season has.

    Returns:
        Shape (periods - period + 1, series), one less for even seasons; the first is around `period // 2`.
    """
    sums = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    whole = (sums[period:] - sums[:-period]) / period
    means: Floats = whole if period % 2 else (whole[1:] + whole[:-1]) / 2
    return means
