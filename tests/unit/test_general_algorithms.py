"""What the declarations of the general algorithms promise."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic import BaseModel

from sluice.algorithms.algorithm import Algorithm
from sluice.algorithms.origin import installed_packages, pinned_packages
from sluice_algorithms import _template, anomalies, forecast, grooming, profile

ALGORITHMS = {"anomalies": anomalies.ALGORITHM, "forecast": forecast.ALGORITHM, "profile": profile.ALGORITHM}


def undescribed(schema: Any) -> list[str]:
    """The fields of a schema and of those in it that have no description."""
    models = [schema, *schema.get("$defs", {}).values()]
    fields = [(model, name, field) for model in models for name, field in model.get("properties", {}).items()]
    return [f"{model['title']}.{name}" for model, name, field in fields if not field.get("description")]


@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS)
def test_every_field_is_described(algorithm: Algorithm) -> None:
    models: list[type[BaseModel]] = [algorithm.parameters, algorithm.output]
    assert [name for model in models for name in undescribed(model.model_json_schema())] == []


def test_declarations_need_no_packages_of_the_layer() -> None:
    code = (
        "import sys, sluice_algorithms.anomalies, sluice_algorithms.forecast, sluice_algorithms.profile\n"
        "print({'numpy', 'duckdb'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("algorithm", "packages"),
    [
        (anomalies.ALGORITHM, ["numpy", "duckdb"]),
        (forecast.ALGORITHM, ["numpy", "duckdb"]),
        (profile.ALGORITHM, ["duckdb"]),
        (_template.ALGORITHM, ["duckdb"]),
        (grooming.ALGORITHM, []),
    ],
    ids=["anomalies", "forecast", "profile", "template", "grooming"],
)
def test_the_engine_that_reads_tables_is_among_the_packages(algorithm: Algorithm, packages: list[str]) -> None:
    assert list(pinned_packages(algorithm)) == list(installed_packages(algorithm)) == packages
