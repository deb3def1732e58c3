"""JSON values as YAML that people like to read and that both YAML 1.1 and 1.2 read as the same values."""

from __future__ import annotations

import math
import os
import re
from pathlib import Path
from typing import Any

import yaml

from sluice_cli.blueprints.variables import escape
from sluice_cli.blueprints.yaml_file import SCALARS
from sluice_cli.paths import ROOT

_SHORT = 70
# The versions of YAML differ in which of these are line breaks, so they are written as escapes.
_ODD_BREAKS = re.compile("[\r\x85\u2028\u2029]")


class Variable(str):
    """A text whose variables stay variables."""


class _Dumper(yaml.SafeDumper):
    """Quotes what either version of YAML would read as something else than text."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out each time."""
        return True

    def represent(self, data: Any) -> None:
        """Write a document: short collections within it on one line, such as `[id, name]`."""
        node = self.represent_data(data)
        assert isinstance(node, yaml.CollectionNode)
        _choose_styles(node)
        node.flow_style = False
        self.serialize(node)


def _choose_styles(node: yaml.Node) -> int | None:
    """Choose the style of each collection.

    Returns:
        The characters that the node takes on one line; null if it takes several lines.
    """
    if isinstance(node, yaml.ScalarNode):
        return None if "\n" in node.value else len(node.value)
    assert isinstance(node, yaml.CollectionNode)
    pairs = isinstance(node, yaml.MappingNode)
    children = [_choose_styles(child) for item in node.value for child in (item if pairs else [item])]
    length = sum(child + 2 for child in children if child is not None)
    node.flow_style = None not in children and length <= _SHORT
    return length if node.flow_style else None


for _tag, _pattern in SCALARS.items():
    _Dumper.add_implicit_resolver(_tag, _pattern, None)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _ODD_BREAKS.search(text):
        style = '"'
    # A block shows each line as it is; spaces at the end of a line are invisible there, and editors remove them.
    elif "\n" in text and text[0] not in "\n " and all(line == line.rstrip() for line in text.split("\n")):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def write_yaml(file: Path, kind: str, text: str) -> None:
    """Write a file of a blueprint, whose first line names its JSON Schema for editors.

    Args:
        file: the file; its folder is created if it does not exist.
        kind: what it describes: `blueprint`, or the name of a resource's type.
        text: YAML.
    """
    schema = ROOT / "docs/schemas" / f"{kind}.schema.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    if schema.is_file():  # the command may be installed without the documentation
        path = Path(os.path.relpath(schema, file.parent.resolve())).as_posix()
        text = f"# yaml-language-server: $schema={path}\n{text}"
    file.write_text(text, encoding="utf-8")


def to_yaml(document: dict[str, Any]) -> str:
    """Write a document as YAML; keys keep their order, and texts of several lines become blocks.

    Args:
        document: JSON values. A `Variable` is written as it is; other texts so that they have no variables.
    """
    text: str = yaml.dump(_escaped(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=math.inf)
    return text


def _escaped(value: Any) -> Any:
    if isinstance(value, dict):
        return {escape(key): _escaped(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_escaped(item) for item in value]
    if isinstance(value, Variable):
        return str(value)
    return escape(value) if isinstance(value, str) else value
