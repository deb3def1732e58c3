"""A YAML file as JSON values, with the place of each value.

Scalars are those of YAML 1.2, as editors read them: `no`, `on` and `2024-01-01` are text. Keys are text. A key twice
in a mapping, an unknown tag and an alias within its own anchor are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from sluice.domain.base import json_pointer
from sluice_cli.blueprints.faults import BlueprintFault, Place, sentence
from sluice_cli.blueprints.variables import MarkedText, VariableError

if TYPE_CHECKING:
    from yaml import SafeLoader as _FastLoader
else:
    _FastLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_TAG = "tag:yaml.org,2002:"
# YAML 1.2's core schema, without `.inf` and `.nan`, which JSON cannot express. https://yaml.org/spec/1.2.2/#103-core-schema
SCALARS = {
    f"{_TAG}null": re.compile(r"^(?:~|null|Null|NULL|)$"),
    f"{_TAG}bool": re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"),
    f"{_TAG}int": re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"),
    f"{_TAG}float": re.compile(r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$"),
}
_MERGE = f"{_TAG}merge"
# Aliases can make a file of a few lines as large as the memory. These are far above what a blueprint needs.
MOST_VALUES = 100_000
MOST_CHARACTERS = 50_000_000
_SQL_PLACE = re.compile(r"^[Ll]ine (\d+), column (\d+): (.)", re.DOTALL)


class _Loader(_FastLoader):
    yaml_implicit_resolvers = {}  # noqa: RUF012 - typed by the base class


for _tag, _pattern in [*SCALARS.items(), (_MERGE, re.compile("^<<$"))]:
    _Loader.add_implicit_resolver(_tag, _pattern, None)


def _tag_of(text: str) -> str:
    """The tag of a plain scalar."""
    return next((tag for tag, pattern in SCALARS.items() if pattern.match(text)), f"{_TAG}str")


def _scalar(tag: str, text: str) -> Any:
    """The value of a scalar; it raises ValueError if the text does not fit the tag, or the tag is unknown."""
    match tag.removeprefix(_TAG):
        case "str" | "merge":
            return text
        case "null" if SCALARS[tag].match(text):
            return None
        case "bool" if SCALARS[tag].match(text):
            return text.lower() == "true"
        case "int" if SCALARS[tag].match(text):
            return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))
        case "float":
            return float(text)
    raise ValueError(tag)


class _TooLargeError(Exception):
    """The values of a file are too many or too long, its aliases written out."""


class YamlFile:
    """A YAML file.

    Args:
        path: the file.
        variables: the values of its variables; null to leave them as they are written.

    Attributes:
        document: its mapping as JSON values; empty if it could not be read.
        faults: why it could not be read.
    """

    def __init__(self, path: Path, variables: Mapping[str, str] | None = None) -> None:
        self._file = str(path)
        self._variables = variables
        self._nodes: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        self._open: set[int] = set()
        self._values = self._characters = 0
        self.faults: list[BlueprintFault] = []
        self.document: dict[str, Any] = {}
        # Reading a pipe would wait for somebody who writes into it.
        if not path.is_file():
            self._refuse(0, 0, "this is not a regular file")
            return
        try:
            self._text = MarkedText(path.read_bytes().decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            self._refuse(0, 0, f"the file is not UTF-8: {error.reason}")
            return
        except OSError as error:
            self._refuse(0, 0, f"the file cannot be read: {error.strerror}")
            return
        except VariableError as error:
            self._refuse(0, 0, str(error))
            return
        root = self._compose()
        if root is not None:
            self._read(root)

    def _compose(self) -> yaml.Node | None:
        try:
            root: yaml.Node | None = yaml.compose(self._text.text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            text = ", ".join(part for part in (error.context, error.problem) if part)
            self._refuse(mark.line if mark else 0, mark.column if mark else 0, f"the file is not YAML: {text}")
        except (yaml.YAMLError, RecursionError) as error:
            text = str(error).splitlines()[0] if isinstance(error, yaml.YAMLError) else "it is nested too deeply"
            self._refuse(0, 0, f"the file is not YAML: {text}")
        else:
            if isinstance(root, yaml.MappingNode):
                return root
            self._refuse(0, 0, "the file must contain a mapping, such as `name: Prices`")
        return None

    def _read(self, root: yaml.Node) -> None:
        self._nodes[""] = (root, root)
        try:
            self.document = self._value(root, ())
        except RecursionError:
            self._refuse(0, 0, "the file is nested too deeply")
        except _TooLargeError:
            limits = f"{MOST_VALUES:,} values, or {MOST_CHARACTERS:,} characters"
            self._refuse(0, 0, f"the file has more than {limits}, with its aliases written out")

    def _value(self, node: yaml.Node, path: tuple[str | int, ...]) -> Any:
        self._values += 1
        if self._values > MOST_VALUES:
            raise _TooLargeError
        if isinstance(node, yaml.ScalarNode):
            self._characters += len(node.value)
            if self._characters > MOST_CHARACTERS:
                raise _TooLargeError
            return self._scalar_value(node)
        if id(node) in self._open or node.tag not in (f"{_TAG}map", f"{_TAG}seq"):
            problem = "an alias cannot stand within its own anchor" if id(node) in self._open else _unknown(node.tag)
            self._refuse(node.start_mark.line, node.start_mark.column, problem)
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode):
                return [self._member(index, item, item, path) for index, item in enumerate(node.value)]
            assert isinstance(node, yaml.MappingNode)
            return self._mapping(node, path)
        finally:
            self._open.discard(id(node))

    def _member(self, key: str | int, key_node: yaml.Node, node: yaml.Node, path: tuple[str | int, ...]) -> Any:
        self._nodes[json_pointer((*path, key))] = (key_node, node)
        return self._value(node, (*path, key))

    def _mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                self._refuse(key_node.start_mark.line, key_node.start_mark.column, "a key must be text")
            elif key_node.tag == _MERGE and not key_node.style:
                merged |= self._merged(value_node, path)
            else:
                key = self._expanded(key_node)
                if key in own:
                    self._refuse(key_node.start_mark.line, key_node.start_mark.column, f"the key {key!r} is repeated")
                own[key] = self._member(key, key_node, value_node, path)
        return {**merged, **own}

    def _merged(self, node: yaml.Node, path: tuple[str | int, ...]) -> dict[str, Any]:
        """The mappings of a `<<`; the first of several wins."""
        merged: dict[str, Any] = {}
        for item in reversed(node.value) if isinstance(node, yaml.SequenceNode) else [node]:
            if isinstance(item, yaml.MappingNode):
                merged |= self._value(item, path) or {}
            else:
                self._refuse(item.start_mark.line, item.start_mark.column, "<< takes a mapping, or a list of mappings")
        return merged

    def _expanded(self, node: yaml.ScalarNode) -> str:
        def refuse(offset: int, error: ValueError) -> None:
            before = self._text.text[:offset]
            self._refuse(before.count("\n"), offset - before.rfind("\n") - 1, str(error))

        text = str(node.value)
        if self._variables is None:
            return self._text.unmarked(text)
        return self._text.expanded(text, self._variables, refuse)

    def _scalar_value(self, node: yaml.ScalarNode) -> Any:
        text, tag = self._expanded(node), node.tag
        if not node.style and self._variables is not None and text != node.value:
            tag = _tag_of(text)
        try:
            return _scalar(tag, text)
        except ValueError:
            self._refuse(node.start_mark.line, node.start_mark.column, _unknown(tag, text))
            return None

    def _refuse(self, line: int, column: int, message: str) -> None:
        self.faults.append(BlueprintFault(Place(self._file, line + 1, column + 1), sentence(message)))

    def place(self, pointer: str = "", *, of_key: bool = False) -> Place:
        """The place of a value.

        Args:
            pointer: a JSON Pointer; if the document lacks the value, the key of the nearest one around it is meant.
            of_key: the place of its key instead.
        """
        while pointer not in self._nodes and pointer:
            pointer, of_key = pointer.rpartition("/")[0], True
        if pointer not in self._nodes:
            return Place(self._file, 1, 1)
        mark = self._nodes[pointer][0 if of_key else 1].start_mark
        return Place(self._file, mark.line + 1, mark.column + 1)

    def fault(self, pointer: str, message: str) -> BlueprintFault:
        """A fault of a value.

        Args:
            pointer: a JSON Pointer to the value.
            message: a sentence; a line and column of SQL at its start become those of the file where possible.
        """
        place = self._place_in_text(pointer, message)
        if place is not None:
            message = _SQL_PLACE.sub(lambda match: match[3].upper(), message)
        else:
            place = self.place(pointer, of_key=message.startswith("Unknown field."))
        return BlueprintFault(place, f"{self._shown(pointer)}: {message}" if pointer else message)

    def _shown(self, pointer: str) -> str:
        """A JSON Pointer as people write paths."""
        path: list[str | int] = []
        node: Any = self.document
        for part in pointer.split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            path.append(int(key) if isinstance(node, list) and key.isdecimal() else key)
            inside = isinstance(node, dict) and key in node
            node = node[key] if inside else node[int(key)] if isinstance(node, list) and key.isdecimal() else None
        return dotted_path(path)

    def _place_in_text(self, pointer: str, message: str) -> Place | None:
        """The place in a block of text, or in a text of one line, that a message begins with."""
        match, nodes = _SQL_PLACE.match(message), self._nodes.get(pointer)
        node = nodes[1] if nodes else None
        if match is None or not isinstance(node, yaml.ScalarNode) or self._text.has_variables(node.value):
            return None
        line, column = int(match[1]), int(match[2])
        start = node.start_mark
        if node.style == "|":
            lines = self._text.text.split("\n")[start.line + 1 :]
            first = next((text for text in lines if text.strip()), "")
            indent = len(first) - len(first.lstrip(" ")) - (len(node.value) - len(node.value.lstrip(" ")))
            return Place(self._file, start.line + 1 + line, indent + column)
        written = self._text.text.split("\n")[start.line]
        quote = 1 if node.style else 0
        if line == 1 and written[start.column + quote :].startswith(node.value):
            return Place(self._file, start.line + 1, start.column + quote + column)
        return None


def dotted_path(path: Iterable[str | int]) -> str:
    """A path as people write it, such as `http.params["a.b"]` or `tests[0].column`.

    Args:
        path: keys and indexes.
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"[\w$-]+", part):
            text += f".{part}"
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text.removeprefix(".")


def _unknown(tag: str, text: str = "") -> str:
    if tag.startswith(_TAG):
        return f"{text!r} is not of the type !!{tag.removeprefix(_TAG)}"
    return f"the tag {tag} is not known; remove it"
