"""Network planning with NetworkX in one process: `planning_networkx.py TOPOLOGY MATRIX [PARAMETERS]`, files of JSON.

Grooming, candidates, greedy assignment with restarts, restoration, SNR and bill of materials, written straight from the
planner's specification and without tuning. It shares no code with the product, so tests also compare the product with
it. `AdvJointSame` is planned as `JointSame`: pairs of failures are left out.
"""

from __future__ import annotations

import itertools
import json
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import ceil, inf, prod
from pathlib import Path
from typing import Any

import networkx as nx

from benchmarks.peers.measuring import peak_bytes, processor_seconds
from benchmarks.peers.planning_grooming import Lightpath, groom
from benchmarks.peers.planning_physics import estimated_noise, link_noise, noise_at, segment_noise, snr

PARAMETERS: dict[str, Any] = {
    "mp1h_threshold": 70,
    "shortest_path_k": 3,
    "restoration_k": 2,
    "noise_margin": 4,
    "trade_off": 0.1,
    "iterations": 4,
    "seed": 0,
    "wavelengths": 80,
    "snr_threshold": 11.3,
    "most_choices": 256,
}
Path_ = tuple[str, ...]
Edge = tuple[str, str]


def edges(path: Sequence[str]) -> list[Edge]:
    """The links of a path, each with its ends in order."""
    return [(min(pair), max(pair)) for pair in itertools.pairwise(path)]


@dataclass(frozen=True)
class Routed:
    """A path with its regenerators; `noise` is its worst segment's, in W."""

    path: Path_
    regenerators: Path_
    noise: float


@dataclass(frozen=True)
class Candidate:
    """A working path and, of protected lightpaths, a protection path."""

    working: Routed
    protection: Routed | None

    @property
    def paths(self) -> list[Routed]:
        """Both paths, or the working path alone."""
        return [self.working] + ([self.protection] if self.protection else [])

    @property
    def links(self) -> list[Edge]:
        """The links of all paths."""
        return [edge for routed in self.paths for edge in edges(routed.path)]

    @property
    def regenerators(self) -> int:
        """How many regenerators all paths have."""
        return sum(len(routed.regenerators) for routed in self.paths)

    @property
    def noise(self) -> float:
        """The sum of the worst noises of the paths with regenerators, in W."""
        return sum(routed.noise for routed in self.paths if routed.regenerators)


@dataclass
class Plan:
    """What a restart assigns: by lightpath the candidate, the wavelength and restoration paths by failed link."""

    routed: dict[str, tuple[Candidate, int, dict[Edge, Routed]]] = field(default_factory=dict)
    blocked: list[str] = field(default_factory=list)
    not_restorable: list[str] = field(default_factory=list)
    lit: dict[Edge, set[int]] = field(default_factory=lambda: defaultdict(set))
    restoring: dict[Edge, set[int]] = field(default_factory=lambda: defaultdict(set))
    dropped: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    pools: dict[str, Counter[Edge]] = field(default_factory=lambda: defaultdict(Counter))
    regenerators: int = 0

    @property
    def wavelengths(self) -> set[int]:
        """The wavelengths in use."""
        return {wavelength for _, wavelength, _ in self.routed.values()}

    @property
    def pooled(self) -> int:
        """The regenerators of restoration: at each node as many as the worst failure needs."""
        return sum(max(pool.values(), default=0) for pool in self.pools.values())


class Planner:
    """Paths, assignment and materials of a network."""

    def __init__(self, topology: dict[str, Any], parameters: dict[str, Any]) -> None:
        """Build the graph.

        Args:
            topology: the document.
            parameters: all of `PARAMETERS`.
        """
        self.graph = nx.Graph()
        self.types = {node["name"]: node.get("roadm_type", "CDC") for node in topology["nodes"]}
        self.graph.add_nodes_from(self.types)
        for link in topology["links"]:
            self.graph.add_edge(link["source"], link["destination"], length=link["length"])
        self.parameters = parameters
        self.worst_noise = noise_at(parameters["snr_threshold"])
        self.pairs: dict[tuple[str, str, bool], list[Candidate]] = {}
        self.options: dict[Candidate, dict[Edge, list[Routed]]] = {}

    def shortest(self, graph: nx.Graph, source: str, destination: str, count: int) -> list[Path_]:
        """The shortest simple paths; equally long ones in order of their nodes."""
        paths: list[tuple[float, Path_]] = []
        try:
            for path in nx.shortest_simple_paths(graph, source, destination, weight="length"):
                length = self.length(path)
                if len(paths) >= count and length > paths[count - 1][0]:
                    break
                paths.append((length, tuple(path)))
        except nx.NetworkXNoPath:
            return []
        return [path for _, path in sorted(paths)[:count]]

    def length(self, path: Sequence[str]) -> float:
        """The length of a path in km."""
        return float(sum(self.graph.edges[edge]["length"] for edge in edges(path)))

    def segments(self, path: Path_, regenerators: Path_) -> Iterator[Path_]:
        """The parts of a path between its ends and regenerators."""
        cuts = [0, *(path.index(node) for node in regenerators), len(path) - 1]
        for first, last in itertools.pairwise(cuts):
            yield path[first : last + 1]

    def noise(self, segment: Path_) -> float:
        """The estimated noise of a segment in W."""
        margin = self.parameters["noise_margin"]
        links = sum(estimated_noise(self.graph.edges[edge]["length"], margin) for edge in edges(segment))
        return segment_noise(links, len(segment))

    def regenerate(self, path: Path_) -> Routed | None:
        """The path with the fewest regenerators, of which the least noisy; None where a link alone is too long."""
        for count in range(len(path) - 1):
            splits = [
                (max(map(self.noise, self.segments(path, nodes))), nodes)
                for nodes in itertools.combinations(path[1:-1], count)
            ]
            noise, nodes = min(splits)
            if noise <= self.worst_noise:
                return Routed(path, nodes, noise)
        return None

    def protections(self, working: Path_, count: int) -> list[Path_]:
        """Paths that share no inner node and no link with the working path, and are not shorter."""
        graph = self.graph.copy()
        graph.remove_nodes_from(working[1:-1])
        if len(working) == 2:
            graph.remove_edge(*working)
        least = self.length(working)
        paths = self.shortest(graph, working[0], working[-1], count)
        return [path for path in paths if len(path) >= 3 and self.length(path) >= least]

    def disjoint_pair(self, source: str, destination: str) -> list[tuple[Path_, Path_]]:
        """The shortest pair of paths that share no inner node, by minimum cost flow; empty where there is none."""
        split = nx.DiGraph()
        for node in self.graph:
            split.add_edge((node, "in"), (node, "out"), capacity=1 + (node in (source, destination)), weight=0)
        for one, other, length in self.graph.edges(data="length"):
            # Whole numbers, as the algorithm needs.
            weight = round(length * 2**20)
            split.add_edge((one, "out"), (other, "in"), capacity=1, weight=weight)
            split.add_edge((other, "out"), (one, "in"), capacity=1, weight=weight)
        flow = nx.max_flow_min_cost(split, (source, "in"), (destination, "out"))
        paths = []
        for first in [node for (node, _), units in flow[source, "out"].items() if units]:
            path = [source, first]
            while path[-1] != destination:
                path.append(next(node for (node, _), units in flow[path[-1], "out"].items() if units))
            paths.append(tuple(path))
        paths.sort(key=self.length)
        return [(paths[0], paths[1])] if len(paths) > 1 else []

    def candidates(self, source: str, destination: str, *, protected: bool) -> list[Candidate]:
        """The candidates of a pair of nodes; without protection where a protected pair has none."""
        key = source, destination, protected
        if key not in self.pairs:
            count = self.parameters["shortest_path_k"]
            paths = self.shortest(self.graph, source, destination, count)
            pairs: Iterable[tuple[Path_, Path_ | None]] = [(path, None) for path in paths]
            if protected:
                pairs = [(path, other) for path in paths for other in self.protections(path, max(count - 1, 1))]
                pairs = pairs or self.disjoint_pair(source, destination)
            if protected and not pairs:
                return self.candidates(source, destination, protected=False)
            self.pairs[key] = list(self.with_regenerators(pairs))
        return self.pairs[key]

    def with_regenerators(self, pairs: Iterable[tuple[Path_, Path_ | None]]) -> Iterator[Candidate]:
        """Pairs of paths with their regenerators, where every segment is in reach."""
        for path, other in pairs:
            working, protection = self.regenerate(path), self.regenerate(other) if other else None
            if working and (protection or not other):
                yield Candidate(working, protection)

    def restorations(self, candidate: Candidate) -> dict[Edge, list[Routed]]:
        """The restoration paths of each link of the working path that has some."""
        if candidate in self.options:
            return self.options[candidate]
        protection = edges(candidate.protection.path) if candidate.protection else []
        ends = candidate.working.path[0], candidate.working.path[-1]
        options = {}
        for failed in edges(candidate.working.path):
            graph = self.graph.copy()
            graph.remove_edges_from([failed, *protection])
            paths = map(self.regenerate, self.shortest(graph, *ends, self.parameters["restoration_k"]))
            options[failed] = [routed for routed in paths if routed]
        self.options[candidate] = {failed: choice for failed, choice in options.items() if choice}
        return self.options[candidate]

    def choices(self, candidate: Candidate, *, restored: bool) -> Iterator[dict[Edge, Routed]]:
        """The combinations of restoration paths to weigh; the cheapest alone where there are too many."""
        options = self.restorations(candidate) if restored else {}
        if prod(map(len, options.values())) > self.parameters["most_choices"]:
            options = {
                failed: [min(paths, key=lambda routed: len(routed.regenerators))] for failed, paths in options.items()
            }
        for paths in itertools.product(*options.values()):
            yield dict(zip(options, paths, strict=True))

    def adds(self, candidate: Candidate, restoration: dict[Edge, Routed]) -> set[str]:
        """The Directionless nodes that add or drop the lightpath's wavelength."""
        routed = [*candidate.paths, *restoration.values()]
        nodes = {node for one in routed for node in (one.path[0], one.path[-1], *one.regenerators)}
        return {node for node in nodes if self.types[node] == "Directionless"}

    def wavelength(self, plan: Plan, candidate: Candidate, restoration: dict[Edge, Routed]) -> int | None:
        """The lowest free wavelength, before it those that all restoration links share already."""
        spare = {edge for routed in restoration.values() for edge in edges(routed.path)}
        used: set[int] = set()
        for edge in candidate.links:
            used |= plan.lit[edge] | plan.restoring[edge]
        for edge in spare:
            used |= plan.lit[edge]
        for node in self.adds(candidate, restoration):
            used |= plan.dropped[node]
        free = [number for number in range(self.parameters["wavelengths"]) if number not in used]
        shared = [number for number in free if spare and all(number in plan.restoring[edge] for edge in spare)]
        return next(iter(shared + free), None)

    def pooled(self, plan: Plan, restoration: dict[Edge, Routed]) -> int:
        """The pooled regenerators of restoration with this lightpath's."""
        added: dict[str, Counter[Edge]] = defaultdict(Counter)
        for failed, routed in restoration.items():
            for node in routed.regenerators:
                added[node][failed] += 1
        nodes = {*plan.pools, *added}
        return sum(max((plan.pools[node] + added[node]).values(), default=0) for node in nodes)

    def assign(self, plan: Plan, lightpath: Lightpath) -> None:
        """Give a lightpath the cheapest candidate and its wavelength, or block it."""
        alpha = self.parameters["trade_off"]
        restored = lightpath.restoration != "None"
        best: tuple[float, Any] = (inf, None)
        for candidate in self.candidates(lightpath.source, lightpath.destination, protected=lightpath.protected):
            for restoration in self.choices(candidate, restored=restored):
                wavelength = self.wavelength(plan, candidate, restoration)
                if wavelength is None:
                    continue
                regenerators = plan.regenerators + candidate.regenerators + self.pooled(plan, restoration)
                count = len(plan.wavelengths | {wavelength})
                cost = alpha * count + (1 - alpha) * regenerators + 1000 * candidate.noise
                if cost < best[0]:
                    best = cost, (candidate, wavelength, restoration)
        if best[1] is None:
            plan.blocked.append(lightpath.id)
        else:
            self.occupy(plan, lightpath, *best[1])

    def occupy(
        self, plan: Plan, lightpath: Lightpath, candidate: Candidate, wavelength: int, restoration: dict[Edge, Routed]
    ) -> None:
        """Note what a lightpath uses."""
        plan.routed[lightpath.id] = candidate, wavelength, restoration
        plan.regenerators += candidate.regenerators
        for edge in candidate.links:
            plan.lit[edge].add(wavelength)
        for failed, routed in restoration.items():
            for edge in edges(routed.path):
                plan.restoring[edge].add(wavelength)
            for node in routed.regenerators:
                plan.pools[node][failed] += 1
        for node in self.adds(candidate, restoration):
            plan.dropped[node].add(wavelength)
        if lightpath.restoration != "None" and not restoration:
            plan.not_restorable.append(lightpath.id)

    def objective(self, plan: Plan) -> float:
        """The score of a plan."""
        alpha = self.parameters["trade_off"]
        return float(alpha * len(plan.wavelengths) + (1 - alpha) * (plan.regenerators + plan.pooled))

    def best(self, lightpaths: list[Lightpath]) -> Plan:
        """The best restart's plan, by blocked lightpaths, then the objective, then the restart's number."""
        plans = []
        for restart in range(self.parameters["iterations"]):
            order = list(lightpaths)
            random.Random(f"{self.parameters['seed']}:{restart}").shuffle(order)
            plan = Plan()
            for lightpath in order:
                self.assign(plan, lightpath)
            plans.append(plan)
        return min(plans, key=lambda plan: (len(plan.blocked), self.objective(plan)))

    def snr(self, plan: Plan) -> dict[str, list[float]]:
        """The SNR of each segment of each lightpath in dB, with the wavelengths that are lit."""
        result: dict[str, list[float]] = {}
        for identifier, (candidate, wavelength, _) in plan.routed.items():
            result[identifier] = []
            for routed in candidate.paths:
                for segment in self.segments(routed.path, routed.regenerators):
                    noise = sum(
                        link_noise(self.graph.edges[edge]["length"], wavelength, frozenset(plan.lit[edge]))
                        for edge in edges(segment)
                    )
                    result[identifier].append(snr(segment_noise(noise, len(segment))))
        return result

    def materials(self, plan: Plan, lightpaths: list[Lightpath], devices: dict[str, Counter[str]]) -> Counter[str]:
        """How many of each material the network needs."""
        total: Counter[str] = Counter()
        ending: dict[str, list[tuple[int, bool]]] = defaultdict(list)
        for lightpath in lightpaths:
            if lightpath.id in plan.routed:
                candidate, wavelength, _ = plan.routed[lightpath.id]
                for node in (lightpath.source, lightpath.destination):
                    ending[node].append((wavelength, candidate.protection is not None))
        for node in self.types:
            total += devices[node] + node_materials(self.graph.degree[node], ending[node])
        return total


def node_materials(degree: int, ending: list[tuple[int, bool]]) -> Counter[str]:
    """The materials of a node by its degree and the lightpaths that end there: their wavelength and protection."""
    protected = sum(protection for _, protection in ending)
    groups = {(number % 2, role) for number, protection in ending for role in range(1 + protection)}
    counts = Counter(
        OS5=ceil(degree / 5),
        FIM=degree,
        Amplifier=2 * degree,
        HKP=1,
        SM2=ceil(protected / 2),
        MD48=4 if degree == 2 else len(groups),
        OCM=ceil(degree / 4),
    )
    if degree >= 2:
        counts["WS4" if degree <= 3 else "WS9"] += degree
    if degree >= 3:
        counts["WS4" if degree <= 4 else "WS9"] += 1 + bool(protected)
    return counts


def plan_network(topology: dict[str, Any], matrix: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """Plan a network.

    Args:
        topology: the document.
        matrix: the document.
        parameters: those of `PARAMETERS` that differ.

    Returns:
        The statistics of grooming, those of the assignment, the SNR of each lightpath and the counts of materials.
    """
    chosen = {**PARAMETERS, **parameters}
    lightpaths, devices, statistics = groom(matrix, chosen["mp1h_threshold"])
    planner = Planner(topology, chosen)
    plan = planner.best(lightpaths)
    return {
        "grooming": statistics,
        "rwa": {
            "objective": planner.objective(plan),
            "wavelengths_used": len(plan.wavelengths),
            "regenerators_used": plan.regenerators,
            "restoration_regenerators": plan.pooled,
            "blocked": sorted(plan.blocked),
            "not_restorable": sorted(plan.not_restorable),
        },
        "snr": planner.snr(plan),
        "materials": dict(planner.materials(plan, lightpaths, devices)),
    }


def main() -> None:
    """Plan, and print the figures of the plan, the seconds and the peak memory; imports are done by then."""
    topology, matrix, *parameters = (json.loads(Path(name).read_text()) for name in sys.argv[1:])
    before, begun = processor_seconds(), time.perf_counter()
    planned = plan_network(topology, matrix, **(parameters[0] if parameters else {}))["rwa"]
    taken = {"seconds": time.perf_counter() - begun, "busy": processor_seconds() - before}
    figures = {"objective": planned["objective"], "blocked": len(planned["blocked"])}
    print(json.dumps({**taken, "peak_bytes": peak_bytes("self"), **figures}))


if __name__ == "__main__":
    main()
