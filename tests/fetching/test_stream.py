"""Connections as the fetch stage makes them, to servers that speak raw TCP or TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sluice.sources.address import AddressPolicy, VettedBackend
from sluice.sources.byte_stream import connect
from sluice.sources.http.client import vetted_transport

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
PAGE = bytes(range(256)) * 4_096
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n"


@asynccontextmanager
async def serving(speak: Speak, context: ssl.SSLContext | None = None) -> Any:
    """The port of a server; its connections are closed at the end."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await speak(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await asyncio.sleep(0.05)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Give the page to each request, with the number of the request's turn on its connection."""
    turn = 0
    while True:
        await reader.readuntil(b"\r\n\r\n")
        turn += 1
        body = PAGE + bytes([turn])
        writer.write(HEAD % len(body) + body)
        await writer.drain()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of 127.0.0.1 that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "upstream")])
    begun = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path = tmp_path_factory.mktemp("tls") / "upstream.pem"
    path.write_bytes(private + made.public_bytes(pem))
    return path


def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def pool(trusted: Path | None = None) -> httpcore.AsyncConnectionPool:
    context = ssl.create_default_context(cafile=trusted)
    return httpcore.AsyncConnectionPool(context, network_backend=VettedBackend(AddressPolicy("127.0.0.0/8")))


async def get(connections: httpcore.AsyncConnectionPool, url: str, seconds: float = 5) -> bytes:
    timeout = dict.fromkeys(("connect", "read", "write", "pool"), seconds)
    response = await connections.request("GET", url, extensions={"timeout": timeout})
    return bytes(response.content)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_pages_come_whole_over_one_connection(scheme: str, certificate: Path) -> None:
    async def run() -> None:
        context = server_side(certificate) if scheme == "https" else None
        async with serving(answer, context) as port, pool(certificate) as connections:
            for turn in (1, 2, 3):
                assert await get(connections, f"{scheme}://127.0.0.1:{port}/") == PAGE + bytes([turn])

    asyncio.run(run())


def test_untrusted_certificate_is_refused(certificate: Path) -> None:
    async def run() -> None:
        async with serving(answer, server_side(certificate)) as port:
            transport: Any = vetted_transport(AddressPolicy("127.0.0.0/8"))
            with pytest.raises(httpcore.ConnectError, match="certificate verify failed"):
                await get(transport._pool, f"https://127.0.0.1:{port}/")
            await transport.aclose()

    asyncio.run(run())


def test_certificate_of_another_host_is_refused(certificate: Path) -> None:
    async def run() -> None:
        async with serving(answer, server_side(certificate)) as port, pool(certificate) as connections:
            with pytest.raises(httpcore.ConnectError, match="not valid for 'localhost'"):
                await get(connections, f"https://localhost:{port}/")

    asyncio.run(run())


@pytest.mark.parametrize("pause", [0, 0.1])
def test_data_before_the_tls_handshake_is_refused(certificate: Path, pause: float) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % 2 + b"{}")
        await reader.read()

    async def run() -> None:
        async with serving(speak) as port:
            stream = await connect("127.0.0.1", port, 5, None, None)
            await asyncio.sleep(pause)
            with pytest.raises(httpcore.ConnectError):
                await stream.start_tls(ssl.create_default_context(cafile=certificate), "127.0.0.1", 5)

    asyncio.run(run())


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


@pytest.mark.parametrize(
    ("scheme", "error"), [("https", httpcore.ConnectTimeout), ("http", httpcore.ReadTimeout)], ids=["TLS", "plain"]
)
def test_silent_server_reaches_the_read_timeout(certificate: Path, scheme: str, error: type[Exception]) -> None:
    async def run() -> None:
        async with serving(silent) as port, pool(certificate) as connections:
            with pytest.raises(error):
                await get(connections, f"{scheme}://127.0.0.1:{port}/", seconds=0.2)

    started = time.monotonic()
    asyncio.run(run())
    assert time.monotonic() - started < 3


def test_blocked_server_reaches_the_write_timeout() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(1)

    async def run() -> None:
        async with serving(speak) as port:
            stream = await connect("127.0.0.1", port, 5, None, None)
            with pytest.raises(httpcore.WriteTimeout):
                await stream.write(bytes(64 << 20), 0.2)
            await stream.aclose()

    asyncio.run(run())


def test_broken_connection_raises_read_error() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD % 1_000 + b"{")
        await writer.drain()
        await asyncio.sleep(0.1)
        raw = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets

    async def run() -> None:
        async with serving(speak) as port, pool() as connections:
            with pytest.raises(httpcore.ReadError, match="Connection reset by peer"):
                await get(connections, f"http://127.0.0.1:{port}/")

    asyncio.run(run())


def test_writing_to_a_closed_connection_raises_write_error() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        return

    async def run() -> None:
        async with serving(speak) as port:
            stream = await connect("127.0.0.1", port, 5, None, None)
            assert await stream.read(1_000, 5) == b""
            with pytest.raises(httpcore.WriteError):
                await stream.write(b"GET", 5)
            await stream.aclose()

    asyncio.run(run())


def test_refused_connection_has_a_plain_message() -> None:
    async def run() -> None:
        async with serving(answer) as port:
            pass
        with pytest.raises(httpcore.ConnectError, match=r"^Connection refused$"):
            await connect("127.0.0.1", port, 5, None, None)

    asyncio.run(run())


def test_connection_that_the_server_has_closed_is_not_used_again() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD % 2 + b"{}")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def run() -> None:
        async with serving(speak) as port, pool() as connections:
            for _ in range(3):
                assert await get(connections, f"http://127.0.0.1:{port}/") == b"{}"
                await asyncio.sleep(0.05)

    asyncio.run(run())


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 408 Request Timeout"], ids=["end", "answer to nothing"])
def test_readability_includes_input_the_event_loop_has_not_read(data: bytes) -> None:
    async def run() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            stream = await connect("127.0.0.1", listening.getsockname()[1], 5, None, None)
            server, _ = listening.accept()
            assert stream.get_extra_info("is_readable") is False
            server.sendall(data)
            server.close()
            time.sleep(0.05)
            assert stream.get_extra_info("is_readable") is True
            await asyncio.sleep(0.05)
            assert stream.get_extra_info("is_readable") is True
            await stream.aclose()

    asyncio.run(run())


def test_answer_without_a_length_ends_with_the_connection() -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + PAGE)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def run() -> None:
        async with serving(speak) as port, pool() as connections:
            assert await get(connections, f"http://127.0.0.1:{port}/") == PAGE

    asyncio.run(run())


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_unread_input_pauses_the_transport(certificate: Path, scheme: str) -> None:
    size = 24 << 20

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(bytes(size))
        await writer.drain()
        await reader.read()

    async def run() -> None:
        context = server_side(certificate) if scheme == "https" else None
        async with serving(speak, context) as port:
            stream: Any = await connect("127.0.0.1", port, 5, None, None)
            if context:
                stream = await stream.start_tls(ssl.create_default_context(cafile=certificate), "127.0.0.1", 5)
            await asyncio.sleep(0.3)
            assert sum(map(len, stream._connection.waiting)) < 2 << 20
            received = 0
            while received < size:
                part = await stream.read(100_000, 5)
                assert 0 < len(part) <= 100_000
                received += len(part)
            assert received == size
            await stream.aclose()

    asyncio.run(run())


def test_connection_has_its_addresses() -> None:
    async def run() -> None:
        async with serving(silent) as port:
            stream = await connect("127.0.0.1", port, 5, "127.0.0.1", [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)])
            assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
            assert stream.get_extra_info("client_addr")[0] == "127.0.0.1"
            assert stream.get_extra_info("ssl_object") is None
            assert stream.get_extra_info("is_readable") is False
            assert stream.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            await stream.aclose()

    asyncio.run(run())
