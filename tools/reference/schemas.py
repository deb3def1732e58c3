"""JSON Schemas for editors of blueprints' YAML files, in `docs/schemas/`."""

from __future__ import annotations

from typing import Any

import orjson
from pydantic import BaseModel

from reference.json_schema import Schema, definitions
from reference.project_file import ProjectFile
from sluice.domain.algorithm import ProjectAlgorithm
from sluice.domain.assets.equipment import Equipment
from sluice.domain.assets.sensor import Sensor
from sluice.domain.assets.site import Site
from sluice.domain.datasource import Datasource
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model
from sluice.domain.report import Report
from sluice_cli.blueprints.description import BlueprintDescription
from sluice_cli.blueprints.input_file import InputFile
from sluice_cli.blueprints.resources import ASSETS, TYPES

# The folder of a blueprint's files, whose documents have one model.
_MODELS: dict[str, tuple[str, type[BaseModel]]] = {
    "project": ("A project of a blueprint", ProjectFile),
    "model": ("A model of a blueprint", Model),
    "algorithm": ("How a project of a blueprint runs an algorithm", ProjectAlgorithm),
    "report": ("A report of a blueprint", Report),
    "endpoint": ("An endpoint of a blueprint", Endpoint),
    "input": ("An input of a blueprint", InputFile),
    "site": ("A site of a blueprint", Site),
    "equipment": ("Equipment of a blueprint", Equipment),
    "sensor": ("A sensor of a blueprint", Sensor),
    "blueprint": ("The file blueprint.yaml", BlueprintDescription),
}
_VARIABLE = {
    "type": "string",
    "pattern": r"\$\{\w+(:-[^}]*)?\}",
    "description": "A text with variables: `${NAME}`, or `${NAME:-default}`.",
}
_RESTRICTIONS = ("type", "pattern", "minLength", "maxLength", "minimum", "maximum")


def schema_files() -> dict[str, str]:
    """The schemas by their paths below `docs/`."""
    schemas = {"datasource": _datasource()}
    for name, (title, model) in _MODELS.items():
        defined = definitions(model)
        required = defined[model.__name__].get("required", [])
        if name in TYPES and TYPES[name].name_field in required:
            required.remove(TYPES[name].name_field)  # the file's name is the resource's
        reference = {"$ref": f"#/$defs/{model.__name__}"}
        schemas[name] = _file(title, reference, defined)
        if name in ASSETS:
            together = {"type": "object", "additionalProperties": reference}
            schemas[f"{name}-table"] = _file(f"The file {TYPES[name].folder}.yaml", together, defined)
    return {
        f"schemas/{name}.schema.json": orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode() + "\n"
        for name, schema in schemas.items()
    }


def _datasource() -> Schema:
    """The schema of a datasource. Conditions, unlike alternatives, let an editor show the faults of one kind only."""
    kinds = Datasource.KINDS
    conditions = [
        {
            "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
            "then": {"$ref": f"#/$defs/{model.__name__}"},
        }
        for kind, model in kinds.items()
    ]
    choice = {"enum": list(kinds), "description": Datasource.model_fields["kind"].description}
    content = {"type": "object", "properties": {"kind": choice}, "required": ["kind"], "allOf": conditions}
    return _file("A datasource of a blueprint", content, definitions(*kinds.values()))


def _file(title: str, content: Schema, defined: dict[str, Schema]) -> Schema:
    for definition in defined.values():
        for name, schema in definition.get("properties", {}).items():
            definition["properties"][name] = _with_variables(schema)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **content,
        "$defs": {**dict(sorted(defined.items())), "Variable": _VARIABLE},
    }


def _with_variables(schema: Schema) -> Schema:
    """A schema that also accepts a text with variables where it restricts a scalar."""
    if "anyOf" in schema:
        return {**schema, "anyOf": _alternatives(schema["anyOf"])}
    if _is_restricted(schema):
        rest = {key: value for key, value in schema.items() if key not in _RESTRICTIONS}
        own = {key: value for key, value in schema.items() if key in _RESTRICTIONS}
        return {"anyOf": _alternatives([own]), **rest}
    changed: dict[str, Any] = dict(schema)
    for key in ("items", "additionalProperties"):
        if isinstance(changed.get(key), dict):
            changed[key] = _with_variables(changed[key])
    return changed


def _alternatives(schemas: list[Schema]) -> list[Schema]:
    widened = [item if _is_restricted(item) else _with_variables(item) for item in schemas]
    return [*widened, {"$ref": "#/$defs/Variable"}] if any(map(_is_restricted, schemas)) else widened


def _is_restricted(schema: Schema) -> bool:
    """Whether it is a scalar that not every text is accepted for."""
    if "const" in schema or "enum" in schema:
        return False
    return schema.get("type") in ("integer", "number", "boolean") or "pattern" in schema
