"""Random topologies and traffic matrices: strategies of hypothesis, and a matrix of a given size."""

from __future__ import annotations

import itertools
import random
from typing import Any, get_args

from hypothesis import strategies as st

from sluice.planning.topology import Link, Node, RoadmType, Topology
from sluice.planning.traffic import Demand, Protection, Restoration, Service, ServiceType, TrafficMatrix

SERVICE_TYPES: tuple[ServiceType, ...] = get_args(ServiceType)
PROTECTIONS: tuple[Protection, ...] = get_args(Protection)
RESTORATIONS: tuple[Restoration, ...] = get_args(Restoration)
ROADM_TYPES: tuple[RoadmType, ...] = get_args(RoadmType)
# How many services of each type the matrix of the specification's sample has.
COMMON_TYPES: dict[ServiceType, int] = {"GE": 602, "10GE": 134, "FE": 113, "STM64": 36, "100GE": 27, "STM16": 4}
# The order of nodes is not the order of their names.
NAMES = ("Delta", "Alpha", "42", "Éa", "Golf", "Beta", "Zulu", "7 Hills", "echo")
# With the fraction 2^i / 2^20 in the length of link i, the sum of the lengths of a path says which links it has.
MOST_LINKS = 20


@st.composite
def topologies(
    draw: st.DrawFn,
    min_nodes: int = 2,
    max_nodes: int = 7,
    ring: bool = False,
    ties: bool = True,
    roadm_types: tuple[RoadmType, ...] = ROADM_TYPES,
    lengths: tuple[int, int] = (10, 200),
) -> Topology:
    """Connected topologies of at most 20 links, with nodes and links in any order.

    Args:
        draw: given by hypothesis.
        min_nodes: the smallest number of nodes.
        max_nodes: the largest number of nodes, at most 9.
        ring: whether all nodes lie on a ring (with chords), so that each pair has two node-disjoint paths; needs three
            nodes.
        ties: whether two paths may have the same length.
        roadm_types: the types that nodes may have.
        lengths: the shortest and the longest length of a link in km.

    Returns:
        A topology.
    """
    names = draw(st.permutations(NAMES))[: draw(st.integers(max(min_nodes, 3 if ring else 1), max_nodes))]
    if ring:
        base = [(names[i - 1], names[i]) for i in range(len(names))]
    else:
        base = [(names[draw(st.integers(0, i - 1))], names[i]) for i in range(1, len(names))]
    present = {frozenset(pair) for pair in base}
    others = [pair for pair in itertools.combinations(names, 2) if frozenset(pair) not in present]
    chords = draw(st.lists(st.sampled_from(others), unique=True, max_size=MOST_LINKS - len(base))) if others else []
    pairs = draw(st.permutations([*base, *chords]))
    kilometres = draw(st.lists(st.integers(*lengths), min_size=len(pairs), max_size=len(pairs)))
    links = [
        Link(source=a, destination=b, fiber_type="sm", length=length + (0 if ties else 2**i / 2**MOST_LINKS))
        for i, ((a, b), length) in enumerate(zip(pairs, kilometres, strict=True))
    ]
    nodes = [
        Node(name=name, lat=i, lng=-i, roadm_type=draw(st.sampled_from(roadm_types))) for i, name in enumerate(names)
    ]
    return Topology(nodes=nodes, links=links)


@st.composite
def matrices(
    draw: st.DrawFn,
    topology: Topology,
    max_demands: int = 5,
    max_quantity: int = 14,
    types: tuple[ServiceType, ...] = SERVICE_TYPES,
    protections: tuple[Protection, ...] = PROTECTIONS,
    restorations: tuple[Restoration, ...] = RESTORATIONS,
) -> TrafficMatrix:
    """Traffic matrices whose demands end at nodes of a topology, with at most one demand in each direction of a pair.

    Args:
        draw: given by hypothesis.
        topology: the topology, with at least two nodes.
        max_demands: the largest number of demands.
        max_quantity: the most services of an entry; a demand has up to four entries.
        types: the types that services may have.
        protections: the protections that demands may have.
        restorations: the restorations that demands may have.

    Returns:
        A traffic matrix.
    """
    pairs = list(itertools.permutations([node.name for node in topology.nodes], 2))
    ends = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=max_demands))
    entries = st.lists(st.tuples(st.sampled_from(types), st.integers(1, max_quantity)), max_size=4)
    demands = {}
    ids = itertools.count(1)
    for i, (source, destination) in enumerate(ends):
        name = f"D{len(ends) - i}"
        demands[name] = Demand(
            id=name,
            source=source,
            destination=destination,
            protection_type=draw(st.sampled_from(protections)),
            restoration_type=draw(st.sampled_from(restorations)),
            services=[_service(kind, quantity, ids) for kind, quantity in draw(entries)],
        )
    return TrafficMatrix(demands=demands)


def networks(max_nodes: int = 7, max_demands: int = 5, **options: Any) -> st.SearchStrategy[Any]:
    """A topology and a matrix for it, as a tuple.

    Args:
        max_nodes: the largest number of nodes.
        max_demands: the largest number of demands.
        options: other arguments of `topologies`.
    """
    return topologies(max_nodes=max_nodes, **options).flatmap(
        lambda topology: st.tuples(st.just(topology), matrices(topology, max_demands))
    )


def random_matrix(topology: Topology, demands: int, services: int, seed: int = 0) -> TrafficMatrix:
    """A matrix of a given size, mostly of GE, 10GE and FE, one demand for each of some pairs of nodes.

    Args:
        topology: the topology, with at least as many pairs of nodes as demands.
        demands: the number of demands.
        services: the number of services, at least as many as demands.
        seed: decides everything else.

    Returns:
        A traffic matrix.
    """
    rng = random.Random(seed)
    pairs = list(itertools.combinations([node.name for node in topology.nodes], 2))
    counts: list[dict[ServiceType, int]] = [{} for _ in range(demands)]
    for i in range(services):
        count = counts[i] if i < demands else rng.choice(counts)
        kind = rng.choices(list(COMMON_TYPES), list(COMMON_TYPES.values()))[0]
        count[kind] = count.get(kind, 0) + 1
    ids = itertools.count(1)
    return TrafficMatrix(
        demands={
            str(i): Demand(
                id=str(i),
                source=source,
                destination=destination,
                protection_type=rng.choice(PROTECTIONS),
                restoration_type=rng.choice(RESTORATIONS),
                services=[_service(kind, quantity, ids) for kind, quantity in counts[i - 1].items()],
            )
            for i, (source, destination) in enumerate(rng.sample(pairs, demands), 1)
        }
    )


def _service(kind: ServiceType, quantity: int, ids: itertools.count[int]) -> Service:
    return Service(type=kind, quantity=quantity, service_id_list=[f"s{next(ids)}" for _ in range(quantity)])
