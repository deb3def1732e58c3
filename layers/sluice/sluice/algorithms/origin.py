"""Where a result comes from: the hash of an algorithm's source, and the versions of its packages."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from functools import cache
from importlib import metadata, resources
from pathlib import Path

import orjson

from sluice.algorithms.algorithm import Algorithm
from sluice.algorithms.registry import PACKAGE

# Written by `make generate` from layers/*/requirements.txt.
PINS = "packages.json"
_ENGINE = "duckdb"


@cache
def code_digest(name: str, algorithm: Algorithm) -> str:
    """Hash the source that decides an algorithm's result: its module, and what `code` names.

    Returns:
        `sha256:` and 64 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for module in (f"{PACKAGE}.{name}", *sorted(algorithm.code)):
        for path, place in _sources(module):
            digest.update(f"{module}/{place}\0".encode() + path.read_bytes() + b"\0")
    return "sha256:" + digest.hexdigest()


def _sources(module: str) -> Iterator[tuple[Path, str]]:
    """The source files of a module or package, each with its place in it, in order."""
    specification = importlib.util.find_spec(module)
    if specification is None or specification.origin is None:
        raise ModuleNotFoundError(f"{module} is named in `code` and cannot be found")
    origin = Path(specification.origin)
    if not specification.submodule_search_locations:
        yield origin, origin.name
        return
    for path in sorted(origin.parent.rglob("*.py")):
        yield path, path.relative_to(origin.parent).as_posix()


def _packages(algorithm: Algorithm) -> tuple[str, ...]:
    """The packages that decide an algorithm's result: its own, and the engine that reads its tables."""
    reads_tables = any("table" in item.kinds for item in algorithm.inputs.values())
    return tuple(dict.fromkeys([*algorithm.packages, *([_ENGINE] if reads_tables else [])]))


def pinned_packages(algorithm: Algorithm) -> dict[str, str]:
    """The versions that an algorithm's layer has of the packages that decide its result, by name.

    They are read from a list, since the API starts runs without having the packages.
    """
    pins = _pins()[algorithm.layer][f"{sys.version_info.major}.{sys.version_info.minor}"]
    return {package: pins[package] for package in _packages(algorithm)}


@cache
def _pins() -> dict[str, dict[str, dict[str, str]]]:
    pins: dict[str, dict[str, dict[str, str]]] = orjson.loads(resources.files(__package__).joinpath(PINS).read_bytes())
    return pins


def installed_packages(algorithm: Algorithm) -> dict[str, str]:
    """The versions that are installed here of the packages that decide an algorithm's result.

    Only the algorithm's own function has them all.
    """
    return {package: metadata.version(package) for package in _packages(algorithm)}
