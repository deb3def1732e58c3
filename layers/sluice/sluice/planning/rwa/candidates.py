"""The paths among which the assignment chooses: working, protection and restoration paths with their regenerators."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypedDict

from sluice.errors import Invalid
from sluice.planning.rwa.paths import Graph, Path
from sluice.planning.rwa.regenerators import Placement, place_regenerators
from sluice.planning.rwa.signal import SNR_THRESHOLDS, SignalModel, lit_channels
from sluice.planning.topology import Topology


class PathPlan(TypedDict):
    """A path and its regenerators."""

    nodes: list[str]  # names, both ends included
    links: list[int]  # places in the topology's `links`
    regenerators: list[str]  # inner nodes, in the path's order
    noise: float  # the estimated noise of the worst segment in W


class Failure(TypedDict):
    """The paths that can replace a working path after failures of links."""

    first: int  # the failed link of the working path
    second: int | None  # the link of the protection path that failed, too; None if none did
    options: list[PathPlan]  # exactly one is chosen, and all choices have the lightpath's wavelength


class Candidate(TypedDict):
    """A working path, and a protection path for protected lightpaths."""

    working: PathPlan
    protection: PathPlan | None
    regenerators: int  # of both paths
    noise: float  # the worst segment's noise of those of the two paths that have regenerators, summed, in W
    failures: list[Failure]  # each with at least one option
    not_restorable: list[list[int]]  # failures without any path: [link], or [link, link] of two failures


class Choice(TypedDict):
    """The candidates of all lightpaths with some ends, protection and restoration."""

    source: str
    destination: str
    protection_type: str  # after a downgrade
    restoration_type: str  # after a downgrade
    downgraded: bool  # protection was asked for, but the network has no two disjoint paths
    candidates: list[Candidate]  # in the order that decides ties; empty if the network has no path


class Lightpath(TypedDict):
    """A lightpath as grooming demands it."""

    id: str
    source: str
    destination: str
    cluster_id: str | None
    demand_id: str | None
    routing_type: str
    protection_type: str
    restoration_type: str
    capacity: float  # in Gb/s


class Demanded(Lightpath):
    """A lightpath to be assigned."""

    choice: int  # the place of its candidates in `choices`


class Candidates(TypedDict):
    """All that the assignment needs of the network and the traffic, as JSON."""

    nodes: list[str]  # names by node number, in the order of names
    directionless: list[str]  # the names of `Directionless` nodes
    link_count: int
    lightpaths: list[Demanded]  # in the order of the grooming's result
    choices: list[Choice]


@dataclass(frozen=True)
class Search:
    """How candidates are searched.

    Args:
        modulation: a key of `SNR_THRESHOLDS`.
        paths: how many working paths are tried; one less, but at least one, protection paths for each.
        restoration_paths: how many restoration paths are tried for each failure.
        noise_margin: estimates assume that so many channels are lit on either side of the received one.
        channels: how many wavelengths a link has.
    """

    modulation: str = "QPSK"
    paths: int = 3
    restoration_paths: int = 2
    noise_margin: int = 4
    channels: int = 80


def find_candidates(topology: Topology, grooming: Mapping[str, Any], search: Search | None = None) -> Candidates:
    """Search the candidates of all lightpaths.

    Args:
        topology: the network.
        grooming: the result of grooming, or of a hand-made grooming; only `traffic` is read.
        search: how candidates are searched.

    Raises:
        Invalid: a lightpath's ends are not two nodes of the topology, or two lightpaths have the same id.
    """
    lightpaths = demanded_lightpaths(grooming)
    _check_lightpaths(topology, lightpaths)
    finder = _Finder(topology, search or Search())
    choices: dict[tuple[str, str, str, str], tuple[int, Choice]] = {}
    demanded: list[Demanded] = []
    for _, lightpath in lightpaths:
        ends = lightpath["source"], lightpath["destination"]
        key = (*ends, lightpath["protection_type"], lightpath["restoration_type"])
        if key not in choices:
            choices[key] = len(choices), finder.choice(*key)
        demanded.append({**lightpath, "choice": choices[key][0]})
    return {
        "nodes": finder.graph.names,
        "directionless": sorted(node.name for node in topology.nodes if node.roadm_type == "Directionless"),
        "link_count": len(topology.links),
        "lightpaths": demanded,
        "choices": [choice for _, choice in choices.values()],
    }


def demanded_lightpaths(grooming: Mapping[str, Any]) -> list[tuple[tuple[str, str], Lightpath]]:
    """The lightpaths of all matrices, each with its matrix's key and its own."""
    return [
        (
            (matrix_id, key),
            {
                "id": lightpath["id"],
                "source": lightpath["source"],
                "destination": lightpath["destination"],
                "cluster_id": matrix.get("cluster_id"),
                "demand_id": lightpath.get("demand_id"),
                "routing_type": lightpath.get("routing_type", "100GE"),
                "protection_type": lightpath["protection_type"],
                "restoration_type": lightpath.get("restoration_type") or "None",
                "capacity": float(lightpath["capacity"]),
            },
        )
        for matrix_id, matrix in grooming["traffic"].items()
        for key, lightpath in matrix["lightpaths"].items()
    ]


def _check_lightpaths(topology: Topology, lightpaths: list[tuple[tuple[str, str], Lightpath]]) -> None:
    names = {node.name for node in topology.nodes}
    seen: set[str] = set()
    faults = []
    for (matrix_id, key), lightpath in lightpaths:
        pointer = f"/traffic/{matrix_id}/lightpaths/{key}"
        for field, end in (("source", lightpath["source"]), ("destination", lightpath["destination"])):
            if end not in names:
                faults.append({"pointer": f"{pointer}/{field}", "message": f"The topology has no node {end!r}."})
        if lightpath["source"] == lightpath["destination"]:
            faults.append({"pointer": f"{pointer}/destination", "message": "The two ends must be different nodes."})
        if lightpath["id"] in seen:
            faults.append({"pointer": f"{pointer}/id", "message": "Another lightpath has the same id."})
        seen.add(lightpath["id"])
    if faults:
        raise Invalid("Some lightpaths of the grooming result do not fit the topology.", faults)


class _Finder:
    """Searches candidates in one network."""

    def __init__(self, topology: Topology, search: Search) -> None:
        self.search = search
        self.model = SignalModel(channels=search.channels)
        self.threshold = SNR_THRESHOLDS[search.modulation]
        lit = lit_channels(range(2 * search.noise_margin + 1))
        self.noises = [self.model.link_noise(link.length, search.noise_margin, lit) for link in topology.links]
        # No segment can cross a link that is too noisy alone; over the others a path always has a placement.
        usable = [number for number, noise in enumerate(self.noises) if self._within_reach([noise])]
        self.graph = Graph(topology, usable)
        self.plan = cache(self._plan)
        self.pairs = cache(self._pairs)
        self.restoration = cache(self._restoration)

    def _within_reach(self, noises: list[float]) -> bool:
        return self.model.snr(self.model.segment_noise(noises)) >= self.threshold

    def _plan(self, path: Path) -> PathPlan:
        links = self.graph.links(path)
        placement = place_regenerators([self.noises[link] for link in links], self.model, self.threshold)
        assert isinstance(placement, Placement), "every usable link is within reach alone"
        names = [self.graph.names[node] for node in path]
        return {
            "nodes": names,
            "links": links,
            "regenerators": [names[position] for position in placement.positions],
            "noise": placement.noise,
        }

    def choice(self, source: str, destination: str, protection: str, restoration: str) -> Choice:
        """The candidates of lightpaths with these ends, protection and restoration."""
        ends = self.graph.numbers[source], self.graph.numbers[destination]
        pairs = self.pairs(ends, protection != "NoProtection")
        downgraded = protection != "NoProtection" and not pairs
        if downgraded:
            protection, pairs = "NoProtection", self.pairs(ends, False)
            # Pairs of failures are those of a working and a protection path.
            restoration = "JointSame" if restoration == "AdvJointSame" else restoration
        return {
            "source": source,
            "destination": destination,
            "protection_type": protection,
            "restoration_type": restoration,
            "downgraded": downgraded,
            "candidates": [self._candidate(working, other, restoration) for working, other in pairs],
        }

    def _pairs(self, ends: tuple[int, int], protected: bool) -> list[tuple[Path, Path | None]]:
        """The working paths, each with each of its protection paths."""
        graph = self.graph
        working = graph.shortest_paths(*ends, self.search.paths)
        if not protected:
            return [(path, None) for path in working]
        pairs: list[tuple[Path, Path | None]] = []
        for path in working:
            nodes = _bits(path[1:-1])
            links = _bits(graph.links(path)) if len(path) == 2 else 0
            others = graph.shortest_paths(*ends, max(self.search.paths - 1, 1), nodes, links)
            pairs += [(path, other) for other in others if len(other) > 2 and graph.length(other) >= graph.length(path)]
        if not pairs:
            # The shortest paths may all stand in the way of a second one. Here a direct link may protect.
            pair = graph.disjoint_pair(*ends)
            pairs = [] if pair is None else [pair]
        return pairs

    def _candidate(self, working: Path, protection: Path | None, restoration: str) -> Candidate:
        plans = [self.plan(path) for path in (working, protection) if path is not None]
        failures: list[Failure] = []
        missing: list[list[int]] = []
        if restoration != "None":
            advanced = restoration == "AdvJointSame" and protection is not None
            failures, missing = self.restoration(working, protection, advanced)
        return {
            "working": plans[0],
            "protection": plans[1] if protection is not None else None,
            "regenerators": sum(len(plan["regenerators"]) for plan in plans),
            "noise": sum(plan["noise"] for plan in plans if plan["regenerators"]),
            "failures": failures,
            "not_restorable": missing,
        }

    def _restoration(
        self, working: Path, protection: Path | None, advanced: bool
    ) -> tuple[list[Failure], list[list[int]]]:
        """What can replace the working path after each failure, and the failures that nothing can."""
        kept = [] if protection is None else self.graph.links(protection)
        ends = working[0], working[-1]
        failures: list[Failure] = []
        missing: list[list[int]] = []
        for first in self.graph.links(working):
            options = self._options(ends, [first, *kept])
            if options:
                failures.append({"first": first, "second": None, "options": options})
            elif not advanced:
                missing.append([first])
            for second in kept if advanced and not options else ():
                options = self._options(ends, [first, second])
                if options:
                    failures.append({"first": first, "second": second, "options": options})
                else:
                    missing.append([first, second])
        return failures, missing

    def _options(self, ends: tuple[int, int], avoided: list[int]) -> list[PathPlan]:
        paths = self.graph.shortest_paths(*ends, self.search.restoration_paths, without_links=_bits(avoided))
        return [self.plan(path) for path in paths]


def _bits(numbers: Iterable[int]) -> int:
    bits = 0
    for number in numbers:
        bits |= 1 << number
    return bits
