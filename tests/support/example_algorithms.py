"""The algorithms of the tests, which are in a folder of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.client import Client

FOLDER = Path(__file__).parent / "algorithms/sluice_algorithms"
ROWS = [{"id": number, "value": number * number} for number in range(9)]
RUNS = "/projects/p/algorithms/smallest_sum/runs"
DATA = {"data": "dataset:merged"}


def add_example_algorithms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the folder on the path of the algorithms, as a layer of somebody else does."""
    import sluice_algorithms

    monkeypatch.setattr(sluice_algorithms, "__path__", [*sluice_algorithms.__path__, str(FOLDER)])


def run(client: Client, status: int = 202, **body: Any) -> dict[str, Any]:
    """A run that was started, as it is afterwards."""
    answer = client.post(RUNS, {"inputs": DATA, **body})
    assert answer.status == status, answer.text
    result: dict[str, Any] = client.get(f"/runs/{answer.json()['id']}").json()
    return result
