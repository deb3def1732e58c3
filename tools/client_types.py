"""Writes the Python client's types: a TypedDict for each object of the OpenAPI document.

Small, since the document uses few features of JSON Schema. datamodel-code-generator would bring twelve packages, and
its TypedDicts need `typing_extensions` when the client runs.
"""

from __future__ import annotations

import keyword
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
Schema = dict[str, Any]
_HEADING = '''\
"""The types of the API's documents. Written by `make generate` from functions/api/openapi.json; do not edit.

Fields of answers that a later release adds are not in them.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

'''
_SCALARS = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}


def client_types(schemas: dict[str, Schema]) -> bytes:
    """The module `sluice_client.types`, formatted by ruff.

    Args:
        schemas: the `components.schemas` of the OpenAPI document.

    Raises:
        ValueError: a schema uses a feature that this generator does not know, or two classes get the same name.
    """
    types = _Types()
    for name, schema in schemas.items():
        types.define(name, schema)
    source = _HEADING + "\n\n".join(types.definitions[name] for name in sorted(types.definitions))
    ruff = str(Path(sys.executable).with_name("ruff"))
    command = [ruff, "format", "--quiet", "--stdin-filename", str(ROOT / "client/sluice_client/types.py"), "-"]
    return subprocess.run(command, input=source.encode(), capture_output=True, check=True, cwd=ROOT).stdout


class _Types:
    """Collects the source of each type by its name."""

    def __init__(self) -> None:
        self.definitions: dict[str, str] = {}

    def define(self, name: str, schema: Schema) -> str:
        """Add a type and those of the objects within it.

        Returns:
            The name.
        """
        if name in self.definitions:
            raise ValueError(f"Two schemas would both be called {name}.")
        self.definitions[name] = ""  # takes the name, before the objects within can
        if "properties" in schema:
            self.definitions[name] = self._typed_dict(name, schema)
        else:
            # A string, since an alias may name types that come later.
            expression = self._expression(schema, name)
            # One line for each member; Python joins the strings.
            lines = "".join(f'    "{part}"\n' for part in expression.replace(" | ", " | \n").splitlines())
            self.definitions[name] = f"{name}: TypeAlias = (\n{lines})\n{_docstring(schema, '')}"
        return name

    def _typed_dict(self, name: str, schema: Schema) -> str:
        required = schema.get("required", [])
        fields: dict[str, str] = {}
        for field, value in schema["properties"].items():
            expression = self._expression(value, name + field.title().replace("_", ""))
            fields[field] = expression if field in required else f"NotRequired[{expression}]"
        if any(keyword.iskeyword(field) for field in fields):
            # The class syntax has no such fields. Here annotations are evaluated, hence the quotation marks.
            items = ", ".join(f'"{field}": "{value}"' for field, value in fields.items())
            return f'{name} = TypedDict("{name}", {{{items}}})\n{_docstring(schema, "")}'
        lines = "".join(f"    {field}: {value}\n" for field, value in fields.items())
        return f"class {name}(TypedDict):\n{_docstring(schema, '    ')}\n{lines}"

    def _expression(self, schema: Schema, name: str) -> str:
        """The type of a value.

        Args:
            schema: of the value.
            name: what an object without a title is called.
        """
        if "$ref" in schema:
            return str(schema["$ref"]).rpartition("/")[2]
        if "const" in schema or "enum" in schema:
            values = schema.get("enum", [schema.get("const")])
            return f"Literal[{', '.join(map(repr, values))}]"
        for union in ("anyOf", "oneOf"):
            if union in schema:
                parts = [self._expression(part, part.get("title", name)) for part in schema[union]]
                return " | ".join(dict.fromkeys(parts))
        if "properties" in schema:
            return self.define(name, schema)
        match schema.get("type"):
            case None:
                return "Any"
            case "array":
                return f"list[{self._expression(schema.get('items', {}), f'{name}Item')}]"
            case "object":
                return self._mapping(schema, name)
            case scalar if scalar in _SCALARS:
                return _SCALARS[scalar]
        raise ValueError(f"{name}: the type {schema['type']!r} is unknown.")

    def _mapping(self, schema: Schema, name: str) -> str:
        value = next(iter(schema.get("patternProperties", {}).values()), schema.get("additionalProperties"))
        return f"dict[str, {self._expression(value, name) if isinstance(value, dict) else 'Any'}]"


def _docstring(schema: Schema, indent: str) -> str:
    """The first paragraph of a schema's description."""
    text = " ".join(schema.get("description", "").partition("\n\n")[0].split())
    return f'{indent}"""{text}"""\n' if text else ""
