"""A bare emulator: nothing is deployed on it, so it is there in a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sluice_cli.local.emulator import Emulator
from support.bare import Bare
from support.stack import free_port


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    emulator = Emulator(tmp_path_factory.mktemp("emulator"), free_port())
    emulator.start()
    yield Bare(emulator)
    emulator.stop()
