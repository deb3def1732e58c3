"""MySQL and MariaDB: an unbuffered cursor in a read-only transaction, read with PyMySQL in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pymysql
from pymysql.constants import CR, ER, FIELD_TYPE, FLAG
from pymysql.converters import encoders
from pymysql.cursors import SSCursor

from sluice.domain.datasource.sql_source import SqlSource
from sluice.domain.sql_statement import with_placeholders
from sluice.errors import RunError, SourceBusy, SourceRefused, UnreadableData
from sluice.sources.sql import values
from sluice.sources.sql.base import Login, Row, ServerColumn, masked, tls_context, too_long, unreachable

# Parameters are written by PyMySQL, and values are read as the server writes them.
_AS_WRITTEN: Any = encoders
# The character set of bytes.
_BINARY = 63
_INTEGERS = {
    FIELD_TYPE.TINY: "tinyint",
    FIELD_TYPE.SHORT: "smallint",
    FIELD_TYPE.INT24: "mediumint",
    FIELD_TYPE.LONG: "int",
    FIELD_TYPE.LONGLONG: "bigint",
    FIELD_TYPE.YEAR: "year",
}
_WRITTEN: dict[int, tuple[str, values.Convert]] = {
    FIELD_TYPE.DATE: ("date", values.dates),
    FIELD_TYPE.NEWDATE: ("date", values.dates),
    FIELD_TYPE.DATETIME: ("datetime", values.timestamps()),
    FIELD_TYPE.TIMESTAMP: ("timestamp", values.timestamps(mark="Z")),  # in the time zone of the session: UTC
    FIELD_TYPE.TIME: ("time", values.plain("string")),
    FIELD_TYPE.JSON: ("json", values.documents),
    FIELD_TYPE.FLOAT: ("float", values.each(float, "double")),
    FIELD_TYPE.DOUBLE: ("double", values.each(float, "double")),
    FIELD_TYPE.GEOMETRY: ("geometry", values.each(values.base64_text, "string")),
}
_TEXTS = {
    FIELD_TYPE.VARCHAR: "varchar",
    FIELD_TYPE.VAR_STRING: "varchar",
    FIELD_TYPE.STRING: "char",
    FIELD_TYPE.ENUM: "enum",
    FIELD_TYPE.SET: "set",
    FIELD_TYPE.TINY_BLOB: "tinytext",
    FIELD_TYPE.MEDIUM_BLOB: "mediumtext",
    FIELD_TYPE.LONG_BLOB: "longtext",
    FIELD_TYPE.BLOB: "text",
}
_BYTES = {"varchar": "varbinary", "char": "binary"}
_STOPPED = {ER.QUERY_INTERRUPTED, 1969, 3024}  # the last two: MariaDB's and MySQL's own time-out
_BUSY = {ER.CON_COUNT_ERROR, ER.TOO_MANY_USER_CONNECTIONS, ER.USER_LIMIT_REACHED}
_REFUSED_USER = {ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR}
_BROKEN = {CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, CR.CR_SSL_CONNECTION_ERROR}


async def open_mysql(source: SqlSource, login: Login) -> MysqlResult:
    """Begin to read what the source's statement selects.

    Raises:
        SourceUnreachable: no address answers, or the connection cannot be encrypted as asked.
        SourceBusy: the server takes no further connections.
        SourceRefused: it refuses the user, or the statement.
    """
    result = MysqlResult(source, login)
    try:
        await result.begin()
    except BaseException:
        await result.aclose()
        raise
    return result


class MysqlResult:
    """The rows of one statement, which the server sends while they are read."""

    def __init__(self, source: SqlSource, login: Login) -> None:
        self._source = source
        self._login = login
        self._thread = ThreadPoolExecutor(1, "mysql")
        self._closed = self._ended = False
        # The connection's socket once more: to shut it down ends what waits for the server.
        self._socket: socket.socket | None = None
        self._connection: pymysql.Connection[Any] | None = None
        self._cursor: SSCursor | None = None
        self.columns: list[ServerColumn] = []

    async def begin(self) -> None:
        """Connect, and begin the transaction and the statement.

        Raises:
            SourceRefused, SourceBusy, SourceUnreachable: as `open_mysql`.
        """
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._login.connect_seconds * max(1, len(self._login.addresses))):
                self._connection = await loop.run_in_executor(self._thread, self._connected)
        except TimeoutError as error:  # a server that says nothing, which `aclose` ends
            raise unreachable(self._login, error) from None
        await loop.run_in_executor(self._thread, self._begin, self._connection)

    def _begin(self, connection: pymysql.Connection[Any]) -> None:
        try:
            self._cursor = connection.cursor(SSCursor)
            for statement in self._session(connection):
                self._cursor.execute(statement)
            self._cursor.execute(*self._statement())
            self.columns = [_column(field) for field in self._cursor._result.fields]  # type: ignore[attr-defined]
        except Exception as error:
            raise masked(self._failed(error), self._login) from None

    async def rows(self, most: int) -> Sequence[Row]:
        """The next rows: see `Result.rows`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._fetch, most)

    def _fetch(self, most: int) -> Sequence[Row]:
        assert self._cursor is not None, "begun"
        try:
            rows = self._cursor.fetchmany(most)
            self._ended = not rows
            return rows
        except Exception as error:
            raise masked(self._failed(error), self._login) from None

    async def aclose(self) -> None:
        """Close the connection, and break it where rows are left: there is no other way not to read them."""
        self._closed = True
        if self._socket is not None and not self._ended:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        cursor, connection = self._cursor, self._connection
        if cursor is not None and getattr(cursor, "_result", None) is not None:
            # Otherwise the cursor would read all rows that are left before it is closed.
            cursor._result.unbuffered_active = False  # type: ignore[attr-defined]
        if connection is not None and connection.open:
            with contextlib.suppress(pymysql.Error, OSError):
                connection.close()
        if self._socket is not None:
            self._socket.close()

    def _connected(self) -> pymysql.Connection[Any]:
        try:
            return self._connect()
        except Exception as error:
            raise masked(self._failed(error), self._login) from None

    def _connect(self) -> pymysql.Connection[Any]:
        error: Exception = OSError("it has no address")
        for address in self._login.addresses:
            try:
                raw = socket.create_connection((address, self._login.port), self._login.connect_seconds)
            except OSError as refused:
                error = refused
                continue
            self._socket = raw.dup()
            if self._closed:
                raw.close()
                break
            connection = self._unconnected()
            connection.connect(raw)
            return connection
        raise unreachable(self._login, error)

    def _unconnected(self) -> pymysql.Connection[Any]:
        """A connection that is to speak over a socket of ours; the host's name is for its certificate."""
        context = tls_context(self._source)
        return pymysql.Connection(
            host=self._login.host,
            port=self._login.port,
            user=self._login.user,
            password=self._login.password,
            database=self._source.database,
            charset="utf8mb4",
            conv=_AS_WRITTEN,
            ssl=context,
            ssl_disabled=context is None,
            read_timeout=self._source.statement_timeout_seconds,
            write_timeout=self._source.statement_timeout_seconds,
            autocommit=None,
            local_infile=False,
            program_name="sluice",
            defer_connect=True,
        )

    def _session(self, connection: pymysql.Connection[Any]) -> list[str]:
        seconds = self._source.statement_timeout_seconds
        own = "MariaDB" in str(connection.get_server_info())  # type: ignore[no-untyped-call]
        limit = f"max_statement_time = {seconds}" if own else f"max_execution_time = {1000 * seconds}"
        # The server waits so long for whoever reads slowly.
        return [
            f"SET SESSION time_zone = '+00:00', {limit}, net_write_timeout = {seconds}",
            "START TRANSACTION READ ONLY",
        ]

    def _statement(self) -> tuple[str, dict[str, Any] | None]:
        source = self._source
        if not source.parameters:
            return source.query, None
        text = with_placeholders(source.query, source.engine, "%({})s".format, lambda part: part.replace("%", "%%"))
        return text, source.parameters

    def _failed(self, error: Exception) -> RunError:
        return _failed(self._source, self._login, error)


def _column(field: Any) -> ServerColumn:
    name, code, unsigned = field.name, field.type_code, bool(field.flags & FLAG.UNSIGNED)
    if code in _INTEGERS:
        server_type = _INTEGERS[code] + (" unsigned" if unsigned and code != FIELD_TYPE.YEAR else "")
        # Beyond 64 bits with a sign it is a decimal, which is text in a page.
        wide = unsigned and code == FIELD_TYPE.LONGLONG
        return ServerColumn(name, server_type, values.decimals(20, 0) if wide else values.each(int, "bigint"))
    if code in (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL):
        # The length is that of the text, with a point and a sign.
        precision = field.length - (field.scale > 0) - (not unsigned)
        return ServerColumn(name, f"decimal({precision},{field.scale})", values.decimals(precision, field.scale))
    if code == FIELD_TYPE.BIT:
        return ServerColumn(name, f"bit({field.length})", _bits(field.length))
    if code in _WRITTEN:
        return ServerColumn(name, *_WRITTEN[code])
    server_type = _TEXTS.get(code, "")
    if field.charsetnr == _BINARY and code in _TEXTS:
        server_type = _BYTES.get(server_type, server_type.replace("text", "blob"))
        return ServerColumn(name, server_type, values.each(_bytes_text, "string"))
    return ServerColumn(name, server_type, values.plain("string"))


def _bytes_text(value: bytes | str) -> str:
    return values.base64_text(value.encode() if isinstance(value, str) else value)


def _bits(width: int) -> values.Convert:
    read: Callable[[bytes | str], int] = lambda value: int.from_bytes(  # noqa: E731
        value.encode("latin-1") if isinstance(value, str) else value, "big"
    )
    if width == 1:
        return values.each(lambda value: bool(read(value)), "boolean")
    if width < 64:
        return values.each(read, "bigint")
    return values.each(lambda value: str(read(value)), "decimal(20,0)")


def _failed(source: SqlSource, login: Login, error: Exception) -> RunError:
    """The error of a run for one of PyMySQL's."""
    if isinstance(error, RunError):
        return error
    if isinstance(error, pymysql.MySQLError):
        code, text = (error.args[0] if error.args else 0), str(error.args[-1] if error.args else error)
        if code in _STOPPED or "timed out" in text:
            return too_long(source)
        if code in _BUSY:
            return SourceBusy(f"The database takes no further connections: {text}.")
        if code in _BROKEN:
            return unreachable(login, error.__context__ if isinstance(error.__context__, OSError) else OSError(text))
        if code in _REFUSED_USER:
            return SourceRefused(f"The database refused the user: {text}; check the secrets of user and password.")
        return SourceRefused(f"The database refused the query: {text.rstrip('.')}.")
    if isinstance(error, UnicodeError):
        return UnreadableData(f"The database sent text that is not in its encoding: {error}.")
    if isinstance(error, OSError):
        return unreachable(login, error)
    if isinstance(error, RuntimeError):
        return SourceRefused(f"The database is refused: {error}.")  # as one that asks for a file of ours
    raise error
