"""The result of an assignment: the paths of each lightpath with their final SNR, and what every link and node carries.

The working and protection paths of all lightpaths are lit. A restoration path is lit only after its failures: then
beside them those restoration paths are lit that the same failures activate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sluice.planning.rwa.assignment import Assigned, Assignment
from sluice.planning.rwa.candidates import Candidate, Candidates, Demanded, Failure, PathPlan, Search
from sluice.planning.rwa.restoration import RegeneratorPool
from sluice.planning.rwa.signal import SNR_THRESHOLDS, SignalModel
from sluice.planning.topology import Link, Topology


def present(
    topology: Topology,
    candidates: Candidates,
    assignment: Assignment,
    search: Search,
    iterations: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Write the result of an assignment.

    Args:
        topology: the network.
        candidates: the candidates that were assigned.
        assignment: the assignment.
        search: how the candidates were searched.
        iterations: `restart`, `objective` and `blocked` of each restart.

    Returns:
        The result as JSON, as `sluice.planning.rwa.document.RwaResult` describes it.
    """
    writer = _Writer(topology, candidates, assignment, search)
    lightpaths = {
        lightpath["id"]: writer.lightpath(lightpath)
        for lightpath in candidates["lightpaths"]
        if lightpath["id"] in assignment["assigned"]
    }
    pool = writer.pool.by_node()
    return {
        "lightpaths": lightpaths,
        "general_info": general_info(topology, lightpaths),
        "objective": assignment["objective"],
        "wavelengths_used": assignment["wavelengths_used"],
        "regenerators_used": assignment["regenerators_used"],
        "restoration_regenerators": {candidates["nodes"][node]: count for node, count in pool.items()},
        "blocked": assignment["blocked"],
        "downgraded": [key for key, lightpath in lightpaths.items() if lightpath["downgraded"]],
        "not_restorable": [entry for entry in map(writer.not_restorable, candidates["lightpaths"]) if entry],
        "iterations": list(iterations),
        "exact": assignment.get("exact"),
    }


class _Writer:
    """Writes the paths of lightpaths."""

    def __init__(self, topology: Topology, candidates: Candidates, assignment: Assignment, search: Search) -> None:
        self.topology, self.candidates = topology, candidates
        self.assigned = assignment["assigned"]
        self.model = SignalModel(channels=search.channels)
        self.threshold = SNR_THRESHOLDS[search.modulation]
        self.lit = [0] * len(topology.links)
        # By failures and link: the wavelengths of the restoration paths that the failures activate.
        self.activated: dict[tuple[int, int | None], dict[int, int]] = {}
        self.pool = RegeneratorPool()
        numbers = {name: number for number, name in enumerate(candidates["nodes"])}
        for lightpath in candidates["lightpaths"]:
            if lightpath["id"] in self.assigned:
                self._light(lightpath, numbers)

    def _light(self, lightpath: Demanded, numbers: Mapping[str, int]) -> None:
        candidate, assigned = self._of(lightpath)
        bit = 1 << assigned["wavelength"]
        for plan in _plans(candidate):
            for link in plan["links"]:
                self.lit[link] |= bit
        uses = []
        for failure, plan in _restored(candidate, assigned):
            key = failure["first"], failure["second"]
            links = self.activated.setdefault(key, {})
            for link in plan["links"]:
                links[link] = links.get(link, 0) | bit
            uses += [(numbers[name], *key) for name in plan["regenerators"]]
        self.pool.add(uses)

    def _of(self, lightpath: Demanded) -> tuple[Candidate, Assigned]:
        assigned = self.assigned[lightpath["id"]]
        return self.candidates["choices"][lightpath["choice"]]["candidates"][assigned["candidate"]], assigned

    def lightpath(self, lightpath: Demanded) -> dict[str, Any]:
        """A routed lightpath."""
        choice = self.candidates["choices"][lightpath["choice"]]
        candidate, assigned = self._of(lightpath)
        wavelength = assigned["wavelength"]
        info: dict[str, Any] = {"working": self._path(candidate["working"], wavelength)}
        if candidate["protection"] is not None:
            info["protection"] = self._path(candidate["protection"], wavelength)
        if choice["restoration_type"] != "None":
            restored = _restored(candidate, assigned)
            info["restoration"] = [self._restoration(failure, plan, wavelength) for failure, plan in restored]
        document: dict[str, Any] = {key: value for key, value in lightpath.items() if key != "choice"}
        return {
            **document,
            "protection_type": choice["protection_type"],
            "restoration_type": choice["restoration_type"],
            "downgraded": choice["downgraded"],
            "routing_info": info,
        }

    def _restoration(self, failure: Failure, plan: PathPlan, wavelength: int) -> dict[str, Any]:
        first, second = failure["first"], failure["second"]
        activated = [self.activated.get((first, None), {})]
        document = {"first_failure": self._ends(first)}
        if second is not None:
            activated.append(self.activated[first, second])
            document["second_failure"] = self._ends(second)
        return {
            **document,
            "restoration_algorithm": "Basic" if second is None else "Advanced",
            "info": self._path(plan, wavelength, activated),
        }

    def _ends(self, link: int) -> list[str]:
        return [self.topology.links[link].source, self.topology.links[link].destination]

    def _path(self, plan: PathPlan, wavelength: int, activated: Sequence[Mapping[int, int]] = ()) -> dict[str, Any]:
        noises = []
        for link in plan["links"]:
            lit = self.lit[link]
            for wavelengths in activated:
                lit |= wavelengths.get(link, 0)
            noises.append(self.model.link_noise(self.topology.links[link].length, wavelength, lit))
        nodes = plan["nodes"]
        cuts = [0, *(nodes.index(name) for name in plan["regenerators"]), len(noises)]
        snr = [self.model.snr(self.model.segment_noise(noises[start:end])) for start, end in pairwise(cuts)]
        return {
            "path": nodes,
            "wavelength": [wavelength] * len(snr),
            "regenerators": plan["regenerators"],
            "snr": snr,
            "margin_db": min(snr) - self.threshold,
            "lambda_link": len(noises),
        }

    def not_restorable(self, lightpath: Demanded) -> dict[str, Any] | None:
        """The failures after which a routed lightpath with restoration has no restoration path."""
        if lightpath["id"] not in self.assigned:
            return None
        candidate, assigned = self._of(lightpath)
        options = zip(candidate["failures"], assigned["restoration"], strict=True)
        missing = candidate["not_restorable"] + [
            [failure["first"]] if failure["second"] is None else [failure["first"], failure["second"]]
            for failure, option in options
            if option is None
        ]
        keys = "first_failure", "second_failure"
        failures = [
            {key: self._ends(link) for key, link in zip(keys, links, strict=False)} for links in sorted(missing)
        ]
        return {"id": lightpath["id"], "failures": failures} if failures else None


def _plans(candidate: Candidate) -> list[PathPlan]:
    return [plan for plan in (candidate["working"], candidate["protection"]) if plan is not None]


def _restored(candidate: Candidate, assigned: Assigned) -> list[tuple[Failure, PathPlan]]:
    """The failures that are restored, each with its path."""
    options = zip(candidate["failures"], assigned["restoration"], strict=True)
    return [(failure, failure["options"][option]) for failure, option in options if option is not None]


def general_info(topology: Topology, lightpaths: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What every link, node and wavelength carries, for working, protection and restoration paths apart.

    Args:
        topology: the network.
        lightpaths: routed lightpaths by id, as in the result.
    """
    paths: dict[str, list[tuple[Mapping[str, Any], float]]] = {"working": [], "protection": [], "restoration": []}
    for lightpath in lightpaths.values():
        info, capacity = lightpath["routing_info"], lightpath["capacity"]
        paths["working"].append((info["working"], capacity))
        if "protection" in info:
            paths["protection"].append((info["protection"], capacity))
        paths["restoration"] += [(entry["info"], capacity) for entry in info.get("restoration", ())]
    return {role: _usage(topology, used) for role, used in paths.items()}


def link_names(topology: Topology) -> list[str]:
    """The names of all links, `{source}-{destination}`; a number is added where an earlier link has the name."""
    names: dict[str, None] = {}
    for link in topology.links:
        name = base = f"{link.source}-{link.destination}"
        number = 1
        while name in names:
            number += 1
            name = f"{base} ({number})"
        names[name] = None
    return list(names)


def _usage(topology: Topology, paths: Iterable[tuple[Mapping[str, Any], float]]) -> dict[str, Any]:
    order = dict(zip(link_names(topology), topology.links, strict=True))
    names = {ends: name for name, link in order.items() for ends in _directions(link)}
    links: dict[str, list[int]] = {}
    nodes: dict[str, set[int]] = {}
    carried: dict[int, tuple[set[str], set[str], set[str]]] = {}
    hops, weighed = 0, 0.0
    for path, capacity in paths:
        wavelength, stops = path["wavelength"][0], {path["path"][0], path["path"][-1], *path["regenerators"]}
        of_wavelength = carried.setdefault(wavelength, (set(), set(), set()))
        for hop in pairwise(path["path"]):
            links.setdefault(names[hop], []).append(wavelength)
            of_wavelength[0].add(names[hop])
        for node in path["path"]:
            nodes.setdefault(node, set()).add(wavelength)
            of_wavelength[1 if node in stops else 2].add(node)
        hops += path["lambda_link"]
        weighed += path["lambda_link"] * capacity
    return {
        "link_state": {
            name: {"source": link.source, "destination": link.destination, "wavelengths": sorted(links[name])}
            for name, link in order.items()
            if name in links
        },
        "node_state": {
            node.name: {"node": node.name, "wavelengths": sorted(nodes[node.name])}
            for node in topology.nodes
            if node.name in nodes
        },
        "wavelength_state": {
            str(wavelength): {
                "wavelength": wavelength,
                "links": [name for name in order if name in on_links],
                "signal_nodes": sorted(signal),
                "pass_nodes": sorted(passed),
            }
            for wavelength, (on_links, signal, passed) in sorted(carried.items())
        },
        "total_lambda_link": hops,
        "average_lambda_capacity_usage": weighed / hops if hops else 0,
    }


def _directions(link: Link) -> tuple[tuple[str, str], tuple[str, str]]:
    return (link.source, link.destination), (link.destination, link.source)
