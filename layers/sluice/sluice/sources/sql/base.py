"""What the engines of SQL sources share: the protocol of a result, its columns, TLS and errors."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import certifi

from sluice.domain.datasource.sql_source import SqlSource
from sluice.errors import RunError, SourceRefused, SourceUnreachable
from sluice.sources.http.auth import Credentials
from sluice.sources.sql.values import Convert

Row = Sequence[Any]


@dataclass(frozen=True)
class ServerColumn:
    """A column of a result.

    Args:
        name: the column's name.
        server_type: the server's name of the type, such as `numeric(12,2)`; empty if the column has no type.
        convert: converts a batch of the driver's values into JSON values, and returns their column type.
    """

    name: str
    server_type: str
    convert: Convert


class Result(Protocol):
    """The rows that a statement selects, read while the server sends them."""

    @property
    def columns(self) -> list[ServerColumn]:
        """The columns, in the order of the statement; known once the result has started."""
        ...

    async def start(self) -> None:
        """Connect if necessary, and execute the statement.

        Raises:
            SourceUnreachable: the server cannot be reached.
            SourceBusy: the server accepts no more connections.
            SourceRefused: the server refuses the user or the statement.
            UnreadableData: the database is broken.
        """
        ...

    async def rows(self, max_rows: int) -> Sequence[Row]:
        """Return the next rows, as the driver returns them; an empty sequence at the end.

        Raises:
            SourceRefused: the statement failed, or ran too long.
            SourceUnreachable: the connection broke.
        """
        ...

    async def aclose(self) -> None:
        """End the statement and the connection, whether or not all rows were read."""
        ...


AnyResult = TypeVar("AnyResult", bound=Result)


async def start_result(result: AnyResult) -> AnyResult:
    """Start a result, and close it if that fails or is cancelled.

    Raises:
        RunError: as `Result.start`.
    """
    try:
        await result.start()
    except BaseException:
        await result.aclose()
        raise
    return result


@dataclass(frozen=True)
class Login:
    """Where to connect, and as whom.

    Args:
        host: the host's name, which its certificate must have.
        port: the port.
        addresses: the host's IP addresses that may be called.
        user: the user's name.
        password: the password.
        connect_seconds: the time limit of a connection attempt to one address.
    """

    host: str
    port: int
    addresses: list[str]
    user: str
    password: str
    connect_seconds: float

    @property
    def credentials(self) -> Credentials:
        """The values that must not appear in errors and logs."""
        return Credentials(values=tuple(value for value in (self.password, self.user) if value))


class _NamedContext(ssl.SSLContext):
    """A context that verifies certificates for one host name.

    The drivers connect to an IP address that was checked, and would verify the certificate for that address.
    """

    host: str

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        return super().wrap_bio(incoming, outgoing, server_side, self.host, session)


def tls_context(source: SqlSource) -> ssl.SSLContext | None:
    """Return the TLS context of a source's connections; None if its document disables TLS."""
    if not source.tls:
        return None
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host by default
    context.host = source.address[0]
    if not source.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif source.ca_certificate is not None:
        context.load_verify_locations(cadata=source.ca_certificate)
    else:
        context.load_verify_locations(cafile=certifi.where())
    return context


# What asyncpg and PyMySQL say of a server without TLS.
_NO_TLS = ("rejected SSL upgrade", "SSL is required but the server doesn't support it")


def no_database(source: SqlSource) -> SourceRefused:
    """Return the error of a server that does not have the source's database."""
    return SourceRefused(f"The server has no database {source.database!r}; check `sql.database`.")


def unreachable(login: Login, error: BaseException) -> SourceUnreachable:
    """Return the error of a server that cannot be reached, or has broken the connection.

    Args:
        login: the server.
        error: the driver's or the system's error.
    """
    if any(text in str(error) for text in _NO_TLS):
        return SourceUnreachable(
            f"The server {login.host}:{login.port} does not support TLS; enable it there, or set `sql.tls` to false, "
            "which sends everything unencrypted."
        )
    return SourceUnreachable(f"{login.host}:{login.port} cannot be reached: {_reason(error)}.")


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid for this host ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"the encrypted connection failed ({error.reason or type(error).__name__})"
    if isinstance(error, TimeoutError | socket.timeout):
        return "no response within the time limit"
    return str(error).rstrip(".") or type(error).__name__


def mask_error(error: RunError, login: Login) -> RunError:
    """Mask credentials in the text of an error, since servers repeat them in messages; return the error.

    Args:
        error: the error, which is changed.
        login: the credentials.
    """
    error.detail = login.credentials.mask(error.detail)
    return error


def too_long(source: SqlSource) -> SourceRefused:
    """Return the error of a statement that exceeded its time limit."""
    return SourceRefused(
        f"The statement ran longer than {source.statement_timeout_seconds} s (sql.statement_timeout_seconds); "
        "select less, or add an index to the database."
    )


def require_names(names: Sequence[str]) -> None:
    """Check that the columns of a result have different names; names are case-insensitive in the lake.

    Raises:
        SourceRefused: two columns have the same name.
    """
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise SourceRefused(f"The query has two columns {name!r}; give them different names with AS.")
        seen.add(name.lower())
