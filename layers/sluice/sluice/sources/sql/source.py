"""Datasources that are queries of SQL databases."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

from botocore.exceptions import ClientError

from sluice.aws import translated
from sluice.domain.datasource import Datasource, SqlDatasource
from sluice.domain.datasource.sql_source import SqlSource
from sluice.domain.names import now, rfc3339
from sluice.domain.run import FetchIndex, PageReceipt, Run
from sluice.errors import RunError, SourceUnreachable
from sluice.lake.transfer import download
from sluice.sources.base import Call, Checked, Look, Secret, Services
from sluice.sources.sql.pages import SqlPage
from sluice.sources.sql.reader import SqlTools, read_pages

_PREVIEWED_ROWS = 1_000


class SqlDatabaseSource:
    """Runs the statement, whose rows become pages of JSON lines.

    A result cannot be gone on with in the middle: its receipts are written when all of its rows have come,
    and a call that ends before begins anew. The pages that it has stored are found again by their bytes.
    """

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """The rows that the statement selects."""
        document = _sql(datasource)
        before = services.pages.of_run(run.id)
        with _tools(services, call.secret) as tools:
            made = asyncio.run(_stored(run, document, services, tools, len(before)))
        services.pages.put_all(run.id, made)
        return FetchIndex(
            datasource=datasource.slug,
            run=run.id,
            attempt=run.attempt,
            fetched_at=made[0].fetched_at,
            pages=made,
            unused_pages=before,
            completeness="complete",
            requests=1,
        )

    def check(self, datasource: Datasource, services: Services, secret: Secret) -> Checked:
        """Ask for the first rows."""
        begun = time.monotonic()
        records, reason = None, None
        try:
            with _tools(services, secret) as tools:
                records = asyncio.run(_first(_sql(datasource), tools, 1, lambda *_: None))[1]
        except RunError as error:
            reason = error.detail
        return Checked(reason is None, None, round(1000 * (time.monotonic() - begun)), records, reason)

    def preview(self, datasource: Datasource, services: Services, secret: Secret, most: int, look: Look) -> int:
        """Look at the first rows."""
        with _tools(services, secret) as tools:
            return asyncio.run(_first(_sql(datasource), tools, most, look))[0]


def _sql(datasource: Datasource) -> SqlDatasource:
    assert isinstance(datasource, SqlDatasource)
    return datasource


async def _stored(
    run: Run, datasource: SqlDatasource, services: Services, tools: SqlTools, before: int
) -> list[PageReceipt]:
    """The receipts of all pages, which are in the lake.

    Args:
        before: how many receipts the run has of readings that did not end.
    """
    receipts = []
    async with aclosing(read_pages(datasource.sql, tools)) as pages:
        async for page in pages:
            receipt = _receipt(datasource.sql, page, before + page.number)
            receipt.attempt = run.attempt
            receipt.hash = await asyncio.to_thread(services.lake.put_raw, BytesIO(_body(page)))
            receipts.append(receipt)
    return receipts


async def _first(datasource: SqlDatasource, tools: SqlTools, most: int, look: Look) -> tuple[int, int]:
    """Look at the first pages; how many there were, and how many rows the first one has."""
    few = datasource.sql.model_copy(update={"fetch_rows": min(datasource.sql.fetch_rows, _PREVIEWED_ROWS)})
    count = rows = 0
    pages: AsyncGenerator[SqlPage, None]
    async with aclosing(read_pages(few, tools)) as pages:
        async for page in pages:
            look(_receipt(few, page, page.number), BytesIO(_body(page)))
            count, rows = count + 1, rows or page.rows
            if count == most:
                break
    return count, rows


def _body(page: SqlPage) -> bytes:
    """A page as it is stored; one without rows is an empty list, since no lines may as well be a page that was lost."""
    return page.body or b"[]"


def _receipt(source: SqlSource, page: SqlPage, number: int) -> PageReceipt:
    host, port = source.address
    return PageReceipt(
        number=number,
        ok=True,
        url=f"sql:{host}:{port}/{source.database or ''}" if host else f"sql:{source.key}",
        media_type="application/x-ndjson" if page.rows else "application/json",
        bytes=len(_body(page)),
        rows=page.rows,
        fetched_at=rfc3339(now()),
        columns=page.columns,
    )


@contextmanager
def _tools(services: Services, secret: Secret) -> Iterator[SqlTools]:
    with TemporaryDirectory() as folder:

        def file(key: str) -> Path:
            path = Path(folder) / "database"
            with translated():
                try:
                    download(services.s3, services.settings.inbox_bucket, key, path)
                except ClientError as error:
                    if error.response["Error"]["Code"] not in ("NoSuchKey", "404"):
                        raise
                    raise SourceUnreachable(f"There is no file {key!r} in the inbox; drop it first.") from None
            return path

        yield SqlTools(services.settings, services.address_policy(), secret, file)


SOURCE = SqlDatabaseSource()
