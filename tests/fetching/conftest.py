"""A hostile server of HTTP, and servers of databases, on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.certificates import Certificate, certificate_for
from support.databases import DatabaseServer, UnavailableError, mariadb, postgresql
from support.server import Server


@pytest.fixture
def server() -> Iterator[Server]:
    with Server().running() as running:
        yield running


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate_for("localhost", tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[DatabaseServer]:
    try:
        with postgresql() as server:
            yield server
    except UnavailableError as reason:
        pytest.skip(f"no PostgreSQL: {reason}")


@pytest.fixture(scope="session")
def maria(certificate: Certificate) -> Iterator[DatabaseServer]:
    try:
        with mariadb(certificate.file, certificate.key) as server:
            yield server
    except UnavailableError as reason:
        pytest.skip(f"no MariaDB: {reason}")
