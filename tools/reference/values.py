"""Which values the examples give to each field."""

from __future__ import annotations

from typing import Any

from reference.json_schema import Schema, members, name_of, tag_of, without_null


class IncompleteError(Exception):
    """A field has no description, or no example uses it."""


class ValuesInExamples:
    """The first value that examples give to each field of each object.

    Args:
        schemas: the definitions of all models.
    """

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self._schemas = schemas
        self._values: dict[tuple[str, str], Any] = {}

    def collect(self, name: str, value: dict[str, Any]) -> None:
        """Take the values of an example.

        Args:
            name: the definition of the document.
            value: the document.
        """
        for field, part in value.items():
            schema = self._schemas[name]["properties"].get(field)
            if schema is not None:
                known = self._values.get((name, field))
                self._values[name, field] = part if known is None else known
                self._below(schema, part)

    def of(self, name: str, field: str) -> Any:
        """The example of a field.

        Raises:
            IncompleteError: there is none.
        """
        if (name, field) in self._values:
            return self._values[name, field]
        # Models that inherit a field share its examples.
        schema = self._schemas[name]["properties"][field]
        for (other, same_field), value in self._values.items():
            if same_field == field and self._schemas[other]["properties"][field] == schema:
                return value
        raise IncompleteError(f"No example uses {name}.{field}; add it to tools/reference/examples.")

    def _below(self, schema: Schema, value: Any) -> None:
        rest, _ = without_null(schema)
        if isinstance(value, list) and "items" in rest:
            for item in value:
                self._below(rest["items"], item)
        elif isinstance(value, dict):
            self._object(rest, value)

    def _object(self, schema: Schema, value: dict[str, Any]) -> None:
        if reference := name_of(schema):
            self.collect(reference, value)
        for reference in members(schema):
            if tag_of(self._schemas[reference]) in (value.get("type"), value.get("strategy")):
                self.collect(reference, value)
        for alternative in schema.get("anyOf", []):
            self._object(alternative, value)
        if isinstance(values := schema.get("additionalProperties"), dict):
            for part in value.values():
                self._below(values, part)
