"""End-to-end grooming: the services of each demand become lightpaths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sluice.planning.grooming.packing import Client, pack
from sluice.planning.services import GIGABIT, MP1H, MP2X, PANEL_OF, TP1H, Panel, bits_of
from sluice.planning.traffic import Demand, ServiceType


@dataclass
class Groomout:
    """A line of an MP2X device, which is a client of an MP1H device if it has a lightpath.

    Args:
        id: `{demand}-G{number}`.
        clients: the services on the line.
        rate: the sum of their rates in bit/s.
        lightpath: the lightpath's id, or None if the groomout remains.
    """

    id: str
    clients: list[Client]
    rate: int
    lightpath: str | None = None

    @property
    def sla(self) -> str | None:
        """The service level agreement of all its services; None if they have several."""
        first, *others = {client.sla: None for client in self.clients}
        return None if others else first


@dataclass(frozen=True)
class Lightpath:
    """A lightpath.

    Args:
        id: `{demand}-L{number}`.
        panel: the type of the devices at its ends.
        clients: what it carries.
        rate: the sum of their rates in bit/s.
    """

    id: str
    panel: Panel
    clients: list[Client | Groomout]
    rate: int


@dataclass
class GroomedDemand:
    """What has become of the services of a demand.

    Args:
        demand: the demand.
        lightpaths: its lightpaths.
        groomouts: all MP2X lines, with a lightpath or not.
        remaining: 10G services without a lightpath.
        unsupported: services that no device takes.
        proven: whether fewer groomouts are known to be impossible.
    """

    demand: Demand
    lightpaths: list[Lightpath] = field(default_factory=list)
    groomouts: list[Groomout] = field(default_factory=list)
    remaining: list[Client] = field(default_factory=list)
    unsupported: list[Client] = field(default_factory=list)
    proven: bool = True


def groom_demand(demand: Demand, rates: Mapping[ServiceType, int], threshold: int, search_nodes: int) -> GroomedDemand:
    """Groom the services of one demand.

    Args:
        demand: the demand.
        rates: the rate of each type of service in bit/s.
        threshold: the lowest rate of an MP1H lightpath in Gb/s.
        search_nodes: the limit of the search for fewer groomouts.

    Returns:
        Lightpaths, groomouts and what remains.
    """
    result = GroomedDemand(demand)
    clients: dict[Panel | None, list[Client]] = {TP1H: [], MP1H: [], MP2X: [], None: result.unsupported}
    for service in demand.services:
        of_panel = clients[PANEL_OF.get(service.type)]
        of_panel.extend(
            Client(name, service.type, rates[service.type], service.sla) for name in service.service_id_list
        )
    for client in clients[TP1H]:
        _add_lightpath(result, TP1H, [client])
    packing = pack(clients[MP2X], MP2X.line_rate * GIGABIT, MP2X.client_ports, search_nodes)
    result.proven = packing.proven
    result.groomouts = [
        Groomout(f"{demand.id}-G{i}", line, sum(client.rate for client in line))
        for i, line in enumerate(packing.lines, 1)
    ]
    queue: list[Client | Groomout] = [*clients[MP1H], *result.groomouts]
    for start in range(0, len(queue), MP1H.client_ports):
        group = queue[start : start + MP1H.client_ports]
        if sum(client.rate for client in group) >= threshold * GIGABIT:
            _add_lightpath(result, MP1H, group)
        else:
            result.remaining += [client for client in group if isinstance(client, Client)]
    return result


def remaining_services(groomed: GroomedDemand) -> list[str]:
    """The ids of all services that a demand's lightpaths do not carry although devices exist for them."""
    return [
        *(client.id for client in groomed.remaining),
        *(client.id for groomout in groomed.groomouts if not groomout.lightpath for client in groomout.clients),
    ]


def groom(
    demands: Mapping[str, Demand], rates: Mapping[ServiceType, float], threshold: int, search_nodes: int
) -> list[GroomedDemand]:
    """Groom demands end to end, each on its own.

    Args:
        demands: the demands by id.
        rates: rates in Gb/s that replace those of the table.
        threshold: the lowest rate of an MP1H lightpath in Gb/s.
        search_nodes: the limit of each demand's search for fewer groomouts.

    Returns:
        The groomed demands in the same order.
    """
    bits = bits_of(rates)
    return [groom_demand(demand, bits, threshold, search_nodes) for demand in demands.values()]


def _add_lightpath(result: GroomedDemand, panel: Panel, clients: list[Client | Groomout]) -> None:
    lightpath = Lightpath(
        f"{result.demand.id}-L{len(result.lightpaths) + 1}", panel, clients, sum(client.rate for client in clients)
    )
    result.lightpaths.append(lightpath)
    for client in clients:
        if isinstance(client, Groomout):
            client.lightpath = lightpath.id
