"""Vessels, which are sites of type vessel, and their equipment."""

from sluice.api.asset_imports import CHECK, CSV_BODY, import_answer
from sluice.api.assets import EQUIPMENT, STATUS, VESSELS, matching, optional_choice
from sluice.api.call import Answer, Call
from sluice.api.operations import AGG, FROM, OPERATIONS_OF_SITE, TO, cost_answer, operations_answer, site_costs_answer
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, LIMIT, MERGE_PATCH, Routes
from sluice.container import Container
from sluice.domain.assets.equipment import STATUSES, SiteEquipment
from sluice.domain.assets.kinds import VESSEL
from sluice.domain.assets.site import Vessel

routes = Routes("sites")


@routes.get("/vessels", "asset.read", answer="SiteViewList", parameters=[LIMIT, CURSOR])
def list_vessels(call: Call, services: Container) -> Answer:
    """The vessels, by code."""
    return VESSELS.list(call, services, selected=matching(type="vessel"))


@routes.post("/vessels", "asset.write", body=Vessel, answer="SiteView", status=201, parameters=[IDEMPOTENCY_KEY])
def create_vessel(call: Call, services: Container) -> Answer:
    """Create a vessel."""
    return VESSELS.create(call, services)


@routes.post(
    "/vessels/import",
    "asset.write",
    body=CSV_BODY,
    body_media_type="text/csv",
    answer="ImportResultView",
    parameters=[CHECK, IDEMPOTENCY_KEY],
    small=True,
)
def import_vessels(call: Call, services: Container) -> Answer:
    """Create and change vessels as the rows of a CSV file describe them.

    All rows are checked before the first is stored. Repeat an import that was interrupted.

    The columns are `code` and `name`. A row whose code exists changes the columns that the file has.
    """
    return import_answer(call, services, VESSEL)


@routes.get("/vessels/operations/cost", "asset.read", answer="SiteCostViewList", parameters=[AGG, FROM, TO])
def get_all_vessel_costs(call: Call, services: Container) -> Answer:
    """An aggregate of the costs of the operations of each vessel, in one answer."""
    return site_costs_answer(call, services, "vessel")


@routes.get("/vessels/{code}", "asset.read", answer="SiteView", parameters=[IF_NONE_MATCH])
def get_vessel(call: Call, services: Container, code: str) -> Answer:
    """One vessel."""
    return VESSELS.read(call)


@routes.put(
    "/vessels/{code}",
    "asset.write",
    creates="asset.write",
    body=Vessel,
    answer="SiteView",
    parameters=[IF_MATCH],
)
def put_vessel(call: Call, services: Container, code: str) -> Answer:
    """Create a vessel of this code, or replace it."""
    return VESSELS.put(call, services, code)


@routes.patch("/vessels/{code}", "asset.write", body=MERGE_PATCH, answer="SiteView", parameters=[IF_MATCH])
def patch_vessel(call: Call, services: Container, code: str) -> Answer:
    """Change fields of a vessel."""
    return VESSELS.patch(call, services, code)


@routes.delete("/vessels/{code}", "asset.write", status=204, parameters=[IF_MATCH])
def delete_vessel(call: Call, services: Container, code: str) -> Answer:
    """Delete a vessel that has no equipment; its operations and its history stay."""
    return VESSELS.delete(call, services, code)


@routes.get("/vessels/{code}/history", "asset.read", answer="HistoryEntryViewList", parameters=[LIMIT, CURSOR])
def list_vessel_history(call: Call, services: Container, code: str) -> Answer:
    """The changes of a vessel, newest first; also of one that was deleted."""
    return VESSELS.history(call, services, code)


@routes.get("/vessels/{code}/equipment", "asset.read", answer="EquipmentViewList", parameters=[STATUS, LIMIT, CURSOR])
def list_vessel_equipment(call: Call, services: Container, code: str) -> Answer:
    """The equipment of a vessel, by code."""
    return EQUIPMENT.list(call, services, ("site", code), matching(status=optional_choice(call, "status", STATUSES)))


@routes.post(
    "/vessels/{code}/equipment",
    "asset.write",
    body=SiteEquipment,
    answer="EquipmentView",
    status=201,
    parameters=[IDEMPOTENCY_KEY],
)
def create_vessel_equipment(call: Call, services: Container, code: str) -> Answer:
    """Create equipment of a vessel; it is active."""
    return EQUIPMENT.create(call, services, site=code)


@routes.get(
    "/vessels/{code}/operations",
    "asset.read",
    answer="OperationViewList",
    parameters=[FROM, TO, LIMIT, CURSOR],
    deprecated=OPERATIONS_OF_SITE,
)
def list_vessel_operations(call: Call, services: Container, code: str) -> Answer:
    """The operations that were recorded at a vessel, newest first."""
    return operations_answer(call, services, site=code)


@routes.get("/vessels/{code}/operations/cost", "asset.read", answer="CostSummaryView", parameters=[AGG, FROM, TO])
def get_vessel_cost(call: Call, services: Container, code: str) -> Answer:
    """An aggregate of the costs of the operations of a vessel; null if there are none."""
    return cost_answer(call, services, site=code)
