"""Operations on equipment of all sites."""

from sluice.api.call import Answer, Call
from sluice.api.operations import AGG, OPERATION_FILTERS, cost_answer, operations_answer
from sluice.api.routes import CURSOR, LIMIT, Routes
from sluice.assets.operations import get_operation as load_operation
from sluice.container import Container

routes = Routes("operations")


@routes.get("/operations", "asset.read", answer="OperationViewList", parameters=[*OPERATION_FILTERS, LIMIT, CURSOR])
def list_operations(call: Call, services: Container) -> Answer:
    """The operations, newest first."""
    return operations_answer(call, services)


@routes.get("/operations/cost", "asset.read", answer="CostSummaryView", parameters=[AGG, *OPERATION_FILTERS])
def get_operation_cost(call: Call, services: Container) -> Answer:
    """An aggregate of the costs of operations, such as those on all equipment of a name; null if there are none."""
    return cost_answer(call, services)


@routes.get("/operations/{operation_id}", "asset.read", answer="OperationView")
def get_operation(call: Call, services: Container, operation_id: str) -> Answer:
    """One operation."""
    return Answer(load_operation(services, operation_id).model_dump())
