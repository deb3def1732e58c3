"""Algorithms that come with Sluice, and the template of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sluice.algorithms import registry
from support.client import Client
from support.example_algorithms import DATA, ROWS

pytestmark = pytest.mark.usefixtures("nine_numbers")


def test_names_of_algorithms_are_those_of_modules() -> None:
    assert "smallest_sum" in registry.names()
    assert not any(name.startswith("_") for name in registry.names())


def test_the_template_is_an_algorithm_once_it_is_copied(
    admin: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sluice_algorithms

    own = Path(sluice_algorithms.__file__ or "").parent
    (tmp_path / "shares.py").write_text((own / "_template.py").read_text())
    monkeypatch.setattr(sluice_algorithms, "__path__", [*sluice_algorithms.__path__, str(tmp_path)])
    path = "/projects/p/algorithms/shares/runs"
    started = admin.post(path, {"inputs": DATA, "parameters": {"group": "id", "value": "value", "most": 2}})
    made = admin.get(f"/runs/{started.json()['id']}").json()
    assert made["status"] == "succeeded", made
    total = sum(row["value"] for row in ROWS)
    assert admin.get(f"/runs/{made['id']}/result").json() == {
        "total": total,
        "groups": [
            {"group": "8", "total": 64, "share": 64 / total},
            {"group": "7", "total": 49, "share": 49 / total},
        ],
    }
    wrong = admin.post(path, {"inputs": DATA, "parameters": {"group": "nothing", "value": "value"}})
    failed = admin.get(f"/runs/{wrong.json()['id']}").json()
    assert failed["error"]["errors"][0]["pointer"] == "/parameters/group"
    missing = admin.post(path, {"inputs": DATA, "parameters": {}})
    assert {error["pointer"] for error in missing.json()["errors"]} == {"/parameters/group", "/parameters/value"}


@pytest.mark.parametrize(
    ("algorithm", "parameters"),
    [
        ("profile", {}),
        ("anomalies", {"values": ["value"], "keys": ["id"]}),
        ("forecast", {"time": "id", "value": "value", "horizon": 2}),
    ],
)
def test_general_algorithms_read_the_datasets_of_a_project(
    admin: Client, algorithm: str, parameters: dict[str, Any]
) -> None:
    started = admin.post(f"/projects/p/algorithms/{algorithm}/runs", {"inputs": DATA, "parameters": parameters})
    made = admin.get(f"/runs/{started.json()['id']}").json()
    assert made["status"] == "succeeded", made["error"]
    rows = admin.get(f"/runs/{made['id']}/tables/main?limit=200").json()["items"]
    assert len(rows) == {"profile": 3, "anomalies": len(ROWS), "forecast": 2}[algorithm]
