"""The example bodies of the OpenAPI document, as requests in an order in which each finds what it needs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from sluice.access.api_keys import make_key
from sluice.alarms.service import judge_batch
from sluice.api.responses.examples import EXAMPLES
from sluice.container import Container
from sluice.domain.identity import KeyRequest
from sluice.domain.names import parse_time, slug_of
from support.client import Client
from support.conformance import DOCUMENT
from support.upstream import StubResponse, Upstream, ok
from support.workbooks import topology, topology_workbook

# Operations with a body. What a request needs comes before it: a secret before the datasource that names it, rows
# before an override of one, a model before the report that reads it.
ORDER = (
    "put_secret",
    "create_datasource",
    "put_datasource",
    "check_document",
    "preview_document",
    "detect_datasource",
    "start_datasource_run",
    "patch_datasource",
    "push_records",
    "post_readings",
    "create_readings_upload",
    "redrive_quarantined_readings",
    "discard_quarantined_readings",
    "create_upload",
    "create_project",
    "put_project",
    "put_assignment",
    "start_project_run",
    "patch_project",
    "set_override",
    "preview_merge",
    "query_project",
    "put_model",
    "put_endpoint",
    "put_report",
    "put_project_algorithm",
    "start_algorithm_run",
    "store_result",
    "put_project_member",
    "put_datasource_member",
    "make_link",
    "create_key",
    "rotate_key",
    "create_site",
    "put_site",
    "create_vessel",
    "put_vessel",
    "patch_site",
    "patch_vessel",
    "import_sites",
    "import_vessels",
    "create_site_equipment",
    "create_vessel_equipment",
    "create_equipment",
    "put_equipment",
    "import_equipment",
    "deactivate_equipment",
    "activate_equipment",
    "create_sensor",
    "put_sensor",
    "patch_sensor",
    "import_sensors",
    "create_operation",
    "create_new_input",
    "put_input",
    "restore_input_version",
    "put_pin",
    "put_input_member",
    "import_input",
    "patch_equipment",
    "create_subscription",
    "acknowledge_alarm",
    "erase_datasource_record",
)
# These operations create or replace the resource that an example names.
NAMED_BY_BODY = ("create_datasource", "put_datasource", "create_project", "put_project")
# Those that write a document, for which no data is needed.
DOCUMENTS = (
    "create_datasource",
    "put_datasource",
    "patch_datasource",
    "create_project",
    "put_project",
    "patch_project",
    "put_assignment",
    "put_model",
    "put_endpoint",
    "put_report",
)
QUERIES = {"set_override": "?key=BTC"}
# What JSON cannot be an example of.
BODIES = {"import_input": topology_workbook(topology("Amsterdam", "Utrecht", "Zwolle"))}
# The secrets that example datasources name, besides the one of the example secret.
SECRETS = ("shop-user", "shop-password", "shop-mongo")
# What the example datasources read, by their hosts.
_LISTINGS = {
    "status": {"total_count": 1},
    "data": [{"symbol": "BTC", "quote": {"USD": {"price": 67000.5}}, "last_updated": "2026-01-31T12:00:00Z"}],
}
_RATES = {"rates": [{"code": "EUR", "rate": 0.92}], "links": {"next": None}}
_DOCUMENTS: dict[str, Any] = {"pro-api.example.com": _LISTINGS, "rates.example.com": _RATES}


@dataclass(frozen=True)
class ExampleRequest:
    """One request with an example as its body.

    Args:
        label: the operation and the example's name, to report it by.
        path: below `/v1`, with the example values of its parameters.
    """

    label: str
    method: str
    path: str
    body: Any


def operations_with_bodies() -> dict[str, tuple[str, str, dict[str, Any]]]:
    """The path, method and Operation Object of each operation with a body, by its id."""
    document = json.loads(DOCUMENT.read_text())
    return {
        operation["operationId"]: (path, method.upper(), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "requestBody" in operation
    }


def example_requests(*operation_ids: str, suffix: str = "") -> Iterator[ExampleRequest]:
    """The requests of these operations, one for each example.

    Args:
        suffix: is added to the names of datasources and projects, on a stack that others use, too.
    """
    examples = json.loads(DOCUMENT.read_text())["components"]["examples"]
    operations = operations_with_bodies()
    for name in operation_ids:
        path, method, operation = operations[name]
        (media,) = operation["requestBody"]["content"].values()
        values = {item["name"]: item["example"] for item in operation["parameters"] if item["in"] == "path"}
        values |= {key: values[key] + suffix for key in ("slug", "datasource") if key in values}
        for label, reference in media["examples"].items():
            body = BODIES.get(name, examples[reference["$ref"].rpartition("/")[2]]["value"])
            if name in NAMED_BY_BODY:
                body = {**body, "name": body["name"] + suffix}
                values["slug"] = slug_of(body["name"])
            filled = path.format_map(values).removeprefix("/v1")
            yield ExampleRequest(f"{name}: {label}", method, filled + QUERIES.get(name, ""), body)


def _store_example_key(services: Container) -> None:
    """Store the API key that examples of paths name."""
    stored, _ = make_key(KeyRequest(name="example", role="viewer"), "test", "3f9c2k7d1m5x")
    services.keys._access.create("key", stored.id, stored.model_dump(), "test")


def seed_examples(services: Container, admin: Client, upstream: Upstream) -> list[str]:
    """Send every example of the document, so that the workspace has each kind of resource, and published data.

    Returns:
        What was refused.
    """
    upstream.answer = _answer_upstream
    for name in SECRETS:
        assert admin.put(f"/secrets/{name}", {"value": "x"}).status == 201
    _raise_example_alarm(services)
    _store_example_key(services)
    refused = []
    for request in example_requests(*ORDER):
        answer = admin.call(request.method, request.path, request.body)
        if answer.status >= 400:
            refused.append(f"{request.label} ({request.method} {request.path}) {answer.status}: {answer.text}")
    return refused


def _answer_upstream(request: httpx.Request) -> StubResponse:
    return ok(_DOCUMENTS.get(request.url.host, []))


def _raise_example_alarm(services: Container) -> None:
    """Raise the alarm whose id the document's examples have."""
    alarm = EXAMPLES["AlarmView"]
    document = {"id": alarm["sensor"], "equipment": "P-101", "metric": "temperature", "limits": {"high": 90}}
    services.definitions.create("sensor", alarm["sensor"], document, "test")
    services.settings = services.settings.model_copy(update={"alarm_ahead_seconds": 10**9})  # whatever our clock says
    moment = parse_time(alarm["raised_at"])
    judge_batch(services, {alarm["sensor"]: [(int(moment.timestamp()) * 1_000_000, 96.4, "good")]})
