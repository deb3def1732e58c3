"""Deprecated routes: they work as before, and their answers, the OpenAPI document and the client say so."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest

from api.app import ROUTES as API_ROUTES
from authoring.app import ROUTES as AUTHORING_ROUTES
from console.app import ROUTES as CONSOLE_ROUTES
from probe.app import ROUTES as PROBE_ROUTES
from query.app import ROUTES as QUERY_ROUTES
from sluice.api.deprecation import Deprecation
from sluice.api.dispatch import matches_path
from sluice.api.routes import Route
from sluice.container import Container
from sluice_client import Sluice
from support.api_transport import API, ApiTransport
from support.client import Client
from support.conformance import DOCUMENT

ROUTES = [*API_ROUTES, *QUERY_ROUTES, *AUTHORING_ROUTES, *PROBE_ROUTES, *CONSOLE_ROUTES]
DEPRECATED = [route for route in ROUTES if route.deprecated is not None]
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "deprecations.md"


@pytest.fixture
def fleet(admin: Client) -> Client:
    admin.post("/vessels", {"code": "V-1"})
    admin.post("/vessels/V-1/equipment", {"code": "P-1", "name": "Pump", "location": "deck"})
    for cost in ("1.50", "2.50"):
        assert admin.post("/equipment/P-1/operations", {"type": "repair", "cost": cost}).status == 201
    return admin


@pytest.mark.parametrize("path", ["/sites/V-1/operations", "/vessels/V-1/operations"])
def test_deprecated_route_and_its_successor_work_side_by_side(fleet: Client, path: str) -> None:
    reply = fleet.get(path)
    assert reply.status == 200
    assert reply.headers["Deprecation"] == f"@{int(datetime(2026, 11, 26, tzinfo=UTC).timestamp())}"
    assert parsedate_to_datetime(reply.headers["Sunset"]) == datetime(2027, 12, 1, tzinfo=UTC)
    address, _, relation = reply.headers["Link"].partition("; ")
    assert relation == 'rel="successor-version"'
    successor = fleet.get(address.strip("<>").partition("/v1")[2])
    assert successor.json() == reply.json()
    assert len(successor.json()["items"]) == 2
    assert not {"Deprecation", "Sunset", "Link"} & set(successor.headers)


def test_problems_of_a_deprecated_route_name_its_successor(admin: Client) -> None:
    reply = admin.get("/sites/NO/operations")
    assert reply.status == 404
    assert {"Deprecation", "Sunset", "Link"} <= set(reply.headers)
    assert "Deprecation" not in admin.get("/sites/NO").headers, "the mark ends with its request"


def test_parameters_are_escaped_and_a_sunset_is_optional() -> None:
    mark = Deprecation(date(2026, 1, 1), "/things?name={name}")
    headers = mark.headers("https://api.example.com/v1", {"name": 'a"> b&c'})
    assert headers["Link"] == '<https://api.example.com/v1/things?name=a%22%3E%20b%26c>; rel="successor-version"'
    assert "Sunset" not in headers
    assert mark.notice == "Deprecated since 2026-01-01. Use `GET /things?name={name}` instead."


@pytest.mark.parametrize("route", DEPRECATED, ids=lambda route: route.operation_id)
def test_deprecation_is_documented(route: Route) -> None:
    assert route.deprecated is not None
    paths = json.loads(DOCUMENT.read_text())["paths"]
    for method in (name.lower() for name in route.methods):
        operation = paths["/v1" + route.path][method]
        assert operation["deprecated"] is True
        assert operation["description"].startswith(route.deprecated.notice)
    assert f"| `{route.method} {route.path}` |" in PAGE.read_text()
    successor = "/v1" + route.deprecated.successor.partition("?")[0]
    assert any(other.method == "GET" and matches_path(other, successor) for other in ROUTES)


def test_other_routes_are_not_marked() -> None:
    operations = [item for verbs in json.loads(DOCUMENT.read_text())["paths"].values() for item in verbs.values()]
    marked = {item["operationId"] for item in operations if "deprecated" in item}
    assert marked == {route.operation_id for route in DEPRECATED} != set()


def test_client_warns_where_it_is_called(services: Container, fleet: Client) -> None:
    with Sluice(API, fleet.key, transport=ApiTransport(services)) as client:
        expected = (
            r"GET https://api.example.com/live/v1/sites/V-1/operations is deprecated, and may be removed from "
            r"Wed, 01 Dec 2027 00:00:00 GMT on. Use https://api.example.com/live/v1/operations\?site=V-1 instead."
        )
        with pytest.warns(FutureWarning, match=expected) as warned:
            assert len(list(client.items("/sites/V-1/operations"))) == 2
        assert warned[0].filename == __file__
        assert len(list(client.items("/operations", site="V-1"))) == 2
