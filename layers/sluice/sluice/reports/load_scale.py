"""The scale of loads: classes of equal width, from 0 to a full link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from sluice.reports.svg import LEVELS
from sluice.reports.ticks import PlainNumbers, scale_of, scaled_unit
from sluice.reports.values import ColumnStyle, decimal_of, grouped


@dataclass(frozen=True)
class LoadScale:
    """The scale of a network's loads.

    Args:
        style: how the loads are shown.
        full: the load of a full link.
        exceeded: whether a load is greater than that.
    """

    style: ColumnStyle
    full: float
    exceeded: bool

    @classmethod
    def of(cls, style: ColumnStyle, loads: Sequence[float], full: float | None) -> LoadScale:
        """The scale for loads.

        Args:
            style: how the loads are shown.
            loads: the loads, at least one.
            full: the load of a full link; null: 1, or a round number above the greatest load.
        """
        greatest = max(loads)
        if full is None:
            full = 1.0 if greatest <= 1 else _round_up(greatest)
        return cls(style, full, greatest > full)

    @property
    def percent(self) -> bool:
        """Whether the loads are shares of a full link, shown in percent."""
        return self.full == 1 and self.style.unit is None

    @property
    def label(self) -> str:
        """The column's name and unit."""
        unit = "%" if self.percent else scaled_unit(scale_of([self.full]), self.style.unit)
        return f"{self.style.name} ({unit})" if unit else self.style.name

    def level(self, load: float) -> int:
        """The class of a load, from 0; those beyond the ends of the scale belong to its first and last class."""
        return min(max(int(load / self.full * len(LEVELS)), 0), len(LEVELS) - 1)

    def bounds(self) -> list[str]:
        """The lower bounds of the classes, and the end of the scale, as text."""
        factor = 100 if self.percent else 1
        numbers = [self.full * factor * index / len(LEVELS) for index in range(len(LEVELS) + 1)]
        texts = PlainNumbers(scale_of(numbers), self.style.grouping).format_ticks(numbers)
        return [*texts[:-1], f"≥ {texts[-1]}"] if self.exceeded else texts

    def text(self, load: float) -> str:
        """A load as text with its unit."""
        if not self.percent:
            return self.style.quantity(load)
        return f"{grouped(decimal_of(load) * 100, 1)} %"


def _round_up(number: float) -> float:
    """The end of a scale up to a number, such that the classes have round bounds."""
    step = float(MaxNLocator(nbins=len(LEVELS), steps=[1, 2, 2.5, 5, 10]).tick_values(0, number)[1])
    return step * len(LEVELS)
