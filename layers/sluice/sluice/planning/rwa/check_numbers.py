"""Whether the numbers of a result agree with its paths: SNR, what the network carries, and the objective."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import orjson

from sluice.planning.documents import Fault, fault
from sluice.planning.rwa.candidates import Search
from sluice.planning.rwa.regenerators import Placement, place_regenerators
from sluice.planning.rwa.restoration import RegeneratorPool, Use
from sluice.planning.rwa.result import general_info
from sluice.planning.rwa.routed_paths import Keys, Link, failed_links, links_of, lit_paths_of, restorations_of
from sluice.planning.rwa.signal import SNR_THRESHOLDS, SignalModel, lit_channels
from sluice.planning.topology import Topology

# In dB, and for sums.
_SNR_TOLERANCE, _TOLERANCE = 1e-6, 1e-9


def number_faults(
    result: Mapping[str, Any], topology: Topology | None, search: Search, trade_off: float
) -> list[Fault]:
    """The numbers that do not agree with the paths.

    Args:
        result: a dump of `RwaResult` without nulls, whose lightpaths are valid one by one.
        topology: the network; without it neither SNR nor `general_info` is checked.
        search: the modulation, the wavelengths and the noise margin.
        trade_off: the weight of a wavelength in the objective.
    """
    faults = [*_objective_faults(result, trade_off), *_iteration_faults(result)]
    if topology is not None:
        faults += [*_Signals(result, topology, search).faults(), *_general_info_faults(result, topology)]
    return faults


def _objective_faults(result: Mapping[str, Any], trade_off: float) -> Iterator[Fault]:
    """The sums over all paths that are not as stated."""
    lit = [path for lightpath in result["lightpaths"].values() for _, path in lit_paths_of(lightpath)]
    wavelengths = len({path["wavelength"][0] for path in lit})
    regenerators = sum(len(path["regenerators"]) for path in lit)
    pool = _pool(result)
    shared = sum(pool.values())
    if result["restoration_regenerators"] != pool:
        message = f"The restoration paths share {orjson.dumps(pool).decode()}."
        yield fault(("restoration_regenerators",), message)
    for field, value in (("wavelengths_used", wavelengths), ("regenerators_used", regenerators + shared)):
        if result[field] != value:
            yield fault((field,), f"The paths use {value}, not {result[field]}.")
    objective = trade_off * wavelengths + (1 - trade_off) * (regenerators + shared)
    if abs(result["objective"] - objective) > _TOLERANCE:
        message = f"With `trade_off` {trade_off} the objective is {objective}, not {result['objective']}."
        yield fault(("objective",), message)
    exact = result.get("exact")
    if exact is not None:
        objective = trade_off * wavelengths + (1 - trade_off) * regenerators
        if abs(exact["objective"] - objective) > _TOLERANCE or exact.get("bound", objective) > objective + _TOLERANCE:
            message = (
                f"The objective of working and protection paths is {objective}, and no bound is above it; a result "
                "that was changed by hand needs no `exact`."
            )
            yield fault(("exact",), message)


def _pool(result: Mapping[str, Any]) -> dict[str, int]:
    """The regenerators that restoration paths share at each node."""
    numbers: dict[str | Link, int] = {}
    pool = RegeneratorPool()
    for lightpath in result["lightpaths"].values():
        uses: list[Use] = []
        for entry in restorations_of(lightpath):
            first, *rest = (numbers.setdefault(link, len(numbers)) for link in failed_links(entry))
            uses += [
                (numbers.setdefault(name, len(numbers)), first, rest[0] if rest else None)
                for name in entry["info"]["regenerators"]
            ]
        pool.add(uses)
    names = {number: name for name, number in numbers.items() if isinstance(name, str)}
    return {names[number]: count for number, count in pool.by_node().items()}


def _iteration_faults(result: Mapping[str, Any]) -> Iterator[Fault]:
    """The best of the restarts, unless it is the result."""
    best = min(((entry["blocked"], entry["objective"]) for entry in result["iterations"]), default=None)
    if best is not None and (best[0] != len(result["blocked"]) or abs(best[1] - result["objective"]) > _TOLERANCE):
        message = (
            f"The best restart has {best[0]} blocked lightpaths and the objective {best[1]}, unlike the result; a "
            "result that was made by hand needs none: give an empty list."
        )
        yield fault(("iterations",), message)


def _general_info_faults(result: Mapping[str, Any], topology: Topology) -> Iterator[Fault]:
    """The parts of `general_info` that do not agree with the paths."""
    expected = general_info(topology, result["lightpaths"])
    for role, usage in expected.items():
        stated = result["general_info"][role]
        for field, value in usage.items():
            place = ("general_info", role, field)
            if not isinstance(value, dict):
                if abs(stated[field] - value) > _TOLERANCE:
                    yield fault(place, f"By the {role} paths it is {value}, not {stated[field]}.")
                continue
            for name in dict.fromkeys((*value, *stated[field])):
                entry, given = value.get(name), stated[field].get(name)
                if given is None or entry is None or _unordered(given) != _unordered(entry):
                    words = f"it is {orjson.dumps(entry).decode()}" if entry else "it is not in use: leave it out"
                    yield fault((*place, name), f"By the {role} paths {words}.")


def _unordered(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {field: sorted(value) if isinstance(value, list) else value for field, value in entry.items()}


class _Signals:
    """The SNR of all paths, estimated and with the wavelengths that are lit."""

    def __init__(self, result: Mapping[str, Any], topology: Topology, search: Search) -> None:
        self._lightpaths: Mapping[str, Any] = result["lightpaths"]
        self._modulation = search.modulation
        self._threshold = SNR_THRESHOLDS[search.modulation]
        self._model = SignalModel(channels=search.channels)
        self._lengths = {frozenset((link.source, link.destination)): link.length for link in topology.links}
        self._margin = search.noise_margin
        self._neighbours = lit_channels(range(2 * search.noise_margin + 1))
        self._lit: dict[Link, int] = defaultdict(int)
        # By failures: the wavelengths of the restoration paths that they activate, by link.
        self._activated: dict[tuple[Link, ...], dict[Link, int]] = defaultdict(lambda: defaultdict(int))
        for lightpath in self._lightpaths.values():
            for _, path in lit_paths_of(lightpath):
                _light(self._lit, path)
            for entry in restorations_of(lightpath):
                _light(self._activated[tuple(failed_links(entry))], entry["info"])

    def faults(self) -> Iterator[Fault]:
        """The paths whose SNR is not as stated or too low, or that have more regenerators than they need."""
        for key, lightpath in self._lightpaths.items():
            for path_place, path in lit_paths_of(lightpath):
                yield from self._path(("lightpaths", key, *path_place), path, ())
            for i, entry in enumerate(restorations_of(lightpath)):
                failed = tuple(failed_links(entry))
                active = [self._activated[failed[: n + 1]] for n in range(len(failed))]
                yield from self._path(
                    ("lightpaths", key, "routing_info", "restoration", i, "info"), entry["info"], active
                )

    def _path(self, place: Keys, path: Mapping[str, Any], active: Sequence[Mapping[Link, int]]) -> Iterator[Fault]:
        links, cuts = links_of(path), _cuts(path)
        noises = []
        for link in links:
            lit = self._lit[link]
            for wavelengths in active:
                lit |= wavelengths.get(link, 0)
            noises.append(self._model.link_noise(self._lengths[link], path["wavelength"][0], lit))
        snr = self._snr(noises, cuts)
        for i, (value, stated) in enumerate(zip(snr, path["snr"], strict=True)):
            if abs(value - stated) > _SNR_TOLERANCE:
                yield fault(
                    (*place, "snr", i), f"With the wavelengths that are lit the SNR is {value} dB, not {stated}."
                )
        margin = min(snr) - self._threshold
        if abs(path["margin_db"] - margin) > _SNR_TOLERANCE:
            message = f"The lowest SNR less the {self._threshold} dB of {self._modulation} is {margin}."
            yield fault((*place, "margin_db"), message)
        estimates = [self._model.link_noise(self._lengths[link], self._margin, self._neighbours) for link in links]
        yield from self._regenerators((*place, "regenerators"), path, estimates)

    def _regenerators(self, place: Keys, path: Mapping[str, Any], estimates: Sequence[float]) -> Iterator[Fault]:
        cuts = _cuts(path)
        lowest = min(self._snr(estimates, cuts))
        if lowest < self._threshold - _TOLERANCE:
            message = (
                f"The lowest estimated SNR of a segment is {lowest:.6g} dB; {self._modulation} needs "
                f"{self._threshold}: add regenerators, or take another path."
            )
            yield fault(place, message)
            return
        fewest = place_regenerators(estimates, self._model, self._threshold)
        count = len(path["regenerators"])
        if isinstance(fewest, Placement) and count > len(fewest.positions):
            for i in range(1, len(cuts) - 1):
                if min(self._snr(estimates, [*cuts[:i], *cuts[i + 1 :]])) >= self._threshold:
                    yield fault(place, f"The path does not need the regenerator at {path['path'][cuts[i]]!r}.")

    def _snr(self, noises: Sequence[float], cuts: Sequence[int]) -> list[float]:
        """The SNR of each segment."""
        return [self._model.snr(self._model.segment_noise(noises[start:end])) for start, end in pairwise(cuts)]


def _light(lit: dict[Link, int], path: Mapping[str, Any]) -> None:
    for link in links_of(path):
        lit[link] |= 1 << path["wavelength"][0]


def _cuts(path: Mapping[str, Any]) -> list[int]:
    """The indexes of the nodes where segments begin and end."""
    nodes = path["path"]
    return [0, *(nodes.index(name) for name in path["regenerators"]), len(nodes) - 1]
