"""Algorithms as the API describes them."""

from __future__ import annotations

from functools import cache
from typing import Any

from sluice.algorithms import registry
from sluice.algorithms.algorithm import Input
from sluice.algorithms.origin import code_digest, pinned_packages


@cache
def describe(name: str) -> dict[str, Any]:
    """An algorithm with the JSON Schemas of its parameters and of its result's document.

    Raises:
        NotFound: there is no such algorithm.
    """
    algorithm = registry.algorithm(name)
    return {
        "name": name,
        "title": algorithm.title,
        "description": algorithm.description,
        "inputs": {input_name: _input(item) for input_name, item in algorithm.inputs.items()},
        "parameters": algorithm.parameters.model_json_schema(),
        "output": algorithm.output.model_json_schema(),
        "tables": dict(algorithm.tables),
        "layer": algorithm.layer,
        "packages": pinned_packages(algorithm),
        "code": code_digest(name, algorithm),
    }


def _input(declared: Input) -> dict[str, Any]:
    described = {
        "kinds": list(declared.kinds),
        "description": declared.description,
        "required": declared.required,
    }
    return {**described, "replaces": list(declared.replaces)} if declared.replaces else described
