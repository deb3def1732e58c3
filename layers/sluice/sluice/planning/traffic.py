"""Traffic matrices: the services that each pair of nodes demands."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sluice.domain.base import Document

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
