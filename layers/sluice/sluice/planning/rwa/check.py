"""Whether a result of `rwa` that was made by hand keeps the rules, and fits the network and the grooming."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sluice.planning.documents import Fault, fault, require_none
from sluice.planning.rwa.candidates import Lightpath, Search, demanded_lightpaths
from sluice.planning.rwa.check_numbers import number_faults
from sluice.planning.rwa.check_use import use_faults
from sluice.planning.rwa.document import RwaResult
from sluice.planning.rwa.routed_paths import Keys, Link, failed_links, links_of, paths_of, restorations_of
from sluice.planning.topology import Topology

_OF_GROOMING = ("source", "destination", "cluster_id", "demand_id", "routing_type", "capacity")


def check_result(
    document: Mapping[str, Any],
    topology: Topology | None,
    grooming: Mapping[str, Any] | None,
    search: Search,
    trade_off: float,
) -> None:
    """Require a result to keep the rules of `rwa`, and its numbers to agree with its paths.

    Args:
        document: the result, which matches `RwaResult`.
        topology: the network; without it the result must fit together.
        grooming: the result of grooming; without it any lightpaths are taken.
        search: the modulation, the wavelengths and the noise margin.
        trade_off: the weight of a wavelength in the objective.

    Raises:
        Invalid: it does not; `errors` has all faults of the lightpaths, or if they have none, all others.
    """
    result = RwaResult.model_validate(document).model_dump(exclude_none=True)
    faults = _Check(result, topology, grooming, search.channels).run()
    require_none(faults)
    require_none([*use_faults(result, topology), *number_faults(result, topology, search, trade_off)])


class _Check:
    """A check of the lightpaths of a result, one by one."""

    def __init__(
        self,
        result: Mapping[str, Any],
        topology: Topology | None,
        grooming: Mapping[str, Any] | None,
        channels: int,
    ) -> None:
        self._faults: list[Fault] = []
        self._result = result
        self._channels = channels
        self._links = topology and {frozenset((link.source, link.destination)) for link in topology.links}
        self._demanded: dict[str, Lightpath] | None = None
        if grooming is not None:
            self._demanded = {key: lightpath for (_, key), lightpath in demanded_lightpaths(grooming)}
        self._missing = {
            entry["id"]: {tuple(failed_links(failure)) for failure in entry["failures"]}
            for entry in result["not_restorable"]
        }

    def run(self) -> list[Fault]:
        """Return what is wrong with the lightpaths."""
        self._require_each_once()
        self._require_routed()
        for key, lightpath in self._result["lightpaths"].items():
            place = ("lightpaths", key)
            self._same(place, "id", lightpath["id"], key, "the key")
            demanded = lightpath if self._demanded is None else self._demanded.get(key)
            if demanded is not None:
                self._require_demanded(place, lightpath, demanded)
            faults = len(self._faults)
            for path_place, path in paths_of(lightpath):
                self._path((*place, *path_place), lightpath, path)
            if len(self._faults) == faults:
                self._protection(place, lightpath)
                self._restoration(place, lightpath)
        return self._faults

    def _add(self, place: Keys, message: str) -> None:
        self._faults.append(fault(place, message))

    def _same(self, place: Keys, field: str, value: object, expected: object, origin: str) -> None:
        if value != expected:
            shown = "null" if expected is None else repr(expected)
            self._add((*place, field), f"`{field}` must be {shown}, as {origin} has it.")

    def _require_each_once(self) -> None:
        """Require no lightpath to be routed and blocked, and those of the grooming to be one of the two."""
        places: dict[str, Keys] = {key: ("lightpaths", key) for key in self._result["lightpaths"]}
        for i, entry in enumerate(self._result["blocked"]):
            if entry["id"] in places:
                self._add(("blocked", i, "id"), f"The lightpath {entry['id']!r} is routed, or listed before.")
            places.setdefault(entry["id"], ("blocked", i, "id"))
        if self._demanded is None:
            return
        for key, place in places.items():
            if key not in self._demanded:
                self._add(place, f"The grooming has no lightpath {key!r}.")
        left_out = [key for key in self._demanded if key not in places]
        if left_out:
            message = (
                f"{len(left_out)} lightpaths of the grooming, such as {left_out[0]!r}, are neither in `lightpaths` "
                "nor in `blocked`."
            )
            self._add(("lightpaths",), message)

    def _require_routed(self) -> None:
        """Require what the result lists of routed lightpaths to agree with them."""
        routed = self._result["lightpaths"]
        downgraded = [key for key, lightpath in routed.items() if lightpath["downgraded"]]
        if sorted(self._result["downgraded"]) != sorted(downgraded):
            self._add(("downgraded",), f"List the lightpaths whose field `downgraded` is true: {downgraded}.")
        for i, entry in enumerate(self._result["not_restorable"]):
            if entry["id"] not in routed:
                self._add(("not_restorable", i, "id"), f"The lightpath {entry['id']!r} is not routed.")

    def _require_demanded(self, place: Keys, lightpath: Mapping[str, Any], demanded: Mapping[str, Any]) -> None:
        for field in _OF_GROOMING:
            self._same(place, field, lightpath.get(field), demanded.get(field), "the grooming")
        protection, restoration = demanded["protection_type"], demanded["restoration_type"]
        if lightpath["downgraded"]:
            if demanded is not lightpath and protection == "NoProtection":
                self._add((*place, "downgraded"), "The grooming asks for no protection: there is nothing to leave out.")
            protection = "NoProtection"
            restoration = "JointSame" if restoration == "AdvJointSame" else restoration
        origin = "a downgraded lightpath" if lightpath["downgraded"] else "the grooming"
        self._same(place, "protection_type", lightpath["protection_type"], protection, origin)
        self._same(place, "restoration_type", lightpath["restoration_type"], restoration, origin)

    def _path(self, place: Keys, lightpath: Mapping[str, Any], path: Mapping[str, Any]) -> None:
        nodes, regenerators = path["path"], path["regenerators"]
        for a, b in pairwise(nodes):
            if self._links is not None and frozenset((a, b)) not in self._links:
                self._add(place, f"The topology has no link between {a!r} and {b!r}.")
        if nodes[:1] + nodes[-1:] != [lightpath["source"], lightpath["destination"]] or len(nodes) < 2:
            self._add(place, "The path must start at the lightpath's source and end at its destination.")
        if len(set(nodes)) < len(nodes):
            self._add(place, "The path must pass each node once.")
        if not set(regenerators) <= set(nodes[1:-1]):
            self._add(place, "Regenerators must be inner nodes of the path.")
        elif regenerators != [name for name in nodes if name in regenerators]:
            self._add(place, "Regenerators must be in the order of the path, each once.")
        segments = len(regenerators) + 1
        for field in ("wavelength", "snr"):
            if len(path[field]) != segments:
                self._add((*place, field), f"One value for each segment between regenerators is needed: {segments}.")
        self._same(place, "lambda_link", path["lambda_link"], len(nodes) - 1, "the path")
        self._wavelength(place, path["wavelength"], lightpath["routing_info"]["working"]["wavelength"])

    def _wavelength(self, place: Keys, wavelengths: Sequence[int], working: Sequence[int]) -> None:
        if len(set(wavelengths)) != 1:
            self._add(place, "The segments must have one and the same wavelength.")
        elif not 0 <= wavelengths[0] < self._channels:
            self._add((*place, "wavelength"), f"The wavelengths of a link are 0 to {self._channels - 1}.")
        elif working and wavelengths[0] != working[0]:
            message = f"The path must have the wavelength of the working path, {working[0]}, not {wavelengths[0]}."
            self._add((*place, "wavelength"), message)

    def _protection(self, place: Keys, lightpath: Mapping[str, Any]) -> None:
        info = lightpath["routing_info"]
        place = (*place, "routing_info", "protection")
        protection = info.get("protection")
        if (lightpath["protection_type"] == "NoProtection") != (protection is None):
            self._add(place, f"A lightpath with {lightpath['protection_type']} has {_NEEDED[protection is None]}.")
        if protection is None:
            return
        shared = [name for name in protection["path"][1:-1] if name in info["working"]["path"][1:-1]]
        if shared or set(links_of(protection)) & set(links_of(info["working"])):
            where = f"the node {shared[0]!r}" if shared else "a link"
            self._add(place, f"Working and protection path share {where}.")

    def _restoration(self, place: Keys, lightpath: Mapping[str, Any]) -> None:
        info, kind = lightpath["routing_info"], lightpath["restoration_type"]
        place = (*place, "routing_info", "restoration")
        missing = self._missing.get(lightpath["id"], set())
        restored: set[tuple[Link, ...]] = set()
        for i, entry in enumerate(restorations_of(lightpath)):
            failed = tuple(failed_links(entry))
            if failed in restored or failed in missing:
                self._add((*place, i), "The failure has another path, or is in `not_restorable`.")
            restored.add(failed)
            for message in _restoration_faults(info, entry, failed):
                self._add((*place, i), message)
        if kind == "None":
            if restored or missing:
                self._add(place, "A lightpath without restoration has no restoration paths.")
            return
        protection = links_of(info["protection"]) if "protection" in info else []
        handled = restored | missing
        for link in links_of(info["working"]):
            pairs = {(link, second) for second in protection}
            if (link,) not in handled and not (kind == "AdvJointSame" and pairs and pairs <= handled):
                ends = " and ".join(map(repr, sorted(link)))
                message = f"A failure between {ends} has no restoration path, and is not in `not_restorable`."
                self._add(place, message)


# Whether a protection path is missing.
_NEEDED = {True: "a protection path", False: "no protection path"}


def _restoration_faults(info: Mapping[str, Any], entry: Mapping[str, Any], failed: tuple[Link, ...]) -> Iterator[str]:
    """What is wrong with one restoration path."""
    links = set(links_of(entry["info"]))
    protection = links_of(info["protection"]) if "protection" in info else []
    if failed[0] not in links_of(info["working"]):
        yield "`first_failure` must be a link of the working path."
    if len(failed) == 2 and failed[1] not in protection:
        yield "`second_failure` must be a link of the protection path."
    if links & set(failed):
        yield "The path must avoid the links that have failed."
    if len(failed) == 1 and links & set(protection):
        yield "The path must avoid the links of the protection path."
    if entry["restoration_algorithm"] != ("Basic" if len(failed) == 1 else "Advanced"):
        yield "`restoration_algorithm` is `Basic` for one failure, and `Advanced` for two."
