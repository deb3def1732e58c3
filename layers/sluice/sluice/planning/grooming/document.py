"""The document of the result of `grooming`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from sluice.domain.base import Record
from sluice.planning.traffic import Protection, Restoration, ServiceType


class PanelAddress(Record):
    """Where a device is in its node."""

    rack_id: str = Field(description="The rack, from `0`.")
    shelf_id: str = Field(description="The shelf in the rack, from `0`.")
    slot_id_list: list[str] = Field(description="The two slots, from `0` to `13`.")


class PanelAddresses(Record):
    """Where the devices at the two ends of a demand are."""

    source: PanelAddress = Field(description="At the source.")
    destination: PanelAddress = Field(description="At the destination.")


class LightpathClient(Record):
    """What a lightpath carries."""

    id: str = Field(description="The id of a service or groomout.")
    type: Literal["normal", "groomout"] = Field(description="`normal`: a service; `groomout`: a line of an MP2X.")
    normal_service_type: ServiceType | None = Field(None, description="The type of a service; null for a groomout.")
    mp2x_panel_address: PanelAddresses | None = Field(
        None, description="Where the MP2X devices of a groomout are; null for a service."
    )


class GroomedLightpath(Record):
    """A lightpath."""

    id: str = Field(description="The id, equal to the lightpath's key.")
    source: str = Field(description="The node at one end.")
    destination: str = Field(description="The node at the other end.")
    demand_id: str = Field(description="The demand whose services it carries.")
    routing_type: Literal["100GE"] = Field("100GE", description="Its line rate.")
    protection_type: Protection = Field(description="The demand's protection.")
    restoration_type: Restoration = Field(description="The demand's restoration.")
    capacity: float = Field(description="The sum of the rates that it carries, in Gb/s.")
    service_id_list: list[LightpathClient] = Field(description="What it carries: one `100GE`, or up to ten others.")


class GroomoutClient(Record):
    """A service on a line of an MP2X."""

    id: str = Field(description="The service's id.")
    type: ServiceType = Field(description="Its type.")


class GroomoutRecord(Record):
    """A line of an MP2X device."""

    id: str = Field(description="The id, equal to the groomout's key.")
    quantity: int = Field(1, description="Always 1.")
    type: Literal["MP2X"] = Field("MP2X", description="The device.")
    capacity: float = Field(description="The sum of the rates of its services, in Gb/s.")
    sla: str | None = Field(None, description="The `sla` of its services, if all have the same.")
    lightpath_id: str | None = Field(None, description="The lightpath that carries it; null if it remains.")
    service_id_list: list[GroomoutClient] = Field(description="Its services, at most 16.")


class DemandGroomouts(Record):
    """The groomouts of a demand."""

    groomouts: dict[str, GroomoutRecord] = Field(description="The groomouts by id.")
    proven_minimal: bool = Field(False, description="Whether fewer groomouts are known to be impossible.")


class LowRateGrooming(Record):
    """The groomouts of a matrix."""

    demands: dict[str, DemandGroomouts] = Field({}, description="The groomouts of each demand that has some.")


class RemainingType(Record):
    """The services of a demand and type without a lightpath."""

    count: int = Field(description="How many there are.")
    type: ServiceType = Field(description="Their type.")
    service_id_list: list[str] = Field(description="Their ids.")
    reason: Literal["below_threshold", "unsupported"] = Field(
        "below_threshold",
        description="`below_threshold`: too little for a lightpath; `unsupported`: no device takes the type.",
    )


class RemainingServices(Record):
    """Services without a lightpath; those of groomouts are not among them."""

    demands: dict[str, dict[str, RemainingType]] = Field(
        {}, description="By demand, and by type: `E1 stm1_e stm1_o stm4 stm16 stm64 FE GE1 GE10 GE100`."
    )


class RemainingGroomouts(Record):
    """Groomouts without a lightpath."""

    demands: dict[str, list[str]] = Field({}, description="Their ids by demand.")


class GroomedMatrix(Record):
    """The result for a traffic matrix."""

    cluster_id: str | None = Field(None, description="The cluster; null for `main`.")
    lightpaths: dict[str, GroomedLightpath] = Field(description="The lightpaths by id.")
    low_rate_grooming_result: LowRateGrooming = Field(
        default_factory=LowRateGrooming, description="The lines of MP2X devices."
    )
    remaining_services: RemainingServices = Field(
        default_factory=RemainingServices, description="Services without a lightpath."
    )
    remaining_groomouts: RemainingGroomouts = Field(
        default_factory=RemainingGroomouts, description="Groomouts without a lightpath."
    )


class DeviceLine(Record):
    """A line of an MP2X device."""

    groomout_id: str = Field(description="The groomout.")
    demand_id: str = Field(description="Its demand.")


class ServiceDevice(Record):
    """A device at one end of a demand."""

    panel: Literal["MP2X", "MP1H", "TP1H"] = Field(description="The type.")
    id: str = Field(description="The id, equal to the device's key.")
    sub_tm_id: str = Field(description="The matrix that needs it: `main` or a cluster's id.")
    lightpath_id: str | None = Field(None, description="The lightpath of an MP1H or TP1H.")
    line1: DeviceLine | None = Field(None, description="The first line of an MP2X.")
    line2: DeviceLine | None = Field(None, description="The second line of an MP2X, if it is in use.")


class Shelf(Record):
    """A shelf."""

    slots: dict[str, str] = Field(description="The id of the device in each slot in use; a device has two slots.")


class Rack(Record):
    """A rack."""

    shelves: dict[str, Shelf] = Field(description="The shelves by number, from `0`.")


class NodeRacks(Record):
    """The racks of a node."""

    racks: dict[str, Rack] = Field(description="The racks by number, from `0`.")


class NodeStructure(Record):
    """The places of all devices."""

    nodes: dict[str, NodeRacks] = Field({}, description="The nodes with devices, by name.")


class GroomingStatistics(Record):
    """Numbers of a result."""

    lightpath_no: int = Field(description="The number of lightpaths.")
    mean_lightpath_cap: float = Field(description="Their mean capacity in Gb/s; 0 without lightpaths.")
    groomout_no: int = Field(description="The number of groomouts, remaining ones included.")
    mp2x_no: int = Field(description="The number of MP2X devices, at both ends.")
    tp1h_no: int = Field(description="The number of TP1H devices, at both ends.")
    mp1h_no: int = Field(description="The number of MP1H devices, at both ends.")


class PieceRecord(Record):
    """A part of a service that is cut."""

    demand_id: str = Field(description="The demand that takes it.")
    service_id: str = Field(description="Its id as a service of that demand.")
    source: str = Field(description="The node where it begins.")
    destination: str = Field(description="The node where it ends.")


class GroomingResult(Record):
    """The result of grooming. A result that is made by hand needs `traffic` only."""

    traffic: dict[str, GroomedMatrix] = Field(description="The results of `main` and of each cluster.")
    service_devices: dict[str, ServiceDevice] = Field({}, description="The devices by id.")
    node_structure: NodeStructure = Field(default_factory=NodeStructure, description="Where the devices are.")
    statistics: GroomingStatistics | None = Field(None, description="Numbers of the whole result.")
    mapping: dict[str, dict[str, list[PieceRecord]]] = Field(
        {},
        description="The pieces of services that are cut, in the order of their path, by demand and service. "
        "Lightpaths and groomouts have the pieces, not the services.",
    )
