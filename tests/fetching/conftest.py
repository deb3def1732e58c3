"""A hostile server on loopback."""

from collections.abc import Iterator

import pytest

from support.server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server().running() as running:
        yield running
