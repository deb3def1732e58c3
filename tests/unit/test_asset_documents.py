"""The documents of sites, equipment, sensors and operations, and the aggregates of costs."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from sluice.domain.assets.equipment import Equipment
from sluice.domain.assets.operation import AGGREGATES, OperationRequest, summarize_costs
from sluice.domain.assets.sensor import Sensor
from sluice.domain.assets.site import Site, Vessel
from sluice.domain.base import validate
from sluice.errors import Invalid

SENSOR = {"id": "P-101:temp", "equipment": "P-101", "metric": "temperature"}
OPERATION = {"type": "repair", "cost": "1"}
EXACT = Context(prec=200)


def test_names_default_to_the_code() -> None:
    assert validate(Vessel, {"code": "FPSO-1"}).model_dump() == {"code": "FPSO-1", "type": "vessel", "name": "FPSO-1"}
    assert validate(Equipment, {"code": "P-101", "site": "FPSO-1"}).model_dump() == {
        "code": "P-101",
        "site": "FPSO-1",
        "name": "P-101",
        "location": None,
        "parent": None,
        "status": "active",
    }


@pytest.mark.parametrize(
    ("model", "document", "pointer"),
    [
        (Site, {"code": "a_b", "type": "vessel"}, "/code"),
        (Site, {"code": "a" * 33, "type": "vessel"}, "/code"),
        (Site, {"code": "operations", "type": "vessel"}, "/code"),
        (Site, {"code": "a"}, "/type"),
        (Vessel, {"code": "a", "type": "plant"}, "/type"),
        (Equipment, {"code": "import", "site": "s"}, "/code"),
        (Equipment, {"code": "a", "site": "s", "parent": "a"}, "/parent"),
        (Equipment, {"code": "a", "site": "s", "status": "broken"}, "/status"),
        (Sensor, {**SENSOR, "id": ":a"}, "/id"),
        (Sensor, {**SENSOR, "id": "a" * 65}, "/id"),
        (Sensor, {**SENSOR, "limits": {"deadband": -1}}, "/limits/deadband"),
        (Sensor, {**SENSOR, "limits": {"low": 3, "high": 2}}, "/limits/high"),
        (Sensor, {**SENSOR, "limits": {"low_low": 3, "high_high": 2}}, "/limits/high_high"),
        (Sensor, {**SENSOR, "limits": {"missing_after_seconds": 0}}, "/limits/missing_after_seconds"),
        (OperationRequest, {**OPERATION, "cost": 12.5}, "/cost"),
        (OperationRequest, {**OPERATION, "cost": "1e3"}, "/cost"),
        (OperationRequest, {**OPERATION, "cost": "1" * 39}, "/cost"),
        (OperationRequest, {**OPERATION, "time": "2026-01-01T00:00:00"}, "/time"),
    ],
)
def test_invalid_field_is_named(model: type[BaseModel], document: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        validate(model, document)
    assert [fault["pointer"] for fault in refused.value.errors] == [pointer]


def test_cost_as_a_number_asks_for_a_string() -> None:
    with pytest.raises(Invalid) as refused:
        validate(OperationRequest, {**OPERATION, "cost": 12.5})
    assert 'Write the cost as a string, such as "12.50"' in refused.value.errors[0]["message"]


@pytest.mark.parametrize(
    ("written", "stored"), [("12.50", "12.50"), ("007.5", "7.5"), ("-0.00", "0.00"), ("-3", "-3"), ("1" * 38, "1" * 38)]
)
def test_cost_has_one_form(written: str, stored: str) -> None:
    assert validate(OperationRequest, {**OPERATION, "cost": written}).cost == stored


def test_no_costs_have_no_aggregate() -> None:
    for agg in AGGREGATES:
        assert summarize_costs([], agg).model_dump() == {"agg": agg, "value": None, "count": 0}


@st.composite
def costs(draw: st.DrawFn) -> str:
    places = draw(st.integers(0, 12))
    units = draw(st.integers(-(10**26), 10**26))
    return format(Decimal(units).scaleb(-places, EXACT), "f")


@given(st.lists(costs(), min_size=1, max_size=20), st.randoms(use_true_random=False))
def test_aggregates_are_exact_in_any_order(values: list[str], random: Any) -> None:
    decimals = [Decimal(value) for value in values]
    total = sum((Fraction(value) for value in values), Fraction())
    places = max(2, *(-int(value.as_tuple().exponent) for value in decimals))
    quotient = EXACT.divide(Decimal(total.numerator), Decimal(total.denominator * len(values)))
    expected = {
        "sum": total,
        "min": Fraction(min(decimals)),
        "max": Fraction(max(decimals)),
        "avg": Fraction(quotient.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN, EXACT)),
        "count": Fraction(len(values)),
    }
    shuffled = random.sample(values, len(values))
    for agg in AGGREGATES:
        summary = summarize_costs(values, agg)
        assert summary.value is not None
        assert (Fraction(summary.value), summary.count) == (expected[agg], len(values))
        assert summarize_costs(shuffled, agg) == summary


def test_average_is_rounded_half_to_even() -> None:
    assert summarize_costs(["1", "2"], "avg").value == "1.50"
    assert summarize_costs(["0.01", "0.02"], "avg").value == "0.02"
    assert summarize_costs(["0.02", "0.03"], "avg").value == "0.02"
    assert summarize_costs(["1.000", "1.001", "1.001"], "avg").value == "1.001"
