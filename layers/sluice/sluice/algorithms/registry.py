"""The registry of algorithms: the modules of the package `sluice_algorithms`, each under its own name."""

from __future__ import annotations

import importlib
import pkgutil
import re
from functools import cache

from sluice.algorithms.algorithm import Algorithm
from sluice.errors import NotFound

PACKAGE = "sluice_algorithms"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def names() -> list[str]:
    """The names of all algorithms, sorted. Modules whose name begins with `_` are none."""
    package = importlib.import_module(PACKAGE)
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__) if _NAME.fullmatch(module.name))


def algorithm(name: str) -> Algorithm:
    """The algorithm of a name.

    Raises:
        NotFound: there is none; the detail names those that there are.
    """
    if name not in names():
        raise NotFound(f"There is no algorithm {name!r}; there are {', '.join(names())}.")
    return _load(name)


@cache
def _load(name: str) -> Algorithm:
    declared = importlib.import_module(f"{PACKAGE}.{name}").ALGORITHM
    assert isinstance(declared, Algorithm), f"{PACKAGE}.{name}.ALGORITHM is no Algorithm"
    return declared
