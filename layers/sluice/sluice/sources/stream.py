"""A connection to an upstream as httpcore reads and writes it, straight over asyncio's transports.

httpcore's own goes through anyio, which opens a scope and passes checkpoints at each step: reading a page
of 221 kB takes a tenth of a millisecond longer that way.
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

# Beyond it nothing more is taken from the socket until it has been read.
_MOST_WAITING = 1 << 20
# What asyncio calls by another name than httpcore.
_NAMES = {"client_addr": "sockname", "server_addr": "peername"}


class _Connection(asyncio.Protocol):
    """Holds what has come and was not read yet, and knows whether more may be written."""

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

    async def some(self, most: int) -> bytes:
        """What has come, at most so many bytes; nothing at the end.

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
        data = self._take(most)
        self._size -= len(data)
        if self._paused and self._size <= _MOST_WAITING:
            self._paused = False
            self.transport.resume_reading()
        return data

    def _take(self, most: int) -> bytes:
        if len(self.waiting) > 1:
            data = b"".join(self.waiting)
            self.waiting.clear()
        else:
            data = self.waiting.popleft()
        if len(data) > most:
            self.waiting.append(data[most:])
            data = data[:most]
        return data

    async def room(self) -> None:
        """Wait until what was written is on its way, but for a little.

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
    """Why a connection failed, without the number and the address that asyncio adds."""
    return str(error) if isinstance(error, ssl.SSLError) or not error.errno else os.strerror(error.errno)


async def connect(
    address: str,
    port: int,
    timeout: float | None,
    local_address: str | None,
    socket_options: Iterable[Any] | None,
) -> httpcore.AsyncNetworkStream:
    """A connection to an address.

    Raises:
        httpcore.ConnectTimeout: nobody answered in time.
        httpcore.ConnectError: there is no way to the address, or nobody listens there.
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
    """One connection, to be read and written by one request at a time."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """What has come; nothing at the end.

        Raises:
            httpcore.ReadTimeout: nothing came in time.
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
        """Send a part of a request.

        Raises:
            httpcore.WriteTimeout: it could not be sent in time.
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
        """The same connection, encrypted.

        Raises:
            httpcore.ConnectTimeout: the handshake took too long.
            httpcore.ConnectError: it failed, or the certificate is not the host's.
        """
        connection = self._connection
        loop = asyncio.get_running_loop()
        try:
            if connection.waiting or connection.ended:  # what came unencrypted must not be read as the answer
                raise ConnectionError("the upstream did not wait for the connection to be encrypted")
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
        """Close the connection, whatever is still on its way."""
        self._connection.transport.abort()
        await asyncio.sleep(0)  # the transport closes its socket in the loop's next round

    def get_extra_info(self, info: str) -> Any:
        """What httpcore and its users ask of a connection."""
        if info == "is_readable":
            return self._connection.ended or bool(self._connection.waiting) or self._has_input()
        return self._connection.transport.get_extra_info(_NAMES.get(info, info))

    def _has_input(self) -> bool:
        """Whether the socket has something to read, be it its end, which the loop has not seen yet."""
        raw: socket.socket | None = self._connection.transport.get_extra_info("socket")
        if raw is None or raw.fileno() < 0:
            return True
        poll = select.poll()
        poll.register(raw.fileno(), select.POLLIN)
        return bool(poll.poll(0))
