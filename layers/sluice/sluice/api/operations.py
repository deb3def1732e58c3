"""Operations on equipment, and aggregates of their costs, as several routes answer them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import islice

from sluice.api.call import Answer, Call
from sluice.api.deprecation import Deprecation
from sluice.api.routes import Parameter
from sluice.assets.operations import OperationFilter, find_operations, summarize_operations, summarize_sites
from sluice.catalog.operations import Period
from sluice.container import Container
from sluice.domain.assets.operation import AGGREGATES, Aggregate
from sluice.domain.assets.site import SiteType
from sluice.errors import Invalid

_TIME = {"type": "string", "format": "date-time"}
FROM = Parameter("from", "Only operations done at this time or later, RFC 3339 with an offset.", _TIME)
TO = Parameter("to", "Only operations done before this time, RFC 3339 with an offset.", _TIME)
AGG = Parameter("agg", "The aggregate of the costs.", {"type": "string", "enum": list(AGGREGATES), "default": "sum"})
EQUIPMENT_NAME = Parameter(
    "equipment_name", "Only operations on equipment that has this name now; repeat it for several names.", repeated=True
)
OPERATION_FILTERS = [
    Parameter("site", "Only operations that were recorded at the site of this code."),
    Parameter("equipment", "Only operations on the equipment of this code."),
    EQUIPMENT_NAME,
    FROM,
    TO,
]

# `GET /operations` has the same list with further filters, and needs no route for each kind of site.
OPERATIONS_OF_SITE = Deprecation(date(2026, 11, 26), "/operations?site={code}", sunset=date(2027, 12, 1))


def requested_period(call: Call) -> Period:
    """The period that the query parameters `from` and `to` select.

    Raises:
        Invalid: a time is not valid, or the period ends before it starts.
    """
    period = Period(call.moment("from"), call.moment("to"))
    if period.start is not None and period.end is not None and period.end < period.start:
        message = "It is before `from`."
        raise Invalid("The period ends before it starts.", [{"pointer": "?to", "message": message}])
    return period


def requested_filter(call: Call) -> OperationFilter:
    """The filter that the query parameters of a list of operations select.

    Raises:
        Invalid: a parameter is not valid.
    """
    return OperationFilter(
        call.code("site"),
        call.code("equipment"),
        tuple(dict.fromkeys(call.query_values("equipment_name"))),
        requested_period(call),
    )


def operations_answer(
    call: Call, services: Container, *, site: str | None = None, equipment: str | None = None
) -> Answer:
    """One page of operations, the newest first.

    Args:
        site: only those of this site, which the path names.
        equipment: only those of this equipment, which the path names.

    Raises:
        Invalid: a parameter is not valid.
    """
    wanted = _narrowed(requested_filter(call), site, equipment)
    filters = {name: values for name, values in call.query.items() if name not in ("limit", "cursor")}
    bound, limit = [call.path, filters], call.limit()
    before = services.cursors.open(bound, call.query_value("cursor"))
    shown = list(islice(find_operations(services, wanted, before, limit + 1), limit + 1))
    cursor = services.cursors.seal(bound, shown[limit - 1].id) if len(shown) > limit else None
    return Answer({"items": [operation.model_dump() for operation in shown[:limit]], "next": cursor})


def cost_answer(call: Call, services: Container, *, site: str | None = None, equipment: str | None = None) -> Answer:
    """An aggregate of the costs of operations.

    Args:
        site: only those of this site, which the path names.
        equipment: only those of this equipment, which the path names.

    Raises:
        Invalid: a parameter is not valid.
    """
    agg, wanted = _requested_aggregate(call), _narrowed(requested_filter(call), site, equipment)
    return Answer(summarize_operations(services, wanted, agg).model_dump())


def site_costs_answer(call: Call, services: Container, site_type: SiteType | None = None) -> Answer:
    """An aggregate of the costs of each site's operations, by the sites' codes.

    Args:
        site_type: only sites of this type; null for all.

    Raises:
        Invalid: a parameter is not valid.
    """
    agg, period = _requested_aggregate(call), requested_period(call)
    return Answer({"items": summarize_sites(services, site_type, agg, period), "next": None})


def _requested_aggregate(call: Call) -> Aggregate:
    chosen = call.choice("agg", AGGREGATES, "sum")
    return next(agg for agg in AGGREGATES if agg == chosen)


def _narrowed(wanted: OperationFilter, site: str | None, equipment: str | None) -> OperationFilter:
    return replace(wanted, site=site or wanted.site, equipment=equipment or wanted.equipment)
