"""An event loop that connects to vetted addresses only, whatever a driver that runs in it asks for."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

Host = tuple[str, int]


class VettedLoop(asyncio.SelectorEventLoop):
    """Resolves names and connects as any loop, until `restrict` says which hosts there are.

    A driver resolves and connects by itself, and servers may announce further hosts to it. All of that goes
    through the loop it runs in. So the address that was looked at is the one that is connected to, and TLS
    verifies the certificate for the host's name all the same.
    """

    def __init__(self) -> None:
        super().__init__()
        self._vetted: Mapping[Host, list[str]] | None = None

    def restrict(self, vetted: Mapping[Host, list[str]]) -> None:
        """From now on connect to these hosts only.

        Args:
            vetted: the addresses of each host.
        """
        self._vetted = vetted

    async def getaddrinfo(self, host: Any, port: Any, *, family: int = 0, **more: Any) -> list[Any]:
        """The addresses that were vetted.

        Raises:
            OSError: there are none for this host.
        """
        if self._vetted is None:
            return await super().getaddrinfo(host, port, family=family, **more)
        addresses = [_entry(address, port) for address in self._vetted.get((host, port), ())]
        entries = [entry for entry in addresses if family in (0, entry[0])]
        if not entries:
            raise OSError("the host is not named, or has no address that may be called")
        return entries

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect to a vetted address.

        Raises:
            OSError: it is another one, or nobody answers.
        """
        if self._vetted is not None and not self._is_vetted(address):
            raise OSError("the address was not vetted")
        try:
            await super().sock_connect(sock, address)
        except ConnectionRefusedError as error:  # the loop's own text does not say so
            raise ConnectionRefusedError(error.errno, "Connection refused") from None

    def _is_vetted(self, address: Any) -> bool:
        if not isinstance(address, tuple) or self._vetted is None:
            return False
        host, port = address[:2]
        return any(port == known and host in addresses for (_, known), addresses in self._vetted.items())


def _entry(address: str, port: int) -> tuple[Any, ...]:
    if ip_address(address.partition("%")[0]).version == 4:
        return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
    return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port, 0, 0))
