"""The pages in `docs/reference/documents/`: each field of each document, from the models."""

from __future__ import annotations

from collections.abc import Iterator

import orjson
import yaml

from reference.examples import Example
from reference.json_schema import Schema, definitions, members, name_of, tag_of, without_null
from reference.markdown import NOTICE, anchor, code, table
from reference.registry import PAGES, DocumentPage
from reference.types import default_text, type_text
from reference.values import IncompleteError, ValuesInExamples
from sluice.domain.datasource import Datasource

_LONGEST_EXAMPLE = 120


def document_pages() -> dict[str, str]:
    """The pages by their paths below `docs/`.

    Raises:
        IncompleteError: a field has no description, or no example uses it.
    """
    schemas = definitions(*(page.model for page in PAGES), *Datasource.KINDS.values())
    # The base model's own schema is a choice of its kinds.
    of_kind = schemas["HttpDatasource"]
    shared = {name: part for name, part in of_kind["properties"].items() if name in Datasource.model_fields}
    shared = {"name": shared.pop("name"), "kind": {}, **shared}
    shared["kind"] = {"enum": list(Datasource.KINDS), "description": Datasource.model_fields["kind"].description}
    required = [name for name in of_kind["required"] if name in Datasource.model_fields]
    schemas["Datasource"] = {**of_kind, "properties": shared, "required": required}
    values = ValuesInExamples(schemas)
    for page in PAGES:
        for example in page.examples:
            values.collect(page.model.__name__, example.document)
            if page.name.startswith("datasource-"):
                values.collect("Datasource", {key: example.document[key] for key in shared if key in example.document})
    writer = _Writer(schemas, values)
    pages = {f"reference/documents/{page.name}.md": writer.page(page) for page in PAGES}
    return {"reference/documents/index.md": _index(), **pages}


def _index() -> str:
    schemas = (
        "site-table",
        "equipment-table",
        "sensor-table",
        "datasource",
        "project",
        "model",
        "report",
        "endpoint",
        "site",
        "equipment",
        "sensor",
        "blueprint",
    )
    lines = [
        NOTICE,
        "# Documents",
        "",
        "Documents are what you write: as the JSON body of a request, or as a YAML file of a blueprint. A field that "
        "is not listed here is refused. In a type, `slug → object` means that each key is a slug and each value an "
        "object.",
        "",
        *(f"- [{page.title}]({page.name}.md)" for page in PAGES),
        "",
        "## In an editor",
        "",
        "Editors that know JSON Schema complete the fields of YAML files, describe them, and mark errors. The first "
        "line of a file names its schema, as those of the shipped blueprints do, and those that `sluice init` and "
        "`sluice export` write:",
        "",
        "```yaml",
        "# yaml-language-server: $schema=../../../docs/schemas/datasource.schema.json",
        "```",
        "",
        "The schemas are "
        + ", ".join(f"[{name}](../../schemas/{name}.schema.json)" for name in schemas)
        + ". They check "
        "names, types and limits. The API also checks what a schema cannot say, such as SQL and JMESPath.",
        "",
        "## Names",
        "",
        *table(
            ("name", "form"),
            (
                ("slug", "1 to 50 lower-case letters and digits, with single hyphens between them: `cmc-listings`"),
                ("SQL name", "1 to 63 lower-case letters, digits and `_`, no digit first: `by_month`"),
                (
                    "code",
                    "1 to 32 letters, digits and hyphens, and no name of a path of the API, such as `import`: `P-101`",
                ),
                ("sensor id", "1 to 64 letters, digits, `_`, `.`, `:` and `-`, a letter or digit first: `P-101:flow`"),
                ("secret name", "1 to 63 letters, digits, `_`, `.` and `-`, a letter or digit first: `shop-key`"),
                (
                    "column name",
                    "1 to 255 characters without control characters; not one of Sluice's own columns, such as `_page`",
                ),
                ("column type", "one of the [types of columns](../columns.md#types): `bigint`, `decimal(12,2)`"),
            ),
        ),
    ]
    return "\n".join(lines) + "\n"


class _Writer:
    """Writes pages, and remembers where it has described each object.

    Args:
        schemas: the definitions of all models.
        values: an example value of each field.
    """

    def __init__(self, schemas: dict[str, Schema], values: ValuesInExamples) -> None:
        self._schemas = schemas
        self._values = values
        self._places: dict[str, tuple[str, str]] = {}  # the page and anchor of each object, and the link's text

    def page(self, page: DocumentPage) -> str:
        """The Markdown of a page."""
        sections: list[tuple[str, str, list[str]]] = []
        name = page.model.__name__
        fields = [field for field in self._schemas[name]["properties"] if field not in page.inherited]
        self._plan(page, name, fields, "", sections)
        lines = [NOTICE, f"# {page.title}", "", page.introduction, "", "## Fields", ""]
        lines += self._fields(page, name, fields)
        for heading, defined, own_fields in sections:
            lines += ["", f"## {heading}", "", self._schemas[defined].get("description", ""), ""]
            lines += self._fields(page, defined, own_fields)
        lines += self._examples(page.examples)
        return "\n".join(lines).rstrip() + "\n"

    def _plan(
        self, page: DocumentPage, name: str, fields: list[str], path: str, sections: list[tuple[str, str, list[str]]]
    ) -> None:
        """Give each object below some fields a section of its own, unless another one has described it."""
        for field in fields:
            schema, _ = without_null(self._schemas[name]["properties"][field])
            for place, reference, tag in _objects(schema, f"{path}{field}", self._schemas):
                if reference in self._places:
                    continue
                heading = f"{code(place)}: {code(tag)}" if tag else code(place)
                self._places[reference] = (f"{page.name}.md#{anchor(heading)}", code(tag) if tag else "object")
                own_fields = list(self._schemas[reference].get("properties", {}))
                sections.append((heading, reference, own_fields))
                self._plan(page, reference, own_fields, f"{place}.", sections)

    def _fields(self, page: DocumentPage, name: str, fields: list[str]) -> list[str]:
        schema = self._schemas[name]
        rows = []
        # What selects a kind or type comes first.
        for field in sorted(fields, key=lambda field: "const" not in schema["properties"][field]):
            described = schema["properties"][field]
            if not described.get("description"):
                raise IncompleteError(f"{name}.{field} has no description.")
            required = field in schema.get("required", [])
            default = "required" if required else default_text(described)
            meaning = f"{described['description']} {self._example(page, name, field)}".strip()
            rows.append((code(field), type_text(described, lambda target: self._link(page, target)), default, meaning))
        return table(("field", "type", "default", "meaning"), rows)

    def _link(self, page: DocumentPage, name: str) -> str:
        address, text = self._places[name]
        return f"[{text}]({address.removeprefix(f'{page.name}.md')})"

    def _example(self, page: DocumentPage, name: str, field: str) -> str:
        schema = self._schemas[name]["properties"][field]
        text = orjson.dumps(self._values.of(name, field)).decode()
        if "const" in schema or schema.get("type") == "null":
            return ""  # the only value is in the column of types
        if len(text) > _LONGEST_EXAMPLE:
            return "Example: [below](#examples)" if page.examples else ""
        return f"Example: {code(text)}"

    def _examples(self, examples: tuple[Example, ...]) -> Iterator[str]:
        if not examples:
            return
        yield from ("", "## Examples")
        for example in examples:
            text = yaml.safe_dump(example.document, sort_keys=False, allow_unicode=True, width=100)
            yield from ("", f"### {example.title}", "", "```yaml", text.rstrip(), "```")


def _objects(schema: Schema, place: str, schemas: dict[str, Schema]) -> Iterator[tuple[str, str, str]]:
    """The objects in the value of a field.

    Returns:
        For each, its place in the document, the name of its definition and, in a union, the value that selects it.
    """
    if reference := name_of(schema):
        yield place, reference, ""
    for reference in members(schema):
        yield place, reference, tag_of(schemas[reference])
    for alternative in schema.get("anyOf", []):
        yield from _objects(alternative, place, schemas)
    if "items" in schema:
        yield from _objects(schema["items"], f"{place}[]", schemas)
    if isinstance(values := schema.get("additionalProperties"), dict):
        yield from _objects(without_null(values)[0], f"{place}.*", schemas)
