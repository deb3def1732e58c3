"""The OpenAPI 3.1 document, generated from the route tables and the pydantic models."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from sluice import __version__
from sluice.api.openapi_texts import INTRODUCTION, PATH_EXAMPLES, PATH_PARAMETERS, PROBLEM, SECURITY_SCHEMES, TAGS
from sluice.api.responses import example, example_name, request_examples, response_model
from sluice.api.routes import IF_MATCH, IF_NONE_MATCH, Parameter, Route

_CREATED = "It did not exist and was created."
_ALSO = {
    200: "The same was requested before, and the earlier run has ended; or the run has ended within the wait.",
    202: "The work has not ended within the wait; follow the run.",
}
_REF = "#/components/schemas/{model}"


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
    schemas = definitions["$defs"]
    schemas["JsonValue"]["description"] = "Any JSON value."
    for schema in list(schemas.values()):
        schemas |= _named_alternatives(schema)
    for schema in schemas.values():
        for described in schema.get("properties", {}).values():
            _remove_titles(described)
    operations = _Operations({model: schema for (model, _), schema in names.items()})
    paths: dict[str, dict[str, Any]] = {}
    for route in ordered:
        verbs = paths.setdefault("/v1" + route.path, {})
        verbs[route.method.lower()] = operations.of(route)
        if route.head:
            verbs["head"] = _head(verbs["get"])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Sluice",
            "version": __version__,
            "summary": "Fetch, keep every byte, merge by key, serve.",
            "description": INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        # Relative to /v1/openapi.json, so that it is right below any host and stage.
        "servers": [{"url": "./..", "description": "The API that this document was loaded from."}],
        "security": [{name: []} for name in SECURITY_SCHEMES],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {"Problem": PROBLEM, **dict(sorted(schemas.items()))},
            "examples": dict(sorted(operations.examples.items())),
            "securitySchemes": SECURITY_SCHEMES,
        },
    }


def _head(operation: dict[str, Any]) -> dict[str, Any]:
    """The Operation Object of HEAD for that of GET: the same answers without their bodies."""
    bodiless = {
        status: {name: value for name, value in response.items() if name != "content"}
        for status, response in operation["responses"].items()
    }
    summary = "The status and headers of GET without its body; a redirect is signed for HEAD."
    return {**operation, "operationId": f"head_{operation['operationId']}", "summary": summary, "responses": bodiless}


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
            "parameters": _path_parameters(route) + [_parameter(parameter) for parameter in route.all_parameters],
            "responses": self._responses(route),
        }
        if route.role is None:
            operation["security"] = []
        role = f"Needs the role {route.role}." if route.role is not None else "Needs no key."
        notice = ""
        if route.deprecated is not None:
            operation["deprecated"], notice = True, route.deprecated.notice
        operation["description"] = "\n\n".join(filter(None, (notice, route.details, role)))
        if route.body is not None:
            operation["requestBody"] = self._request_body(route, route.body)
        return operation

    def _request_body(self, route: Route, body: type[BaseModel] | dict[str, Any]) -> dict[str, Any]:
        json_type = "application/merge-patch+json" if route.method == "PATCH" else "application/json"
        media_type = route.body_media_type or json_type
        model = "" if isinstance(body, dict) else body.__name__
        examples: dict[str, Any] = {}
        for name, text in request_examples(f"{route.operation_id}.body", model).items():
            examples |= self._named_example(name.rpartition(".")[2] if text else "example", name, text)
        if isinstance(body, dict):
            schema, required, description = body, True, str(body["description"])
        else:
            # Call.document accepts an empty body as `{}` where no field is required.
            required = any(field.is_required() for field in body.model_fields.values())
            schema, description = self._schemas[body], _first_paragraph(body)
        content = {media_type: {"schema": schema, "examples": examples}}
        return {"description": description, "required": required, "content": content}

    def _responses(self, route: Route) -> dict[str, Any]:
        responses: dict[str, Any] = {str(route.status): self._success(route, route.status, "")}
        if route.method == "PUT":
            responses["201"] = self._success(route, 201, f"{_CREATED} ")
        if any(parameter.name == "Prefer" for parameter in route.parameters):
            responses["200"] = self._success(route, 200, "The run has ended within the wait. ")
        for status, answer in route.also.items():
            responses[str(status)] = self._json(answer, status, _ALSO.get(status, _CREATED))
        if IF_NONE_MATCH in route.parameters:
            responses["304"] = {"description": "Not modified: the client has the current state."}
        if route.may_redirect:
            responses["303"] = self._json(
                "Redirect", 303, "The answer is too large to be inline; Location has its URL."
            )
        if IF_MATCH in route.parameters:
            text = "`If-Match` or `If-None-Match` does not hold; nothing was changed."
            responses["412"] = self._problem(text, "Problem.412")
        responses["default"] = self._problem("A problem (RFC 9457).", "Problem")
        return responses

    def _problem(self, description: str, name: str) -> dict[str, Any]:
        problem = {"schema": {"$ref": _REF.format(model="Problem")}, **self._example(name)}
        return {"description": description, "content": {"application/problem+json": problem}}

    def _success(self, route: Route, status: int, remark: str) -> dict[str, Any]:
        if status == 204:
            return {"description": "It was deleted; there is no body."}
        content: dict[str, Any] = {}
        for media_type in route.media_types:
            if media_type == "application/json":
                assert route.answer is not None, f"{route.operation_id} answers in JSON"
                content |= self._json(route.answer, status, "", route.operation_id)["content"]
            else:
                content[media_type] = {"schema": {"type": "string"}, "example": example(media_type)}
        answer = _first_paragraph(response_model(route.answer)) if route.answer else route.summary
        return {"description": remark + answer, "content": content}

    def _json(self, answer: str, status: int, description: str, operation: str = "") -> dict[str, Any]:
        names = (f"{operation}.{status}", operation, f"{answer}.{status}", answer)
        media = {"schema": self._schemas[response_model(answer)], **self._example(*names)}
        return {"description": description, "content": {"application/json": media}}

    def _example(self, *names: str) -> dict[str, Any]:
        """A reference to the first example that exists under one of these names."""
        # Named examples under `components`, since one example serves several operations.
        return {"examples": self._named_example("example", example_name(*names), "")}

    def _named_example(self, label: str, name: str, summary: str) -> dict[str, Any]:
        self.examples[name] = {**({"summary": summary} if summary else {}), "value": example(name)}
        return {label: {"$ref": f"#/components/examples/{name}"}}


def _first_paragraph(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").partition("\n\n")[0].split())


def _named_alternatives(schema: dict[str, Any]) -> dict[str, Any]:
    """Replace alternatives that stand in a schema by references, which a discriminator needs.

    Args:
        schema: changed in place if it is a `oneOf` of whole schemas, each with a constant discriminator.

    Returns:
        The alternatives by their names.
    """
    inline = {item["title"]: item for item in schema.get("oneOf", []) if "title" in item}
    if inline:
        references = {name: _REF.format(model=name) for name in inline}
        discriminator = schema["discriminator"]
        schema["oneOf"] = [{"$ref": reference} for reference in references.values()]
        discriminator["mapping"] = {
            item["properties"][discriminator["propertyName"]]["const"]: references[name]
            for name, item in inline.items()
        }
    return inline


def _remove_titles(schema: Any) -> None:
    """Remove pydantic's titles from a property, which only repeat its name."""
    if isinstance(schema, dict):
        if isinstance(schema.get("title"), str):
            del schema["title"]
        for key, part in schema.items():
            if key not in ("const", "default", "examples"):  # values, whatever their keys are
                _remove_titles(part)
    elif isinstance(schema, list):
        for part in schema:
            _remove_titles(part)


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    segments = route.path.split("/")
    parameters = []
    for before, segment in pairwise(segments):
        if segment.startswith("{"):
            description, value = PATH_PARAMETERS[f"{before}/{segment}"]
            parameters.append(
                {
                    "name": segment[1:-1],
                    "in": "path",
                    "required": True,
                    "description": description,
                    "schema": {"type": "string"},
                    "example": PATH_EXAMPLES.get(route.operation_id, value),
                }
            )
    return parameters


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = {"type": "array", "items": parameter.schema} if parameter.repeated else parameter.schema
    return {"name": parameter.name, "in": parameter.place, "description": parameter.description, "schema": schema}
