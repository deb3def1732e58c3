"""The OpenAPI 3.1 document, made from the table of routes and the models themselves."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from sluice import __version__
from sluice.http.routes import Parameter, Route

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

    Returns:
        OpenAPI 3.1, in an order that depends on the routes' paths and verbs only.
    """
    from pydantic.json_schema import models_json_schema  # only where the document is made

    ordered = sorted(routes, key=lambda route: (route.path, route.method))
    models = {model for route in ordered for model in (route.body, route.answer) if isinstance(model, type)}
    names, definitions = models_json_schema(
        [(model, "validation") for model in sorted(models, key=lambda model: model.__name__)], ref_template=_REF
    )
    paths: dict[str, dict[str, Any]] = {}
    for route in ordered:
        paths.setdefault("/v1" + route.path, {})[route.method.lower()] = _operation(route, names)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sluice",
            "version": __version__,
            "description": "Fetch, keep every byte, merge by key, serve.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "./.."}],
        "security": [{"bearer": []}, {"api_key": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, **definitions.get("$defs", {})},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "api_key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                "basic": {"type": "http", "scheme": "basic", "description": "The key as user name; GET only."},
            },
        },
    }


def _operation(route: Route, names: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "tags": [route.tag],
        "parameters": [_path_parameter(name) for name in re.findall(r"\{(\w+)\}", route.path)]
        + [_parameter(parameter) for parameter in route.parameters],
        "responses": _responses(route, names),
    }
    if route.role is None:
        operation["security"] = []
    else:
        operation["description"] = f"Needs the role {route.role}."
    if route.body is not None:
        media_type = "application/merge-patch+json" if route.method == "PATCH" else "application/json"
        operation["requestBody"] = {"required": True, "content": {media_type: {"schema": _schema(route.body, names)}}}
    return operation


def _schema(model: type[BaseModel] | dict[str, Any], names: dict[Any, Any]) -> Any:
    return model if isinstance(model, dict) else names[model, "validation"]


def _responses(route: Route, names: dict[Any, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "Done."}
    if route.status != 204:
        schema = _schema(route.answer, names) if route.answer is not None else {}
        success["content"] = {media_type: {"schema": schema} for media_type in route.media_types}
    problem = {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}}
    return {
        str(route.status): success,
        **{str(status): {"description": text} for status, text in _others(route).items()},
        "default": {"description": "A problem.", "content": problem},
    }


def _others(route: Route) -> dict[int, str]:
    """The further statuses that are no problems."""
    sent = {parameter.name for parameter in route.parameters}
    others = {}
    if route.method == "PUT":
        others[201] = "Made."
    if "Prefer" in sent:
        others[200] = "Done within the wait."
    if "If-None-Match" in sent:
        others[304] = "The client has this already."
    if route.method == "GET" and route.role is not None:
        others[303] = "Too large to be given inline: at the address in Location."
    return others


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = {"type": "array", "items": parameter.schema} if parameter.repeated else parameter.schema
    return {"name": parameter.name, "in": parameter.place, "description": parameter.description, "schema": schema}


def listed(model: type[BaseModel]) -> type[BaseModel]:
    """The model of one page of a list of these."""
    from pydantic import create_model

    return create_model(f"{model.__name__}List", items=(list[model], ...), next=(str | None, None))  # type: ignore[valid-type]
