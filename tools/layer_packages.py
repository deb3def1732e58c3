"""The versions of packages in the layers of algorithms, for `sluice.algorithms.origin`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
_LAYERS = ("numeric", "solver")
# Every function of algorithms has these, too.
_COMMON = ("runtime", "analytics")
# Those that the template allows.
_PYTHONS = ("3.11", "3.12", "3.13", "3.14")


def layer_packages() -> bytes:
    """By layer, then by Python version, the version of each package, as indented JSON."""
    return orjson.dumps(
        {layer: {python: _pins((*_COMMON, layer), python) for python in _PYTHONS} for layer in _LAYERS},
        option=orjson.OPT_INDENT_2,
    )


def _pins(layers: Sequence[str], python: str) -> dict[str, str]:
    files = [ROOT / "layers" / layer / "requirements.txt" for layer in layers]
    lines = [line for file in files for line in file.read_text().splitlines()]
    requirements = [Requirement(line.rstrip(" \\")) for line in lines if "==" in line and not line.startswith(" ")]
    environment = {"python_version": python, "python_full_version": f"{python}.0"}
    return {
        requirement.name: next(iter(requirement.specifier)).version
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }
