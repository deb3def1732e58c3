"""A page: unpacked, parsed by its format, its records selected one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol

from sluice.domain.datasource import Datasource
from sluice.domain.expression import RecordContext, search
from sluice.domain.field_growth import FieldGrowth
from sluice.domain.file_format import CsvOptions, Format, XlsxOptions
from sluice.domain.record_key import field_values
from sluice.domain.record_selection import select_records
from sluice.domain.run import PageReceipt
from sluice.errors import DataTooLarge, EmptyData, RecordsNotFound, UnreadableData
from sluice.formats.csv_format import CsvPage
from sluice.formats.detect import detect_format, is_format_guessed
from sluice.formats.extended_json import plain_lines
from sluice.formats.json_format import read_json, read_json_lines, repeated_keys
from sluice.formats.limits import Limits
from sluice.formats.memory import collect_rows
from sluice.formats.packed import open_unpacked
from sluice.formats.parquet_format import ParquetPage
from sluice.formats.xlsx_format import XlsxPage
from sluice.formats.xml_format import read_xml

_PEEK = 64 << 10


class Rows(Protocol):
    """A format of rows: CSV, JSON Lines, Parquet, XLSX.

    Attributes:
        text: whether the values are text whose types must be inferred.
        notes: warnings for the run.
    """

    text: bool
    notes: list[str]

    def columns(self) -> dict[str, str | None]:
        """The columns that exist even without rows, with the types that the format states."""
        ...

    def rows(self) -> Iterator[Any]:
        """The rows in the page's order."""
        ...


class JsonLines:
    """JSON Lines: one JSON document per line."""

    text = False

    def __init__(self, content: IO[bytes], limits: Limits) -> None:
        self.notes: list[str] = []
        self._content, self._limits = content, limits

    def columns(self) -> dict[str, str | None]:
        """None: each line has its own keys."""
        return {}

    def rows(self) -> Iterator[Any]:
        """The documents."""
        self._content.seek(0)
        return read_json_lines(self._content, self._limits)

    def repeated_keys(self) -> Counter[str]:
        """Duplicate keys in objects, and how often each was replaced."""
        self._content.seek(0)
        repeated: Counter[str] = Counter()
        for _ in read_json_lines(self._content, self._limits, repeated):
            pass
        return repeated


@dataclass
class Page:
    """A page that can be read; each method may be called several times.

    Args:
        datasource: tells how records are selected.
        form: the format.
        limits: the caps of the readers.
        rows: the reader of its rows; None if the page is one document, JSON or XML.
        whole: that document.
        body: the text of a JSON document.
    """

    datasource: Datasource
    form: Format
    limits: Limits
    rows: Rows | None = None
    whole: Any = None
    body: bytes = b""

    @property
    def text(self) -> bool:
        """Whether the values are text whose types must be inferred."""
        return self.rows.text if self.rows is not None else self.form == "xml"

    @property
    def delimiter(self) -> str | None:
        """The field delimiter of CSV; None for other formats."""
        return self.rows.delimiter if isinstance(self.rows, CsvPage) else None

    @property
    def notes(self) -> list[str]:
        """Warnings about what was guessed."""
        return self.rows.notes if self.rows is not None else []

    def repeated_keys(self) -> Counter[str]:
        """Duplicate keys in JSON objects, and how often each was replaced; the last value counts."""
        if isinstance(self.rows, JsonLines):
            return self.rows.repeated_keys()
        return repeated_keys(self.body, self.whole) if self.body else Counter()

    def columns(self) -> dict[str, str | None]:
        """The columns that exist even without records, with the types that the format states.

        Raises:
            UnreadableData: two of them differ only in case, and `fields` does not select them.
        """
        if self.rows is None or self.datasource.records != "@":
            return {}
        columns = self.rows.columns()
        if not self.datasource.selects_columns:
            _require_distinct(columns)
        return columns

    def with_struct_nulls(self, record: Any) -> Any:
        """The record with an object of nulls for each null struct of Parquet, so that it has all columns."""
        if isinstance(self.rows, ParquetPage) and self.datasource.records == "@":
            return record if self.datasource.selects_columns else self.rows.with_struct_nulls(record)
        return record

    def document(self) -> Any:
        """The document, for pagination expressions; None for formats of rows."""
        return self.whole

    def selection(self) -> Any:
        """Apply `records`.

        Returns:
            A list, an iterator of rows, or a single value.

        Raises:
            UnreadableData: the bytes are not in the format.
            DataTooLarge: `records` needs more rows at once than memory may hold.
            RecordsNotFound: it selects nothing, and `allow_missing` is false.
        """
        if self.rows is None:
            return _selected(self.datasource, self.whole, single=self.form == "xml")
        if self.datasource.records == "@":
            return self.rows.rows()
        return _selected(self.datasource, collect_rows(self.rows.rows(), self.limits))

    def records(self) -> Iterator[Any]:
        """The records in the page's order; a single object is one record."""
        selected = self.selection()
        if isinstance(selected, list | Iterator):
            yield from selected
        elif selected is not None:
            yield selected

    def records_in_context(self) -> Iterator[tuple[Any, RecordContext | None]]:
        """The records as `records` returns them, each with its place; without places if no field needs them."""
        if not self.datasource.reads_context:
            for record in self.records():
                yield record, None
        elif self.rows is not None and self.datasource.records == "@":
            for row in self.rows.rows():
                yield row, RecordContext(row)
        else:
            document = self.whole if self.rows is None else collect_rows(self.rows.rows(), self.limits)
            yield from records_in(self.datasource, document, single=self.form == "xml")

    def positioned_records(self, receipt: PageReceipt) -> Iterator[tuple[int, Any, RecordContext | None]]:
        """The records with their positions in the page as it was received, without those that were erased.

        Args:
            receipt: the page's receipt, which has the positions of erased records.
        """
        erased, gaps = set(receipt.erased), set(receipt.gaps)
        position = 0
        for record, context in self.records_in_context():
            while position in gaps:
                position += 1
            if position not in erased:
                yield position, record, context
            position += 1

    def compared_records(self) -> Iterator[Any]:
        """What tells records apart: the records, or the values of their fields if these depend on their places.

        Raises:
            DataTooLarge: the fields of the records write too much.
        """
        return self._field_values() if self.datasource.reads_context else self.records()

    def _field_values(self) -> Iterator[dict[str, Any]]:
        fields = (self.datasource.fields or {}).values()
        growth = FieldGrowth([text for text in fields if not text.startswith("$")], self.limits.field_growth)
        for record, context in self.records_in_context():
            values = field_values(self.datasource, record, context)
            try:
                growth.add(record, values.values())
            except ValueError as error:
                raise DataTooLarge(f"`fields`: {error}.") from None
            yield values


def without_tombstones(selected: list[Any], receipt: PageReceipt) -> list[tuple[int, Any]]:
    """What a page gives, without the tombstones of erased records.

    Args:
        selected: what `Page.selection` returned.
        receipt: the page's receipt, which has the positions of erased records.

    Returns:
        The other elements, each with its index in `selected`.
    """
    present = (position for position in receipt.erased if position not in receipt.gaps)
    tombstones = {position - sum(gap < position for gap in receipt.gaps) for position in present}
    return [(index, element) for index, element in enumerate(selected) if index not in tombstones]


def _require_distinct(columns: Iterable[str]) -> None:
    names_by_lower: dict[str, str] = {}
    for name in columns:
        if names_by_lower.setdefault(name.lower(), name) != name:
            raise UnreadableData(
                f"The page has the columns {names_by_lower[name.lower()]!r} and {name!r}, which differ only in case; "
                "select one with `fields`."
            )


def _selected(datasource: Datasource, document: Any, *, single: bool = False) -> Any:
    """Apply `records` to a document.

    Args:
        datasource: its `records` and `allow_missing` are used.
        document: the document.
        single: whether a single element may be an object where several are a list, as in XML.
    """
    selected = _first_selection(datasource, lambda expression: search(expression, document), single=single)
    if selected is None:
        _require_allowed(datasource, document)
    return selected


def records_in(datasource: Datasource, document: Any, *, single: bool = False) -> list[tuple[Any, RecordContext]]:
    """The records that a datasource's `records` selects in a document, with their places.

    Args:
        datasource: its `records` and `allow_missing` are used.
        document: the document.
        single: whether a single element may be an object where several are a list, as in XML.

    Raises:
        UnreadableData: a function of the expression failed.
        RecordsNotFound: it selects nothing, and `allow_missing` is false.
    """
    found = _first_selection(datasource, lambda expression: select_records(expression, document), single=single)
    if found is None:
        _require_allowed(datasource, document)
    return found or []


def _first_selection(datasource: Datasource, select: Callable[[str], Any], *, single: bool) -> Any:
    try:
        selected = select(datasource.records)
        # `a.b[]` selects nothing from a single element, which xmltodict makes an object instead of a list.
        if selected is None and single and datasource.records.endswith("[]"):
            selected = select(datasource.records.removesuffix("[]"))
    except ValueError as error:
        raise UnreadableData(f"`records`: {error}.") from None
    return selected


def _require_allowed(datasource: Datasource, document: Any) -> None:
    """Refuse a page in which `records` selects nothing, unless the datasource allows that."""
    if datasource.records != "@" and not datasource.allow_missing:
        raise RecordsNotFound(
            f"`records` ({datasource.records}) selects nothing in the page, which is {_shape(document)}; "
            "correct it, or set allow_missing if pages may have no records."
        )


def _shape(document: Any) -> str:
    if isinstance(document, dict):
        names = ", ".join(sorted(map(str, document))[:10])
        return f"an object with the keys {names}" if names else "an empty object"
    return f"a list of {len(document)}" if isinstance(document, list) else f"a single {type(document).__name__}"


@contextmanager
def open_page(datasource: Datasource, receipt: PageReceipt, content: IO[bytes], limits: Limits) -> Iterator[Page]:
    """Open a page for reading.

    Args:
        datasource: states the format and its options.
        receipt: the page's receipt, with media type and file name.
        content: the page as received, at its beginning.
        limits: the caps of the readers.

    Yields:
        The page, which can be read within this context.

    Raises:
        EmptyData: it has no bytes.
        DataTooLarge, UnreadableData: it is not what the datasource declares, or too large.
    """
    with ExitStack() as stack:
        plain, name = stack.enter_context(open_unpacked(content, receipt.filename, limits))
        plain = stack.enter_context(plain_lines(plain, receipt.media_type, limits))
        beginning = plain.read(_PEEK)
        plain.seek(0)
        form = detect_format(datasource.format, receipt.media_type, name, beginning)
        if not beginning.strip():
            raise EmptyData(f"The page is empty; {form.upper()} was expected.")
        if form == "csv":
            guessed = is_format_guessed(datasource.format, receipt.media_type, name)
            options = datasource.csv or CsvOptions()
            yield Page(datasource, form, limits, CsvPage(plain, options, receipt.media_type, limits, guessed=guessed))
        else:
            yield _parsed(datasource, form, plain, limits, stack)


def _parsed(datasource: Datasource, form: Format, content: IO[bytes], limits: Limits, stack: ExitStack) -> Page:
    match form:
        case "jsonl":
            return Page(datasource, form, limits, JsonLines(content, limits))
        case "parquet":
            return Page(datasource, form, limits, ParquetPage(content, limits, stack))
        case "xlsx":
            return Page(datasource, form, limits, XlsxPage(content, datasource.xlsx or XlsxOptions(), limits))
        case "xml":
            return Page(datasource, form, limits, whole=read_xml(content, limits))
        case _:
            whole, body = read_json(content, limits)
            return Page(datasource, form, limits, whole=whole, body=body)


def has_end_marker(datasource: Datasource, receipt: PageReceipt, content: IO[bytes], limits: Limits) -> bool:
    """Whether the format itself shows that a page is complete, as JSON does by its closing bracket.

    Args:
        datasource: states the format.
        receipt: the page's receipt.
        content: the page as received, at its beginning.
        limits: the caps of the readers.
    """
    with open_unpacked(content, receipt.filename, limits) as (plain, name):
        # gzip and zip have checksums and lengths of their own.
        packed = plain is not content
        form = detect_format(datasource.format, receipt.media_type, name, plain.read(_PEEK))
    return packed or form not in ("csv", "jsonl")
