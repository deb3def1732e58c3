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

_CATALOG = "pg_catalog"
# Types that asyncpg decodes into values that JSON has, or nearly so. All other types are read as the server's texts:
# Python's dates have no infinity and no years before 1, and ranges and addresses would be Python objects.
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
# Conversions of values within arrays that are not JSON values already.
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
    """Connect to PostgreSQL and execute the source's statement; the errors are those of `Result.start`."""
    return await start_result(PostgresqlResult(source, login, await _connect(source, login)))


async def _connect(source: SqlSource, login: Login) -> asyncpg.Connection[Any]:
    last_error: Exception | None = None
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
                # A pooler such as PgBouncer may run the next statement in a session without the prepared statement.
                statement_cache_size=0,
                server_settings={"application_name": "sluice"},
            )
        except _BROKEN as connect_error:
            last_error = connect_error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as server_error:
            raise mask_error(_run_error(source, login, server_error), login) from None
    raise mask_error(unreachable(login, last_error or OSError("the host has no address")), login) from None


class PostgresqlResult:
    """The rows of one statement: a cursor (portal) of the server, fetched in batches."""

    def __init__(self, source: SqlSource, login: Login, connection: asyncpg.Connection[Any]) -> None:
        self._source = source
        self._login = login
        self._connection = connection
        self._deadline = monotonic() + source.statement_timeout_seconds
        self._cursor: Any = None
        self.columns: list[ServerColumn] = []

    async def start(self) -> None:
        """Start a transaction and execute the statement: see `Result.start`."""
        source = self._source
        names = parameters_of(source.query, source.engine)
        numbers = {name: f"${number}" for number, name in enumerate(names, 1)}
        query = with_placeholders(source.query, source.engine, numbers.__getitem__)
        try:
            await self._connection.transaction(readonly=True).start()
            await self._connection.execute(_SESSION.format(milliseconds=1000 * source.statement_timeout_seconds))
            statement = await self._connection.prepare(query)
            # Codecs apply to statements that are prepared after they were set.
            if await self._read_as_text(statement):
                statement = await self._connection.prepare(query)
            self.columns = _columns(statement)
            self._cursor = await statement.cursor(*(source.parameters[name] for name in names))
        except Exception as error:
            raise mask_error(self._run_error(error), self._login) from None

    async def rows(self, max_rows: int) -> Sequence[Row]:
        """Return the next rows: see `Result.rows`."""
        seconds_left = self._deadline - monotonic()
        if seconds_left <= 0:
            raise too_long(self._source)
        try:
            return await self._cursor.fetch(max_rows, timeout=seconds_left)  # type: ignore[no-any-return]
        except Exception as error:
            raise mask_error(self._run_error(error), self._login) from None

    async def aclose(self) -> None:
        """Close the connection; the server rolls back the transaction, which has changed nothing."""
        try:
            await self._connection.close(timeout=2)
        except (*_BROKEN, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._connection.terminate()

    async def _read_as_text(self, statement: PreparedStatement[Any]) -> bool:
        """Set text codecs for the types of a statement that are not in `_DECODED`; return whether there are any.

        Parameters of these types are then texts as well.
        """
        types = {
            (type_.schema, type_.name.removesuffix("[]"))
            for type_ in [*(column.type for column in statement.get_attributes()), *statement.get_parameters()]
            if not (type_.schema == _CATALOG and type_.name.removesuffix("[]") in _DECODED)
        }
        for schema, name in types:
            try:
                await self._connection.set_type_codec(
                    name, schema=schema, encoder=str, decoder=float if name == "float4" else str, format="text"
                )
            except asyncpg.InterfaceError:
                continue  # a composite type or a range, which asyncpg decodes itself
        return bool(types)

    def _run_error(self, error: Exception) -> RunError:
        return _run_error(self._source, self._login, error)


def _columns(statement: PreparedStatement[Any]) -> list[ServerColumn]:
    modifiers = _modifiers(statement)
    columns = []
    for index, attribute in enumerate(statement.get_attributes()):
        modifier = modifiers[index] if index < len(modifiers) else -1
        columns.append(_column(attribute.name, attribute.type, modifier))
    return columns


def _modifiers(statement: PreparedStatement[Any]) -> list[int]:
    """Return the type modifiers of the columns, such as precision and scale of `numeric(12,2)`.

    The server sends them with the description of a result. asyncpg keeps them in an object of its C extension
    without an attribute for them, so they are looked up among the object's referents: a list of tuples of the seven
    fields that the protocol has for a column. If they are not found, numbers are `numeric` without a precision.
    """
    for referent in gc.get_referents(statement._state):  # type: ignore[attr-defined]
        if (
            isinstance(referent, list)
            and referent
            and all(isinstance(entry, tuple) and len(entry) == 7 for entry in referent)
        ):
            return [int(entry[5]) for entry in referent]
    return []


def _column(name: str, type_: asyncpg.Type, modifier: int) -> ServerColumn:
    if type_.name.endswith("[]"):
        return ServerColumn(name, type_.name, values.each(_json_converter(type_.name.removesuffix("[]")), "json"))
    if type_.kind != "scalar":
        return ServerColumn(
            name, type_.name, values.each(_json_converter(""), "string" if type_.kind == "range" else "json")
        )
    if type_.schema != _CATALOG:
        return ServerColumn(name, type_.name, values.plain("string"))
    if type_.name == "numeric":
        return _numeric(name, modifier)
    convert = _DECODED.get(type_.name) or _WRITTEN.get(type_.name) or values.plain("string")
    return ServerColumn(name, type_.name, convert)


def _numeric(name: str, modifier: int) -> ServerColumn:
    if modifier < 4:
        return ServerColumn(name, "numeric", values.any_decimals)
    precision, scale = (modifier - 4) >> 16, (modifier - 4) & 0x7FF
    scale = scale - 0x800 if scale >= 0x400 else scale  # negative: rounded to the left of the point
    return ServerColumn(name, f"numeric({precision},{scale})", values.decimals(precision, scale))


def _json_converter(element: str) -> Callable[[Any], Any]:
    """Return the converter of an array, a composite value or a range to JSON.

    Args:
        element: the type of an array's elements; empty for composite values and ranges.
    """
    convert = _IN_ARRAYS.get(element, _plain)

    def nested(value: Any) -> Any:
        if isinstance(value, list):
            return [None if inner is None else nested(inner) for inner in value]
        if isinstance(value, asyncpg.Record):
            return {name: _json_converter("")(inner) for name, inner in value.items()}
        return convert(value)

    return nested


def _plain(value: Any) -> Any:
    """Return a value within an array or composite value as JSON; text if JSON has no such type."""
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
    """Return a range in PostgreSQL's notation."""
    if value.isempty:
        return "empty"
    lower, upper = ("" if bound is None else _plain(bound) for bound in (value.lower, value.upper))
    return f"{'[' if value.lower_inc else '('}{lower},{upper}{']' if value.upper_inc else ')'}"


def _run_error(source: SqlSource, login: Login, error: Exception) -> RunError:
    """Return the run's error for one of asyncpg's."""
    if isinstance(error, RunError):
        return error
    if isinstance(error, asyncpg.QueryCanceledError | TimeoutError | asyncio.TimeoutError):
        return too_long(source)
    if isinstance(error, _BUSY):
        return SourceBusy(f"The database accepts no more connections: {error}.")
    if isinstance(error, UnicodeError):
        return UnreadableData(f"The database sent text that is not in its encoding: {error}.")
    if isinstance(error, _BROKEN):
        return unreachable(login, error)
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return SourceRefused(f"The database refused the user: {error}; check the secrets of user and password.")
    if isinstance(error, asyncpg.InvalidCatalogNameError):
        return no_database(source)
    if isinstance(error, asyncpg.PostgresError | asyncpg.InterfaceError | ValueError):
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        return SourceRefused(f"The database refused the query: {text.rstrip('.')}.")
    raise error
