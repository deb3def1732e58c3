"""The deployed stack, on a port of its own, spoken to over HTTP and by localstack-client.

`SLUICE_STACK` may name the `stack.json` of a stack that runs already; then it is used as it is.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sluice_cli.stack import LocalStack
from support.server import Server
from support.stack import ROOT, Deployed, free_port


@pytest.fixture(scope="session")
def local_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="session")
def deployed(local_folder: Path) -> Iterator[Deployed]:
    named = os.environ.get("SLUICE_STACK")
    if named:
        yield Deployed(json.loads(Path(named).read_text()), None)
        return
    stack = LocalStack(ROOT, local_folder, free_port())
    try:
        running = Deployed(stack.up(), stack)
        yield running
        running.close()
    finally:
        stack.down()


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server().running() as running:
        yield running


_names = iter(range(1_000_000))


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t{next(_names)}"
