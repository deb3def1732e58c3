"""Operations on equipment by the API: recording, lists, and aggregates of their costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sluice.assets.operations import OperationFilter, record_operation, summarize_operations, summarize_sites
from sluice.catalog.assets import Change
from sluice.catalog.definitions import Definition
from sluice.catalog.operations import Period
from sluice.container import Container
from sluice.domain.assets.operation import OperationRequest
from sluice.domain.base import validate
from sluice.domain.identity import Principal
from sluice.domain.names import parse_time
from support.client import Client
from support.moto_aws import empty

NOTHING = {"agg": "sum", "value": None, "count": 0}


@pytest.fixture
def fleet(editor: Client) -> Client:
    """An editor with two vessels, two pumps and a motor."""
    for code in ("V-1", "V-2"):
        editor.post("/vessels", {"code": code})
    for code, name, site in (("P-1", "Pump", "V-1"), ("P-2", "Pump", "V-2"), ("M-1", "Motor", "V-1")):
        editor.post("/equipment", {"code": code, "name": name, "site": site})
    return editor


def record(client: Client, equipment: str, cost: Any, **fields: Any) -> dict[str, Any]:
    created = client.post(f"/equipment/{equipment}/operations", {"type": "repair", "cost": cost, **fields})
    assert created.status == 201, created.text
    document: dict[str, Any] = created.json()
    return document


def found(client: Client, path: str) -> list[str]:
    """The costs of the listed operations, the newest first."""
    return [item["cost"] for item in client.get(path).json()["items"]]


def cost(client: Client, path: str) -> tuple[str | None, int]:
    document = client.get(path).json()
    return document["value"], document["count"]


def test_operation_is_read_by_its_id(fleet: Client) -> None:
    created = fleet.post("/equipment/P-1/operations", {"type": "repair", "cost": "12.50"})
    document = created.json()
    assert created.headers["Location"].partition("/v1")[2] == f"/operations/{document['id']}"
    assert fleet.get(f"/operations/{document['id']}").json() == document
    assert {**document, "id": "", "time": "", "created_at": "", "created_by": ""} == {
        "id": "",
        "equipment": "P-1",
        "site": "V-1",
        "type": "repair",
        "cost": "12.50",
        "time": "",
        "created_at": "",
        "created_by": "",
    }
    assert fleet.get("/operations/01JB5ZK3V6Q8Y0M2N4P6R8T0W2").status == 404
    assert fleet.post("/equipment/NO/operations", {"type": "repair", "cost": "1"}).status == 404


@pytest.mark.parametrize(
    ("body", "pointer", "advice"),
    [
        ({"type": "repair", "cost": 12.5}, "/cost", 'Write the cost as a string, such as "12.50"'),
        ({"type": "repair", "cost": "1e3"}, "/cost", "at most 38 digits"),
        ({"type": "repair", "cost": "1", "time": "1969-12-31T23:59:59Z"}, "/time", "earlier than 1970"),
        ({"type": "repair", "cost": "1", "time": "9999-12-31T23:59:59-23:00"}, "/time", "RFC 3339"),
        ({"type": "repair", "cost": "1", "time": "1767225600"}, "/time", "RFC 3339"),
        ({"type": "repair", "cost": "1", "time": 1767225600}, "/time", "RFC 3339"),
        ({"cost": "1"}, "/type", "required"),
    ],
)
def test_invalid_operation_is_refused(fleet: Client, body: dict[str, Any], pointer: str, advice: str) -> None:
    refused = fleet.post("/equipment/P-1/operations", body)
    (fault,) = refused.json()["errors"]
    assert (refused.status, fault["pointer"]) == (422, pointer)
    assert advice in fault["message"]
    assert found(fleet, "/operations") == []


def test_operation_keeps_the_site_where_it_was_recorded(fleet: Client) -> None:
    record(fleet, "P-1", "1")
    fleet.patch("/equipment/P-1", {"site": "V-2"})
    record(fleet, "P-1", "2")
    assert (found(fleet, "/vessels/V-1/operations"), found(fleet, "/vessels/V-2/operations")) == (["1"], ["2"])
    assert found(fleet, "/equipment/P-1/operations") == ["2", "1"]
    assert found(fleet, "/operations?equipment=P-1&site=V-1") == ["1"]
    fleet.delete("/equipment/P-1")
    assert found(fleet, "/operations?equipment=P-1") == ["2", "1"], "operations outlive their equipment"


def test_operation_is_recorded_at_the_site_of_a_concurrent_move(
    services: Container, fleet: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = type(services.operations).record
    moved: list[int] = []

    def overtaken(self: Any, *arguments: Any) -> None:
        if not moved:
            moved.append(fleet.patch("/equipment/P-1", {"site": "V-2"}).status)
        original(self, *arguments)

    monkeypatch.setattr(type(services.operations), "record", overtaken)
    assert (record(fleet, "P-1", "1")["site"], moved) == ("V-2", [200])


def test_operations_are_selected_and_paged_by_time(fleet: Client) -> None:
    for day in (3, 1, 4, 2):
        record(fleet, "P-1" if day % 2 else "M-1", str(day), time=f"2026-01-0{day}T12:00:00+02:00")
    assert found(fleet, "/operations") == ["4", "3", "2", "1"]
    assert fleet.get("/operations").json()["items"][0]["time"] == "2026-01-04T10:00:00.000Z"
    for path in ("/operations?", "/vessels/V-1/operations?", "/operations?equipment_name=Pump&equipment_name=Motor&"):
        assert found(fleet, f"{path}from=2026-01-02T10:00:00Z&to=2026-01-04T10:00:00Z") == ["3", "2"]
        assert found(fleet, f"{path}from=2026-01-02T10:00:00.0001Z") == ["4", "3"]
        first = fleet.get(f"{path}limit=3").json()
        second = fleet.get(f"{path}limit=3&cursor={first['next']}").json()
        assert [item["cost"] for item in first["items"] + second["items"]] == ["4", "3", "2", "1"]
        assert second["next"] is None
    assert fleet.get("/operations?from=2026-01-02T10:00:00Z&to=2026-01-01T10:00:00Z").status == 422
    assert fleet.get("/operations?from=yesterday").status == 422
    assert found(fleet, "/operations?to=9999-12-31T23:59:59.999999Z") == ["4", "3", "2", "1"]


def test_costs_by_site_equipment_and_name(fleet: Client) -> None:
    for equipment, amount in (("P-1", "12.50"), ("P-2", "17.90"), ("M-1", "100")):
        record(fleet, equipment, amount)
    assert cost(fleet, "/vessels/V-1/operations/cost?agg=avg") == ("56.25", 2)
    assert cost(fleet, "/sites/V-2/operations/cost?agg=min") == ("17.90", 1)
    assert cost(fleet, "/equipment/M-1/operations/cost") == ("100", 1)
    assert cost(fleet, "/operations/cost?equipment_name=Pump&agg=avg") == ("15.20", 2)
    assert cost(fleet, "/operations/cost?equipment_name=Pump&equipment_name=Motor") == ("130.40", 3)
    assert cost(fleet, "/operations/cost?equipment_name=Pump&site=V-2&agg=max") == ("17.90", 1)
    assert found(fleet, "/operations?equipment_name=Pump") == ["17.90", "12.50"]
    assert cost(fleet, "/operations/cost?agg=count") == ("3", 3)


def test_no_operations_have_no_cost(fleet: Client) -> None:
    record(fleet, "P-1", "1", time="2026-01-01T00:00:00Z")
    for path in (
        "/vessels/V-2/operations/cost?",
        "/equipment/M-1/operations/cost?",
        "/operations/cost?equipment_name=None&",
        "/operations/cost?from=2027-01-01T00:00:00Z&",
    ):
        for agg in ("avg", "sum", "min", "max", "count"):
            assert fleet.get(f"{path}agg={agg}").json() == {**NOTHING, "agg": agg}
    refused = fleet.get("/vessels/V-1/operations/cost?agg=median")
    assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, "?agg")


def test_costs_of_every_site_in_one_call(fleet: Client) -> None:
    fleet.post("/sites", {"code": "F-1", "type": "factory"})
    fleet.post("/sites/F-1/equipment", {"code": "X-1"})
    for equipment, amount in (("P-1", "1.5"), ("M-1", "2.5"), ("X-1", "7")):
        record(fleet, equipment, amount)
    vessels = [
        {"site": "V-1", "agg": "avg", "value": "2.00", "count": 2},
        {"site": "V-2", "agg": "avg", "value": None, "count": 0},
    ]
    factory = {"site": "F-1", "agg": "avg", "value": "7.00", "count": 1}
    assert fleet.get("/vessels/operations/cost?agg=avg").json()["items"] == vessels
    assert fleet.get("/sites/operations/cost?agg=avg").json()["items"] == [factory, *vessels]


def test_names_of_too_much_equipment_are_refused(services: Container, fleet: Client) -> None:
    services.settings.__dict__["max_named_equipment"] = 1
    refused = fleet.get("/operations/cost?equipment_name=Pump")
    assert (refused.status, refused.json()["errors"][0]["pointer"]) == (422, "?equipment_name")
    assert fleet.get("/operations/cost?equipment_name=Motor").status == 200


recorded = st.tuples(
    st.sampled_from(["P-1", "P-2", "M-1"]), st.integers(-(10**6), 10**6), st.integers(0, 4), st.integers(0, 9)
)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(recorded, max_size=8), st.integers(0, 9), st.integers(0, 9))
def test_aggregates_equal_those_of_the_listed_operations(
    services: Container, items: list[tuple[str, int, int, int]], start: int, end: int
) -> None:
    empty()
    by = Principal(id="key/x", role="editor")
    site_of = {"P-1": "V-1", "P-2": "V-2", "M-1": "V-1"}
    stored = _equipment(services, site_of, by)
    period = Period(parse_time(f"2026-01-01T00:00:0{start}Z"), parse_time(f"2026-01-01T00:00:0{end}Z"))
    expected: dict[str, list[Decimal]] = {"V-1": [], "V-2": []}
    for code, units, places, second in items:
        amount = Decimal(units).scaleb(-places)
        request = {"type": "x", "cost": format(amount, "f"), "time": f"2026-01-01T00:00:0{second}Z"}
        record_operation(services, stored[code], validate(OperationRequest, request), by)
        if start <= second < end:
            expected[site_of[code]].append(amount)
    for site, amounts in expected.items():
        summary = summarize_operations(services, OperationFilter(site=site, period=period), "sum")
        assert summary.count == len(amounts)
        assert (summary.value and Decimal(summary.value)) == (sum(amounts) if amounts else None)
        assert {"site": site, **summary.model_dump()} in summarize_sites(services, None, "sum", period)


def _equipment(services: Container, site_of: dict[str, str], by: Principal) -> dict[str, Definition]:
    sites = {site: {"code": site, "type": "vessel"} for site in site_of.values()}
    pieces = {code: {"code": code, "site": site} for code, site in site_of.items()}
    services.assets.write([Change("site", code, None, document) for code, document in sites.items()], by)
    services.assets.write([Change("equipment", code, None, document) for code, document in pieces.items()], by)
    return {code: services.definitions.get("equipment", code) for code in site_of}
