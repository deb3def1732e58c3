"""The assignment of a path and a wavelength to each lightpath: one greedy restart."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NotRequired, TypedDict

from sluice.planning.rwa.candidates import Candidate, Candidates, Demanded, Failure, PathPlan
from sluice.planning.rwa.restoration import Chooser, Masks, Option, Plan, RegeneratorPool, lowest

Order = Literal["random", "longest_first", "shortest_first", "most_loaded_first"]
# The weight of a candidate's noise in W, beside wavelengths and regenerators.
NOISE_WEIGHT = 1000


@dataclass(frozen=True)
class Rules:
    """How lightpaths are assigned.

    Args:
        trade_off: the weight of a wavelength in the objective, from 0 to 1; that of a regenerator is the rest to 1.
        channels: how many wavelengths a link has.
        order: in which order lightpaths are taken; a random one decides among equals.
        restoration_combinations: how many combinations of restoration paths are weighed together at most.
    """

    trade_off: float = 0.1
    channels: int = 80
    order: Order = "random"
    restoration_combinations: int = 256


class Assigned(TypedDict):
    """What a lightpath has been assigned."""

    candidate: int  # the place of its candidate in its choice's `candidates`
    wavelength: int
    restoration: list[int | None]  # for each of the candidate's failures the place of its option; None: not restored


class Blocked(TypedDict):
    """A lightpath without a path or a wavelength."""

    id: str
    reason: str  # `no_path`, `no_wavelength` or `directionless`
    message: str


class GreedyStart(TypedDict):
    """The greedy restarts before an exact assignment, and the best one, which it starts from."""

    restarts: int
    restart: int  # the number of the best one
    blocked: int
    objective: float  # without restoration
    objective_with_restoration: float


class Exact(TypedDict):
    """How good an exact assignment is, without restoration."""

    status: str  # `optimal`, `search_limit` or `time_limit`
    blocked_bound: int  # no assignment blocks fewer lightpaths
    objective: float
    bound: float | None  # no assignment that blocks as few has a lower objective; None if more are blocked
    gap: float | None  # the part of the objective by which the bound is lower
    greedy: GreedyStart


class Assignment(TypedDict):
    """The assignment of all lightpaths, as JSON."""

    assigned: dict[str, Assigned]  # by lightpath, in the order of `lightpaths`
    blocked: list[Blocked]
    wavelengths_used: int  # distinct ones in the whole network
    regenerators_used: int  # of working and protection paths, and the pool of the restoration paths
    objective: float
    exact: NotRequired[Exact]


@dataclass(frozen=True, slots=True)
class _Route:
    """A candidate in numbers."""

    links: tuple[int, ...]
    drops: tuple[int, ...]  # the `Directionless` nodes where the lightpath is added, dropped or regenerated
    regenerators: int
    noise: float
    failures: tuple[tuple[Option, ...], ...]
    pairs: tuple[bool, ...]
    not_restorable: int


@dataclass
class _State:
    """What the lightpaths assigned so far use; wavelengths as bits."""

    used: list[int]  # by link: by working and protection paths
    shared: list[int]  # by link: by restoration paths
    dropped: dict[int, int]  # by `Directionless` node: added or dropped there
    in_use: int = 0
    regenerators: int = 0
    pool: RegeneratorPool = field(default_factory=RegeneratorPool)

    def objective(self, trade_off: float, wavelength: int = 0, regenerators: int = 0) -> float:
        """The objective without noise, with a set of wavelengths and some regenerators more."""
        wavelengths = (self.in_use | wavelength).bit_count()
        total = self.regenerators + self.pool.size + regenerators
        return trade_off * wavelengths + (1 - trade_off) * total


def assign(candidates: Candidates, rules: Rules, rng: random.Random) -> Assignment:
    """Assign the lightpaths one after the other, each as well as the earlier ones permit.

    Args:
        candidates: what `find_candidates` returns, also after a way through JSON.
        rules: how lightpaths are assigned.
        rng: the generator of this restart.

    Returns:
        The assignment; lightpaths for which nothing is left are blocked, never an error.
    """
    return _Restart(candidates, rules, rng).run()


def assign_chosen(
    candidates: Candidates, rules: Rules, chosen: Mapping[str, tuple[int, int]], rng: random.Random
) -> Assignment:
    """Assign candidates and wavelengths that are already chosen, then restoration paths as far as they permit.

    Args:
        candidates: what `find_candidates` returns, also after a way through JSON.
        rules: how restoration paths are assigned.
        chosen: the place of its candidate and the wavelength of each lightpath, by id; others are blocked.
        rng: draws combinations of restoration paths.

    Returns:
        The assignment.
    """
    return _Restart(candidates, rules, rng).run_chosen(chosen)


class _Restart:
    """One restart."""

    def __init__(self, candidates: Candidates, rules: Rules, rng: random.Random) -> None:
        self.candidates, self.rules = candidates, rules
        self.numbers = {name: number for number, name in enumerate(candidates["nodes"])}
        self.directionless = {self.numbers[name] for name in candidates["directionless"]}
        self.all = (1 << rules.channels) - 1
        self.routes: dict[int, list[_Route]] = {}
        links = candidates["link_count"]
        self.state = _State([0] * links, [0] * links, dict.fromkeys(sorted(self.directionless), 0))
        self.lightpaths = order_lightpaths(candidates, rules.order, rng)
        # Of its own, so that the order is the same whether or not combinations are drawn.
        self.rng = random.Random(rng.getrandbits(64))  # noqa: S311

    def run(self) -> Assignment:
        """Assign all lightpaths."""
        assigned: dict[str, Assigned] = {}
        blocked: dict[str, Blocked] = {}
        for lightpath in self.lightpaths:
            best = self._best(lightpath)
            if best is None:
                blocked[lightpath["id"]] = self._reason(lightpath)
                continue
            place, plan = best
            route = self._routes(lightpath)[place]
            self._light(route, plan.wavelength)
            self._restore(route, plan)
            assigned[lightpath["id"]] = _assigned(place, plan)
        return self._assignment(assigned, blocked)

    def run_chosen(self, chosen: Mapping[str, tuple[int, int]]) -> Assignment:
        """Assign chosen candidates and wavelengths, then restoration paths in the restart's order."""
        for lightpath in self.lightpaths:
            if lightpath["id"] in chosen:
                place, wavelength = chosen[lightpath["id"]]
                self._light(self._routes(lightpath)[place], wavelength)
        blocked = {
            lightpath["id"]: self._reason(lightpath) for lightpath in self.lightpaths if lightpath["id"] not in chosen
        }
        assigned: dict[str, Assigned] = {}
        for lightpath in self.lightpaths:
            if lightpath["id"] in chosen:
                place, wavelength = chosen[lightpath["id"]]
                route = self._routes(lightpath)[place]
                plan = self._plan(route, 1 << wavelength)
                self._restore(route, plan)
                assigned[lightpath["id"]] = _assigned(place, plan)
        return self._assignment(assigned, blocked)

    def _assignment(self, assigned: Mapping[str, Assigned], blocked: Mapping[str, Blocked]) -> Assignment:
        ids = [lightpath["id"] for lightpath in self.candidates["lightpaths"]]
        state = self.state
        return {
            "assigned": {key: assigned[key] for key in ids if key in assigned},
            "blocked": [blocked[key] for key in ids if key in blocked],
            "wavelengths_used": state.in_use.bit_count(),
            "regenerators_used": state.regenerators + state.pool.size,
            "objective": state.objective(self.rules.trade_off),
        }

    def _routes(self, lightpath: Demanded) -> list[_Route]:
        number = lightpath["choice"]
        if number not in self.routes:
            choice = self.candidates["choices"][number]
            self.routes[number] = [self._route(candidate) for candidate in choice["candidates"]]
        return self.routes[number]

    def _route(self, candidate: Candidate) -> _Route:
        plans = [plan for plan in (candidate["working"], candidate["protection"]) if plan is not None]
        links = tuple(link for plan in plans for link in plan["links"])
        nodes = candidate["working"]["nodes"]
        stops = [nodes[0], nodes[-1], *(name for plan in plans for name in plan["regenerators"])]
        drops = self._directionless(stops)
        return _Route(
            links=links,
            drops=drops,
            regenerators=candidate["regenerators"],
            noise=candidate["noise"],
            failures=tuple(
                tuple(self._option(option, links, drops, failure) for option in failure["options"])
                for failure in candidate["failures"]
            ),
            pairs=tuple(failure["second"] is not None for failure in candidate["failures"]),
            not_restorable=len(candidate["not_restorable"]),
        )

    def _option(self, plan: PathPlan, own: Sequence[int], drops: Sequence[int], failure: Failure) -> Option:
        regenerators, first, second = plan["regenerators"], failure["first"], failure["second"]
        return Option(
            others=tuple(link for link in plan["links"] if link not in own),
            drops=tuple(node for node in self._directionless(regenerators) if node not in drops),
            uses=tuple((self.numbers[name], first, second) for name in regenerators),
        )

    def _directionless(self, names: Sequence[str]) -> tuple[int, ...]:
        return tuple(number for name in names if (number := self.numbers[name]) in self.directionless)

    def _best(self, lightpath: Demanded) -> tuple[int, Plan] | None:
        """The candidate with the fewest failures that nothing restores, then the least objective, then the first."""
        best: tuple[tuple[int, float], int, Plan] | None = None
        for place, route in enumerate(self._routes(lightpath)):
            free = self._free(route)
            if not free:
                continue
            plan = self._plan(route, free)
            cost = self.state.objective(
                self.rules.trade_off, 1 << plan.wavelength, route.regenerators + plan.regenerators
            )
            key = route.not_restorable + plan.missing, cost + NOISE_WEIGHT * route.noise
            if best is None or key < best[0]:
                best = key, place, plan
        return None if best is None else best[1:]

    def _free(self, route: _Route, drops: bool = True) -> int:
        """The wavelengths that both paths can have."""
        busy, state = 0, self.state
        for link in route.links:
            busy |= state.used[link] | state.shared[link]
        for node in route.drops if drops else ():
            busy |= state.dropped[node]
        return self.all & ~busy

    def _plan(self, route: _Route, free: int) -> Plan:
        """The wavelength, one of `free`, and the restoration paths."""
        if not route.failures:
            return Plan((), lowest(free), 0)
        masks = [[self._masks(option) for option in options] for options in route.failures]
        chooser = Chooser(route.failures, route.pairs, masks, free, self.state.in_use, self.state.pool)
        return chooser.choose(self.rules.trade_off, self.rules.restoration_combinations, self.rng)

    def _masks(self, option: Option) -> Masks:
        busy, shared, state = 0, -1, self.state
        for link in option.others:
            busy |= state.used[link]
            shared &= state.shared[link]
        for node in option.drops:
            busy |= state.dropped[node]
        return Masks(busy, shared)

    def _light(self, route: _Route, wavelength: int) -> None:
        """Note what the working and the protection path use."""
        state, bit = self.state, 1 << wavelength
        for link in route.links:
            state.used[link] |= bit
        for node in route.drops:
            state.dropped[node] |= bit
        state.in_use |= bit
        state.regenerators += route.regenerators

    def _restore(self, route: _Route, plan: Plan) -> None:
        """Note what the restoration paths use."""
        state, bit = self.state, 1 << plan.wavelength
        chosen = [
            options[place] for options, place in zip(route.failures, plan.options, strict=True) if place is not None
        ]
        for option in chosen:
            for link in option.others:
                state.shared[link] |= bit
            for node in option.drops:
                state.dropped[node] |= bit
        state.pool.add([use for option in chosen for use in option.uses])

    def _reason(self, lightpath: Demanded) -> Blocked:
        source, destination, routes = lightpath["source"], lightpath["destination"], self._routes(lightpath)
        if not routes:
            reason = "no_path"
            message = f"No path over links within reach joins {source} and {destination}."
        elif any(self._free(route, drops=False) for route in routes):
            reason = "directionless"
            message = "Each wavelength that is free on a path is already added or dropped at one of its nodes."
        else:
            reason, message = "no_wavelength", "On no path is a wavelength free on all links."
        return {"id": lightpath["id"], "reason": reason, "message": message}


def _assigned(place: int, plan: Plan) -> Assigned:
    return {"candidate": place, "wavelength": plan.wavelength, "restoration": list(plan.options)}


def order_lightpaths(candidates: Candidates, order: Order, rng: random.Random) -> list[Demanded]:
    """The order in which a restart takes the lightpaths.

    `random` shuffles them. The others shuffle, too, and then sort: by the links of the first candidate's working path,
    or by the load of its most loaded link if all lightpaths took their first candidate.

    Args:
        candidates: the lightpaths and their candidates.
        order: the name of the order.
        rng: shuffles.
    """
    lightpaths = list(candidates["lightpaths"])
    rng.shuffle(lightpaths)
    if order == "random":
        return lightpaths
    first = [choice["candidates"][0] if choice["candidates"] else None for choice in candidates["choices"]]
    return sorted(lightpaths, key=_KEYS[order](candidates, first))


_Key = Callable[[Demanded], int]


def _by_length(sign: int) -> Callable[[Candidates, Sequence[Candidate | None]], _Key]:
    def key(candidates: Candidates, first: Sequence[Candidate | None]) -> _Key:
        lengths = [len(candidate["working"]["links"]) if candidate else 0 for candidate in first]
        return lambda lightpath: sign * lengths[lightpath["choice"]]

    return key


def _by_load(candidates: Candidates, first: Sequence[Candidate | None]) -> _Key:
    links = [_links(candidate) for candidate in first]
    load = [0] * candidates["link_count"]
    for lightpath in candidates["lightpaths"]:
        for link in links[lightpath["choice"]]:
            load[link] += 1
    return lambda lightpath: -max((load[link] for link in links[lightpath["choice"]]), default=0)


def _links(candidate: Candidate | None) -> list[int]:
    if candidate is None:
        return []
    protection = candidate["protection"]
    return [*candidate["working"]["links"], *(protection["links"] if protection else ())]


_KEYS: Mapping[str, Callable[[Candidates, Sequence[Candidate | None]], _Key]] = {
    "longest_first": _by_length(-1),
    "shortest_first": _by_length(1),
    "most_loaded_first": _by_load,
}
