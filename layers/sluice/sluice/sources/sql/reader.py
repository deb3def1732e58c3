"""Read a SQL source: resolve its address and secrets, connect, and divide the result into pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sluice.domain.datasource.sql_source import SqlSource
from sluice.errors import SluiceError, SourceUnreachable
from sluice.settings import Settings
from sluice.sources.address import AddressPolicy
from sluice.sources.sql.base import Login, Result
from sluice.sources.sql.pages import SqlPage, pages_of


@dataclass(frozen=True)
class SqlTools:
    """The services that reading a SQL source needs.

    Args:
        settings: limits.
        policy: decides which addresses may be called.
        secret: returns a secret's value by its name; raises SecretMissing or SecretForbidden.
        file: returns the path of a local copy of a file in the inbox, by its key.
    """

    settings: Settings
    policy: AddressPolicy
    secret: Callable[[str], str]
    file: Callable[[str], Path]


async def read_pages(source: SqlSource, tools: SqlTools) -> AsyncGenerator[SqlPage, None]:
    """Execute the source's statement and yield its rows as raw pages.

    There are no retries: a result cannot be resumed in the middle.

    Args:
        source: the datasource's `sql`.
        tools: the services.

    Yields:
        The pages; one without rows if the statement selects none.

    Raises:
        AddressForbidden: the host may not be called.
        SecretMissing, SecretForbidden: a secret cannot be read.
        SourceUnreachable: the server cannot be reached, its certificate is invalid, or the connection broke.
        SourceBusy: the server accepts no more connections.
        SourceRefused: the server refuses the user or the statement, or the statement ran too long.
        UnreadableData: the file is not a SQLite database, or a text is not in its encoding.
        DataTooLarge: a page has more bytes than MAX_PAGE_BYTES.
    """
    settings = tools.settings
    async with (
        open_result(source, tools) as result,
        aclosing(pages_of(result, source.fetch_rows, settings.sql_page_bytes, settings.max_page_bytes)) as pages,
    ):
        async for page in pages:
            yield page


@asynccontextmanager
async def open_result(source: SqlSource, tools: SqlTools) -> AsyncIterator[Result]:
    """Execute the source's statement; the context closes its result.

    Args:
        source: the datasource's `sql`.
        tools: the services.

    Raises:
        RunError: as `read_pages`.
    """
    result = await _open(source, tools)
    try:
        yield result
    finally:
        await result.aclose()


async def _open(source: SqlSource, tools: SqlTools) -> Result:
    # Each driver is imported only if it is needed, so that it does not slow down the cold starts of other engines.
    if source.engine == "sqlite":
        from sluice.sources.sql.sqlite import open_sqlite

        return await open_sqlite(source, tools.file(source.key or ""))
    login = await _login(source, tools)
    try:
        return await _open_server(source, login)
    except SluiceError:  # in which the credentials are masked
        raise
    except Exception as error:
        raise login.credentials.mask_unexpected(error) from None


async def _open_server(source: SqlSource, login: Login) -> Result:
    if source.engine == "postgresql":
        from sluice.sources.sql.postgresql import open_postgresql

        return await open_postgresql(source, login)
    from sluice.sources.sql.mysql import open_mysql

    return await open_mysql(source, login)


async def _login(source: SqlSource, tools: SqlTools) -> Login:
    host, port = source.address
    secrets = {field: tools.secret(name) for field, name in source.secrets.items()}
    # The drivers get the checked IP addresses and resolve nothing themselves.
    try:
        addresses = await tools.policy.resolve(host, port)
    except OSError as error:
        raise SourceUnreachable(f"{host}:{port} cannot be reached: {error}.") from None
    return Login(
        host, port, addresses, secrets.get("user", ""), secrets.get("password", ""), tools.settings.sql_connect_seconds
    )
