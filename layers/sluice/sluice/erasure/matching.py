"""Finding one record in pages and in versions by the primary key of its datasource."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from sluice.domain.datasource import Datasource
from sluice.domain.datasource.http import HttpDatasource
from sluice.domain.erasure import key_text
from sluice.domain.expression import Path, RecordContext, selects_places
from sluice.domain.json_text import canonical_key, dumps
from sluice.domain.record_selection import select_records
from sluice.domain.run import PageReceipt, Run
from sluice.domain.schema import convert
from sluice.errors import CannotErase, UnreadableData
from sluice.extract.by_record.flatten import ColumnNames, RowMaker
from sluice.formats.limits import Limits
from sluice.formats.memory import collect_rows
from sluice.formats.parsed_page import Page, records_in
from sluice.formats.pointers import path_to

_NONE = object()


@dataclass(frozen=True)
class Key:
    """The key of the record to erase.

    Args:
        columns: the columns of the primary key.
        values: their values, in order, as the request has them.
        types: the types of all columns in the datasource's versions, as far as they are known.
    """

    columns: list[str]
    values: list[Any]
    types: Mapping[str, str] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """The values as texts."""
        return [key_text(value) for value in self.values]

    def under(self, columns: Sequence[str]) -> Key | None:
        """This key as a document with another primary key names it.

        Args:
            columns: the columns of the other primary key.

        Returns:
            None if it is the same primary key, or has another number of columns.
        """
        if len(columns) != len(self.columns) or list(columns) == self.columns:
            return None
        return replace(self, columns=list(columns))

    def is_named_in(self, row: Mapping[str, Any]) -> bool:
        """Whether a row has a value in each column of the key, whatever it is."""
        return all(row.get(name) is not None for name in self.columns)

    def matches(self, row: Mapping[str, Any]) -> bool:
        """Whether a row has this key: values are compared as the type of their column has them."""
        return all(
            _comparable(row.get(name), self.types.get(name)) == _comparable(value, self.types.get(name))
            for name, value in zip(self.columns, self.values, strict=True)
        )


def _comparable(value: Any, column_type: str | None) -> Any:
    if value is None:
        return _NONE
    if column_type is None:
        return key_text(value)
    if column_type == "json":
        return canonical_key(dumps(value).decode())
    try:
        return convert(value, column_type)
    except ValueError:
        return key_text(value)


@dataclass(frozen=True)
class Located:
    """A record of a page and where it is.

    Args:
        position: its position in the page as received, from 0.
        path: its place in the page: keys and indexes from the document, or the number of its row first.
        record: the record.
        context: what encloses it.
    """

    position: int
    path: Path | None
    record: Any
    context: RecordContext | None


def located_records(page: Page, receipt: PageReceipt, limits: Limits) -> Iterator[Located]:
    """The records of a page with their places; without those that were erased before.

    Args:
        page: the page.
        receipt: its receipt.
        limits: the caps of the readers.
    """
    erased, gaps = set(receipt.erased), set(receipt.gaps)
    position = 0
    for path, record, context in _with_paths(page, limits):
        while position in gaps:
            position += 1
        if position not in erased:
            yield Located(position, path, record, context)
        position += 1


def _with_paths(page: Page, limits: Limits) -> Iterator[tuple[Path | None, Any, RecordContext | None]]:
    datasource = page.datasource
    if page.rows is not None and datasource.records == "@":
        for index, row in enumerate(page.rows.rows()):
            yield (index,), row, RecordContext(row)
        return
    document = page.whole if page.rows is None else collect_rows(page.rows.rows(), limits)
    for record, context in records_in(datasource, document, single=page.form == "xml"):
        # Of an expression that builds values, the place is known only if a record is an object of the document itself.
        at = context.path or path_to(document, record)
        yield at, record, context


def cursor_expression(datasource: Datasource) -> str | None:
    """The expression by which pagination selects what requests the next page; None if it does not, or makes it."""
    if not isinstance(datasource, HttpDatasource):
        return None
    expression: str | None = datasource.http.pagination.model_dump().get("path")
    return expression if expression is not None and selects_places(expression) else None


def cursors_in(page: Page, expression: str) -> list[tuple[Path, Any]]:
    """What pagination reads in a page to request the next one, each with its place.

    Args:
        page: the page.
        expression: as `cursor_expression` returns it.
    """
    with suppress(ValueError):
        return [(context.path, value) for value, context in select_records(expression, page.whole) or []]
    return []


class Rows:
    """The rows that records of a datasource would become.

    Args:
        datasource: the document.
        limits: the caps of the readers.
    """

    def __init__(self, datasource: Datasource, limits: Limits) -> None:
        run = Run(id="", kind="ingest", datasource=datasource.slug, created_at="", created_by="")
        self._maker = RowMaker(datasource, run, ColumnNames(limits.columns), limits.field_growth)

    def of(self, located: Located, receipt: PageReceipt) -> dict[str, Any]:
        """The row of a record; empty if it cannot become one."""
        try:
            return self._maker.row(located.record, receipt, located.context)
        except UnreadableData:
            return {}


def overlaps(path: Path, others: Sequence[Path]) -> bool:
    """Whether a place is one of some others, within one of them, or around one."""
    return any(path[: len(other)] == other[: len(path)] for other in others)


def required_path(located: Located) -> Path:
    """The place of a record that is to be erased.

    Raises:
        CannotErase: an expression has made the record of several values.
    """
    if located.path is None:
        raise CannotErase(
            "The expression `records` makes its records of several values, so that one cannot be removed from its "
            "page. Erase the pages by `retention`, or fetch the data with an expression that selects records."
        )
    return located.path


def texts_of(value: Any, shortest: int = 6) -> set[str]:
    """The texts within a value that are long enough to tell a record.

    Args:
        shortest: the fewest characters of such a text.
    """
    if isinstance(value, str):
        return {value} if len(value) >= shortest else set()
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return {text for item in inner for text in texts_of(item, shortest)}
