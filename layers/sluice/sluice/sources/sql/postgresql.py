"""PostgreSQL: a cursor in a read-only transaction, read with asyncpg."""

from __future__ import annotations

import asyncio
import gc
import ssl
from collections.abc import Callable, Sequence
from datetime import date, time
from time import monotonic
from typing import Any

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from sluice.domain.datasource.sql_source import SqlSource
from sluice.domain.sql_statement import parameters_of, with_placeholders
from sluice.errors import RunError, SourceBusy, SourceRefused, UnreadableData
from sluice.sources.sql import values
from sluice.sources.sql.base import Login, Row, ServerColumn, masked, tls_context, too_long, unreachable

_CATALOG = "pg_catalog"
# Types that asyncpg decodes as JSON has them, or nearly so. All others are read as the server writes them:
# a date of Python has no infinity and no year before 1, a range and an address are objects of Python.
_DECODED = {
    "bool": values.plain("boolean"),
    "int2": values.plain("bigint"),
    "int4": values.plain("bigint"),
    "int8": values.plain("bigint"),
    "oid": values.plain("bigint"),
    "float8": values.doubles,
    "text": values.plain("string"),
    "varchar": values.plain("string"),
    "bpchar": values.plain("string"),
    "name": values.plain("string"),
    "bytea": values.each(values.base64_text, "string"),
    "json": values.documents,
    "jsonb": values.documents,
}
_WRITTEN = {
    "float4": values.doubles,
    "date": values.dates,
    "timestamp": values.timestamps(),
    "timestamptz": values.timestamps("+00", "Z"),
}
# How a value within an array becomes JSON, where it is not JSON already.
_IN_ARRAYS: dict[str, Any] = {
    "float4": values.double,
    "float8": values.double,
    "bytea": values.base64_text,
    "json": values.document,
    "jsonb": values.document,
    "timestamp": lambda text: values.timestamps()([text])[0][0],
    "timestamptz": lambda text: values.timestamps("+00", "Z")([text])[0][0],
}
_SESSION = """
SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'iso_8601';
SET LOCAL extra_float_digits = 1; SET LOCAL statement_timeout = {milliseconds:d};
SET LOCAL idle_in_transaction_session_timeout = {milliseconds:d}
"""
_BUSY = (asyncpg.TooManyConnectionsError, asyncpg.CannotConnectNowError, asyncpg.ConfigurationLimitExceededError)
_BROKEN = (OSError, ssl.SSLError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError)


async def open_postgresql(source: SqlSource, login: Login) -> PostgresqlResult:
    """Begin to read what the source's statement selects.

    Raises:
        SourceUnreachable: no address answers, or the connection cannot be encrypted as asked.
        SourceBusy: the server takes no further connections.
        SourceRefused: it refuses the user, or the statement.
    """
    connection = await _connect(source, login)
    result = PostgresqlResult(source, login, connection)
    try:
        await result.begin()
    except BaseException:
        await result.aclose()
        raise
    return result


async def _connect(source: SqlSource, login: Login) -> asyncpg.Connection[Any]:
    error: Exception | None = None
    for address in login.addresses:
        try:
            return await asyncpg.connect(
                host=address,
                port=login.port,
                user=login.user,
                password=login.password,
                database=source.database,
                ssl=tls_context(source) or False,
                timeout=login.connect_seconds,
                statement_cache_size=0,  # a pooler in between may give the next statement to another session
                server_settings={"application_name": "sluice"},
            )
        except _BROKEN as broken:
            error = broken
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as refused:
            raise masked(_failed(source, login, refused), login) from None
    raise masked(unreachable(login, error or OSError("it has no address")), login) from None


class PostgresqlResult:
    """The rows of one statement: a portal of the server, of which a batch is fetched at a time."""

    def __init__(self, source: SqlSource, login: Login, connection: asyncpg.Connection[Any]) -> None:
        self._source = source
        self._login = login
        self._connection = connection
        self._deadline = monotonic() + source.statement_timeout_seconds
        self._cursor: Any = None
        self.columns: list[ServerColumn] = []

    async def begin(self) -> None:
        """Begin the transaction and the statement.

        Raises:
            SourceRefused: the database refuses the statement.
            SourceUnreachable: the connection broke.
        """
        source = self._source
        names = parameters_of(source.query, source.engine)
        numbers = {name: f"${number}" for number, name in enumerate(names, 1)}
        query = with_placeholders(source.query, source.engine, numbers.__getitem__)
        try:
            await self._connection.transaction(readonly=True).start()
            await self._connection.execute(_SESSION.format(milliseconds=1000 * source.statement_timeout_seconds))
            statement = await self._connection.prepare(query)
            if await self._read_as_text(statement):
                statement = await self._connection.prepare(query)
            self.columns = _columns(statement)
            self._cursor = await statement.cursor(*(source.parameters[name] for name in names))
        except Exception as error:
            raise masked(self._failed(error), self._login) from None

    async def rows(self, most: int) -> Sequence[Row]:
        """The next rows: see `Result.rows`."""
        left = self._deadline - monotonic()
        if left <= 0:
            raise too_long(self._source)
        try:
            return await self._cursor.fetch(most, timeout=left)  # type: ignore[no-any-return]
        except Exception as error:
            raise masked(self._failed(error), self._login) from None

    async def aclose(self) -> None:
        """End the connection; the server rolls back what was begun, of which nothing changes anything."""
        try:
            await self._connection.close(timeout=2)
        except (*_BROKEN, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._connection.terminate()

    async def _read_as_text(self, statement: PreparedStatement[Any]) -> bool:
        """Have asyncpg read the result's other types as text; returns whether there are any.

        Parameters of these types are then texts as well.
        """
        found = {
            (kind.schema, kind.name.removesuffix("[]"))
            for kind in [*(column.type for column in statement.get_attributes()), *statement.get_parameters()]
            if not (kind.schema == _CATALOG and kind.name.removesuffix("[]") in _DECODED)
        }
        for schema, name in found:
            try:
                await self._connection.set_type_codec(
                    name, schema=schema, encoder=str, decoder=float if name == "float4" else str, format="text"
                )
            except asyncpg.InterfaceError:
                continue  # a composite type or a range, of which asyncpg gives the values
        return bool(found)

    def _failed(self, error: Exception) -> RunError:
        return _failed(self._source, self._login, error)


def _columns(statement: PreparedStatement[Any]) -> list[ServerColumn]:
    modifiers = _modifiers(statement)
    columns = []
    for index, attribute in enumerate(statement.get_attributes()):
        modifier = modifiers[index] if index < len(modifiers) else -1
        columns.append(_column(attribute.name, attribute.type, modifier))
    return columns


def _modifiers(statement: PreparedStatement[Any]) -> list[int]:
    """The modifiers of the columns' types, such as the precision of a `numeric(12,2)`.

    The server sends them with the description of a result, and asyncpg keeps them there, but its
    attributes do not show them. Where they are not found, numbers are `numeric` without a precision.
    """
    for held in gc.get_referents(statement._state):  # type: ignore[attr-defined]
        if isinstance(held, list) and held and all(isinstance(part, tuple) and len(part) == 7 for part in held):
            return [int(part[5]) for part in held]
    return []


def _column(name: str, kind: asyncpg.Type, modifier: int) -> ServerColumn:
    if kind.name.endswith("[]"):
        return ServerColumn(name, kind.name, values.each(_nested(kind.name.removesuffix("[]")), "json"))
    if kind.kind != "scalar":
        return ServerColumn(name, kind.name, values.each(_nested(""), "string" if kind.kind == "range" else "json"))
    if kind.schema != _CATALOG:
        return ServerColumn(name, kind.name, values.plain("string"))
    if kind.name == "numeric":
        return _numeric(name, modifier)
    convert = _DECODED.get(kind.name) or _WRITTEN.get(kind.name) or values.plain("string")
    return ServerColumn(name, kind.name, convert)


def _numeric(name: str, modifier: int) -> ServerColumn:
    if modifier < 4:
        return ServerColumn(name, "numeric", values.any_decimals)
    precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    scale = scale - 0x800 if scale >= 0x400 else scale  # below 0, a number is rounded before the point
    return ServerColumn(name, f"numeric({precision},{scale})", values.decimals(precision, scale))


def _nested(element: str) -> Callable[[Any], Any]:
    """What turns an array or a composite value into JSON.

    Args:
        element: the type of an array's values; empty for another value that has parts.
    """
    convert = _IN_ARRAYS.get(element, _plain)

    def nested(value: Any) -> Any:
        if isinstance(value, list):
            return [None if inner is None else nested(inner) for inner in value]
        if isinstance(value, asyncpg.Record):
            return {name: _nested("")(inner) for name, inner in value.items()}
        return convert(value)

    return nested


def _plain(value: Any) -> Any:
    """A value within an array or a composite one, as JSON: text where JSON has nothing for it."""
    match value:
        case float():
            return values.double(value)
        case bytes():
            return values.base64_text(value)
        case date() | time():
            return value.isoformat()
        case None | bool() | int() | str():
            return value
        case asyncpg.Range():
            return _range(value)
    return str(value)


def _range(value: Any) -> str:
    """A range as PostgreSQL writes it."""
    if value.isempty:
        return "empty"
    lower, upper = ("" if bound is None else _plain(bound) for bound in (value.lower, value.upper))
    return f"{'[' if value.lower_inc else '('}{lower},{upper}{']' if value.upper_inc else ')'}"


def _failed(source: SqlSource, login: Login, error: Exception) -> RunError:
    """The error of a run for one of asyncpg's."""
    if isinstance(error, RunError):
        return error
    if isinstance(error, asyncpg.QueryCanceledError | TimeoutError | asyncio.TimeoutError):
        return too_long(source)
    if isinstance(error, _BUSY):
        return SourceBusy(f"The database takes no further connections: {error}.")
    if isinstance(error, UnicodeError):
        return UnreadableData(f"The database sent text that is not in its encoding: {error}.")
    if isinstance(error, _BROKEN):
        return unreachable(login, error)
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return SourceRefused(f"The database refused the user: {error}; check the secrets of user and password.")
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | ValueError):
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        return SourceRefused(f"The database refused the query: {text.rstrip('.')}.")
    raise error
