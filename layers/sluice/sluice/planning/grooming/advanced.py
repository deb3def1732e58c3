"""Advanced grooming: small demands share connections, which lead over several links."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from sluice.planning.grooming.folding import Graph, contract
from sluice.planning.grooming.gateways import GatewayOf, waypoints
from sluice.planning.grooming.pieces import Names, Piece, service_ids
from sluice.planning.services import GIGABIT, PANEL_OF
from sluice.planning.topology import Topology
from sluice.planning.traffic import Demand, ServiceType, TrafficMatrix

# How much longer a link counts on which no connection has room.
FULL_LINK_FACTOR = 100


@dataclass(eq=False)
class _Connection:
    """A connection between the first and the last of some nodes.

    Args:
        nodes: the nodes along its links.
        kind: protection and restoration, which all its demands share.
        room: the rate in bit/s that is still free.
        demands: the ids of the demands that use it.
    """

    nodes: tuple[str, ...]
    kind: tuple[str, str]
    room: int
    demands: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Hop:
    """A connection as a part of a demand's chain."""

    source: str
    destination: str
    connection: _Connection


@dataclass(frozen=True)
class _Use:
    """A connection with room for a part of a path.

    Args:
        connection: the connection.
        start: the index of the part's first node in the path.
        end: the index of its last node.
        cut: the index of the connection's node at which it must be cut, if it leads farther.
        begins: whether the part is where the connection begins.
    """

    connection: _Connection
    start: int
    end: int
    cut: int | None
    begins: bool


def share_connections(
    matrix: TrafficMatrix,
    topology: Topology,
    gateway_of: GatewayOf,
    rates: dict[ServiceType, int],
    line_rate: int,
    direct_rate: float | None,
) -> dict[str, dict[str, list[Piece]]]:
    """Lead demands over connections that they share with others of the same protection and restoration.

    A demand leads from gateway to gateway, then over the path that is shortest when a link without room for it counts
    a hundredfold. It joins connections with room along the path, which may be cut at one node for that.

    Args:
        matrix: the demands.
        topology: the network.
        gateway_of: the nodes that are folded, and their gateways.
        rates: the rate of each type of service in bit/s.
        line_rate: the rate of a connection in Gb/s.
        direct_rate: the rate in Gb/s from which a demand keeps a connection of its own; without it none does.

    Returns:
        The pieces of the services that take another connection than one of their own demand, by demand and service.
    """
    network = _Network(contract(topology, gateway_of), line_rate * GIGABIT)
    demands = [
        (sum(rates[service.type] * service.quantity for service in demand.services if service.type in PANEL_OF), demand)
        for demand in matrix.demands.values()
    ]
    for rate, demand in sorted(demands, key=lambda item: -item[0]):
        direct = direct_rate is not None and rate >= direct_rate * GIGABIT
        if rate and not direct:
            network.add(demand, rate, *waypoints(gateway_of, demand.source, demand.destination))
    return _pieces(matrix, network.chains)


class _Network:
    """Connections over the links of a graph.

    Args:
        graph: the links.
        line_rate: the rate of a connection in bit/s.
    """

    def __init__(self, graph: Graph, line_rate: int) -> None:
        self._graph = graph
        self._line_rate = line_rate
        self._connections: list[_Connection] = []
        # The connections of each demand, from its source to its destination.
        self.chains: dict[str, list[_Hop]] = {}

    def add(self, demand: Demand, rate: int, up: list[str], down: list[str]) -> None:
        """Lead a demand over connections.

        Args:
            demand: the demand.
            rate: its rate in bit/s.
            up: its source and the gateways after it.
            down: the gateways before its destination, and that.
        """
        kind = (demand.protection_type, demand.restoration_type)
        path = self._path(up[-1], down[0], kind, rate)
        if not path:
            # The ends are not connected: the demand stays as it is, and no lightpath of it will get a path.
            return
        self.chains[demand.id] = []
        for stretch in (*pairwise(up), tuple(path), *pairwise(down)):
            for hop in self._along(stretch, kind, rate):
                hop.connection.room -= rate
                hop.connection.demands.append(demand.id)
                self.chains[demand.id].append(hop)

    def _path(self, source: str, destination: str, kind: tuple[str, str], rate: int) -> list[str]:
        """The path of the least cost, of several the first by the names of its nodes; empty if there is none."""
        free = {
            frozenset(link)
            for connection in self._connections
            if connection.kind == kind and connection.room >= rate
            for link in pairwise(connection.nodes)
        }
        heap: list[tuple[float, list[str]]] = [(0.0, [source])]
        done = set()
        while heap:
            cost, path = heapq.heappop(heap)
            node = path[-1]
            if node == destination:
                return path
            if node in done:
                continue
            done.add(node)
            for other, length in self._graph[node].items():
                if other not in done:
                    factor = 1 if frozenset((node, other)) in free else FULL_LINK_FACTOR
                    heapq.heappush(heap, (cost + factor * length, [*path, other]))
        return []

    def _along(self, path: tuple[str, ...], kind: tuple[str, str], rate: int) -> Iterator[_Hop]:
        """Connections with room from the first to the last node of a path; those that are missing are added."""
        start, last = 0, len(path) - 1
        while start < last:
            use = self._first_use(path, start, kind, rate)
            if use is not None and use.start == start:
                end, connection = use.end, self._part(use)
            else:
                end = use.start if use else last
                capacity = -(-rate // self._line_rate) * self._line_rate
                connection = _Connection(path[start : end + 1], kind, capacity)
                self._connections.append(connection)
            yield _Hop(path[start], path[end], connection)
            start = end

    def _first_use(self, path: tuple[str, ...], start: int, kind: tuple[str, str], rate: int) -> _Use | None:
        """The first part of a path that a connection has room for; of several the longest, then one without a cut."""
        uses = [
            use
            for connection in self._connections
            if connection.kind == kind and connection.room >= rate
            for use in _uses(connection, path, start)
        ]
        return min(uses, key=lambda use: (use.start, -use.end, use.cut is not None), default=None)

    def _part(self, use: _Use) -> _Connection:
        """The connection for a part of a path, cut out of a longer one if need be."""
        whole = use.connection
        if use.cut is None:
            return whole
        first = _Connection(whole.nodes[: use.cut + 1], whole.kind, whole.room, list(whole.demands))
        second = _Connection(whole.nodes[use.cut :], whole.kind, whole.room, list(whole.demands))
        i = self._connections.index(whole)
        self._connections[i : i + 1] = [first, second]
        for demand in whole.demands:
            chain = self.chains[demand]
            i = next(i for i, hop in enumerate(chain) if hop.connection is whole)
            parts = (first, second) if chain[i].source == whole.nodes[0] else (second, first)
            node = whole.nodes[use.cut]
            chain[i : i + 1] = [_Hop(chain[i].source, node, parts[0]), _Hop(node, chain[i].destination, parts[1])]
        return first if use.begins else second


def _uses(connection: _Connection, path: tuple[str, ...], start: int) -> Iterator[_Use]:
    """The parts of a path, from the index `start` on, that a connection can have after one cut at most."""
    index = {node: i for i, node in enumerate(connection.nodes)}
    # A node that the connection does not pass is next to no other.
    at = [index.get(node, -2 * i - 2) for i, node in enumerate(path)]
    last = len(connection.nodes) - 1
    while start < len(path) - 1:
        end = start
        while end < len(path) - 1 and abs(at[end] - at[end + 1]) == 1:
            end += 1
        if end > start:
            low, high = sorted((at[start], at[end]))
            if low == 0 or high == last:
                cut = None if (low, high) == (0, last) else low or high
                yield _Use(connection, start, end, cut, begins=low == 0)
        start = max(end, start + 1)


def _pieces(matrix: TrafficMatrix, chains: Mapping[str, Sequence[_Hop]]) -> dict[str, dict[str, list[Piece]]]:
    """The pieces of services by demand and service.

    A connection becomes the first demand that it leads from end to end, or a new demand.
    """
    demand_names, service_names = Names(matrix.demands), Names(service_ids(matrix))
    takers: dict[_Connection, str] = {}
    for id, chain in chains.items():
        if len(chain) == 1:
            takers.setdefault(chain[0].connection, id)
    mapped: dict[str, dict[str, list[Piece]]] = {}
    for demand in matrix.demands.values():
        chain = chains.get(demand.id, ())
        for hop in chain:
            if hop.connection not in takers:
                takers[hop.connection] = demand_names.derive(demand.id)
        if not chain or takers[chain[0].connection] == demand.id:
            continue
        mapped[demand.id] = {
            name: [
                Piece(takers[hop.connection], service_names.derive(name), hop.source, hop.destination) for hop in chain
            ]
            for service in demand.services
            if service.type in PANEL_OF
            for name in service.service_id_list
        }
    return mapped
