"""The page of all algorithms."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from reference.json_schema import Schema, definitions
from reference.markdown import NOTICE, code, table, text
from reference.types import default_text, type_text
from sluice.algorithms import registry
from sluice.algorithms.algorithm import Algorithm, Input
from sluice.domain.names import table_of_algorithm

_INTRODUCTION = """\
An algorithm computes a result from inputs, parameters and a seed. [How to run algorithms](../how-to/algorithms.md)
shows requests, and [how to add an algorithm](../how-to/add-an-algorithm.md) a module of your own.
`GET /algorithms/{name}` has the complete JSON Schemas."""


def algorithms_page() -> dict[str, str]:
    """`reference/algorithms.md`, with every algorithm."""
    lines = [NOTICE, "# Algorithms", "", *_INTRODUCTION.splitlines()]
    for name in registry.names():
        lines += _algorithm(name, registry.algorithm(name))
    return {"reference/algorithms.md": "\n".join(lines) + "\n"}


def _need(declared: Input) -> str:
    """Whether a run needs an input, in a few words."""
    if declared.replaces:
        return f"replaces {' and '.join(map(code, declared.replaces))}"
    return "" if declared.required else "optional"


def _algorithm(name: str, algorithm: Algorithm) -> Iterator[str]:
    yield from ("", f"## {code(name)}: {algorithm.title.lower()}", "", text(algorithm.description))
    rows = [
        (
            code(input_name),
            " or ".join(map(code, declared.kinds)),
            _need(declared),
            declared.description,
        )
        for input_name, declared in algorithm.inputs.items()
    ]
    yield from ("", *table(("input", "kinds", "", "meaning"), rows))
    yield from ("", *_fields(("parameter", "type", "default", "meaning"), algorithm.parameters))
    tables = [
        (code(table_name), code(table_of_algorithm(name, table_name)), words)
        for table_name, words in algorithm.tables.items()
    ]
    if tables:
        yield from ("", *table(("table", "in SQL", "rows"), tables))
    yield from ("", *_fields(("result", "type", "", "meaning"), algorithm.output))


def _fields(heading: tuple[str, str, str, str], model: type[BaseModel]) -> list[str]:
    """The fields of a model as a table; objects in them are not described further."""
    schema: Schema = definitions(model)[model.__name__]
    rows = []
    for field, described in schema.get("properties", {}).items():
        required = field in schema.get("required", [])
        default = "" if not heading[2] else "required" if required else default_text(described)
        rows.append(
            (code(field), type_text(described, lambda _: "object"), default, text(described.get("description", "")))
        )
    return table(heading, rows)
