"""The source of kind `sql`."""

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
from sluice.errors import RunError, UnreadableData
from sluice.lake.transfer import download
from sluice.sources.base import Call, CheckResult, PageVisitor, Secret, Services
from sluice.sources.progress import FetchProgress
from sluice.sources.sql.pages import SqlPage
from sluice.sources.sql.reader import SqlTools, read_pages

_PREVIEWED_ROWS = 1_000


class SqlDatabaseSource:
    """Executes the statement; its rows become pages of JSON Lines.

    A result cannot be resumed in the middle. So the receipts are written after the last row, and a call that is
    interrupted starts again. Pages that it stored are not stored twice, since their keys are their hashes.
    """

    def fetch(self, run: Run, datasource: Datasource, services: Services, call: Call) -> FetchIndex | None:
        """Fetch all rows of the statement: see `Source.fetch`."""
        sql_datasource = _sql(datasource)
        earlier = services.pages.of_run(run.id)
        with _tools(services, call.secret) as tools:
            receipts = asyncio.run(_store_pages(run, sql_datasource, services, tools, len(earlier)))
        # After the last row: receipts of an interrupted result would be useless, since the next call starts again.
        services.pages.put_all(run.id, receipts)
        return FetchIndex(
            datasource=datasource.slug,
            run=run.id,
            attempt=run.attempt,
            fetched_at=receipts[0].fetched_at,
            pages=receipts,
            unused_pages=earlier,
            completeness="complete",
            requests=1,
        )

    def check(self, datasource: Datasource, services: Services, secret: Secret) -> CheckResult:
        """Request the first rows: see `Source.check`."""
        start = time.monotonic()
        records, reason = None, None
        try:
            with _tools(services, secret) as tools:
                records = asyncio.run(_visit_pages(_sql(datasource), tools, 1, lambda *_: None))[1]
        except RunError as error:
            reason = error.detail
        return CheckResult(reason is None, None, round(1000 * (time.monotonic() - start)), records, reason)

    def preview(
        self, datasource: Datasource, services: Services, secret: Secret, max_pages: int, visit: PageVisitor
    ) -> int:
        """Request the first rows: see `Source.preview`."""
        with _tools(services, secret) as tools:
            return asyncio.run(_visit_pages(_sql(datasource), tools, max_pages, visit))[0]


def _sql(datasource: Datasource) -> SqlDatasource:
    assert isinstance(datasource, SqlDatasource)
    return datasource


async def _store_pages(
    run: Run, datasource: SqlDatasource, services: Services, tools: SqlTools, earlier_count: int
) -> list[PageReceipt]:
    """Store all pages in the lake and return their receipts.

    Args:
        run: the run.
        datasource: its datasource.
        services: the lake.
        tools: the services of the reader.
        earlier_count: the number of receipts of earlier attempts; page numbers continue after them.

    Raises:
        RunStopped: the run was cancelled.
    """
    receipts = []
    progress = FetchProgress(run, services.runs, services.settings.tell_seconds)
    async with aclosing(read_pages(datasource.sql, tools)) as pages:
        async for page in pages:
            receipt = _receipt(datasource.sql, page, earlier_count + page.number)
            receipt.attempt = run.attempt
            receipt.hash = await asyncio.to_thread(services.lake.put_raw, BytesIO(_body(page)))
            receipts.append(receipt)
            await progress.report(len(receipts), requests=1)
    return receipts


async def _visit_pages(
    datasource: SqlDatasource, tools: SqlTools, max_pages: int, visit: PageVisitor
) -> tuple[int, int]:
    """Pass the first pages to `visit`; return the number of pages, and the number of rows of the first one."""
    limited = datasource.sql.model_copy(update={"fetch_rows": min(datasource.sql.fetch_rows, _PREVIEWED_ROWS)})
    count = rows = 0
    pages: AsyncGenerator[SqlPage, None]
    async with aclosing(read_pages(limited, tools)) as pages:
        async for page in pages:
            visit(_receipt(limited, page, page.number), BytesIO(_body(page)))
            count, rows = count + 1, rows or page.rows
            if count == max_pages:
                break
    return count, rows


def _body(page: SqlPage) -> bytes:
    """Return a page as it is stored; `[]` instead of an empty body, which could be a page that was lost."""
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
                    raise UnreadableData(f"The inbox has no file {key!r}; drop it first.") from None
            return path

        yield SqlTools(services.settings, services.address_policy(), secret, file)


SOURCE = SqlDatabaseSource()
