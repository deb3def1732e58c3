"""Connecting to a MongoDB: vetted addresses, one server that is chosen from the URI's, and commands to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import ServerSelectionTimeoutError
from pymongo.read_preferences import ReadPreference

from sluice.catalog.calls import Tally
from sluice.domain.datasource.mongo_source import MongoSource
from sluice.errors import AddressForbidden, RunError, SourceUnreachable
from sluice.settings import Settings
from sluice.sources.address import AddressPolicy
from sluice.sources.mongo.faults import Broken, fault_of, reason_of
from sluice.sources.mongo.loop import Host, VettedLoop
from sluice.sources.mongo.uri import Target, target_of

# Dates stay numbers of milliseconds: Python's end with the year 9999.
CODEC: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
# Snapshots outside of transactions came with MongoDB 5.0.
_SNAPSHOTS_SINCE = 13
# How often the driver is asked whether it has met an error.
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class MongoTools:
    """What reading a MongoDB needs.

    Args:
        secret: gives a secret's value by its name; raises SecretMissing or SecretForbidden.
        seconds_left: how long the reading may still take.
        tally: counts the commands.
    """

    settings: Settings
    policy: AddressPolicy
    secret: Callable[[str], str]
    seconds_left: Callable[[], float]
    tally: Tally = field(default_factory=Tally)


class Connection:
    """One server that takes commands.

    Args:
        hello: what the server says of itself.
    """

    def __init__(
        self, client: AsyncMongoClient[dict[str, Any]], source: MongoSource, target: Target, hello: Mapping[str, Any]
    ) -> None:
        self._client = client
        self._source = source
        self._target = target
        self._session: AsyncClientSession | None = None
        self.offers_snapshots = hello.get("maxWireVersion", 0) >= _SNAPSHOTS_SINCE and (
            "setName" in hello or hello.get("msg") == "isdbgrid"
        )
        self._has_sessions = hello.get("logicalSessionTimeoutMinutes") is not None

    @property
    def read_concern(self) -> str | None:
        """The read concern that the URI names."""
        return self._target.options.get("readconcernlevel")

    async def command(self, command: MutableMapping[str, Any], tally: Tally) -> Mapping[str, Any]:
        """The answer to a command.

        Raises:
            Broken: the connection broke, or the server has forgotten the cursor.
            SourceRefused: it refuses the command.
            UnreadableData: its answer is no BSON.
        """
        begun = time.monotonic()
        try:
            # A cursor belongs to the session in which it was opened.
            if self._session is None and self._has_sessions:
                self._session = self._client.start_session(causal_consistency=False)
            answer: dict[str, Any] = await self._client[self._source.database].command(
                command, codec_options=CODEC, session=self._session, read_preference=ReadPreference.PRIMARY_PREFERRED
            )
        except Exception as error:
            fault = fault_of(error, self._source.max_time_seconds)
            tally.count("timeout" if "in time" in str(fault) else "error", 0)
            raise masked(fault, self._target) from None
        tally.count("success", round(1000 * (time.monotonic() - begun)))
        return answer

    async def aclose(self) -> None:
        """End the session and the connection."""
        if self._session is not None:
            await self._session.end_session()
        await _close(self._client)


async def _close(client: AsyncMongoClient[dict[str, Any]]) -> None:
    """Close a client, even if what the server said of itself keeps the driver from ending its sessions."""
    try:
        await client.close()
    except Exception:
        await client.close()  # the driver has forgotten the sessions by now


def masked(error: Exception, target: Target) -> Exception:
    """The error, without the secrets and hosts that a server or the driver may have repeated."""
    if isinstance(error, RunError):
        error.detail = target.mask(error.detail)
    if isinstance(error, Broken):
        error.reason = target.mask(error.reason)
    return error


@asynccontextmanager
async def connected(source: MongoSource, tools: MongoTools) -> AsyncIterator[Connection]:
    """A connection to the server that the URI's read preference chooses among its hosts; closed at the end.

    Must run in a `VettedLoop`: the driver connects to nothing else than what the policy allows.

    Raises:
        SecretMissing, SecretForbidden, SecretUnusable: there is no usable URI.
        AddressForbidden: no host may be called.
        SourceRefused: the server refuses the user.
        Broken: no host answers, or none is what the read preference asks for.
    """
    seconds = tools.settings.mongo_connect_seconds
    target = await asyncio.to_thread(target_of, tools.secret(source.uri), source.uri, seconds)
    hosts = await _vetted(target, source.uri, tools.policy)
    with TemporaryDirectory() as folder:
        ca_file = None
        if source.ca_certificate is not None:
            ca_file = Path(folder) / "authorities.pem"
            ca_file.write_text(source.ca_certificate)
        options = target.client_options(str(ca_file) if ca_file else None)
        connection = await _chosen(source, target, hosts, options, seconds)
        try:
            yield connection
        finally:
            await connection.aclose()


async def _vetted(target: Target, secret: str, policy: AddressPolicy) -> list[Host]:
    """The hosts that may be called, to whose addresses the loop is bound."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VettedLoop), "the driver must not connect by itself"
    vetted: dict[Host, list[str]] = {}
    reason: RunError | None = None
    for number, (host, port) in enumerate(target.hosts, start=1):
        named = f"Host {number} of the URI in the secret {secret!r}"
        try:
            vetted[(host, port)] = await policy.resolve(host, port)
        except AddressForbidden:  # its text names the host, which belongs to the secret
            reason = AddressForbidden(
                f"{named} is in a private network, or this stack's own address: datasources may not call it. "
                "The setting PRIVATE_NETWORKS can allow a private network."
            )
        except OSError:
            reason = reason or SourceUnreachable(f"{named} cannot be reached: its name does not resolve.")
    if not vetted:
        assert reason is not None, "a URI has hosts"
        raise reason
    loop.restrict(vetted)
    return list(vetted)


async def _chosen(
    source: MongoSource, target: Target, hosts: list[Host], options: dict[str, Any], seconds: float
) -> Connection:
    """A connection to the first host that is what is asked for, or else to one that will do.

    Each host is asked by itself: what a server announces of others is not followed.
    """
    wanted = ("any",) if target.is_direct else _WANTED[target.read_preference]
    second_best: Connection | None = None
    reasons: list[str] = []
    try:
        for host, port in hosts:
            try:
                connection, part = await _opened(source, target, host, port, options, seconds)
            except Broken as error:
                reasons.append(error.reason)
                continue
            if wanted[0] in ("any", part):
                if second_best is not None:
                    await second_best.aclose()
                return connection
            if part in wanted and second_best is None:
                second_best = connection
            else:
                await connection.aclose()
                reasons.append(f"it is {part}, and the read preference is {target.read_preference}")
    except BaseException:
        if second_best is not None:
            await second_best.aclose()
        raise
    if second_best is None:
        raise Broken("; ".join(f"host {number}: {reason}" for number, reason in enumerate(reasons, start=1)))
    return second_best


_WANTED: Mapping[str, tuple[str, ...]] = {
    "primary": ("primary",),
    "primaryPreferred": ("primary", "secondary"),
    "secondary": ("secondary",),
    "secondaryPreferred": ("secondary", "primary"),
    "nearest": ("any",),
}


async def _opened(
    source: MongoSource, target: Target, host: str, port: int, options: dict[str, Any], seconds: float
) -> tuple[Connection, str]:
    """A connection to one host, and what it is: primary, secondary, or something that cannot be read."""
    milliseconds = round(1000 * seconds)
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
        f"[{host}]" if ":" in host else host,
        port,
        directConnection=True,
        appname="sluice",
        connectTimeoutMS=milliseconds,
        serverSelectionTimeoutMS=milliseconds,
        # The server ends its work by itself then; a silent one is not waited for.
        socketTimeoutMS=1000 * source.max_time_seconds + milliseconds,
        serverMonitoringMode="poll",
        retryReads=False,
        **options,
    )
    try:
        hello = await _hello(client)
        is_primary = hello.get("isWritablePrimary") or hello.get("ismaster")
        part = "primary" if is_primary else "secondary" if hello.get("secondary") else "no member that can be read"
        return Connection(client, source, target, hello), part
    except BaseException as error:
        await _close(client)
        if not isinstance(error, Exception):
            raise
        raise masked(fault_of(error, source.max_time_seconds), target) from None


async def _hello(client: AsyncMongoClient[dict[str, Any]]) -> Mapping[str, Any]:
    """What the server says of itself.

    Raises:
        Broken: it cannot be reached; the driver itself would go on trying until its time is over.
        PyMongoError: it refuses the user.
    """
    asking = asyncio.ensure_future(client.admin.command("hello", codec_options=CODEC))
    try:
        while not asking.done():
            await asyncio.wait({asking}, timeout=_LOOK_SECONDS)
            errors = [server.error for server in client.topology_description.server_descriptions().values()]
            if not asking.done() and any(errors):
                raise Broken(reason_of(map(str, filter(None, errors))))
        return asking.result()
    except ServerSelectionTimeoutError:
        raise Broken("no answer in time") from None
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
