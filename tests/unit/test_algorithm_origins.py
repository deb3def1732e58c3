"""What decides a result is in its fingerprint: the source that an algorithm imports, and the packages that it uses."""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice.algorithms import registry
from sluice.algorithms.origin import installed_packages
from sluice.algorithms.registry import PACKAGE

# Code that computes results; the rest of the platform stores and reads them.
DECISIVE = ("sluice.planning", "sluice.numeric", "sluice.tables", "sluice.algorithms.composition", PACKAGE)
PACKAGES = {"highspy", "numpy", "xlsxwriter"}


def is_within(module: str, names: tuple[str, ...]) -> bool:
    return any(f"{module}.".startswith(f"{name}.") for name in names)


def imported(module: str) -> Iterator[str]:
    """The modules and names that a module imports, anywhere in it."""
    specification = importlib.util.find_spec(module)
    assert specification is not None
    assert specification.origin is not None
    for node in ast.walk(ast.parse(Path(specification.origin).read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_module(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def reached(module: str) -> tuple[set[str], set[str]]:
    """The decisive modules that a module imports, directly or by others, and the packages that all of them use."""
    modules, packages, waiting = {module}, set[str](), [module]
    while waiting:
        for name in imported(waiting.pop()):
            packages |= {name.partition(".")[0]} & PACKAGES
            if is_within(name, DECISIVE) and name not in modules and is_module(name):
                modules.add(name)
                waiting.append(name)
    return modules, packages


@pytest.mark.parametrize("name", [*registry.names(), "_template"])
def test_code_and_packages_that_decide_a_result_are_declared(name: str) -> None:
    algorithm = importlib.import_module(f"{PACKAGE}.{name}").ALGORITHM
    modules, packages = reached(f"{PACKAGE}.{name}")
    undeclared = {module for module in modules if not is_within(module, (f"{PACKAGE}.{name}", *algorithm.code))}
    assert undeclared <= {PACKAGE}, "the package itself has no code"
    assert packages <= installed_packages(algorithm).keys()
