"""A page: unpacked, parsed by its format, its records selected one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, Any, Protocol

from sluice.domain.datasource import Datasource
from sluice.domain.expression import search
from sluice.domain.file_format import CsvOptions, Format, XlsxOptions
from sluice.domain.run import PageReceipt
from sluice.errors import EmptyData, RecordsNotFound, UnreadableData
from sluice.formats.csv_format import CsvPage
from sluice.formats.detect import detect, is_guessed
from sluice.formats.extended_json import plain_lines
from sluice.formats.json_format import read_json, read_json_lines, repeated_keys
from sluice.formats.limits import Limits
from sluice.formats.memory import held
from sluice.formats.packed import unpacked
from sluice.formats.parquet_format import ParquetPage
from sluice.formats.xlsx_format import XlsxPage
from sluice.formats.xml_format import read_xml

_PEEK = 64 << 10


class Rows(Protocol):
    """What a format of rows gives: CSV, JSON lines, Parquet, XLSX.

    `text` says that values are text whose types must be guessed; `notes` are for the run to say.
    """

    text: bool
    notes: list[str]

    def columns(self) -> dict[str, str | None]:
        """The columns that are there even without rows, and the types that the format knows."""
        ...

    def rows(self) -> Iterator[Any]:
        """The rows, in the page's own order."""
        ...


class JsonLines:
    """JSON documents, one on each line."""

    text = False

    def __init__(self, content: IO[bytes], limits: Limits) -> None:
        self.notes: list[str] = []
        self._content, self._limits = content, limits

    def columns(self) -> dict[str, str | None]:
        """Each line has its own."""
        return {}

    def rows(self) -> Iterator[Any]:
        """The documents."""
        self._content.seek(0)
        return read_json_lines(self._content, self._limits)

    def repeated_keys(self) -> Counter[str]:
        """The keys that objects have more than once."""
        self._content.seek(0)
        repeated: Counter[str] = Counter()
        for _ in read_json_lines(self._content, self._limits, repeated):
            pass
        return repeated


@dataclass
class Page:
    """A page that can be read; each of its methods may be called once or many times.

    Args:
        form: its format.
        limits: the caps that its readers keep.
        rows: how its rows are read; none where the page is one document, JSON or XML.
        whole: that document.
        body: its text, of JSON.
    """

    datasource: Datasource
    form: Format
    limits: Limits
    rows: Rows | None = None
    whole: Any = None
    body: bytes = b""

    @property
    def text(self) -> bool:
        """Whether values are text whose types must be guessed."""
        return self.rows.text if self.rows is not None else self.form == "xml"

    @property
    def delimiter(self) -> str | None:
        """What separates the fields of CSV."""
        return self.rows.delimiter if isinstance(self.rows, CsvPage) else None

    @property
    def notes(self) -> list[str]:
        """What was guessed about the page and might be wrong."""
        return self.rows.notes if self.rows is not None else []

    def repeated_keys(self) -> Counter[str]:
        """The keys that objects of JSON have more than once: the last value of each counts."""
        if isinstance(self.rows, JsonLines):
            return self.rows.repeated_keys()
        return repeated_keys(self.body, self.whole) if self.body else Counter()

    def columns(self) -> dict[str, str | None]:
        """The columns that are there even without records, with the types that the format knows.

        Raises:
            UnreadableData: two of them differ only in case, and `fields` does not name them.
        """
        if self.rows is None or self.datasource.records != "@":
            return {}
        columns = self.rows.columns()
        if not self.datasource.selects_columns:
            _require_distinct(columns)
        return columns

    def filled(self, record: Any) -> Any:
        """A record as its columns are made of it: a struct of Parquet that is null has a null for each field."""
        if isinstance(self.rows, ParquetPage) and self.datasource.records == "@":
            return record if self.datasource.selects_columns else self.rows.filled(record)
        return record

    def document(self) -> Any:
        """The document, for the expressions of pagination; none for formats of rows."""
        return self.whole

    def selection(self) -> Any:
        """What `records` selects: a list, or an iterator of rows, else one value.

        Raises:
            UnreadableData: the bytes are not of the format.
            DataTooLarge: `records` needs more rows at once than memory may hold.
            RecordsNotFound: it selects null and may not.
        """
        if self.rows is None:
            return _selected(self.datasource, self.whole, single=self.form == "xml")
        if self.datasource.records == "@":
            return self.rows.rows()
        return _selected(self.datasource, held(self.rows.rows(), self.limits))

    def records(self) -> Iterator[Any]:
        """The records, in the page's own order; one object is one record."""
        selected = self.selection()
        if isinstance(selected, list | Iterator):
            yield from selected
        elif selected is not None:
            yield selected


def _require_distinct(columns: Iterable[str]) -> None:
    spelled: dict[str, str] = {}
    for name in columns:
        if spelled.setdefault(name.lower(), name) != name:
            raise UnreadableData(
                f"The page has the column {spelled[name.lower()]!r} twice, spelled differently; name it with `fields`."
            )


def _selected(datasource: Datasource, document: Any, *, single: bool = False) -> Any:
    """What `records` selects.

    Args:
        single: whether an element that comes once is an object where more of them are a list.
    """
    try:
        selected = search(datasource.records, document)
        if selected is None and single and datasource.records.endswith("[]"):
            selected = search(datasource.records.removesuffix("[]"), document)
    except ValueError as error:
        raise UnreadableData(f"`records`: {error}.") from None
    if selected is None and not (datasource.records == "@" or datasource.allow_missing):
        raise RecordsNotFound(
            f"`records` ({datasource.records}) selects nothing in the page, which has {_shape(document)}; "
            "correct it, or set allow_missing if the page may lack it."
        )
    return selected


def _shape(document: Any) -> str:
    if isinstance(document, dict):
        names = ", ".join(sorted(map(str, document))[:10])
        return f"the keys {names}" if names else "no keys"
    return f"a list of {len(document)}" if isinstance(document, list) else f"a single {type(document).__name__}"


@contextmanager
def open_page(datasource: Datasource, receipt: PageReceipt, content: IO[bytes], limits: Limits) -> Iterator[Page]:
    """A page's content, from its beginning, ready to be read within this context.

    Raises:
        EmptyData: it has no bytes.
        DataTooLarge, UnreadableData: it is not what the datasource says, or more than may be read.
    """
    with ExitStack() as stack:
        plain, name = stack.enter_context(unpacked(content, receipt.filename, limits))
        plain = stack.enter_context(plain_lines(plain, receipt.media_type, limits))
        beginning = plain.read(_PEEK)
        plain.seek(0)
        form = detect(datasource.format, receipt.media_type, name, beginning)
        if not beginning.strip():
            raise EmptyData(f"The page is empty; {form.upper()} was expected.")
        if form == "csv":
            guessed = is_guessed(datasource.format, receipt.media_type, name)
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


def ends_itself(datasource: Datasource, receipt: PageReceipt, content: IO[bytes], limits: Limits) -> bool:
    """Whether a page that was cut off would be noticed by its format, as by JSON's brackets."""
    with unpacked(content, receipt.filename, limits) as (plain, name):
        packed = plain is not content
        form = detect(datasource.format, receipt.media_type, name, plain.read(_PEEK))
    return packed or form not in ("csv", "jsonl")
