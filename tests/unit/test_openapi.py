"""The OpenAPI document: every operation has models and examples that match them."""

from __future__ import annotations

import json
import re
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


def undescribed(node: Any, place: str) -> list[str]:
    """The places of properties, parameters, bodies, responses and tags below a node that have no description."""
    if isinstance(node, list):
        return [fault for index, item in enumerate(node) for fault in undescribed(item, f"{place}/{index}")]
    if not isinstance(node, dict):
        return []
    described: dict[str, Any] = {f"properties/{name}": schema for name, schema in node.get("properties", {}).items()}
    if isinstance(parameters := node.get("parameters"), list):  # and not a property of this name
        described |= {f"parameters/{item['name']}": item for item in parameters}
    described |= {f"responses/{status}": item for status, item in node.get("responses", {}).items()}
    described |= {name: node[name] for name in ("requestBody",) if name in node}
    missing = [f"{place}/{name}" for name, item in described.items() if not item.get("description", "").strip()]
    # Values are no schemas, whatever their keys are.
    below = {key: value for key, value in node.items() if key not in ("example", "examples", "default", "const")}
    return missing + [fault for key, value in below.items() for fault in undescribed(value, f"{place}/{key}")]


def test_walk_names_what_has_no_description() -> None:
    schema = {"properties": {"a": {"description": " ", "items": {"properties": {"b": {}}}}, "c": {"description": "C."}}}
    operation = {"parameters": [{"name": "p", "in": "query"}], "requestBody": {}, "responses": {"200": {}}}
    assert undescribed({"x": schema, "example": schema}, "#") == [
        "#/x/properties/a",
        "#/x/properties/a/items/properties/b",
    ]
    assert undescribed(operation, "#") == ["#/parameters/p", "#/responses/200", "#/requestBody"]


def test_everything_is_described() -> None:
    assert undescribed({key: RAW[key] for key in ("paths", "components")}, "#") == []
    assert [name for name, schema in RAW["components"]["schemas"].items() if not schema.get("description")] == []


def test_descriptions_say_more_than_the_name() -> None:
    for name, schema in RAW["components"]["schemas"].items():
        for field, described in schema.get("properties", {}).items():
            words = set(re.findall(r"[a-z]+", described["description"].lower()))
            assert words - {"the", "a", "an", "of", "its", *field.split("_")}, f"{name}.{field}"


def test_every_tag_is_described_and_used() -> None:
    used = {tag for _, _, operation in OPERATIONS.values() for tag in operation["tags"]}
    assert used == {tag["name"] for tag in RAW["tags"]}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_a_response_model(name: str) -> None:
    operation = OPERATIONS[name][2]
    success = {status: response for status, response in operation["responses"].items() if status[0] == "2"}
    assert success
    for status, response in success.items():
        assert status == "204" or OPERATIONS[name][1] == "head" or response["content"]
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
        references = [example["$ref"].rpartition("/")[2] for example in media.get("examples", {}).values()]
        values = [RAW["components"]["examples"][reference]["value"] for reference in references]
        for value in values or [media["example"]]:
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
