"""Sites of any type, and their equipment."""

from sluice.api.asset_imports import CHECK, CSV_BODY, import_answer
from sluice.api.assets import EQUIPMENT, SITES, STATUS, matching, optional_choice
from sluice.api.call import Answer, Call
from sluice.api.operations import AGG, FROM, OPERATIONS_OF_SITE, TO, cost_answer, operations_answer, site_costs_answer
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, LIMIT, MERGE_PATCH, Parameter, Routes
from sluice.container import Container
from sluice.domain.assets.equipment import STATUSES, SiteEquipment
from sluice.domain.assets.kinds import SITE
from sluice.domain.assets.site import SITE_TYPES, Site

routes = Routes("sites")
TYPE = Parameter("type", "Only sites of this type.", {"type": "string", "enum": list(SITE_TYPES)})


@routes.get("/sites", "asset.read", answer="SiteViewList", parameters=[TYPE, LIMIT, CURSOR])
def list_sites(call: Call, services: Container) -> Answer:
    """The sites, by code."""
    return SITES.list(call, services, selected=matching(type=optional_choice(call, "type", SITE_TYPES)))


@routes.post("/sites", "asset.write", body=Site, answer="SiteView", status=201, parameters=[IDEMPOTENCY_KEY])
def create_site(call: Call, services: Container) -> Answer:
    """Create a site."""
    return SITES.create(call, services)


@routes.post(
    "/sites/import",
    "asset.write",
    body=CSV_BODY,
    body_media_type="text/csv",
    answer="ImportResultView",
    parameters=[CHECK, IDEMPOTENCY_KEY],
    small=True,
)
def import_sites(call: Call, services: Container) -> Answer:
    """Create and change sites as the rows of a CSV file describe them.

    All rows are checked before the first is stored. Repeat an import that was interrupted.

    The columns are `code`, `type` and `name`. A row whose code exists changes the columns that the file has.
    """
    return import_answer(call, services, SITE)


@routes.get("/sites/operations/cost", "asset.read", answer="SiteCostViewList", parameters=[AGG, FROM, TO])
def get_all_site_costs(call: Call, services: Container) -> Answer:
    """An aggregate of the costs of the operations of each site, in one answer."""
    return site_costs_answer(call, services)


@routes.get("/sites/{code}", "asset.read", answer="SiteView", parameters=[IF_NONE_MATCH])
def get_site(call: Call, services: Container, code: str) -> Answer:
    """One site."""
    return SITES.read(call)


@routes.put(
    "/sites/{code}",
    "asset.write",
    creates="asset.write",
    body=Site,
    answer="SiteView",
    parameters=[IF_MATCH],
)
def put_site(call: Call, services: Container, code: str) -> Answer:
    """Create a site of this code, or replace it."""
    return SITES.put(call, services, code)


@routes.patch("/sites/{code}", "asset.write", body=MERGE_PATCH, answer="SiteView", parameters=[IF_MATCH])
def patch_site(call: Call, services: Container, code: str) -> Answer:
    """Change fields of a site."""
    return SITES.patch(call, services, code)


@routes.delete("/sites/{code}", "asset.write", status=204, parameters=[IF_MATCH])
def delete_site(call: Call, services: Container, code: str) -> Answer:
    """Delete a site that has no equipment; its operations and its history stay."""
    return SITES.delete(call, services, code)


@routes.get("/sites/{code}/history", "asset.read", answer="HistoryEntryViewList", parameters=[LIMIT, CURSOR])
def list_site_history(call: Call, services: Container, code: str) -> Answer:
    """The changes of a site, newest first; also of one that was deleted."""
    return SITES.history(call, services, code)


@routes.get("/sites/{code}/equipment", "asset.read", answer="EquipmentViewList", parameters=[STATUS, LIMIT, CURSOR])
def list_site_equipment(call: Call, services: Container, code: str) -> Answer:
    """The equipment of a site, by code."""
    return EQUIPMENT.list(call, services, ("site", code), matching(status=optional_choice(call, "status", STATUSES)))


@routes.post(
    "/sites/{code}/equipment",
    "asset.write",
    body=SiteEquipment,
    answer="EquipmentView",
    status=201,
    parameters=[IDEMPOTENCY_KEY],
)
def create_site_equipment(call: Call, services: Container, code: str) -> Answer:
    """Create equipment of a site; it is active."""
    return EQUIPMENT.create(call, services, site=code)


@routes.get(
    "/sites/{code}/operations",
    "asset.read",
    answer="OperationViewList",
    parameters=[FROM, TO, LIMIT, CURSOR],
    deprecated=OPERATIONS_OF_SITE,
)
def list_site_operations(call: Call, services: Container, code: str) -> Answer:
    """The operations that were recorded at a site, newest first."""
    return operations_answer(call, services, site=code)


@routes.get("/sites/{code}/operations/cost", "asset.read", answer="CostSummaryView", parameters=[AGG, FROM, TO])
def get_site_cost(call: Call, services: Container, code: str) -> Answer:
    """An aggregate of the costs of the operations of a site; null if there are none."""
    return cost_answer(call, services, site=code)
