"""The OpenAPI 3.1 document, generated from the route tables and the pydantic models."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from sluice import __version__
from sluice.api.responses import example, example_name, response_model
from sluice.api.routes import Parameter, Route

_REF = "#/components/schemas/{model}"
_PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:sluice:problem:not-found"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "message"],
                "properties": {"pointer": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The document for all routes of all functions.

    Args:
        routes: in any order.

    Returns:
        OpenAPI 3.1 as JSON values, ordered by path and method, so that it does not depend on the order of modules.

    Raises:
        LookupError: a route names a response model that does not exist, or one without an example.
    """
    from pydantic.json_schema import models_json_schema  # slow to import, and no function that serves requests needs it

    ordered = sorted(routes, key=lambda route: (route.path, route.method))
    models = {route.body for route in ordered if isinstance(route.body, type)} | {response_model("Redirect")}
    models |= {response_model(route.answer) for route in ordered if route.answer is not None}
    names, definitions = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)], ref_template=_REF
    )
    for schema in definitions["$defs"].values():
        _describe_properties(schema)
    operations = _Operations({model: schema for (model, _), schema in names.items()})
    paths: dict[str, dict[str, Any]] = {}
    for route in ordered:
        paths.setdefault("/v1" + route.path, {})[route.method.lower()] = operations.of(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sluice",
            "version": __version__,
            "description": "Fetch, keep every byte, merge by key, serve.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        # Relative to /v1/openapi.json, so that it is right below any host and stage.
        "servers": [{"url": "./.."}],
        "security": [{"bearer": []}, {"api_key": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, **definitions.get("$defs", {})},
            "examples": dict(sorted(operations.examples.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "basic": {"type": "http", "scheme": "basic", "description": "The key as user name; GET only."},
            },
        },
    }


class _Operations:
    """Describes operations and collects the examples that they refer to.

    Args:
        schemas: a `$ref` to each model's schema.
    """

    def __init__(self, schemas: dict[Any, Any]) -> None:
        self._schemas = schemas
        self.examples: dict[str, Any] = {}

    def of(self, route: Route) -> dict[str, Any]:
        """The Operation Object of a route."""
        operation: dict[str, Any] = {
            "operationId": route.operation_id,
            "summary": route.summary,
            "tags": [route.tag],
            "parameters": [_path_parameter(name) for name in re.findall(r"\{(\w+)\}", route.path)]
            + [_parameter(parameter) for parameter in route.parameters],
            "responses": self._responses(route),
        }
        if route.role is None:
            operation["security"] = []
        else:
            operation["description"] = f"Needs the role {route.role}."
        if route.body is not None:
            operation["requestBody"] = self._request_body(route, route.body)
        return operation

    def _request_body(self, route: Route, body: type[BaseModel] | dict[str, Any]) -> dict[str, Any]:
        media_type = "application/merge-patch+json" if route.method == "PATCH" else "application/json"
        name = f"{route.operation_id}.body"
        if isinstance(body, dict):
            return {"required": True, "content": {media_type: {"schema": body, **self._example(name)}}}
        # Call.document accepts an empty body as `{}` where no field is required.
        required = any(field.is_required() for field in body.model_fields.values())
        content = {"schema": self._schemas[body], **self._example(name, body.__name__)}
        return {"required": required, "content": {media_type: content}}

    def _responses(self, route: Route) -> dict[str, Any]:
        responses: dict[str, Any] = {str(route.status): self._success(route, route.status, "Done.")}
        if route.method == "PUT":
            responses["201"] = self._success(route, 201, "Created.")
        if any(parameter.name == "Prefer" for parameter in route.parameters):
            responses["200"] = self._success(route, 200, "The run has ended within the wait.")
        for status, answer in route.also.items():
            responses[str(status)] = self._json(answer, status, "Still running.")
        if any(parameter.name == "If-None-Match" for parameter in route.parameters):
            responses["304"] = {"description": "Not modified: the client has the current state."}
        if route.may_redirect:
            responses["303"] = self._json(
                "Redirect", 303, "The answer is too large to be inline; Location has its URL."
            )
        problem = {"schema": {"$ref": _REF.format(model="Problem")}, **self._example("Problem")}
        responses["default"] = {
            "description": "A problem (RFC 9457).",
            "content": {"application/problem+json": problem},
        }
        return responses

    def _success(self, route: Route, status: int, description: str) -> dict[str, Any]:
        if status == 204:
            return {"description": description}
        content: dict[str, Any] = {}
        for media_type in route.media_types:
            if media_type == "application/json":
                assert route.answer is not None, f"{route.operation_id} answers in JSON"
                content |= self._json(route.answer, status, "", route.operation_id)["content"]
            else:
                content[media_type] = {"schema": {"type": "string"}, "example": example(media_type)}
        return {"description": description, "content": content}

    def _json(self, answer: str, status: int, description: str, operation: str = "") -> dict[str, Any]:
        names = (f"{operation}.{status}", operation, f"{answer}.{status}", answer)
        media = {"schema": self._schemas[response_model(answer)], **self._example(*names)}
        return {"description": description, "content": {"application/json": media}}

    def _example(self, *names: str) -> dict[str, Any]:
        """A reference to the first example that exists under one of these names."""
        # Named examples under `components`, since one example serves several operations.
        name = example_name(*names)
        self.examples[name] = {"value": example(name)}
        return {"examples": {"example": {"$ref": f"#/components/examples/{name}"}}}


def _path_parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string"}
    return {"name": name, "in": "path", "required": True, "schema": schema, "example": example(f"{{{name}}}")}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = {"type": "array", "items": parameter.schema} if parameter.repeated else parameter.schema
    return {"name": parameter.name, "in": parameter.place, "description": parameter.description, "schema": schema}


def _describe_properties(schema: dict[str, Any]) -> None:
    """Make the section `Args` of a model's docstring the descriptions of its properties."""
    text, _, section = schema.get("description", "").partition("\n\nArgs:\n")
    if not section:
        return
    schema["description"] = text
    for name, about in re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", section, re.MULTILINE):
        if name in schema.get("properties", {}):
            schema["properties"][name].setdefault("description", " ".join(about.split()))
