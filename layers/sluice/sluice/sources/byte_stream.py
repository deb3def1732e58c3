"""A network stream for httpcore, directly on asyncio's transports.

httpcore's own stream goes through anyio, which opens a scope and passes checkpoints at each step: reading a page
of 221 kB takes 0.1 ms longer.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import ssl
from collections import deque
from collections.abc import Iterable
from typing import Any

import httpcore

# With more unread bytes than this, the transport stops reading from the socket.
_MOST_WAITING = 1 << 20
# httpcore's names of connection properties that asyncio names otherwise.
_NAMES = {"client_addr": "sockname", "server_addr": "peername"}


class _Connection(asyncio.Protocol):
    """Buffers received bytes until they are read, and tracks whether more may be written."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport
        self.waiting: deque[bytes] = deque()
        self.ended = False
        self.error: OSError | None = None
        self._size = 0
        self._paused = False
        self._full = False
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.waiting.append(data)
        self._size += len(data)
        # Back pressure: the kernel's buffer fills, and the upstream stops sending.
        if self._size > _MOST_WAITING and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        _wake(self._reader)

    def eof_received(self) -> None:
        self.ended = True
        _wake(self._reader)

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended = True
        self.error = exc if exc is None or isinstance(exc, OSError) else ConnectionError(str(exc))
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        self._full = True

    def resume_writing(self) -> None:
        self._full = False
        _wake(self._writer)

    async def some(self, max_bytes: int) -> bytes:
        """Return received bytes, at most `max_bytes`; empty at the end of the stream.

        Raises:
            OSError: the connection broke.
        """
        while not self.waiting:
            if self.error is not None:
                raise self.error
            if self.ended:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        data = self._take(max_bytes)
        self._size -= len(data)
        if self._paused and self._size <= _MOST_WAITING:
            self._paused = False
            self.transport.resume_reading()
        return data

    def _take(self, max_bytes: int) -> bytes:
        if len(self.waiting) > 1:
            data = b"".join(self.waiting)
            self.waiting.clear()
        else:
            data = self.waiting.popleft()
        if len(data) > max_bytes:
            self.waiting.append(data[max_bytes:])
            data = data[:max_bytes]
        return data

    async def room(self) -> None:
        """Wait until the write buffer is below the transport's high-water mark.

        Raises:
            OSError: the connection broke.
        """
        while self._full and not self.ended:
            self._writer = asyncio.get_running_loop().create_future()
            await self._writer
        if self.ended:
            raise self.error or ConnectionResetError("the connection is closed")


def _wake(waiting: asyncio.Future[None] | None) -> None:
    if waiting is not None and not waiting.done():
        waiting.set_result(None)


def _reason(error: OSError) -> str:
    """Return why a connection failed, without the error number and address that asyncio's message has."""
    return str(error) if isinstance(error, ssl.SSLError) or not error.errno else os.strerror(error.errno)


async def connect(
    address: str,
    port: int,
    timeout: float | None,
    local_address: str | None,
    socket_options: Iterable[Any] | None,
) -> httpcore.AsyncNetworkStream:
    """Connect to an IP address.

    Args:
        address: the IP address.
        port: the port.
        timeout: seconds; None: no limit.
        local_address: the address to connect from.
        socket_options: arguments of `setsockopt`.

    Raises:
        httpcore.ConnectTimeout: the time limit passed.
        httpcore.ConnectError: the address cannot be reached or refuses the connection.
    """
    local = None if local_address is None else (local_address, 0)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            _, connection = await loop.create_connection(_Connection, address, port, local_addr=local)
    except TimeoutError as error:
        raise httpcore.ConnectTimeout(str(error)) from error
    except OSError as error:
        raise httpcore.ConnectError(_reason(error)) from error
    for option in socket_options or ():
        connection.transport.get_extra_info("socket").setsockopt(*option)
    return Stream(connection)


class Stream(httpcore.AsyncNetworkStream):
    """One connection; only one request may use it at a time."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read bytes.

        Args:
            max_bytes: the most bytes to return.
            timeout: seconds; None: no limit.

        Returns:
            At least one byte; empty at the end of the stream.

        Raises:
            httpcore.ReadTimeout: no byte arrived within the time limit.
            httpcore.ReadError: the connection broke.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._connection.some(max_bytes)
        except TimeoutError as error:
            raise httpcore.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.ReadError(_reason(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send bytes.

        Args:
            buffer: the bytes.
            timeout: seconds; None: no limit.

        Raises:
            httpcore.WriteTimeout: they could not be sent within the time limit.
            httpcore.WriteError: the connection broke.
        """
        try:
            if buffer and not self._connection.ended:
                self._connection.transport.write(buffer)
            async with asyncio.timeout(timeout):
                await self._connection.room()
        except TimeoutError as error:
            raise httpcore.WriteTimeout(str(error)) from error
        except OSError as error:
            raise httpcore.WriteError(_reason(error)) from error

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Start TLS on this connection.

        Args:
            ssl_context: the certificates to trust.
            server_hostname: the host that the certificate must name.
            timeout: seconds for the handshake; None: no limit.

        Returns:
            This stream.

        Raises:
            httpcore.ConnectTimeout: the handshake took too long.
            httpcore.ConnectError: the handshake failed, or the certificate does not name the host.
        """
        connection = self._connection
        loop = asyncio.get_running_loop()
        try:
            # Bytes sent before the handshake could be injected by an attacker and must not be read as the response.
            if connection.waiting or connection.ended:
                raise ConnectionError("the upstream sent data before the TLS handshake")
            async with asyncio.timeout(timeout):
                encrypted = await loop.start_tls(
                    connection.transport, connection, ssl_context, server_hostname=server_hostname
                )
        except BaseException as error:
            await self.aclose()
            if isinstance(error, TimeoutError):
                raise httpcore.ConnectTimeout(str(error)) from error
            if isinstance(error, OSError):
                raise httpcore.ConnectError(_reason(error)) from error
            raise
        assert encrypted is not None
        connection.transport = encrypted
        return self

    async def aclose(self) -> None:
        """Close the connection at once; unsent bytes are discarded."""
        self._connection.transport.abort()
        await asyncio.sleep(0)  # the transport closes its socket in the next iteration of the event loop

    def get_extra_info(self, info: str) -> Any:
        """Return a property of the connection, by httpcore's name for it."""
        if info == "is_readable":
            return self._connection.ended or bool(self._connection.waiting) or self._has_input()
        return self._connection.transport.get_extra_info(_NAMES.get(info, info))

    def _has_input(self) -> bool:
        """Return whether the socket has input, including its end, that the event loop has not read yet.

        httpcore asks before it reuses an idle connection, since the upstream may have closed it.
        """
        raw: socket.socket | None = self._connection.transport.get_extra_info("socket")
        if raw is None or raw.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN)
        return bool(poll.poll(0))
