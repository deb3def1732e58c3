"""A page as detection sees it: its format, its document, and a sample of its records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sluice.domain.datasource import HttpDatasource
from sluice.domain.file_format import Format
from sluice.domain.json_text import canonical
from sluice.domain.run import PageReceipt
from sluice.errors import RecordsNotFound, UnreadableData
from sluice.formats.detect import detect_format
from sluice.formats.error_pages import shape_of
from sluice.formats.limits import Limits
from sluice.formats.parsed_page import Page, open_page
from sluice.sources.http.client import Response

_PEEK = 64 << 10


@dataclass(frozen=True)
class ParsedResponse:
    """A response that was read.

    Args:
        receipt: the receipt that the page would have.
        form: its format.
        tabular: whether it consists of rows with columns, such as CSV, and has no document.
        document: the document; None if it is tabular.
        headers: the response's headers, with names in lower case.
        rows: its first rows, if it is tabular.
        row_count: how many rows it has, if it is tabular.
        notes: what was guessed to read it.
        errors: the keys that state an error.
    """

    receipt: PageReceipt
    form: Format
    tabular: bool
    document: Any
    headers: Mapping[str, str]
    rows: list[Any]
    row_count: int
    notes: list[str]
    errors: frozenset[str]


def parse_response(
    datasource: HttpDatasource,
    receipt: PageReceipt,
    response: Response,
    limits: Limits,
    most: int,
    *,
    repeated_keys: bool,
) -> ParsedResponse:
    """Read a response in the format that its media type or its content has.

    Args:
        datasource: the draft, which selects the whole page as records.
        receipt: the receipt of the page.
        response: the response; its body stays open.
        limits: the caps of the readers.
        most: the most rows to keep.
        repeated_keys: whether to note duplicate keys, which takes as long as reading.

    Raises:
        UnreadableData: it has no format that can be read; the detail says what it looks like.
    """
    try:
        return _parse(datasource, receipt, response, limits, most, repeated_keys)
    except UnreadableData as error:
        by_content = _format_by_content(response)
        stated = detect_format(datasource.format, receipt.media_type, receipt.filename, b"")
        if by_content in (stated, "csv"):  # CSV is the format of any text
            raise
        as_content = datasource.model_copy(update={"format": by_content})
        try:
            return _parse(as_content, receipt, response, limits, most, repeated_keys)
        except UnreadableData:
            raise error from None


def _parse(
    datasource: HttpDatasource,
    receipt: PageReceipt,
    response: Response,
    limits: Limits,
    most: int,
    repeated_keys: bool,
) -> ParsedResponse:
    response.body.seek(0)
    with open_page(datasource, receipt, response.body, limits) as page:
        rows: list[Any] = []
        count = 0
        if page.rows is not None:
            iterator = page.rows.rows()
            rows = list(islice(iterator, most))
            count = len(rows) + sum(1 for _ in iterator)
        repeated = sorted(page.repeated_keys()) if repeated_keys else []
        notes = [*page.notes, *(f"Objects repeat the key {key!r}; the last value counts." for key in repeated[:5])]
        tabular = page.rows is not None and page.form != "jsonl"
        headers = {name.lower(): value for name, value in response.headers.items()}
        errors = _errors(page)
        return ParsedResponse(receipt, page.form, tabular, page.whole, headers, rows, count, notes, errors)


def _errors(page: Page) -> frozenset[str]:
    if page.rows is not None or not isinstance(page.whole, dict):
        return frozenset()
    return shape_of(page, [page.whole], listed=False).errors


def _format_by_content(response: Response) -> Format:
    response.body.seek(0)
    return detect_format(None, None, None, response.body.read(_PEEK))


def require_records(page: ParsedResponse, *, listed: bool) -> None:
    """Refuse a response that is an error although its status is 2xx.

    Args:
        page: the response.
        listed: whether it has a list of records, so that a key such as `error` is only a detail.

    Raises:
        RecordsNotFound: it states an error and has no records.
    """
    if page.errors and not listed:
        raise RecordsNotFound(
            f"The response has the key {min(page.errors)!r} and no records, so it seems to be an error although its "
            "status is not; check the address and the parameters."
        )


def identities(records: list[Any]) -> list[bytes]:
    """The canonical form of each record, which is equal for equal records."""
    return [canonical(record) for record in records]
