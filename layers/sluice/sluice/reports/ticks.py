"""The numbers at a chart's axes: plain decimals, in thousands of a unit if they would be long."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import pairwise

from matplotlib.axis import Axis
from matplotlib.ticker import Formatter, MaxNLocator

from sluice.reports.values import grouped, power_of_ten

_NAMES = {6: "million", 9: "billion", 12: "trillion"}
_MOST_DECIMALS = 12


class PlainNumbers(Formatter):
    """Writes tick labels without exponents and offsets.

    Args:
        exponent: the power of ten that the labels leave out.
        grouping: whether thousands are separated.
    """

    def __init__(self, exponent: int, grouping: bool) -> None:
        self._exponent = exponent
        self._grouping = grouping

    def __call__(self, value: float, position: int | None = None) -> str:
        """Return the label of one tick."""
        return self.format_ticks([value])[0]

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the labels of all ticks, with as many decimals as tell them apart."""
        scaled = [Decimal(repr(float(value))).scaleb(-self._exponent) for value in values]
        return [grouped(value, _decimals(scaled), grouping=self._grouping) for value in scaled]


def _decimals(values: list[Decimal]) -> int:
    """The fewest decimals that change no value by more than a hundredth of the ticks' distance."""
    ordered = sorted(values)
    distance = min((b - a for a, b in pairwise(ordered) if b > a), default=Decimal(1))
    return next(
        (
            decimals
            for decimals in range(_MOST_DECIMALS)
            if all(abs(round(value, decimals) - value) <= distance / 100 for value in values)
        ),
        _MOST_DECIMALS,
    )


def scale_of(values: Iterable[float]) -> int:
    """The power of ten that an axis of these values leaves out: a multiple of three, mostly 0.

    Args:
        values: finite numbers.
    """
    numbers = list(values)
    largest = max(map(abs, numbers), default=0.0)
    if not largest or 1e-3 <= largest < 1e6:
        return 0
    exponent = math.floor(math.log10(largest) / 3) * 3
    # Numbers that differ late would have long labels in any unit, so they keep their own.
    differ_late = max(numbers) - min(numbers) < largest / 100 and len(set(numbers)) > 1
    return 0 if differ_late and abs(exponent) <= max(_NAMES) else exponent


def scaled_unit(exponent: int, unit: str | None) -> str:
    """Return the unit of an axis, such as `million EUR`; empty if there is none."""
    factor = _NAMES.get(exponent) or (power_of_ten(exponent) if exponent else "")
    return " ".join(part for part in (factor, unit or "") if part)


def label_numbers(axis: Axis, exponent: int, *, ticks: int, whole: bool, grouping: bool) -> None:
    """Set the ticks of an axis of numbers and their labels.

    Args:
        axis: the axis.
        exponent: what `scale_of` returns for the axis' values.
        ticks: about how many ticks there is room for.
        whole: whether only whole numbers are ticks.
        grouping: whether thousands are separated.
    """
    axis.set_major_locator(MaxNLocator(nbins=ticks, steps=[1, 2, 2.5, 5, 10], integer=whole))
    axis.set_major_formatter(PlainNumbers(exponent, grouping))
