"""What a docstring says of arguments is about arguments that there are."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from support.template import ROOT

FOLDERS = ("layers/sluice/sluice", "functions", "cli/sluice_cli", "client/sluice_client", "tools")
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
_SECTION = re.compile(r"^\s*Args:\n(?P<body>(?:[ \t]+.*\n?|\n)+)", re.M)
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def documented_names(docstring: str) -> Iterator[str]:
    """The names that the section `Args` describes."""
    section = _SECTION.search(docstring)
    if section is None:
        return
    lines = section["body"].splitlines()
    indent = len(lines[0]) - len(lines[0].lstrip())
    for line in lines:
        if re.match(r"^\s*(Returns|Raises|Yields):", line):
            return
        name = re.match(rf"^[ ]{{{indent}}}([\w, ]+): ", line)
        if name:
            yield from (part.strip() for part in name[1].split(","))


def names_of(node: Documented) -> set[str]:
    """The parameters of a function; of a class its fields, and the parameters of its `__init__`."""
    if isinstance(node, ast.ClassDef):
        names = {
            item.target.id
            for item in node.body
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name)
        }
        for item in node.body:
            if isinstance(item, ast.FunctionDef) and item.name == "__init__":
                names |= names_of(item)
        return names
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    return {argument.arg for argument in every if argument is not None}


@pytest.mark.parametrize("folder", FOLDERS)
def test_documented_arguments_exist(folder: str) -> None:
    wrong = []
    for path in (module for module in MODULES if module.is_relative_to(ROOT / folder)):
        for node in ast.walk(ast.parse(path.read_text())):
            docstring = ast.get_docstring(node) if isinstance(node, Documented) else None
            if docstring is None or not isinstance(node, Documented):
                continue
            unknown = set(documented_names(docstring)) - names_of(node)
            wrong += [f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {name}" for name in sorted(unknown)]
    assert wrong == []
