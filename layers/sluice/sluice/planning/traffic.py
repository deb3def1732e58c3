"""Traffic matrices: the services that each pair of nodes demands."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sluice.domain.base import Document
from sluice.planning.documents import (
    Fault,
    document_pointer,
    entries,
    fault,
    field_faults,
    members,
    parse_document,
    require_none,
)
from sluice.planning.topology import Topology

ServiceType = Literal["E1", "STM1 Electrical", "STM1 Optical", "STM4", "STM16", "STM64", "FE", "GE", "10GE", "100GE"]
Protection = Literal["1+1_NodeDisjoint", "NoProtection"]
Restoration = Literal["None", "JointSame", "AdvJointSame"]


class Service(Document):
    """Some services of one type within a demand."""

    type: ServiceType = Field(description="The type, which decides the rate.")
    quantity: int = Field(ge=1, description="How many services there are.")
    service_id_list: list[str] = Field(description="Their ids, unique in the matrix; as many as `quantity`.")
    sla: str | None = Field(None, description="Kept, not used.")
    granularity: str | None = Field(None, description="Kept, not used.")
    granularity_vc12: str | None = Field(None, description="Kept, not used.")
    granularity_vc4: str | None = Field(None, description="Kept, not used.")


class Demand(Document):
    """What is demanded between two nodes."""

    id: str = Field(description="The id, equal to the demand's key.")
    source: str = Field(description="The name of the node at one end.")
    destination: str = Field(description="The name of the node at the other end.")
    type: str | None = Field(None, description="Kept, not used.")
    protection_type: Protection = Field(
        "1+1_NodeDisjoint", description="`1+1_NodeDisjoint`: a second path, which shares no inner node and no link."
    )
    restoration_type: Restoration = Field(
        "None",
        description="Which failures have a restoration path: none, single failures, or where those have none also "
        "pairs of failures.",
    )
    services: list[Service] = Field(description="The services; a type may repeat.")


class TrafficMatrix(Document):
    """All demands of a network."""

    demands: dict[str, Demand] = Field(description="The demands by id, in the order in which they are taken.")


def traffic_faults(document: Any) -> list[Fault]:
    """Everything that is wrong with a traffic matrix, field by field.

    Args:
        document: the parsed JSON.

    Returns:
        A JSON Pointer and a message for each fault; empty for a valid matrix.
    """
    faults = field_faults(TrafficMatrix, document)
    owners: dict[str, str] = {}
    for key, demand in members(document, "demands"):
        faults += _demand_faults(key, demand)
        for index, service in entries(demand, "services"):
            faults += _service_faults(("demands", key, "services", index), service, owners)
    return faults


def parse_traffic(document: Any) -> TrafficMatrix:
    """Check a traffic matrix.

    Args:
        document: the parsed JSON.

    Raises:
        Invalid: the matrix is not valid; `errors` has all faults.
    """
    return parse_document(TrafficMatrix, document, traffic_faults(document), "traffic matrix")


def require_nodes(matrix: TrafficMatrix, topology: Topology) -> None:
    """Require the ends of all demands to be nodes of a topology.

    Raises:
        Invalid: some are not; `errors` names each demand and node.
    """
    names = {node.name for node in topology.nodes}
    faults = [
        fault(("demands", key, field), f"The demand {key!r} ends at {end!r}, which is no node of the topology.")
        for key, demand in matrix.demands.items()
        for field, end in (("source", demand.source), ("destination", demand.destination))
        if end not in names
    ]
    require_none(faults)


def _demand_faults(key: str, demand: dict[str, Any]) -> list[Fault]:
    faults = []
    if isinstance(demand.get("id"), str) and demand["id"] != key:
        faults.append(fault(("demands", key, "id"), f"The id must be equal to the key, {key!r}."))
    ends = demand.get("source"), demand.get("destination")
    if isinstance(ends[0], str) and ends[0] == ends[1]:
        faults.append(fault(("demands", key, "destination"), "A demand must lead to another node."))
    return faults


def _service_faults(path: tuple[str | int, ...], service: dict[str, Any], owners: dict[str, str]) -> list[Fault]:
    """The faults of one entry of services.

    Args:
        path: where the entry is.
        service: the entry.
        owners: the places of the services that were seen before, by id; those of this entry are added.
    """
    ids, quantity = service.get("service_id_list"), service.get("quantity")
    if not isinstance(ids, list):
        return []
    faults = []
    if type(quantity) is int and quantity >= 1 and len(ids) != quantity:
        message = f"The list has {len(ids)} ids, and quantity is {quantity}."
        faults.append(fault((*path, "service_id_list"), message))
    for index, name in enumerate(ids):
        if not isinstance(name, str):
            continue
        place = (*path, "service_id_list", index)
        if name in owners:
            faults.append(fault(place, f"There is already a service {name!r}, at {owners[name]}."))
        owners.setdefault(name, document_pointer(*place))
    return faults
