"""The rules that every result of `rwa` keeps, written from the specification and not from the code.

Numbers in names and messages are those of the specification's invariants.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import networkx as nx
import pytest

from sluice.planning.topology import Topology

Link = frozenset[str]
PathInfo = Mapping[str, Any]
THRESHOLDS = {"QPSK": 11.3, "8QAM": 16.0}


class Physics:
    """The physical model, formula by formula."""

    P, B, GAMMA, BETA2, SPAN = 2e-3, 42.5e9, 1.31e-3, 21.7e-27, 142_000
    ALPHA = 0.25 / 1000 / 8.685889638
    QUANTUM = 2 * 42.5e9 * 6.62607015e-34 * 193e12 * 1.77

    def psi(self, offset: float) -> float:
        la = 1 / (2 * self.ALPHA)
        if offset == 0:
            return math.asinh(math.pi**2 / 2 * la * self.BETA2 * self.B**2) / (2 * math.pi * la * self.BETA2)
        f = offset * 100e9
        up, down = (math.asinh(math.pi**2 * la * self.BETA2 * (f + s * self.B / 2) * self.B) for s in (1, -1))
        return (up - down) / (4 * math.pi * la * self.BETA2)

    def link_noise(self, km: float, channel: int, lit: set[int]) -> float:
        spans = []
        left = km * 1000
        while left > self.SPAN:
            spans.append(float(self.SPAN))
            left -= self.SPAN
        spans.append(left)
        ase = sum(self.QUANTUM * (math.exp(2 * self.ALPHA * span) - 1) for span in spans)
        effective = sum(((1 - math.exp(-2 * self.ALPHA * span)) / (2 * self.ALPHA)) ** 2 for span in spans)
        density = (self.P / self.B) ** 3
        crosstalk = sum(density * (1 if n == channel else 2) * self.psi(n - channel) for n in lit)
        return ase + self.B * 16 / 27 * self.GAMMA**2 * effective * crosstalk

    def snr(self, noises: Sequence[float]) -> float:
        noise = sum(noises) + self.QUANTUM * 19 + (len(noises) + 1) * self.QUANTUM * 7
        return 10 * math.log10(self.P / noise)


class Checker:
    """Checks a result against its inputs.

    Args:
        topology: the network.
        grooming: the grooming whose lightpaths were assigned.
        document: the result's document.
        parameters: parameters other than the defaults.
    """

    def __init__(
        self,
        topology: Topology,
        grooming: Mapping[str, Any],
        document: Mapping[str, Any],
        parameters: Mapping[str, Any],
    ) -> None:
        self.topology, self.document, self.parameters = topology, document, parameters
        self.physics = Physics()
        self.km = {frozenset((link.source, link.destination)): link.length for link in topology.links}
        self.directionless = {node.name for node in topology.nodes if node.roadm_type == "Directionless"}
        self.demanded = {
            path["id"]: path for matrix in grooming["traffic"].values() for path in matrix["lightpaths"].values()
        }
        self.routed: Mapping[str, Any] = document["lightpaths"]
        self.channels = parameters.get("wavelengths", 80)
        self.threshold = THRESHOLDS[parameters.get("modulation_type", "QPSK")]

    def check(self) -> None:
        self.check_paths()
        self.check_protection()
        self.check_wavelengths()
        self.check_directionless()
        self.check_restoration()
        self.check_each_failure()
        self.check_reach()
        self.check_general_info()
        self.check_objective()
        self.check_lower_bounds()

    def lit_paths(self, lightpath: Mapping[str, Any]) -> list[PathInfo]:
        info = lightpath["routing_info"]
        return [info[role] for role in ("working", "protection") if role in info]

    def restorations(self, lightpath: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return list(lightpath["routing_info"].get("restoration", ()))

    def all_paths(self, lightpath: Mapping[str, Any]) -> list[PathInfo]:
        return [*self.lit_paths(lightpath), *(entry["info"] for entry in self.restorations(lightpath))]

    def paths_of_role(self, lightpath: Mapping[str, Any], role: str) -> list[PathInfo]:
        if role == "restoration":
            return [entry["info"] for entry in self.restorations(lightpath)]
        info = lightpath["routing_info"]
        return [info[role]] if role in info else []

    @staticmethod
    def links(path: PathInfo) -> list[Link]:
        return [frozenset(hop) for hop in pairwise(path["path"])]

    def check_paths(self) -> None:
        """8: paths."""
        blocked = [entry["id"] for entry in self.document["blocked"]]
        assert sorted([*self.routed, *blocked]) == sorted(self.demanded)
        for key, lightpath in self.routed.items():
            demanded = self.demanded[key]
            for field in ("id", "source", "destination", "demand_id", "routing_type", "capacity"):
                assert lightpath[field] == demanded[field]
            for path in self.all_paths(lightpath):
                nodes = path["path"]
                assert (nodes[0], nodes[-1]) == (demanded["source"], demanded["destination"])
                assert len(set(nodes)) == len(nodes)
                assert all(link in self.km for link in self.links(path))
                assert path["lambda_link"] == len(nodes) - 1

    def usable(self) -> nx.Graph:
        """The network without links that no signal crosses."""
        graph = nx.Graph()
        graph.add_nodes_from(node.name for node in self.topology.nodes)
        graph.add_edges_from(
            tuple(link) for link in self.km if self.physics.snr([self.estimate(link)]) >= self.threshold
        )
        return graph

    def check_protection(self) -> None:
        """9: protection, and no downgrade without need."""
        for key, lightpath in self.routed.items():
            info, kind = lightpath["routing_info"], lightpath["protection_type"]
            asked = self.demanded[key]
            assert (kind == "NoProtection") == ("protection" not in info)
            assert lightpath["downgraded"] == (kind != asked["protection_type"]) == (key in self.document["downgraded"])
            if lightpath["downgraded"]:
                ends = lightpath["source"], lightpath["destination"]
                paths = list(nx.all_simple_paths(self.usable(), *ends))
                assert all(set(a[1:-1]) & set(b[1:-1]) for a, b in itertools.combinations(paths, 2))
            else:
                assert lightpath["restoration_type"] == asked["restoration_type"]
            if "protection" in info:
                working, protection = info["working"], info["protection"]
                assert not set(working["path"][1:-1]) & set(protection["path"][1:-1])
                assert not set(self.links(working)) & set(self.links(protection))
                length = [sum(self.km[link] for link in self.links(path)) for path in (working, protection)]
                assert length[1] >= length[0] - 1e-9

    def users(self) -> dict[tuple[Link, int], list[str]]:
        """The lightpaths whose working or protection path has a wavelength on a link."""
        users: dict[tuple[Link, int], list[str]] = defaultdict(list)
        for key, lightpath in self.routed.items():
            for path in self.lit_paths(lightpath):
                for link in self.links(path):
                    users[link, path["wavelength"][0]].append(key)
        return users

    def check_wavelengths(self) -> None:
        """10: wavelengths."""
        assert all(len(keys) == 1 for keys in self.users().values())
        for lightpath in self.routed.values():
            numbers = {number for path in self.all_paths(lightpath) for number in path["wavelength"]}
            assert len(numbers) == 1
            assert numbers <= set(range(self.channels))

    def check_directionless(self) -> None:
        """11: a wavelength is added or dropped by one lightpath only."""
        users: dict[tuple[str, int], set[str]] = defaultdict(set)
        for key, lightpath in self.routed.items():
            for path in self.all_paths(lightpath):
                stops = {path["path"][0], path["path"][-1], *path["regenerators"]} & self.directionless
                for node in stops:
                    users[node, path["wavelength"][0]].add(key)
        assert all(len(keys) == 1 for keys in users.values())

    def failed_links(self, entry: Mapping[str, Any]) -> list[Link]:
        failures = [entry["first_failure"]]
        if entry.get("second_failure") is not None:
            failures.append(entry["second_failure"])
        return [frozenset(failure) for failure in failures]

    def check_restoration(self) -> None:
        """12: what restoration paths avoid, and that each failure has a path or is listed."""
        missing = {
            entry["id"]: [self.failed_links(failure) for failure in entry["failures"]]
            for entry in self.document["not_restorable"]
        }
        for key, lightpath in self.routed.items():
            kind, info = lightpath["restoration_type"], lightpath["routing_info"]
            assert (kind != "None") == ("restoration" in info)
            if kind == "None":
                assert key not in missing
                continue
            kept = self.links(info["protection"]) if "protection" in info else []
            restored = {tuple(self.failed_links(entry)) for entry in info["restoration"]}
            assert len(restored) == len(info["restoration"])
            handled = restored | {tuple(failure) for failure in missing.get(key, [])}
            for link in self.links(info["working"]):
                pairs = {(link, other) for other in kept}
                assert (link,) in handled or (kind == "AdvJointSame" and pairs and pairs <= handled)
            for entry in info["restoration"]:
                failed, links = self.failed_links(entry), set(self.links(entry["info"]))
                assert entry["restoration_algorithm"] == ("Basic" if len(failed) == 1 else "Advanced")
                assert failed[0] in self.links(info["working"])
                assert not set(failed) & links
                assert failed[1:] == [] or failed[1] in kept
                assert len(failed) == 2 or not links & set(kept)

    def check_each_failure(self) -> None:
        """12: whatever link fails, all lightpaths that can go on do, and none disturbs another."""
        users = self.users()
        for failed in self.km:
            lit: dict[tuple[Link, int], str] = {}
            for key, lightpath in self.routed.items():
                for entry in self.restorations(lightpath):
                    if self.failed_links(entry) != [failed]:
                        continue
                    for link in self.links(entry["info"]):
                        use = link, entry["info"]["wavelength"][0]
                        assert lit.setdefault(use, key) == key
                        assert set(users.get(use, [])) <= {key}
        for lightpath_id, lightpath in self.routed.items():
            for entry in self.restorations(lightpath):
                for link in self.links(entry["info"]):
                    assert set(users.get((link, entry["info"]["wavelength"][0]), [])) <= {lightpath_id}

    def estimate(self, link: Link) -> float:
        margin = self.parameters.get("noise_margin", 4)
        return self.physics.link_noise(self.km[link], margin, set(range(2 * margin + 1)))

    def segments(self, path: PathInfo) -> list[list[Link]]:
        cuts = [0, *(path["path"].index(node) for node in path["regenerators"]), len(path["path"]) - 1]
        assert cuts == sorted(set(cuts))
        links = self.links(path)
        return [links[start:end] for start, end in pairwise(cuts)]

    def lit_with(self, lightpath: Mapping[str, Any]) -> Iterator[tuple[PathInfo, dict[Link, set[int]]]]:
        """Each path of a lightpath, and the lit wavelengths of each link while the path is in use."""
        normal: dict[Link, set[int]] = defaultdict(set)
        for link, wavelength in self.users():
            normal[link].add(wavelength)
        for path in self.lit_paths(lightpath):
            yield path, normal
        for entry in self.restorations(lightpath):
            lit = defaultdict(set, {link: set(wavelengths) for link, wavelengths in normal.items()})
            failed = self.failed_links(entry)
            for other in self.routed.values():
                for active in self.restorations(other):
                    if self.failed_links(active) in (failed, failed[:1]):
                        for link in self.links(active["info"]):
                            lit[link].add(active["info"]["wavelength"][0])
            yield entry["info"], lit

    def check_reach(self) -> None:
        """13: reach."""
        for lightpath in self.routed.values():
            for path, lit in self.lit_with(lightpath):
                segments, wavelength = self.segments(path), path["wavelength"][0]
                assert len(path["snr"]) == len(path["wavelength"]) == len(segments)
                final = [
                    self.physics.snr([self.physics.link_noise(self.km[link], wavelength, lit[link]) for link in links])
                    for links in segments
                ]
                assert path["snr"] == pytest.approx(final, abs=1e-6)
                assert path["margin_db"] == pytest.approx(min(final) - self.threshold, abs=1e-6)
                estimated = [[self.estimate(link) for link in links] for links in segments]
                assert all(self.physics.snr(noises) >= self.threshold - 1e-9 for noises in estimated)
                self.check_fewest(path)

    def check_fewest(self, path: PathInfo) -> None:
        """13: no placement with one regenerator less works."""
        noises, count = [self.estimate(link) for link in self.links(path)], len(path["regenerators"]) - 1
        for positions in itertools.combinations(range(1, len(noises)), max(count, 0)) if count >= 0 else ():
            cuts = [0, *positions, len(noises)]
            assert any(self.physics.snr(noises[a:b]) < self.threshold for a, b in pairwise(cuts))

    def check_general_info(self) -> None:
        """14: general info."""
        names = {frozenset((link.source, link.destination)): link for link in self.topology.links}
        for role, info in self.document["general_info"].items():
            paths = [
                (path, lightpath["capacity"])
                for lightpath in self.routed.values()
                for path in self.paths_of_role(lightpath, role)
            ]
            links: dict[str, list[int]] = defaultdict(list)
            nodes: dict[str, set[int]] = defaultdict(set)
            waves: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
            for path, _ in paths:
                number, stops = path["wavelength"][0], {path["path"][0], path["path"][-1], *path["regenerators"]}
                for link in self.links(path):
                    name = f"{names[link].source}-{names[link].destination}"
                    links[name].append(number)
                    waves[number]["links"].add(name)
                for node in path["path"]:
                    nodes[node].add(number)
                    waves[number]["signal_nodes" if node in stops else "pass_nodes"].add(node)
            state = {name: Counter(entry["wavelengths"]) for name, entry in info["link_state"].items()}
            assert state == {name: Counter(numbers) for name, numbers in links.items()}
            assert {name: set(entry["wavelengths"]) for name, entry in info["node_state"].items()} == nodes
            assert set(info["wavelength_state"]) == {str(number) for number in waves}
            for number, fields in waves.items():
                entry = info["wavelength_state"][str(number)]
                assert entry["wavelength"] == number
                for field in ("links", "signal_nodes", "pass_nodes"):
                    assert sorted(entry[field]) == sorted(fields[field])
            hops = sum(path["lambda_link"] for path, _ in paths)
            assert info["total_lambda_link"] == hops == sum(map(len, links.values()))
            mean = sum(path["lambda_link"] * capacity for path, capacity in paths) / hops if hops else 0
            assert info["average_lambda_capacity_usage"] == pytest.approx(mean)

    def check_objective(self) -> None:
        """15: the best restart, and what its objective counts."""
        document = self.document
        used = {path["wavelength"][0] for lightpath in self.routed.values() for path in self.lit_paths(lightpath)}
        pool = self.pooled_regenerators()
        lit = sum(len(path["regenerators"]) for lightpath in self.routed.values() for path in self.lit_paths(lightpath))
        assert document["restoration_regenerators"] == pool
        assert document["wavelengths_used"] == len(used)
        assert document["regenerators_used"] == lit + sum(pool.values())
        alpha = self.parameters.get("trade_off", 0.1)
        assert document["objective"] == pytest.approx(alpha * len(used) + (1 - alpha) * (lit + sum(pool.values())))
        iterations = document["iterations"]
        assert [entry["restart"] for entry in iterations] == list(range(self.parameters.get("iterations", 4)))
        best = min(iterations, key=lambda entry: (entry["blocked"], entry["objective"], entry["restart"]))
        assert (best["blocked"], best["objective"]) == (len(document["blocked"]), document["objective"])

    def pooled_regenerators(self) -> dict[str, int]:
        """The regenerators that the worst failure, or one more after it, needs at each node."""
        counts: Counter[tuple[str, tuple[Link, ...]]] = Counter()
        for lightpath in self.routed.values():
            for entry in self.restorations(lightpath):
                for node in entry["info"]["regenerators"]:
                    counts[node, tuple(self.failed_links(entry))] += 1
        needed: Counter[str] = Counter()
        for (node, failed), count in counts.items():
            total = count + (counts[node, failed[:1]] if len(failed) == 2 else 0)
            needed[node] = max(needed[node], total)
        return dict(needed)

    def check_lower_bounds(self) -> None:
        """17: lower bounds of the number of wavelengths."""
        load: Counter[Link] = Counter(link for link, _ in self.users())
        ends = Counter(
            node
            for lightpath in self.routed.values()
            for node in {lightpath["source"], lightpath["destination"]} & self.directionless
        )
        assert self.document["wavelengths_used"] >= max([0, *load.values(), *ends.values()])


def check_rwa(topology: Topology, grooming: Mapping[str, Any], document: Mapping[str, Any], **parameters: Any) -> None:
    """Assert all invariants of one result: 8 to 15, and 17.

    Args:
        topology: the network.
        grooming: the grooming whose lightpaths were assigned.
        document: the result's document.
        parameters: the parameters that the run was given.
    """
    Checker(topology, grooming, document, parameters).check()
