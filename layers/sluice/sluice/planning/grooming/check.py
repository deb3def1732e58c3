"""Checks of a result of grooming that was made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sluice.domain.base import json_pointer
from sluice.planning.documents import Fault, fault, require_none
from sluice.planning.grooming.check_devices import device_faults, node_faults
from sluice.planning.grooming.pieces import Mapped, cut_demands, is_chain, read_pieces
from sluice.planning.services import GIGABIT, MP1H, MP2X, PANEL_OF, SERVICE_KEYS, TP1H, Panel
from sluice.planning.topology import Topology
from sluice.planning.traffic import Demand, Service, ServiceType, TrafficMatrix

Pointer = tuple[str | int, ...]
_SHARED_WITH_DEMAND = ("source", "destination", "protection_type", "restoration_type")


def check_grooming(
    document: Mapping[str, Any],
    topology: Topology | None,
    matrix: TrafficMatrix | None,
    rates: Mapping[ServiceType, int],
) -> None:
    """Require a result to fit its traffic matrix: each service and groomout in one place, no device overfull.

    Lightpaths may be below any threshold. Devices, their places and statistics may be left out, but must be right.

    Args:
        document: the result, a dump of `GroomingResult`.
        topology: the network; without it ends may have any name.
        matrix: the traffic matrix; without it the result must fit together.
        rates: the rate of each type of service in bit/s.

    Raises:
        Invalid: it does not fit; `errors` has all faults.
    """
    if matrix is None:
        require_none(_type_faults(document))
        demands = _stated_demands(document)
    else:
        mapped = read_pieces(document["mapping"])
        require_none(_piece_faults(matrix, mapped))
        demands = cut_demands(matrix, mapped)
    nodes = [] if topology is None else list(node_faults(document, topology))
    require_none([*_Check(demands, rates).run(document), *nodes])
    # A demand that only remaining services state has no ends.
    ends = {id: (demand.source, demand.destination) for id, demand in demands.items() if demand.source}
    require_none(device_faults(document, ends))


def _type_faults(document: Mapping[str, Any]) -> list[Fault]:
    """The services of lightpaths whose type nothing says."""
    return [
        fault(
            ("traffic", id, "lightpaths", key, "service_id_list", i, "normal_service_type"),
            "Without the input `traffic_matrix`, the type of each service is required.",
        )
        for id, traffic in document["traffic"].items()
        for key, lightpath in traffic["lightpaths"].items()
        for i, client in enumerate(lightpath["service_id_list"])
        if client["type"] == "normal" and client["normal_service_type"] is None
    ]


def _stated_demands(document: Mapping[str, Any]) -> dict[str, Demand]:
    """The demands that a result states: the ends of their first lightpaths, and all services that it mentions."""
    demands: dict[str, Demand] = {}
    for traffic in document["traffic"].values():
        for lightpath in traffic["lightpaths"].values():
            shared = {name: lightpath[name] for name in _SHARED_WITH_DEMAND}
            demands.setdefault(lightpath["demand_id"], Demand(id=lightpath["demand_id"], services=[], **shared))
    types: dict[tuple[str, str], ServiceType] = {}
    for id, name, kind in _stated_services(document):
        types.setdefault((id, name), kind)
    for (id, name), kind in types.items():
        # A demand without lightpaths has no ends that could differ from others.
        demand = demands.setdefault(id, Demand(id=id, source="", destination="", services=[]))
        demand.services.append(Service(type=kind, quantity=1, service_id_list=[name]))
    return demands


def _stated_services(document: Mapping[str, Any]) -> Iterator[tuple[str, str, ServiceType]]:
    """The demand, the id and the type of each service that a result mentions."""
    for id, traffic in document["traffic"].items():
        for lightpath in traffic["lightpaths"].values():
            for client in lightpath["service_id_list"]:
                if client["type"] == "normal":
                    yield lightpath["demand_id"], client["id"], client["normal_service_type"]
        for demand, _, _, groomout in _groomouts_of(id, traffic):
            for client in groomout["service_id_list"]:
                yield demand, client["id"], client["type"]
        for demand, entries in _demands_of(traffic, "remaining_services"):
            for entry in entries.values():
                for name in entry["service_id_list"]:
                    yield demand, name, entry["type"]


def _piece_faults(matrix: TrafficMatrix, mapped: Mapped) -> list[Fault]:
    """What is wrong with the pieces of services.

    The pieces of a service must lead from its source to its destination, and each must fit the demand that takes it.
    """
    faults = []
    takers = {id: _kind(demand, demand.source, demand.destination) for id, demand in matrix.demands.items()}
    services = {
        (id, name)
        for id, demand in matrix.demands.items()
        for service in demand.services
        for name in service.service_id_list
    }
    taken = set(services)
    for id, cut in mapped.items():
        demand = matrix.demands.get(id)
        for name, pieces in cut.items():
            place = ("mapping", id, name)
            if demand is None or (id, name) not in services:
                faults.append(fault(place, f"The traffic matrix has no service {name!r} of a demand {id!r}."))
                continue
            if not is_chain(pieces, demand.source, demand.destination):
                message = (
                    f"The pieces do not lead from {demand.source!r} to {demand.destination!r}, one after the other."
                )
                faults.append(fault(place, message))
            for i, piece in enumerate(pieces):
                kind = _kind(demand, piece.source, piece.destination)
                if takers.setdefault(piece.demand_id, kind) != kind:
                    message = f"The demand {piece.demand_id!r} has other ends, or another protection or restoration."
                    faults.append(fault((*place, i, "demand_id"), message))
                if (piece.demand_id, piece.service_id) in taken:
                    message = f"The demand {piece.demand_id!r} has another service {piece.service_id!r}."
                    faults.append(fault((*place, i, "service_id"), message))
                taken.add((piece.demand_id, piece.service_id))
    return faults


def _kind(demand: Demand, source: str, destination: str) -> object:
    return {source, destination}, demand.protection_type, demand.restoration_type


class _Check:
    """A check of all matrices of a result.

    Args:
        demands: the demands that were groomed, by id.
        rates: the rate of each type in bit/s.
    """

    def __init__(self, demands: Mapping[str, Demand], rates: Mapping[ServiceType, int]) -> None:
        self._faults: list[Fault] = []
        self._demands = demands
        self._rates = rates
        self._types = {
            id: {name: service.type for service in demand.services for name in service.service_id_list}
            for id, demand in demands.items()
        }
        # Where each service of a demand, and each groomout, was seen first.
        self._places: dict[tuple[str, str], str] = {}
        self._groomouts: dict[str, tuple[str, Mapping[str, Any]]] = {}
        self._carriers: dict[str, str | None] = {}
        self._lightpaths: set[str] = set()

    def run(self, document: Mapping[str, Any]) -> list[Fault]:
        """Return what is wrong with a result."""
        for id, traffic in document["traffic"].items():
            for demand, key, pointer, groomout in _groomouts_of(id, traffic):
                self._groomout(demand, key, pointer, groomout)
        for id, traffic in document["traffic"].items():
            for key, lightpath in traffic["lightpaths"].items():
                self._lightpath(("traffic", id, "lightpaths", key), key, lightpath)
            self._remaining(("traffic", id), traffic)
        self._require_all_services()
        self._require_all_groomouts()
        self._devices(document["service_devices"])
        return self._faults

    def _add(self, pointer: Pointer, message: str) -> None:
        self._faults.append(fault(pointer, message))

    def _groomout(self, demand: str, key: str, pointer: Pointer, groomout: Mapping[str, Any]) -> None:
        if key in self._groomouts:
            self._add(pointer, f"There is another groomout {key!r}.")
        self._groomouts[key] = demand, groomout
        self._same(pointer, "id", groomout["id"], key, "the key")
        clients = groomout["service_id_list"]
        for i, client in enumerate(clients):
            place = (*pointer, "service_id_list", i)
            self._service(place, demand, client["id"], MP2X, client["type"])
        self._capacity(pointer, groomout, sum(self._rate(demand, client["id"]) for client in clients), MP2X)

    def _lightpath(self, pointer: Pointer, key: str, lightpath: Mapping[str, Any]) -> None:
        self._same(pointer, "id", lightpath["id"], key, "the key")
        if key in self._lightpaths:
            self._add(pointer, f"Another matrix has a lightpath {key!r}, too.")
        self._lightpaths.add(key)
        id = lightpath["demand_id"]
        demand = self._demands.get(id)
        if demand is None:
            self._add((*pointer, "demand_id"), f"There is no demand {id!r} in the traffic matrix.")
            return
        for name in _SHARED_WITH_DEMAND:
            self._same(pointer, name, lightpath[name], getattr(demand, name), f"the demand {id!r}")
        clients = lightpath["service_id_list"]
        panel = TP1H if any(self._types[id].get(client["id"]) == "100GE" for client in clients) else MP1H
        rate = 0
        for i, client in enumerate(clients):
            place = (*pointer, "service_id_list", i)
            if client["type"] == "groomout":
                rate += self._carried(place, key, id, client["id"])
            else:
                self._service(place, id, client["id"], panel, client["normal_service_type"])
                rate += self._rate(id, client["id"])
        self._capacity(pointer, lightpath, rate, panel)

    def _carried(self, pointer: Pointer, lightpath: str, demand: str, id: str) -> int:
        """Note that a lightpath carries a groomout, and return its rate in bit/s."""
        owner, groomout = self._groomouts.get(id, (None, {}))
        if owner != demand:
            self._add((*pointer, "id"), f"The demand {demand!r} has no groomout {id!r}.")
            return 0
        if id in self._carriers:
            self._add((*pointer, "id"), f"The groomout {id!r} has another lightpath, or remains.")
        self._carriers[id] = lightpath
        return sum(self._rate(demand, client["id"]) for client in groomout["service_id_list"])

    def _remaining(self, pointer: Pointer, traffic: Mapping[str, Any]) -> None:
        for demand, entries in _demands_of(traffic, "remaining_services"):
            for key, entry in entries.items():
                place = (*pointer, "remaining_services", "demands", demand, key)
                if key != SERVICE_KEYS[entry["type"]]:
                    self._add(place, f"The key of {entry['type']} services is `{SERVICE_KEYS[entry['type']]}`.")
                for i, name in enumerate(entry["service_id_list"]):
                    self._service((*place, "service_id_list", i), demand, name, None, entry["type"])
                self._same(place, "count", entry["count"], len(entry["service_id_list"]), "the list")
        for demand, ids in _demands_of(traffic, "remaining_groomouts"):
            for i, id in enumerate(ids):
                place = (*pointer, "remaining_groomouts", "demands", demand, i)
                if self._groomouts.get(id, ("", {}))[0] != demand:
                    self._add(place, f"The demand {demand!r} has no groomout {id!r}.")
                elif id in self._carriers:
                    self._add(place, f"The groomout {id!r} has a lightpath.")
                self._carriers.setdefault(id, None)

    def _service(self, pointer: Pointer, demand: str, name: str, panel: Panel | None, stated: str | None) -> None:
        """Note the place of a service, which must be of a type that the panel takes."""
        kind = self._types.get(demand, {}).get(name)
        if kind is None:
            self._add(pointer, f"The demand {demand!r} has no service {name!r}.")
            return
        if stated is not None and stated != kind:
            self._add(pointer, f"The service {name!r} has the type {kind}, not {stated}.")
        if panel is not None and PANEL_OF.get(kind) is not panel:
            self._add(pointer, f"The service {name!r} has the type {kind}, which no {panel.name} takes.")
        if (demand, name) in self._places:
            self._add(pointer, f"The service {name!r} is also at {self._places[demand, name]}.")
        self._places.setdefault((demand, name), json_pointer(pointer))

    def _rate(self, demand: str, name: str) -> int:
        kind = self._types.get(demand, {}).get(name)
        return self._rates[kind] if kind else 0

    def _capacity(self, pointer: Pointer, item: Mapping[str, Any], rate: int, panel: Panel) -> None:
        clients = len(item["service_id_list"])
        if not 1 <= clients <= panel.client_ports:
            message = f"There are {clients} clients; a line of {panel.name} devices has 1 to {panel.client_ports}."
            self._add((*pointer, "service_id_list"), message)
        if rate > panel.line_rate * GIGABIT:
            message = f"The clients need {rate / GIGABIT:g} Gb/s; a line of {panel.name} devices has {panel.line_rate}."
            self._add((*pointer, "service_id_list"), message)
        if abs(item["capacity"] * GIGABIT - rate) > 1:
            message = f"The rates of the clients add up to {rate / GIGABIT:.12g} Gb/s, not {item['capacity']:.12g}."
            self._add((*pointer, "capacity"), message)

    def _require_all_services(self) -> None:
        for id, types in self._types.items():
            missing = [name for name in types if (id, name) not in self._places]
            if missing:
                message = (
                    f"{len(missing)} services of the demand {id!r}, such as {missing[0]!r}, are in no lightpath or "
                    "groomout and not in `remaining_services`."
                )
                self._add(("traffic",), message)

    def _require_all_groomouts(self) -> None:
        for id, (demand, groomout) in self._groomouts.items():
            if id not in self._carriers:
                message = f"The groomout {id!r} of the demand {demand!r} is in no lightpath and does not remain."
                self._add(("traffic",), message)
            elif groomout["lightpath_id"] != self._carriers[id]:
                message = f"The `lightpath_id` of the groomout {id!r} is not the lightpath that carries it."
                self._add(("traffic",), message)

    def _devices(self, devices: Mapping[str, Any]) -> None:
        """Require devices, if there are any, to have each groomout on one line at each end."""
        uses = dict.fromkeys(self._groomouts, 0)
        for key, device in devices.items():
            lines = [line["groomout_id"] for name in ("line1", "line2") if (line := device[name])]
            unknown = [id for id in lines if id not in uses]
            if unknown:
                self._add(("service_devices", key), f"There is no groomout {unknown[0]!r}.")
                continue
            clients = sum(len(self._groomouts[id][1]["service_id_list"]) for id in lines)
            if clients > MP2X.client_ports:
                message = f"The lines have {clients} clients; an MP2X has {MP2X.client_ports}."
                self._add(("service_devices", key), message)
            for id in lines:
                uses[id] += 1
        if devices:
            for id, count in uses.items():
                if count != 2:
                    message = f"The groomout {id!r} is on {count} lines of MP2X devices; it needs one at each end."
                    self._add(("service_devices",), message)

    def _same(self, pointer: Pointer, name: str, value: object, expected: object, origin: str) -> None:
        if value != expected:
            self._add((*pointer, name), f"`{name}` must be {expected!r}, as {origin} has it.")


def _demands_of(traffic: Mapping[str, Any], part: str) -> Iterator[tuple[str, Any]]:
    yield from traffic[part]["demands"].items()


def _groomouts_of(id: str, traffic: Mapping[str, Any]) -> Iterator[tuple[str, str, Pointer, Mapping[str, Any]]]:
    """Each groomout of a matrix: its demand, key, pointer and document."""
    part = "low_rate_grooming_result"
    for demand, result in _demands_of(traffic, part):
        for key, groomout in result["groomouts"].items():
            yield demand, key, ("traffic", id, part, "demands", demand, "groomouts", key), groomout
