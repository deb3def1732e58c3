"""The choice of a path and a wavelength for each lightpath, without the network around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

# For each lightpath its option's place and its wavelength; None where it is blocked.
Assignment = list[tuple[int, int] | None]
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Option:
    """A way to route a lightpath.

    Args:
        resources: a bit for each link and each `Directionless` node that it uses: two lightpaths with a common bit need
            different wavelengths.
        regenerators: how many regenerators it needs.
    """

    resources: int
    regenerators: int


@dataclass(frozen=True)
class WavelengthProblem:
    """Lightpaths with their options. The fewest lightpaths are blocked; among such assignments the objective decides.

    Args:
        options: of each lightpath; none where it is always blocked.
        wavelengths: how many wavelengths there are.
        trade_off: the weight of a wavelength in the objective, 0 to 1; a regenerator has the rest.
    """

    options: Sequence[Sequence[Option]]
    wavelengths: int
    trade_off: float

    @cached_property
    def most_wavelengths(self) -> int:
        """How many wavelengths an assignment can use."""
        return min(self.wavelengths, len(self.options))

    @cached_property
    def most_regenerators(self) -> int:
        """How many regenerators an assignment can need."""
        return sum(max((option.regenerators for option in options), default=0) for options in self.options)

    @cached_property
    def penalty(self) -> float:
        """The cost of a blocked lightpath: more than all objectives."""
        return 1.0 + self.objective(self.most_wavelengths, self.most_regenerators)

    def objective(self, wavelengths: int, regenerators: int) -> float:
        """What an assignment with so many wavelengths and regenerators is judged by."""
        return self.trade_off * wavelengths + (1 - self.trade_off) * regenerators

    def counts(self, assignment: Assignment) -> tuple[int, int, int]:
        """The blocked lightpaths, the wavelengths and the regenerators of an assignment."""
        routed = [(number, *chosen) for number, chosen in enumerate(assignment) if chosen is not None]
        regenerators = sum(self.options[number][option].regenerators for number, option, _ in routed)
        return len(assignment) - len(routed), len({wavelength for _, _, wavelength in routed}), regenerators

    def cost(self, assignment: Assignment) -> float:
        """The objective with the penalties of blocked lightpaths."""
        blocked, wavelengths, regenerators = self.counts(assignment)
        return self.penalty * blocked + self.objective(wavelengths, regenerators)

    def permits(self, assignment: Assignment) -> bool:
        """Whether all wavelengths exist and no two lightpaths use a resource on the same one."""
        used = [0] * self.wavelengths
        for options, chosen in zip(self.options, assignment, strict=True):
            if chosen is None:
                continue
            option, wavelength = chosen
            if not 0 <= wavelength < self.wavelengths or used[wavelength] & options[option].resources:
                return False
            used[wavelength] |= options[option].resources
        return True

    def attainable(self, bound: float) -> float:
        """The least cost that whole numbers of lightpaths, wavelengths and regenerators give at or above a bound."""
        bound -= TOLERANCE
        first = max(int(bound // self.penalty), 0)
        costs = []
        for blocked in (first, first + 1):
            for regenerators in range(self.most_regenerators + 1):
                base = self.penalty * blocked + self.objective(0, regenerators)
                missing = 0
                if base < bound and self.trade_off > 0:
                    missing = ceil((bound - base) / self.trade_off)
                if missing <= self.most_wavelengths and (base >= bound or missing):
                    costs.append(base + self.objective(missing, 0))
                if base >= bound:
                    break
        return min(costs)
