"""A page's records: parsed, selected, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from sluice.domain.datasource import Datasource
from sluice.domain.expression import search
from sluice.domain.run import PageReceipt
from sluice.errors import RecordsNotFound, UnreadableData
from sluice.formats.csv_format import read_csv
from sluice.formats.detect import Format, detect
from sluice.formats.json_format import read_json
from sluice.formats.limits import Limits

_PEEK = 512


def page_format(datasource: Datasource, receipt: PageReceipt, content: IO[bytes]) -> Format:
    """The format of a page; its content is left at its beginning."""
    beginning = content.read(_PEEK)
    content.seek(0)
    return detect(datasource.format, receipt.media_type, receipt.filename, beginning)


def json_document(datasource: Datasource, content: IO[bytes], limits: Limits) -> Any:
    """The document of a JSON page, as exact as the datasource's types need it."""
    exact = any(name.startswith("decimal") for name in datasource.types.values())
    return read_json(content, limits, exact=exact)


def records(datasource: Datasource, receipt: PageReceipt, content: IO[bytes], limits: Limits) -> Iterator[Any]:
    """The records of a page, in its own order.

    Raises:
        UnreadableData: the bytes are not of the format.
        RecordsNotFound: `records` selects null and may not.
    """
    if page_format(datasource, receipt, content) == "csv":
        yield from _selected_rows(datasource, content, limits)
    else:
        yield from select(datasource, json_document(datasource, content, limits))


def _selected_rows(datasource: Datasource, content: IO[bytes], limits: Limits) -> Iterator[Any]:
    if datasource.records == "@":
        yield from read_csv(content, limits)
    else:
        yield from select(datasource, list(read_csv(content, limits)))


def select(datasource: Datasource, document: Any) -> list[Any]:
    """The records that the datasource selects in a document; one object is one record.

    Raises:
        RecordsNotFound: it selects null and may not.
        UnreadableData: the expression does not apply to the document.
    """
    try:
        selected = search(datasource.records, document)
    except ValueError as error:
        raise UnreadableData(f"`records`: {error}.") from None
    if selected is None:
        if datasource.records == "@" or datasource.allow_missing:
            return []
        raise RecordsNotFound(
            f"`records` ({datasource.records}) selects nothing in the page, which has {_shape(document)}; "
            "correct it, or set allow_missing if the page may lack it."
        )
    return selected if isinstance(selected, list) else [selected]


def _shape(document: Any) -> str:
    if isinstance(document, dict):
        names = ", ".join(sorted(map(str, document))[:10])
        return f"the keys {names}" if names else "no keys"
    return f"a list of {len(document)}" if isinstance(document, list) else f"a single {type(document).__name__}"
