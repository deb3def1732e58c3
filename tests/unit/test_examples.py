"""The example bodies of the OpenAPI document are accepted by the API that serves it."""

from __future__ import annotations

from typing import Any

from sluice.access.api_keys import make_key
from sluice.alarms.service import judge_batch
from sluice.api.responses.examples import EXAMPLES
from sluice.container import Container
from sluice.domain.identity import KeyRequest
from sluice.domain.names import parse_time
from support.client import Client
from support.examples import ORDER, SECRETS, example_requests, operations_with_bodies
from support.upstream import Upstream, ok

LISTINGS = {
    "status": {"total_count": 1},
    "data": [{"symbol": "BTC", "quote": {"USD": {"price": 67000.5}}, "last_updated": "2026-01-31T12:00:00Z"}],
}
RATES = {"rates": [{"code": "EUR", "rate": 0.92}], "links": {"next": None}}


def raise_example_alarm(services: Container) -> None:
    """Raise the alarm whose id the document's examples have."""
    alarm = EXAMPLES["AlarmView"]
    document = {"id": alarm["sensor"], "equipment": "P-101", "metric": "temperature", "limits": {"high": 90}}
    services.definitions.create("sensor", alarm["sensor"], document, "test")
    services.settings = services.settings.model_copy(update={"alarm_ahead_seconds": 10**9})  # whatever our clock says
    moment = parse_time(alarm["raised_at"])
    judge_batch(services, {alarm["sensor"]: [(int(moment.timestamp()) * 1_000_000, 96.4, "good")]})


def test_every_operation_with_a_body_is_in_the_order() -> None:
    assert set(ORDER) == set(operations_with_bodies())


def store_example_key(services: Container) -> None:
    """Store the API key that examples of paths name."""
    stored, _ = make_key(KeyRequest(name="example", role="viewer"), "test", "3f9c2k7d1m5x")
    services.keys._access.create("key", stored.id, stored.model_dump(), "test")


def test_every_example_is_accepted(services: Container, admin: Client, upstream: Upstream) -> None:
    answers: dict[str, Any] = {"pro-api.example.com": LISTINGS, "rates.example.com": RATES}
    upstream.answer = lambda request: ok(answers[request.url.host])
    for name in SECRETS:
        assert admin.put(f"/secrets/{name}", {"value": "x"}).status == 201
    raise_example_alarm(services)
    store_example_key(services)
    refused = []
    for request in example_requests(*ORDER):
        answer = admin.call(request.method, request.path, request.body)
        if answer.status >= 400:
            refused.append(f"{request.label} ({request.method} {request.path}) {answer.status}: {answer.text}")
    assert refused == []
    run = admin.get("/runs?kind=refresh").json()["items"][-1]
    assert (run["status"], run["rows"]) == ("succeeded", 1)


def test_first_example_of_a_datasource_needs_no_preparation(services: Container, editor: Client) -> None:
    first = next(example_requests("create_datasource"))
    assert editor.call(first.method, first.path, first.body).status == 201
