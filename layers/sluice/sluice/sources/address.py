"""Which addresses may be called: public ones, and those of private networks that a setting allows.

This is the protection against server-side request forgery (SSRF). It decides by IP address at the moment of the
connection, since a name can resolve to another address after it was checked.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import httpcore

from sluice.errors import AddressForbidden
from sluice.sources.byte_stream import connect

_PORTS = {"http": 80, "https": 443}
_NAT64 = IPv6Network("64:ff9b::/96")
_SIX_TO_FOUR = IPv6Network("2002::/16")
# `is_global` is true for these networks in some versions of Python: site-local addresses, the relays of 6to4, and
# the second network for documentation (RFC 3879, RFC 7526, RFC 9637).
_NEVER_GLOBAL = (IPv6Network("fec0::/10"), IPv4Network("192.88.99.0/24"), IPv6Network("3fff::/20"))

Address = IPv4Address | IPv6Address


class AddressPolicy:
    """Decides which IP addresses may be called.

    Args:
        private_networks: allowed private networks, as CIDR separated by commas.
        own: URLs of this stack, which are never called.
        emulator: the URL of the emulator that the stack runs on. Its port is not called in any private network,
            since the emulator listens under every name and address of this machine.
    """

    def __init__(self, private_networks: str = "", own: Iterable[str] = (), emulator: str = "") -> None:
        self._allowed = [ip_network(text.strip()) for text in private_networks.split(",") if text.strip()]
        self._own = {_host_and_port(url) for url in own if url}
        self._emulator_port = _host_and_port(emulator)[1] if emulator else None

    def allows(self, address_text: str, port: int = 0) -> bool:
        """Return whether an address may be called.

        Args:
            address_text: an IP address; a zone (`%eth0`) is ignored.
            port: the port.
        """
        address = _unwrap(ip_address(address_text.partition("%")[0]))
        # The emulator is refused even if PRIVATE_NETWORKS allows its network.
        public = _is_public(address)
        if not public and port == self._emulator_port:
            return False
        if any(address.version == network.version and address in network for network in self._allowed):
            return True
        return public

    def is_own(self, host: str, port: int) -> bool:
        """Return whether a host and port belong to this stack.

        Args:
            host: a host name or IP address.
            port: the port.
        """
        return (host.lower().rstrip("."), port) in self._own

    async def resolve(self, host: str, port: int) -> list[str]:
        """Resolve a host and leave out the addresses that may not be called.

        Args:
            host: a host name or IP address.
            port: the port that will be called.

        Returns:
            IP addresses, in the order of the resolver.

        Raises:
            AddressForbidden: none of its addresses may be called.
            OSError: the name does not resolve.
        """
        own = AddressForbidden(f"{host}:{port} is an address of this stack; datasources may not call it.")
        if self.is_own(host, port):
            raise own
        try:
            entries = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise OSError(f"the name {host} does not resolve") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        allowed = [address for address in addresses if self.allows(address, port)]
        if addresses and not allowed:
            if port == self._emulator_port:
                raise own
            raise AddressForbidden(
                f"{host}:{port} is in a private network; datasources may not call it. "
                "The setting PRIVATE_NETWORKS can allow the network."
            )
        return allowed


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return (parts.hostname or "").lower(), parts.port or _PORTS.get(parts.scheme, 0)


def _is_public(address: Address) -> bool:
    if any(address.version == network.version and address in network for network in _NEVER_GLOBAL):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _unwrap(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address embeds (mapped, NAT64 or 6to4), or else the address itself."""
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
    """Connects to the IP address that it has checked; the name is not resolved a second time.

    Args:
        policy: decides which addresses may be called.
    """

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
        """Connect to the first allowed address of a host that accepts the connection.

        Args:
            host: the host of the URL.
            port: the port of the URL.
            timeout: seconds for each address.
            local_address: the address to connect from.
            socket_options: arguments of `setsockopt`.

        Raises:
            AddressForbidden: none of the host's addresses may be called.
            httpcore.ConnectError: the name does not resolve, or no address accepts the connection.
        """
        try:
            addresses = await self._policy.resolve(host, port)
        except OSError as resolution_error:
            raise httpcore.ConnectError(str(resolution_error)) from resolution_error
        last_error: Exception | None = None
        for address in addresses:
            try:
                return await connect(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError as connect_error:
                last_error = connect_error
        raise last_error or httpcore.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        """Wait; httpcore calls this between its own retries."""
        await asyncio.sleep(seconds)
