"""What the engines of SQL sources have in common: the protocol of a result, its columns, and failed connections."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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
        server_type: what the server calls its type, such as `numeric(12,2)`; empty where it has none.
        convert: turns a batch of the driver's values into JSON values, and says of which column type they are.
    """

    name: str
    server_type: str
    convert: Convert


class Result(Protocol):
    """The rows that a statement selects, read while the server sends them."""

    @property
    def columns(self) -> list[ServerColumn]:
        """The columns, in the order of the statement."""
        ...

    async def rows(self, most: int) -> Sequence[Row]:
        """The next rows, as the driver gives them; none at the end.

        Raises:
            SourceRefused: the statement failed, or ran too long.
            SourceUnreachable: the connection broke.
        """
        ...

    async def aclose(self) -> None:
        """End the statement, whether or not all rows were read, and the connection."""
        ...


@dataclass(frozen=True)
class Login:
    """Who connects, and where to: the addresses were vetted, the host's name is for its certificate."""

    host: str
    port: int
    addresses: list[str]
    user: str
    password: str
    connect_seconds: float

    @property
    def credentials(self) -> Credentials:
        """The values that no error and no log may show."""
        return Credentials(values=tuple(value for value in (self.password, self.user) if value))


class _NamedContext(ssl.SSLContext):
    """A context that verifies certificates for one host, whichever address is connected to."""

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
    """How a connection is encrypted; none where the document says that it is not."""
    if not source.tls:
        return None
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies certificate and host, unless told otherwise
    context.host = source.address[0]
    if not source.verify_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif source.ca_certificate is not None:
        context.load_verify_locations(cadata=source.ca_certificate)
    else:
        context.load_verify_locations(cafile=certifi.where())
    return context


def unreachable(login: Login, error: BaseException) -> SourceUnreachable:
    """The error of a server that gave no answer, or broke the connection."""
    return SourceUnreachable(f"{login.host}:{login.port} cannot be reached: {_reason(error)}.")


def _reason(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not valid for this host ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"the encrypted connection failed ({error.reason or type(error).__name__})"
    if isinstance(error, TimeoutError | socket.timeout):
        return "no answer in time"
    return str(error).rstrip(".") or type(error).__name__


def masked(error: RunError, login: Login) -> RunError:
    """The error, without the credentials that a server may have repeated."""
    error.detail = login.credentials.masked(error.detail)
    return error


def too_long(source: SqlSource) -> SourceRefused:
    """The error of a statement that did not end in its time."""
    return SourceRefused(
        f"The statement ran longer than {source.statement_timeout_seconds} s (sql.statement_timeout_seconds); "
        "select less, or help the database with an index."
    )


def require_names(names: Sequence[str]) -> None:
    """Refuse a result whose columns cannot be told apart.

    Raises:
        SourceRefused: two columns have one name.
    """
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise SourceRefused(f"The query has two columns {name!r}; give each a name of its own with AS.")
        seen.add(name.lower())
