"""The OpenAPI document: every operation has models and examples that match them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.conformance import DOCUMENT, NotDescribed, faults, require_conformance

RAW = json.loads(DOCUMENT.read_text())
OPERATIONS = {
    operation["operationId"]: (path, verb, operation)
    for path, verbs in RAW["paths"].items()
    for verb, operation in verbs.items()
}
ANY_JSON = [{"type": "object"}, {"type": "array"}, {}]


def contents(operation: dict[str, Any]) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """The place and content of each request and response body of an operation, by media type."""
    bodies: list[tuple[tuple[str, ...], dict[str, Any]]] = []
    if "requestBody" in operation:
        bodies.append((("requestBody",), operation["requestBody"]))
    bodies += [(("responses", status), response) for status, response in operation["responses"].items()]
    return [
        ((*place, "content", media_type), media)
        for place, body in bodies
        for media_type, media in body.get("content", {}).items()
    ]


def test_descriptions_are_for_readers_of_the_api() -> None:
    schemas = RAW["components"]["schemas"]
    for name, schema in schemas.items():
        assert "Args:" not in schema.get("description", ""), name
        assert "catalog" not in schema.get("description", ""), name
    assert "`drop:{key}`" in schemas["PageReceiptView"]["properties"]["url"]["description"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_a_response_model(name: str) -> None:
    operation = OPERATIONS[name][2]
    success = {status: response for status, response in operation["responses"].items() if status[0] == "2"}
    assert success
    for status, response in success.items():
        assert status == "204" or response["content"]
        for media_type, media in response.get("content", {}).items():
            schema = media["schema"]
            assert schema not in ANY_JSON
            if "json" in media_type and media_type != "application/x-ndjson":
                model = RAW["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
                assert any(model.get(name) for name in ("properties", "anyOf", "oneOf", "additionalProperties"))


@pytest.mark.parametrize("name", OPERATIONS)
def test_examples_of_bodies_match_their_schemas(name: str) -> None:
    path, verb, operation = OPERATIONS[name]
    for place, media in contents(operation):
        if "example" in media:
            value = media["example"]
        else:
            ((_, reference),) = media["examples"].items()
            value = RAW["components"]["examples"][reference["$ref"].rpartition("/")[2]]["value"]
        assert faults(("#", "paths", path, verb, *place, "schema"), value) == []


HEALTHY = '{"status":"ok","version":"1"}'


@pytest.mark.parametrize(
    ("status", "media_type", "text", "fault"),
    [
        (200, "application/json; charset=utf-8", HEALTHY, None),
        (201, "application/json", HEALTHY, "answered 201; described are 200, default"),
        (200, "text/html", HEALTHY, "answered 200 as text/html; described are application/json"),
        (200, "application/json", '{"status":"ok"}', "'version' is a required property"),
        (200, "application/json", '{"status":"ok","version":1}', "1 is not of type 'string'"),
        (200, "application/json", '{"status":"ok","version":"1","more":1}', "'more' was unexpected"),
        (404, "application/json", '{"status":"ok","version":"1"}', "which is no problem"),
        (404, "application/problem+json", '{"title":"No"}', "is a required property"),
    ],
)
def test_test_client_refuses_undocumented_answers(status: int, media_type: str, text: str, fault: str | None) -> None:
    if fault is None:
        require_conformance("GET", "/v1/health", status, media_type, text)
        return
    with pytest.raises(NotDescribed) as refused:
        require_conformance("GET", "/v1/health", status, media_type, text)
    assert fault in str(refused.value)


def test_static_path_takes_precedence_over_parameters() -> None:
    checked = '{"ok":true,"status":200,"elapsed_ms":1,"records":1,"reason":null}'
    require_conformance("POST", "/v1/datasources/check", 200, "application/json", checked)
