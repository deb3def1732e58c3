"""The generated reference and the JSON Schemas for editors."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from jsonschema import Draft202012Validator

from reference.cli_page import cli_page
from reference.errors_page import errors_page
from reference.examples import EXAMPLES, Example
from reference.explanations import EXPLANATIONS
from reference.json_schema import definitions
from reference.markdown import code, table
from reference.project_file import ProjectFile
from reference.registry import PAGES
from reference.types import type_text
from reference.values import IncompleteError, ValuesInExamples
from sluice.domain.base import validate
from sluice.domain.datasource import Datasource
from sluice.domain.project import Project
from sluice.errors import SluiceError, TransientError, all_errors
from sluice_cli.main import cli
from support.template import ROOT

SCHEMAS = {path.name.partition(".")[0]: json.loads(path.read_text()) for path in (ROOT / "docs/schemas").glob("*.json")}
BLUEPRINTS = sorted(ROOT.glob("blueprints/*/**/*.yaml"))
EXAMPLES_BY_NAME = {f"{page}: {example.title}": (page, example) for page in EXAMPLES for example in EXAMPLES[page]}
VARIABLES = {
    "SHOP_URL": "https://shop.example.com",
    "SHOP_KEY": "x",
    "COINMARKETCAP_KEY": "x",
    "SAMPLE_URL": "http://127.0.0.1:9000",
}


def faults(schema: str, document: Any) -> list[str]:
    """What the editor's schema finds wrong in a document."""
    errors = Draft202012Validator(SCHEMAS[schema]).iter_errors(document)
    return [f"{error.json_path}: {error.message[:200]}" for error in errors]


def schema_of(file: Path) -> str:
    """The name of the schema that the first line of a YAML file refers to, if that schema exists."""
    match = re.match(r"# yaml-language-server: \$schema=(\S+)\n", file.read_text())
    assert match is not None, "the first line names the file's schema"
    path = (file.parent / match[1]).resolve()
    assert path.parent == ROOT / "docs/schemas"
    return path.name.partition(".")[0]


@pytest.mark.parametrize("name", SCHEMAS)
def test_schemas_are_valid(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", EXAMPLES_BY_NAME)
def test_examples_are_accepted(name: str) -> None:
    page, example = EXAMPLES_BY_NAME[name]
    model = next(item.model for item in PAGES if item.name == page)
    document = validate(model, example.document)
    if isinstance(document, Datasource):
        document.require_safe()
    schema = "datasource" if page.startswith("datasource") else page
    # An operation is no file of a blueprint, so there is no schema for editors.
    assert (schema not in SCHEMAS) == (page == "operation")
    assert page == "operation" or faults(schema, example.document) == []


def test_example_project_is_one_that_the_api_accepts() -> None:
    documents: list[Example] = list(EXAMPLES["project"])
    for example in documents:
        validate(
            Project, {key: value for key, value in example.document.items() if key not in ("datasources", "inputs")}
        )


@pytest.mark.parametrize("file", BLUEPRINTS, ids=lambda file: str(file.relative_to(ROOT / "blueprints")))
def test_shipped_blueprints_match_their_schemas(file: Path) -> None:
    schema = schema_of(file)
    kind = file.stem if file.parent.parent == ROOT / "blueprints" else file.parent.name
    table = "" if kind == "blueprint" or kind == file.parent.name else "-table"
    assert schema == kind.removesuffix("s") + table
    assert faults(schema, yaml.safe_load(file.read_text())) == [], "as an editor sees it"
    substituted = re.sub(r"\$\{(\w+)(?::-([^}]*))?\}", lambda match: match[2] or VARIABLES[match[1]], file.read_text())
    assert faults(schema, yaml.safe_load(substituted)) == [], "as it is applied"


@pytest.mark.parametrize(
    ("schema", "document", "fault"),
    [
        ("datasource", {"name": "A"}, "'kind' is a required property"),
        ("datasource", {"name": "A", "kind": "ftp"}, "'ftp' is not one of"),
        ("datasource", {"name": "A", "kind": "file", "formt": "csv"}, "'formt' was unexpected"),
        ("datasource", {"name": "A", "kind": "http", "http": {"url": "ftp://x"}}, "'ftp://x' is not valid"),
        ("datasource", {"name": "A", "kind": "file", "types": {"a": "float"}}, "'float' is not valid"),
        (
            "datasource",
            {"name": "A", "kind": "sql", "schedule": {"expression": "daily"}},
            "{'expression': 'daily'} is not valid",
        ),
        ("datasource", {"name": "A", "kind": "file", "max_age_seconds": "soon"}, "'soon' is not valid"),
        ("project", {"name": "A", "datasources": {"No Slug": {}}}, "does not match"),
        ("model", {}, "'sql' is a required property"),
        ("report", {"title": "A", "sections": []}, "[]"),
        ("endpoint", {"sql": "SELECT 1", "cache_seconds": -1}, "-1"),
        ("blueprint", {"show": {"limit": 3}}, "{'limit': 3} is not valid"),
    ],
)
def test_schemas_find_faults(schema: str, document: Any, fault: str) -> None:
    found = faults(schema, document)
    assert any(fault in line for line in found), found


def test_variables_are_accepted_where_a_scalar_is_restricted() -> None:
    http = {"url": "${URL:-https://a.example}/x", "timeout_seconds": "${SECONDS}", "headers": {"X-A": "${A}"}}
    assert faults("datasource", {"name": "A", "kind": "http", "http": http}) == []


def test_every_error_is_explained() -> None:
    raised = set(all_errors()) - {TransientError}
    assert set(EXPLANATIONS) == raised
    page = errors_page()["reference/errors.md"]
    for error in raised:
        assert page.count(f"\n### {code(error.code)}\n") == 1, error.code
    for explanation in EXPLANATIONS.values():
        assert explanation.cause.endswith(".")
        assert explanation.remedy.endswith(".")


def test_page_of_errors_has_each_code_in_its_group() -> None:
    page = errors_page()["reference/errors.md"]
    headings = re.findall(r"^##+ (.+)$", page, re.M)
    assert headings.index("Errors of runs") < headings.index("`source-busy`") < headings.index("Errors that pass")
    assert headings[-1] == code(SluiceError.code)


def test_a_field_without_an_example_is_noticed() -> None:
    values = ValuesInExamples(definitions(ProjectFile))
    values.collect("ProjectFile", {"name": "A", "tests": {"merged": [{"type": "not_null", "column": "a"}]}})
    assert values.of("NotNull", "column") == "a"
    with pytest.raises(IncompleteError, match=r"ProjectFile\.slug"):
        values.of("ProjectFile", "slug")


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 1000}, "integer (1 to 1,000)"),
        ({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}, "text (at most 3 characters) or null"),
        ({"enum": ["a", ""], "type": "string"}, "`a`, empty text"),
        ({"items": {"$ref": "#/$defs/A"}, "type": "array", "minItems": 1}, "list of [A] (at least 1)"),
        ({"additionalProperties": {"type": "boolean"}, "type": "object"}, "object: text → true or false"),
        ({"oneOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]}, "object: [A], [B]"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}, {"type": "null"}]}, "integer or text, or null"),
    ],
)
def test_types_are_written_in_words(schema: dict[str, Any], text: str) -> None:
    assert type_text(schema, lambda name: f"[{name}]") == text


def test_cells_keep_bars_and_backticks() -> None:
    assert table(("a",), [(code("x|`y`"),)])[-1] == "| `` x\\|`y` `` |"


def test_every_command_is_on_the_page_of_the_command_line() -> None:
    page = cli_page()["reference/cli.md"]
    context = click.Context(cli, info_name="sluice")
    names = cli.list_commands(context)
    assert "apply" in names
    for name in names:
        assert f"\n## `sluice {name}`\n" in page
