"""Services that are cut at nodes between their ends, and the demands that take the pieces."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sluice.planning.traffic import Demand, Service, TrafficMatrix


@dataclass(frozen=True)
class Piece:
    """A part of a service.

    Args:
        demand_id: the demand that takes it.
        service_id: its id as a service of that demand.
        source: where it begins.
        destination: where it ends.
    """

    demand_id: str
    service_id: str
    source: str
    destination: str


# The pieces of each service that is cut, in the order of its path, by the ids of its demand and of itself.
Mapped = Mapping[str, Mapping[str, Sequence[Piece]]]


class Names:
    """Ids that are derived from others and differ from all that exist.

    Args:
        taken: the ids that exist.
    """

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = set(taken)

    def derive(self, id: str) -> str:
        """A new id: the id and the first free number, as in `D7.2`."""
        name = next(name for i in itertools.count(1) if (name := f"{id}.{i}") not in self._taken)
        self._taken.add(name)
        return name


def service_ids(matrix: TrafficMatrix) -> list[str]:
    """The ids of all services of a matrix."""
    return [
        name for demand in matrix.demands.values() for service in demand.services for name in service.service_id_list
    ]


def cut_demands(matrix: TrafficMatrix, mapped: Mapped) -> dict[str, Demand]:
    """The demands of a matrix after services have been cut.

    Args:
        matrix: the matrix.
        mapped: the pieces of the services that are cut.

    Returns:
        All demands by id: first those of the matrix, then new ones. A new demand has the ends of its first piece, and
        the protection and restoration of that piece's service.
    """
    services: dict[str, list[Service]] = {}
    demands: dict[str, Demand] = {}
    for demand in matrix.demands.values():
        cut = mapped.get(demand.id, {})
        demands[demand.id] = demand
        services[demand.id] = [rest for service in demand.services if (rest := _without(service, cut))]
    for demand in matrix.demands.values():
        cut = mapped.get(demand.id, {})
        for service in demand.services:
            for name in service.service_id_list:
                for piece in cut.get(name, ()):
                    if piece.demand_id not in demands:
                        ends = {"id": piece.demand_id, "source": piece.source, "destination": piece.destination}
                        demands[piece.demand_id] = demand.model_copy(update=ends)
                        services[piece.demand_id] = []
                    _append(services[piece.demand_id], service, piece.service_id)
    return {id: demand.model_copy(update={"services": services[id]}) for id, demand in demands.items()}


def describe_pieces(mapped: Mapped) -> dict[str, Any]:
    """Write the pieces of services as a document: by demand, then by service."""
    return {
        demand: {service: [asdict(piece) for piece in pieces] for service, pieces in cut.items()}
        for demand, cut in mapped.items()
    }


def read_pieces(document: Mapping[str, Any]) -> Mapped:
    """Read what `describe_pieces` has written."""
    return {
        demand: {service: [Piece(**piece) for piece in pieces] for service, pieces in cut.items()}
        for demand, cut in document.items()
    }


def is_chain(pieces: Sequence[Piece], source: str, destination: str) -> bool:
    """Whether pieces lead, one after the other, from a source to a destination."""
    nodes = [source, *(piece.destination for piece in pieces)]
    return bool(pieces) and nodes[-1] == destination and [piece.source for piece in pieces] == nodes[:-1]


def _without(service: Service, cut: Mapping[str, Any]) -> Service | None:
    if not cut:
        return service
    names = [name for name in service.service_id_list if name not in cut]
    return service.model_copy(update={"service_id_list": names, "quantity": len(names)}) if names else None


def _append(services: list[Service], like: Service, name: str) -> None:
    """Add a service to the last entry if that has the same type and `sla`, or to an entry of its own."""
    last = services[-1] if services else None
    if last is None or (last.type, last.sla) != (like.type, like.sla):
        services.append(like.model_copy(update={"service_id_list": [name], "quantity": 1}))
    else:
        names = [*last.service_id_list, name]
        services[-1] = last.model_copy(update={"service_id_list": names, "quantity": len(names)})
