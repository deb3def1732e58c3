"""Equipment of all sites."""

from sluice.api.asset_imports import CHECK, CSV_BODY, import_answer
from sluice.api.assets import EQUIPMENT, STATUS, matching, optional_choice, status_answer
from sluice.api.call import Answer, Call
from sluice.api.operations import AGG, FROM, TO, cost_answer, operations_answer
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, LIMIT, MERGE_PATCH, Parameter, Routes
from sluice.assets.operations import record_operation
from sluice.catalog.assets import Key
from sluice.container import Container
from sluice.domain.assets import kinds
from sluice.domain.assets.equipment import STATUSES, Equipment, EquipmentCodes
from sluice.domain.assets.operation import OperationRequest

routes = Routes("sites")
SITE = Parameter("site", "Only equipment of the site of this code.")
NAME = Parameter("name", "Only equipment of this name.")


@routes.get("/equipment", "asset.read", answer="EquipmentViewList", parameters=[SITE, STATUS, NAME, LIMIT, CURSOR])
def list_equipment(call: Call, services: Container) -> Answer:
    """The equipment of all sites, by code."""
    site, status = call.code("site"), optional_choice(call, "status", STATUSES)
    owner: Key | None = ("site", site) if site is not None else None
    return EQUIPMENT.list(call, services, owner, matching(status=status, name=call.query_value("name")))


@routes.post(
    "/equipment", "asset.write", body=Equipment, answer="EquipmentView", status=201, parameters=[IDEMPOTENCY_KEY]
)
def create_equipment(call: Call, services: Container) -> Answer:
    """Create equipment; it is active."""
    return EQUIPMENT.create(call, services)


@routes.post(
    "/equipment/import",
    "asset.write",
    body=CSV_BODY,
    body_media_type="text/csv",
    answer="ImportResultView",
    parameters=[CHECK, IDEMPOTENCY_KEY],
    small=True,
)
def import_equipment(call: Call, services: Container) -> Answer:
    """Create and change equipment as the rows of a CSV file describe it.

    All rows are checked before the first is stored. Repeat an import that was interrupted.

    The columns are `code`, `site`, `name`, `location`, `parent` and `status`. A row whose code exists changes the
    columns that the file has.
    """
    return import_answer(call, services, kinds.EQUIPMENT)


@routes.post(
    "/equipment/deactivate",
    "asset.write",
    body=EquipmentCodes,
    answer="EquipmentViewList",
    parameters=[IDEMPOTENCY_KEY],
    small=True,
)
def deactivate_equipment(call: Call, services: Container) -> Answer:
    """Make pieces of equipment inactive, all or none."""
    return status_answer(call, services, "inactive")


@routes.post(
    "/equipment/activate",
    "asset.write",
    body=EquipmentCodes,
    answer="EquipmentViewList",
    parameters=[IDEMPOTENCY_KEY],
    small=True,
)
def activate_equipment(call: Call, services: Container) -> Answer:
    """Make pieces of equipment active, all or none."""
    return status_answer(call, services, "active")


@routes.get("/equipment/{code}", "asset.read", answer="EquipmentView", parameters=[IF_NONE_MATCH])
def get_equipment(call: Call, services: Container, code: str) -> Answer:
    """One piece of equipment."""
    return EQUIPMENT.read(call)


@routes.put(
    "/equipment/{code}",
    "asset.write",
    creates="asset.write",
    body=Equipment,
    answer="EquipmentView",
    parameters=[IF_MATCH],
)
def put_equipment(call: Call, services: Container, code: str) -> Answer:
    """Create equipment of this code, or replace it."""
    return EQUIPMENT.put(call, services, code)


@routes.patch("/equipment/{code}", "asset.write", body=MERGE_PATCH, answer="EquipmentView", parameters=[IF_MATCH])
def patch_equipment(call: Call, services: Container, code: str) -> Answer:
    """Change fields of a piece of equipment; another `site` moves it there."""
    return EQUIPMENT.patch(call, services, code)


@routes.delete("/equipment/{code}", "asset.write", status=204, parameters=[IF_MATCH])
def delete_equipment(call: Call, services: Container, code: str) -> Answer:
    """Delete equipment that has no sensors and no parts; its operations and its history stay."""
    return EQUIPMENT.delete(call, services, code)


@routes.get("/equipment/{code}/history", "asset.read", answer="HistoryEntryViewList", parameters=[LIMIT, CURSOR])
def list_equipment_history(call: Call, services: Container, code: str) -> Answer:
    """The changes of a piece of equipment, newest first; also of one that was deleted."""
    return EQUIPMENT.history(call, services, code)


@routes.get(
    "/equipment/{code}/operations",
    "asset.read",
    answer="OperationViewList",
    parameters=[FROM, TO, LIMIT, CURSOR],
)
def list_equipment_operations(call: Call, services: Container, code: str) -> Answer:
    """The operations on a piece of equipment, newest first, wherever it was."""
    return operations_answer(call, services, equipment=code)


@routes.post(
    "/equipment/{code}/operations",
    "asset.write",
    body=OperationRequest,
    answer="OperationView",
    status=201,
    parameters=[IDEMPOTENCY_KEY],
)
def create_operation(call: Call, services: Container, code: str) -> Answer:
    """Record an operation on a piece of equipment, at the site where it is now."""
    operation = record_operation(services, call.definition, call.document(OperationRequest), call.principal)
    return Answer(operation.model_dump(), 201, {"Location": call.url(f"/operations/{operation.id}")})


@routes.get("/equipment/{code}/operations/cost", "asset.read", answer="CostSummaryView", parameters=[AGG, FROM, TO])
def get_equipment_cost(call: Call, services: Container, code: str) -> Answer:
    """An aggregate of the costs of the operations on a piece of equipment; null if there are none."""
    return cost_answer(call, services, equipment=code)
