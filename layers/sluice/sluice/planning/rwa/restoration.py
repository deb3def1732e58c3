"""Which restoration paths a lightpath gets, and the regenerators that restoration paths share.

Restoration paths have their lightpath's wavelength. They may share it on a link: two lightpaths over a failed link
have different wavelengths, so that no single failure activates two paths with the same one. No other working or
protection path may use it there.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# How many combinations of paths are weighed for all pairs of failures of a lightpath.
PAIR_COMBINATIONS = 10

# A regenerator in use: its node, the first failure, and the second failure or None.
Use = tuple[int, int, int | None]


@dataclass(frozen=True, slots=True)
class Option:
    """A restoration path.

    Args:
        others: those of its links that neither the working nor the protection path has.
        drops: the `Directionless` nodes of its regenerators where neither of the two paths is added or dropped.
        uses: its regenerators.
    """

    others: tuple[int, ...]
    drops: tuple[int, ...]
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The restoration of a lightpath.

    Args:
        options: for each failure the place of its path among the options; None if it is not restored.
        wavelength: the lightpath's wavelength.
        regenerators: how many regenerators have to be added to the pool.
    """

    options: tuple[int | None, ...]
    wavelength: int
    regenerators: int

    @property
    def missing(self) -> int:
        """How many failures are not restored."""
        return self.options.count(None)


@dataclass(frozen=True, slots=True)
class Masks:
    """The wavelengths that an option can and should have, as bits.

    Args:
        busy: those that another working or protection path uses on one of its links.
        shared: those that restoration paths already use on all of its links.
    """

    busy: int
    shared: int


class RegeneratorPool:
    """The regenerators at each node that restoration paths share.

    A node needs as many as its worst failure activates: those of the paths after a first failure, and of the paths
    after one second failure.
    """

    def __init__(self) -> None:
        self._counts: dict[int, dict[tuple[int, int | None], int]] = {}
        self._needed: dict[int, int] = {}
        self.size = 0

    def increase(self, uses: Sequence[Use]) -> int:
        """By how many regenerators the pool would grow with these uses."""
        if not uses:
            return 0
        grown = 0
        for node in {node for node, _, _ in uses}:
            counts = dict(self._counts.get(node, {}))
            _count(counts, uses, node)
            grown += max(_needed(counts) - self._needed.get(node, 0), 0)
        return grown

    def add(self, uses: Sequence[Use]) -> None:
        """Note these uses."""
        self.size += self.increase(uses)
        for node in {node for node, _, _ in uses}:
            counts = self._counts.setdefault(node, {})
            _count(counts, uses, node)
            self._needed[node] = _needed(counts)

    def by_node(self) -> dict[int, int]:
        """The regenerators that each node needs, in the order of nodes."""
        return dict(sorted(self._needed.items()))


def _count(counts: dict[tuple[int, int | None], int], uses: Sequence[Use], node: int) -> None:
    for place, first, second in uses:
        if place == node:
            counts[first, second] = counts.get((first, second), 0) + 1


def _needed(counts: dict[tuple[int, int | None], int]) -> int:
    return max(
        count + (counts.get((first, None), 0) if second is not None else 0) for (first, second), count in counts.items()
    )


def lowest(wavelengths: int) -> int:
    """The lowest wavelength of a set that is not empty."""
    return (wavelengths & -wavelengths).bit_length() - 1


class Chooser:
    """Chooses the restoration paths of one lightpath on one candidate.

    Args:
        failures: the options for each failure.
        pairs: whether each failure is a pair of failures.
        masks: the wavelengths of each option, by failure.
        free: the wavelengths that the working and the protection path can have; not empty.
        in_use: the wavelengths in use anywhere in the network.
        pool: the regenerators that restoration paths share.
    """

    def __init__(
        self,
        failures: Sequence[Sequence[Option]],
        pairs: Sequence[bool],
        masks: Sequence[Sequence[Masks]],
        free: int,
        in_use: int,
        pool: RegeneratorPool,
    ) -> None:
        self.failures, self.pairs, self.masks = failures, pairs, masks
        self.free, self.in_use, self.pool = free, in_use, pool
        self.regenerates = any(option.uses for options in failures for option in options)

    def choose(self, trade_off: float, cap: int, rng: random.Random) -> Plan:
        """Choose a path for each failure.

        All combinations are weighed, with at most 10 random ones for the pairs of failures. If they are more than
        `cap`, or no wavelength is free for any, the failures are taken one after the other.

        Args:
            trade_off: the weight of a wavelength; that of a regenerator is the rest to 1.
            cap: the largest number of combinations.
            rng: draws the random combinations.
        """
        best: tuple[float, Plan] | None = None
        least = 0 if self.free & self.in_use else trade_off
        for combination in self._combinations(cap, rng):
            plan = self._plan(combination)
            if plan is None:
                continue
            cost = trade_off * (not self.in_use >> plan.wavelength & 1) + (1 - trade_off) * plan.regenerators
            if best is None or cost < best[0]:
                best = cost, plan
            if cost <= least:
                break
        return best[1] if best is not None else self._one_by_one(trade_off)

    def _combinations(self, cap: int, rng: random.Random) -> Iterable[tuple[int, ...]]:
        counts = [len(options) for options in self.failures]
        singles = [range(count) for count, pair in zip(counts, self.pairs, strict=True) if not pair]
        pairs = [range(count) for count, pair in zip(counts, self.pairs, strict=True) if pair]
        draws = min(math.prod(map(len, pairs)), PAIR_COMBINATIONS)
        if math.prod(map(len, singles)) * draws > cap:
            return
        if math.prod(map(len, pairs)) > draws:
            drawn = [tuple(rng.choice(options) for options in pairs) for _ in range(draws)]
        else:
            drawn = list(itertools.product(*pairs))
        for single in itertools.product(*singles):
            for pair in drawn:
                ahead = {False: iter(single), True: iter(pair)}
                yield tuple(next(ahead[is_pair]) for is_pair in self.pairs)

    def _plan(self, combination: tuple[int, ...]) -> Plan | None:
        free, shared = self.free, -1
        for masks, place in zip(self.masks, combination, strict=True):
            free &= ~masks[place].busy
            shared &= masks[place].shared
        if not free:
            return None
        uses = self._uses(combination) if self.regenerates else ()
        return Plan(combination, lowest(free & shared or free), self.pool.increase(uses))

    def _uses(self, combination: Iterable[int]) -> list[Use]:
        return [use for options, place in zip(self.failures, combination, strict=True) for use in options[place].uses]

    def _one_by_one(self, trade_off: float) -> Plan:
        """Take for each failure the cheapest option that leaves a wavelength; none if there is no such option."""
        free, shared = self.free, -1
        chosen: list[int | None] = []
        uses: list[Use] = []
        for options, masks in zip(self.failures, self.masks, strict=True):
            best: tuple[float, int] | None = None
            for place, option in enumerate(options):
                left = free & ~masks[place].busy
                if left:
                    new = not self.in_use >> lowest(left) & 1
                    cost = trade_off * new + (1 - trade_off) * self.pool.increase([*uses, *option.uses])
                    best = min(best, (cost, place)) if best else (cost, place)
            chosen.append(best[1] if best else None)
            if best:
                free &= ~masks[best[1]].busy
                shared &= masks[best[1]].shared
                uses += options[best[1]].uses
        return Plan(tuple(chosen), lowest(free & shared or free), self.pool.increase(uses))
