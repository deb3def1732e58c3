"""Raw pages of a SQL result: JSON Lines, with the types that the columns have on each page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import repeat

import orjson

from sluice.domain.page_columns import PageColumn
from sluice.domain.schema import common_type
from sluice.errors import DataTooLarge
from sluice.sources.sql.base import Result, Row, ServerColumn, require_names

# The first rows that are asked for: nobody knows yet how large they are.
_FIRST_ROWS = 10
_BATCH_BYTES = 2_000_000


@dataclass(frozen=True)
class SqlPage:
    """One raw page.

    Args:
        number: from 1.
        body: JSON Lines, one object for each row; empty where the statement selects no rows.
    """

    number: int
    body: bytes
    rows: int
    columns: dict[str, PageColumn]


async def pages_of(
    result: Result, fetch_rows: int, page_bytes: int, max_page_bytes: int
) -> AsyncGenerator[SqlPage, None]:
    """The pages of a result: at least one, which tells the columns.

    While a page is made, the server is at work on the next rows. What is held at a time are two
    batches of rows of about 2 MB, and one page.

    Args:
        fetch_rows: the most rows of a page.
        page_bytes: a page ends once it has so many bytes.
        max_page_bytes: the most that it may have.

    Raises:
        SourceRefused, SourceUnreachable: as reading the result does.
        DataTooLarge: a few rows have more than `max_page_bytes`.
    """
    require_names([column.name for column in result.columns])
    page, batch = _Page(1, result.columns), min(_FIRST_ROWS, fetch_rows)
    waiting = asyncio.ensure_future(_rows(result, batch))
    try:
        while rows := await waiting:
            room = fetch_rows - page.rows - len(rows)
            waiting = asyncio.ensure_future(_rows(result, min(batch, room or fetch_rows)))
            await asyncio.sleep(0)  # so that the request is on its way while these rows become a page
            batch = _adapted(batch, len(rows), page.add(rows))
            if page.size > max_page_bytes:
                raise DataTooLarge(f"A page has more than {max_page_bytes} bytes; set fetch_rows to a smaller number.")
            if not room or page.size >= page_bytes:
                yield page.finished()
                page = _Page(page.number + 1, result.columns)
        if page.rows or page.number == 1:
            yield page.finished()
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


def _adapted(batch: int, rows: int, size: int) -> int:
    """How many rows to ask for next: as many as have two megabytes, at most twice as many as last time.

    Args:
        rows: how many came last.
        size: the bytes that they have.
    """
    return max(1, min(2 * batch, rows * _BATCH_BYTES // size))


async def _rows(result: Result, most: int) -> Sequence[Row]:
    return await result.rows(most)


class _Page:
    """A page that grows by batches of rows."""

    def __init__(self, number: int, columns: list[ServerColumn]) -> None:
        self.number = number
        self.rows = 0
        self.size = 0
        self._columns = columns
        self._names = [column.name for column in columns]
        self._types: list[str | None] = [None] * len(columns)
        self._parts: list[bytes] = []

    def add(self, rows: Sequence[Row]) -> int:
        """Add rows; returns how many bytes they have as JSON Lines."""
        converted: list[Sequence[object]] = []
        columns = zip(*rows, strict=True)
        for index, (column, values) in enumerate(zip(self._columns, columns, strict=True)):
            texts, kind = column.convert(values)
            converted.append(texts)
            known = self._types[index]
            self._types[index] = common_type([known, kind]) if known and kind else known or kind
        names = self._names
        records = [dict(zip(names, row, strict=True)) for row in zip(*converted, strict=True)]
        body = b"".join(map(orjson.dumps, records, repeat(None), repeat(orjson.OPT_APPEND_NEWLINE)))
        self._parts.append(body)
        self.rows += len(rows)
        self.size += len(body)
        return len(body)

    def finished(self) -> SqlPage:
        """The page as it is kept."""
        columns = {
            column.name: PageColumn(server_type=column.server_type, type=self._types[index])
            for index, column in enumerate(self._columns)
        }
        return SqlPage(self.number, b"".join(self._parts), self.rows, columns)
