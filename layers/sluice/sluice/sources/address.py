"""Which addresses may be called: public ones, and private networks only where a setting says so."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import httpcore

from sluice.errors import AddressForbidden
from sluice.sources.stream import connect

_PORTS = {"http": 80, "https": 443}
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
# Not global either, although some versions of Python say so: site-local addresses, the relays of
# 6to4, and the second network for documentation (RFC 3879, RFC 7526, RFC 9637).
_NEVER_GLOBAL = (IPv6Network("fec0::/10"), IPv4Network("192.88.99.0/24"), IPv6Network("3fff::/20"))

Address = IPv4Address | IPv6Address


class AddressPolicy:
    """Decides by the address that a name has at the moment of the connection.

    Args:
        private_networks: networks, as CIDR separated by commas, that may be called although they
            are not public.
        own: this stack's own URLs, which are never called.
        emulator: the URL of the emulator that the stack runs on; nothing on its port is ever
            called in a private network, since it listens on this machine under any of its names.
    """

    def __init__(self, private_networks: str = "", own: Iterable[str] = (), emulator: str = "") -> None:
        self._allowed = [ip_network(text.strip()) for text in private_networks.split(",") if text.strip()]
        self._own = {_host_and_port(url) for url in own if url}
        self._emulator_port = _host_and_port(emulator)[1] if emulator else None

    def allows(self, text: str, port: int = 0) -> bool:
        """Whether this address may be called on this port."""
        address = _embedded(ip_address(text.partition("%")[0]))
        public = _is_public(address)
        if not public and port == self._emulator_port:
            return False
        if any(address.version == network.version and address in network for network in self._allowed):
            return True
        return public

    def is_own(self, host: str, port: int) -> bool:
        """Whether a host and port are this stack's own."""
        return (host.lower().rstrip("."), port) in self._own

    async def resolve(self, host: str, port: int) -> list[str]:
        """The addresses that a host has at this moment, without those that may not be called.

        Raises:
            AddressForbidden: none of them may be called.
            OSError: the name does not resolve.
        """
        if self.is_own(host, port):
            raise AddressForbidden(f"{host}:{port} is this stack's own address, which is never a source.")
        try:
            found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise OSError(f"the name {host} does not resolve") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        allowed = [address for address in addresses if self.allows(address, port)]
        if addresses and not allowed:
            raise AddressForbidden(
                f"{host}:{port} is in a private network, or this stack's own address: datasources may not call it. "
                "The setting PRIVATE_NETWORKS can allow a private network."
            )
        return allowed


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)


def _is_public(address: Address) -> bool:
    if any(address.version == network.version and address in network for network in _NEVER_GLOBAL):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: Address) -> Address:
    """The IPv4 address within an IPv6 one that only wraps it."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _SIX_TO_FOUR:
        return IPv4Address((int(address) >> 80) & 0xFFFFFFFF)
    return address


class VettedBackend(httpcore.AsyncNetworkBackend):
    """Connects to the very address it has vetted, so that a name cannot change in between."""

    def __init__(self, policy: AddressPolicy) -> None:
        self._policy = policy

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the host.

        Raises:
            AddressForbidden: none of the host's addresses may be called.
            httpcore.ConnectError: the name does not resolve, or nobody answers.
        """
        try:
            addresses = await self._policy.resolve(host, port)
        except OSError as unknown:
            raise httpcore.ConnectError(str(unknown)) from unknown
        error: Exception | None = None
        for address in addresses:
            try:
                return await connect(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as refused:
                error = refused
        raise error or httpcore.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        """Wait, as httpcore asks between its own retries."""
        await asyncio.sleep(seconds)
