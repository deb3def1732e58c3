"""Reading a SQL source: vetted address, secrets, and the pages of its one statement."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sluice.domain.datasource.sql_source import SqlSource
from sluice.errors import SourceUnreachable
from sluice.settings import Settings
from sluice.sources.address import AddressPolicy
from sluice.sources.sql.base import Login, Result
from sluice.sources.sql.pages import SqlPage, pages_of


@dataclass(frozen=True)
class SqlTools:
    """What reading a SQL source needs.

    Args:
        secret: gives a secret's value by its name; raises SecretMissing or SecretForbidden.
        file: gives a local copy of a file of the inbox, by its key.
    """

    settings: Settings
    policy: AddressPolicy
    secret: Callable[[str], str]
    file: Callable[[str], Path]


async def read_pages(source: SqlSource, tools: SqlTools) -> AsyncGenerator[SqlPage, None]:
    """The raw pages of what the source's statement selects; at least one, without rows where there are none.

    Nothing is asked again: a statement that broke off begins anew with page 1.

    Raises:
        AddressForbidden: the host is in a private network that is not listed, or this stack's own.
        SecretMissing, SecretForbidden: a secret cannot be read.
        SourceUnreachable: no connection, or it broke; a certificate that is not the host's.
        SourceBusy: the server takes no further connections.
        SourceRefused: the server refuses the user or the statement, or the statement ran too long.
        UnreadableData: the file is no SQLite database, or a text is not in its encoding.
        DataTooLarge: a page has more bytes than MAX_PAGE_BYTES.
    """
    settings = tools.settings
    async with (
        opened(source, tools) as result,
        aclosing(pages_of(result, source.fetch_rows, settings.sql_page_bytes, settings.max_page_bytes)) as pages,
    ):
        async for page in pages:
            yield page


@asynccontextmanager
async def opened(source: SqlSource, tools: SqlTools) -> AsyncIterator[Result]:
    """The result of the source's statement, whose columns are known; closed at the end.

    Raises:
        RunError: as `read_pages`.
    """
    result = await _open(source, tools)
    try:
        yield result
    finally:
        await result.aclose()


async def _open(source: SqlSource, tools: SqlTools) -> Result:
    # Only the driver that is needed is loaded.
    if source.engine == "sqlite":
        from sluice.sources.sql.sqlite import open_sqlite

        return await open_sqlite(source, tools.file(source.key or ""))
    login = await _login(source, tools)
    if source.engine == "postgresql":
        from sluice.sources.sql.postgresql import open_postgresql

        return await open_postgresql(source, login)
    from sluice.sources.sql.mysql import open_mysql

    return await open_mysql(source, login)


async def _login(source: SqlSource, tools: SqlTools) -> Login:
    host, port = source.address
    values = {field: tools.secret(name) for field, name in source.secrets.items()}
    try:
        addresses = await tools.policy.resolve(host, port)
    except OSError as error:
        raise SourceUnreachable(f"{host}:{port} cannot be reached: {error}.") from None
    return Login(
        host, port, addresses, values.get("user", ""), values.get("password", ""), tools.settings.sql_connect_seconds
    )
