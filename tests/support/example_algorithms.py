"""The algorithms of the tests, which are in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "algorithms/sluice_algorithms"


def add_example_algorithms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the folder on the path of the algorithms, as a layer of somebody else does."""
    import sluice_algorithms

    monkeypatch.setattr(sluice_algorithms, "__path__", [*sluice_algorithms.__path__, str(FOLDER)])
