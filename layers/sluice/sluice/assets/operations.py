"""Operations on equipment: recording and finding them, and aggregates of their costs."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sluice.catalog.definitions import Definition, missing
from sluice.catalog.operations import EPOCH, Period, new_operation_id
from sluice.catalog.table import ConditionFailed
from sluice.container import Container
from sluice.domain.assets.operation import Aggregate, CostSummary, Operation, OperationRequest, summarize_costs
from sluice.domain.assets.site import SiteType
from sluice.domain.identity import Principal
from sluice.domain.names import now, rfc3339
from sluice.errors import Invalid, QueryLimit, Unavailable

_ATTEMPTS = 5


@dataclass(frozen=True)
class OperationFilter:
    """Which operations to read: those that fit every field that is not empty.

    Args:
        site: the code of the site where they were recorded.
        equipment: the code of the equipment.
        equipment_names: the names of the equipment, as they are now.
        period: when they were done.
    """

    site: str | None = None
    equipment: str | None = None
    equipment_names: tuple[str, ...] = ()
    period: Period = field(default_factory=Period)


def record_operation(services: Container, equipment: Definition, request: OperationRequest, by: Principal) -> Operation:
    """Record an operation at the site where the equipment is now.

    Args:
        equipment: the equipment as it was read.
        request: the operation.
        by: who records it.

    Raises:
        Invalid: the time is before 1970.
        NotFound: the equipment was deleted meanwhile.
        Unavailable: the equipment kept being moved; try again.
    """
    moment = now()
    done = moment if request.time is None else request.time
    if done < EPOCH:
        message = "An operation cannot be earlier than 1970."
        raise Invalid(message, [{"pointer": "/time", "message": message}])
    code = equipment.name
    for _ in range(_ATTEMPTS):
        site = equipment.document["site"]
        operation = Operation(
            id=new_operation_id(done),
            equipment=code,
            site=site,
            type=request.type,
            cost=request.cost,
            time=rfc3339(done),
            created_at=rfc3339(moment),
            created_by=by.id,
        )
        try:
            services.operations.record(
                operation, [services.assets.require_owner_write("equipment", code, ("site", site))]
            )
        except ConditionFailed:  # it was moved or deleted since it was read
            equipment = services.definitions.get("equipment", code)
            continue
        return operation
    raise Unavailable(f"The equipment {code!r} keeps being moved by other requests; try again.")


def get_operation(services: Container, operation_id: str) -> Operation:
    """The operation of an id.

    Raises:
        NotFound: there is none.
    """
    operation = services.operations.find(operation_id)
    if operation is None:
        raise missing("operation", operation_id)
    return operation


def find_operations(
    services: Container, wanted: OperationFilter, before: str | None = None, page_size: int | None = None
) -> Iterator[Operation]:
    """The operations that a filter selects, the newest first; they are read as they are needed.

    Each site, and each piece of equipment, is one query of an index. Names of equipment cost a read of all
    equipment first.

    Args:
        wanted: the filter.
        before: an id; only those before it.
        page_size: how many to read at once; None for as many as DynamoDB returns.

    Raises:
        QueryLimit: more than `MAX_NAMED_EQUIPMENT` pieces of equipment have one of the names.
    """
    operations, period = services.operations, wanted.period
    codes = _codes(services, wanted)
    if codes is not None:
        walks = [operations.walk_equipment(code, period, before, page_size) for code in codes]
    elif wanted.site is not None:
        walks = [operations.walk_site(wanted.site, period, before, page_size)]
    else:
        walks = [operations.walk(period, before, page_size)]
    for operation in heapq.merge(*walks, key=lambda item: item.id, reverse=True):
        if wanted.site in (None, operation.site):
            yield operation


def _codes(services: Container, wanted: OperationFilter) -> list[str] | None:
    """The codes of the equipment that a filter selects; None for all."""
    if not wanted.equipment_names:
        return [wanted.equipment] if wanted.equipment is not None else None
    codes = [
        equipment.name
        for equipment in services.assets.walk("equipment")
        if equipment.document["name"] in wanted.equipment_names and wanted.equipment in (None, equipment.name)
    ]
    most = services.settings.max_named_equipment
    if len(codes) > most:
        message = f"{len(codes)} pieces of equipment have one of these names; at most {most} are read at once."
        raise QueryLimit(message, [{"pointer": "?equipment_name", "message": "Give fewer names, or the codes."}])
    return codes


def summarize_operations(services: Container, wanted: OperationFilter, agg: Aggregate) -> CostSummary:
    """An aggregate of the costs of the operations that a filter selects.

    Args:
        wanted: the filter.
        agg: the aggregate function.

    Raises:
        QueryLimit: see `find_operations`.
    """
    return summarize_costs((operation.cost for operation in find_operations(services, wanted)), agg)


def summarize_sites(
    services: Container, site_type: SiteType | None, agg: Aggregate, period: Period
) -> list[dict[str, Any]]:
    """An aggregate of the costs of each site's operations.

    All operations of the period are read once, in one query; those of deleted sites are left out.

    Args:
        site_type: only sites of this type; None for all.
        agg: the aggregate function.
        period: when the operations were done.

    Returns:
        For each site, by code, its code as `site` and the fields of its `CostSummary`.
    """
    costs: dict[str, list[str]] = defaultdict(list)
    for operation in services.operations.walk(period):
        costs[operation.site].append(operation.cost)
    sites = [site.name for site in services.assets.walk("site") if site_type in (None, site.document["type"])]
    return [{"site": site, **summarize_costs(costs[site], agg).model_dump()} for site in sites]
