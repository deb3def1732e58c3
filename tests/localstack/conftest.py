"""LocalStack's core, started once; skipped with the reason where it cannot be had."""

from collections.abc import Iterator

import pytest

from support.localstack import LocalStackCore, Unavailable
from support.mocked_functions import MOCKS
from support.stack import free_port


@pytest.fixture(scope="session")
def localstack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStackCore]:
    try:
        running = LocalStackCore(tmp_path_factory.mktemp("localstack"), free_port(), MOCKS)
    except Unavailable as reason:
        pytest.skip(str(reason))
    yield running
    running.stop()
