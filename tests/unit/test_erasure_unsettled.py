"""Pages that have just been stored and have no receipt yet: they may be of any datasource."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import pytest

from sluice.container import Container
from sluice.domain.run import Run
from sluice.erasure.matching import Key
from sluice.erasure.planner import Planner
from sluice.erasure.requests import is_disturbed
from support.client import Client
from support.documents import http_source, ingest, paged_source, rows
from support.erasing import erased
from support.upstream import StubResponse, Upstream, ok

GUESTS = [{"id": 1, "name": "Ada"}, {"id": 2, "name": "Grace"}]
ORDERS = [{"id": number, "item": f"i{number}"} for number in range(40)]


def test_pages_of_a_run_of_another_datasource_are_not_taken_for_ownerless(admin: Client, upstream: Upstream) -> None:
    """Both have records of the key 2; the orders are being fetched while the guest is counted."""
    counted: list[dict[str, int]] = []

    def answer(request: Any) -> StubResponse:
        if request.url.host.startswith("guests"):
            return ok({"data": GUESTS})
        start = int(request.url.params["start"])
        if start == 30:
            counted.append(erased(admin, "guests", key=[2], dry_run=True)["erasure"]["removed"])
        return ok({"data": ORDERS[start : start + 10], "total": len(ORDERS)})

    upstream.answer = answer
    admin.post("/datasources", http_source("guests", primary_key=["id"], records="data"))
    ingest(admin, "guests")
    admin.post("/datasources", paged_source("orders", primary_key=["id"]))
    assert ingest(admin, "orders")["status"] == "succeeded"
    assert counted[0]["pages"] == 1, "that of the guests"
    assert erased(admin, "guests", key=[2])["erasure"]["removed"]["pages"] == 1
    assert rows(admin, "datasources/orders") == ORDERS
    assert [row["id"] for row in rows(admin, "datasources/guests")] == [1]


@pytest.mark.parametrize(("seconds", "settled"), [(3600, False), (0, True)])
def test_an_erasure_waits_until_it_is_known_whose_a_page_is(
    services: Container, admin: Client, upstream: Upstream, seconds: int, settled: bool
) -> None:
    upstream.serve(GUESTS)
    admin.post("/datasources", http_source("guests", primary_key=["id"]))
    run = Run.model_validate(services.runs.get(ingest(admin, "guests")["id"]).model_dump())
    content = json.dumps([{"id": 2, "name": "Grace", "seat": 5}]).encode()
    services.lake.put_raw(io.BytesIO(content))
    services.settings.__dict__["page_settling_seconds"] = seconds
    plan = Planner(services, "guests", Key(["id"], [2])).plan()
    page = [hashlib.sha256(content).hexdigest()]
    assert (plan.unusable, plan.unsettled) == ((page, []) if settled else ([], page))
    assert is_disturbed(services, run, plan) is not settled
