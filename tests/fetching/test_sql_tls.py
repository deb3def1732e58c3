"""Encrypted connections to databases: the certificate is verified for the host, and nothing goes unencrypted."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from sluice.errors import SourceUnreachable
from sluice.sources.sql.pages import SqlPage
from support.certificates import Certificate
from support.databases import DatabaseServer
from support.sql_reading import all_pages, read, refused, rows_of, source


@asynccontextmanager
async def encrypting(server: DatabaseServer, certificate: Certificate) -> AsyncIterator[int]:
    """The port of a PostgreSQL that speaks TLS: the wheel's server was built without it."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate.file, certificate.key)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readexactly(8)  # SSLRequest
            writer.write(b"S")
            await writer.start_tls(context)
            inner, outer = await asyncio.open_connection("127.0.0.1", server.port)
            await asyncio.gather(relay(reader, outer), relay(inner, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()
        await asyncio.sleep(0.05)


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    finally:
        writer.transport.abort()


async def over_tls(server: DatabaseServer, certificate: Certificate, **more: Any) -> list[SqlPage]:
    async with encrypting(server, certificate) as port:
        return await all_pages(source("postgresql", server, "SELECT 1 AS n", port=port, tls=True, **more))


Attempt = Callable[..., list[SqlPage]]


@pytest.fixture(params=["postgresql", "mysql"])
def encrypted(request: pytest.FixtureRequest, certificate: Certificate) -> Attempt:
    """Reads over TLS, with these fields of the document."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        return lambda **more: asyncio.run(over_tls(server, certificate, **more))
    server = request.getfixturevalue("maria")
    return lambda **more: read(source("mysql", server, "SELECT 1 AS n", tls=True, **more))


def test_certificate_is_verified_for_the_host(encrypted: Attempt, certificate: Certificate) -> None:
    own = certificate.file.read_text()
    assert rows_of(encrypted(ca_certificate=own)) == [{"n": 1}]
    assert rows_of(encrypted(verify_certificate=False)) == [{"n": 1}]
    with pytest.raises(SourceUnreachable, match="certificate is not valid"):
        encrypted()
    with pytest.raises(SourceUnreachable, match="certificate is not valid"):
        encrypted(ca_certificate=own, host="127.0.0.1")


def test_server_without_tls_gets_no_password(postgres: DatabaseServer) -> None:
    """The wheel's PostgreSQL has no TLS; a MySQL that offers none is played by a greeting."""
    text = refused(source("postgresql", postgres, "SELECT 1", tls=True), SourceUnreachable)
    assert "does not support TLS" in text
    assert "`sql.tls` to false" in text
    with greeting_without_tls() as (port, received):
        text = refused(source("mysql", postgres, "SELECT 1", tls=True, port=port), SourceUnreachable)
    assert "does not support TLS" in text
    assert received == [b""]


@contextmanager
def greeting_without_tls() -> Iterator[tuple[int, list[bytes]]]:
    received: list[bytes] = []
    # Protocol 10, a version, a thread, eight bytes of salt, and capabilities without CLIENT_SSL.
    capabilities = 0x0200 | 0x8000 | 0x0008
    greeting = b"\x0a10.11.0-MariaDB\0" + b"\1\0\0\0" + b"12345678\0" + capabilities.to_bytes(2, "little")
    greeting += b"\x21\2\0" + b"\x08\0" + b"\x15" + b"\0" * 10 + b"123456789012\0" + b"mysql_native_password\0"
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.sendall(len(greeting).to_bytes(3, "little") + b"\0" + greeting)
                received.append(connection.recv(1000))

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], received
        thread.join()
