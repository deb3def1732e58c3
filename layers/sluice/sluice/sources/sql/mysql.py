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
from sluice.sources.sql.base import (
    Login,
    Row,
    ServerColumn,
    mask_error,
    no_database,
    start_result,
    tls_context,
    too_long,
    unreachable,
)

# PyMySQL's converters with the encoders only: it encodes parameters, and returns values as the server's texts.
_ENCODERS_ONLY: Any = encoders
# The number of the character set `binary`, which columns of bytes have.
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
_STOPPED = {ER.QUERY_INTERRUPTED, 1969, 3024}  # 1969 and 3024: the time limits of MariaDB and of MySQL
_BUSY = {ER.CON_COUNT_ERROR, ER.TOO_MANY_USER_CONNECTIONS, ER.USER_LIMIT_REACHED}
_REFUSED_USER = {ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR}
_BROKEN = {CR.CR_CONN_HOST_ERROR, CR.CR_SERVER_GONE_ERROR, CR.CR_SERVER_LOST, CR.CR_SSL_CONNECTION_ERROR}


async def open_mysql(source: SqlSource, login: Login) -> MysqlResult:
    """Connect to MySQL or MariaDB and execute the source's statement; the errors are those of `Result.start`."""
    return await start_result(MysqlResult(source, login))


class MysqlResult:
    """The rows of one statement, which the server sends while they are read.

    The calls of PyMySQL block, so they run in a thread of their own.
    """

    def __init__(self, source: SqlSource, login: Login) -> None:
        self._source = source
        self._login = login
        self._thread = ThreadPoolExecutor(1, "mysql")
        self._closed = self._ended = False
        # A duplicate of the connection's socket: shutting it down ends calls in the thread that wait for the server.
        self._socket: socket.socket | None = None
        self._connection: pymysql.Connection[Any] | None = None
        self._cursor: SSCursor | None = None
        self.columns: list[ServerColumn] = []

    async def start(self) -> None:
        """Connect, start a transaction and execute the statement: see `Result.start`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._login.connect_seconds * max(1, len(self._login.addresses))):
                self._connection = await loop.run_in_executor(self._thread, self._connect_masked)
        except TimeoutError as error:  # the server accepted the connection and sends nothing; `aclose` ends the thread
            raise unreachable(self._login, error) from None
        await loop.run_in_executor(self._thread, self._execute, self._connection)

    def _execute(self, connection: pymysql.Connection[Any]) -> None:
        try:
            self._cursor = connection.cursor(SSCursor)
            for statement in self._session(connection):
                self._cursor.execute(statement)
            self._cursor.execute(*self._statement())
            self.columns = [_column(field) for field in self._cursor._result.fields]  # type: ignore[attr-defined]
        except Exception as error:
            raise mask_error(self._run_error(error), self._login) from None

    async def rows(self, max_rows: int) -> Sequence[Row]:
        """Return the next rows: see `Result.rows`."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._fetch, max_rows)

    def _fetch(self, max_rows: int) -> Sequence[Row]:
        assert self._cursor is not None, "started"
        try:
            rows = self._cursor.fetchmany(max_rows)
            self._ended = not rows
            return rows
        except Exception as error:
            raise mask_error(self._run_error(error), self._login) from None

    async def aclose(self) -> None:
        """Close the connection; break it if rows are left, since MySQL has no other way to stop sending them."""
        self._closed = True
        if self._socket is not None and not self._ended:
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)

    def _close(self) -> None:
        cursor, connection = self._cursor, self._connection
        if cursor is not None and getattr(cursor, "_result", None) is not None:
            # Otherwise the cursor would read all remaining rows before it is closed.
            cursor._result.unbuffered_active = False  # type: ignore[attr-defined]
        if connection is not None and connection.open:
            with contextlib.suppress(pymysql.Error, OSError):
                connection.close()
        if self._socket is not None:
            self._socket.close()

    def _connect_masked(self) -> pymysql.Connection[Any]:
        try:
            return self._connect()
        except Exception as error:
            raise mask_error(self._run_error(error), self._login) from None

    def _connect(self) -> pymysql.Connection[Any]:
        last_error: Exception = OSError("the host has no address")
        for address in self._login.addresses:
            try:
                raw_socket = socket.create_connection((address, self._login.port), self._login.connect_seconds)
            except OSError as connect_error:
                last_error = connect_error
                continue
            self._socket = raw_socket.dup()
            if self._closed:
                raw_socket.close()
                break
            connection = self._new_connection()
            connection.connect(raw_socket)
            return connection
        raise unreachable(self._login, last_error)

    def _new_connection(self) -> pymysql.Connection[Any]:
        """Return a connection that is not connected yet; its host is used for the certificate only."""
        context = tls_context(self._source)
        return pymysql.Connection(
            host=self._login.host,
            port=self._login.port,
            user=self._login.user,
            password=self._login.password,
            database=self._source.database,
            charset="utf8mb4",
            conv=_ENCODERS_ONLY,
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
        is_mariadb = "MariaDB" in str(connection.get_server_info())  # type: ignore[no-untyped-call]
        limit = f"max_statement_time = {seconds}" if is_mariadb else f"max_execution_time = {1000 * seconds}"
        # net_write_timeout: how long the server waits while pages are stored and no rows are read.
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

    def _run_error(self, error: Exception) -> RunError:
        return _run_error(self._source, self._login, error)


def _column(field: Any) -> ServerColumn:
    name, code, unsigned = field.name, field.type_code, bool(field.flags & FLAG.UNSIGNED)
    if code in _INTEGERS:
        server_type = _INTEGERS[code] + (" unsigned" if unsigned and code != FIELD_TYPE.YEAR else "")
        # An unsigned 64-bit integer does not fit a bigint, so it becomes a decimal, which is text in a page.
        wide = unsigned and code == FIELD_TYPE.LONGLONG
        return ServerColumn(name, server_type, values.decimals(20, 0) if wide else values.each(int, "bigint"))
    if code in (FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL):
        # MySQL sends the length of the number as text, which includes the point and the sign.
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
    as_integer: Callable[[bytes | str], int] = lambda value: int.from_bytes(  # noqa: E731
        value.encode("latin-1") if isinstance(value, str) else value, "big"
    )
    if width == 1:
        return values.each(lambda value: bool(as_integer(value)), "boolean")
    if width < 64:
        return values.each(as_integer, "bigint")
    return values.each(lambda value: str(as_integer(value)), "decimal(20,0)")


def _run_error(source: SqlSource, login: Login, error: Exception) -> RunError:
    """Return the run's error for one of PyMySQL's."""
    if isinstance(error, RunError):
        return error
    if isinstance(error, pymysql.MySQLError):
        code, text = (error.args[0] if error.args else 0), str(error.args[-1] if error.args else error)
        if code in _STOPPED or "timed out" in text:
            return too_long(source)
        if code in _BUSY:
            return SourceBusy(f"The database accepts no more connections: {text}.")
        if code in _BROKEN:
            return unreachable(login, error.__context__ if isinstance(error.__context__, OSError) else OSError(text))
        return _refusal(source, code, text)
    if isinstance(error, UnicodeError):
        return UnreadableData(f"The database sent text that is not in its encoding: {error}.")
    if isinstance(error, OSError):
        return unreachable(login, error)
    if isinstance(error, RuntimeError):
        # PyMySQL raises this for a server that requests a local file.
        return SourceRefused(f"The database violates the protocol: {error}.")
    raise error


def _refusal(source: SqlSource, code: int, text: str) -> SourceRefused:
    """Return the error for one by which the server refuses the user, the database or the statement."""
    if code in _REFUSED_USER:
        return SourceRefused(f"The database refused the user: {text}; check the secrets of user and password.")
    if code == ER.BAD_DB_ERROR:
        return no_database(source)
    return SourceRefused(f"The database refused the query: {text.rstrip('.')}.")
