"""The deployed stack, on a port of its own, spoken to over HTTP and by localstack-client.

`SLUICE_STACK` may name the `stack.json` of a stack that runs already; then it is used as it is.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.server import Server
from support.stack import Deployed, deployed_stack


@pytest.fixture(scope="session")
def local_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("local")


@pytest.fixture(scope="session")
def deployed(local_folder: Path) -> Iterator[Deployed]:
    with deployed_stack(local_folder) as running:
        yield running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with Server().running() as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def schedules(deployed: Deployed, server: Server) -> tuple[str, str]:
    """Two datasources with schedules, one of them paused, which are given the time of the other tests to fire."""
    suffix = secrets.token_hex(3)  # the slug of a deleted datasource stays reserved
    names = f"ticking-{suffix}", f"paused-{suffix}"
    for name, enabled in zip(names, (True, False), strict=True):
        server.answer(f"/{name}", b'[{"n": 1}]')
        schedule = {"expression": "rate(1 minute)"}
        http = {"url": f"{server.url}/{name}"}
        body = {"name": name, "kind": "http", "http": http, "schedule": schedule, "enabled": enabled}
        deployed.done("PUT", f"/datasources/{name}", body)
    return names


_names = iter(range(1_000_000))


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t{next(_names)}"
