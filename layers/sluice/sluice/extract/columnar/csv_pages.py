"""CSV read by the engine: all of it as text first, then each column as its type."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sluice.domain.run import PageReceipt
from sluice.domain.schema import Column, TextReading
from sluice.extract.by_record.flatten import Columns
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.columnar.conversion import Conversion, Sure
from sluice.extract.columnar.pages import ROWS, TABLE, Cell, Otherwise, Pages, query_of
from sluice.extract.columnar.text_values import (
    CLASSES,
    NUMBERS,
    class_counts,
    classes_present,
    frequent_of,
    is_one_of,
    names_of,
    sure_reading,
)
from sluice.extract.records import Records
from sluice.formats.csv_format import CsvPage
from sluice.formats.page import open_page
from sluice.lake.parquet import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_CHUNK = 4 << 20
_FEW = 2_048


class CsvReader:
    """Reads pages of CSV that are all written alike."""

    def __init__(self, pages: Pages, connection: DuckDBPyConnection, folder: Path) -> None:
        if pages.selected or pages.datasource.records != "@":
            raise Otherwise
        options = pages.datasource.csv
        if options is not None and (options.date_format or options.timestamp_format):
            raise Otherwise  # what looks like a number may be a date
        self._pages = pages
        self._connection = connection
        self._folder = folder
        self._files: list[Path] = []
        self._numbers: list[int] = []
        self._notes: list[str] = []
        self._written: tuple[object, ...] | None = None
        self._names: list[str] = []
        self._delimiter = ","
        self._delimiters = 0
        self._has_header = True

    def take(self, receipt: PageReceipt, content: IO[bytes]) -> None:
        """Copy a page as UTF-8."""
        with open_page(self._pages.datasource, receipt, content, self._pages.limits) as page:
            if not isinstance(page.rows, CsvPage):
                raise Otherwise
            self._take(page.rows, receipt)

    def _take(self, page: CsvPage, receipt: PageReceipt) -> None:
        names = list(page.columns())
        dialect = page.dialect
        written = (names, dialect.header, dialect.delimiter, dialect.quote, dialect.escape)
        if self._written not in (None, written) or len(names) < 2:
            raise Otherwise
        if dialect.delimiter == " " or dialect.unnamed_first:
            raise Otherwise  # blanks may stand side by side, and the header may lack a name
        if page.guessed and len(self._pages.index.pages) > 1:
            raise Otherwise  # each of them must have rows
        self._written, self._names, self._delimiter = written, names, dialect.delimiter
        self._has_header = dialect.header
        self._notes += [note for note in page.notes if note not in self._notes]
        path = self._folder / f"page-{len(self._files)}.csv"
        with path.open("wb") as target:
            self._delimiters += _copy(page.content, dialect.encoding, target, dialect.delimiter.encode())
        self._files.append(path)
        self._numbers.append(receipt.number)

    def records(self) -> Records:
        """The records of all pages."""
        pages = self._pages
        spelled = Columns(pages.limits.columns, pages.known)
        for name in pages.metadata:
            spelled.reserve(name)
        names = [spelled.name((name,)) for name in self._names]
        if len({name.lower() for name in [*names, *pages.metadata]}) < len(names) + len(pages.metadata):
            raise Otherwise
        count = self._load(len(names))
        if count == 0:
            raise Otherwise
        self._require_even(count)
        types = ColumnTypes(pages.datasource)
        types.doubts_dots = self._delimiter != ","
        columns = TextColumns(self._connection, names, count)
        classes = columns.summarize(types, pages.datasource.types)
        pages.summarize_metadata(types, count)
        known = types.columns(spelled)
        cells = columns.cells(types, known, classes)
        return Records(
            types.with_failures(known),
            count,
            query_of(pages, known, cells),
            [*self._notes, *types.warnings()],
            names_columns=True,
        )

    def _load(self, columns: int) -> int:
        """Make the table of all texts; how many rows it has."""
        _, header, delimiter, quote, escape = self._written or ()
        options = self._pages.datasource.csv
        nulls = ["", *((options.null_strings if options else None) or [])]
        names = [f"t{number}" for number in range(columns)]
        types = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
        files = ", ".join(literal(str(file)) for file in self._files)
        pages = f"[{', '.join(map(str, self._numbers))}]"
        place = "regexp_extract(filename, '([0-9]+)\\.csv$', 1)::INTEGER"
        self._connection.execute(f"""
            CREATE OR REPLACE TABLE {TABLE}_read AS
            SELECT {", ".join(names)}, {place if len(self._files) > 1 else "0"} AS place
            FROM read_csv([{files}], auto_detect = false, header = {header}, delim = {literal(str(delimiter))},
                          quote = {literal(str(quote))}, escape = {literal(str(escape or quote))},
                          nullstr = [{", ".join(map(literal, nulls))}], strict_mode = true, null_padding = false,
                          comment = '', filename = {len(self._files) > 1}, columns = {{{types}}})
        """)
        firsts = self._connection.execute(f"SELECT place, min(rowid) FROM {TABLE}_read GROUP BY place").fetchall()
        before = dict(firsts)
        begins = f"[{', '.join(str(before.get(place, 0)) for place in range(len(self._files)))}]"
        self._connection.execute(f"""
            CREATE OR REPLACE VIEW {TABLE} AS
            SELECT *, rowid, ({pages})[place + 1] AS page, rowid - ({begins})[place + 1] AS nth FROM {TABLE}_read
        """)
        return int((self._connection.execute(f"SELECT count(*) FROM {TABLE}_read").fetchone() or (0,))[0])

    def _require_even(self, count: int) -> None:
        """Refuse rows with a delimiter too many at their end, which the engine overlooks.

        Raises:
            Otherwise: there are more delimiters than stand between fields and within them.
        """
        width, delimiter = len(self._names), literal(self._delimiter)
        headers = len(self._files) if self._has_header else 0
        between = (count + headers) * (width - 1)
        if self._delimiters == between:
            return
        within = [
            f"coalesce(sum(length(t{number}) - length(replace(t{number}, {delimiter}, ''))), 0)"
            for number in range(width)
        ]
        answer = self._connection.execute(f"SELECT {' + '.join(within)} FROM {TABLE}_read").fetchone()
        named = headers * sum(name.count(self._delimiter) for name in self._names)
        if self._delimiters != between + named + int(answer[0] if answer else 0):
            raise Otherwise


def _copy(content: IO[bytes], encoding: str, target: IO[bytes], delimiter: bytes) -> int:
    """Copy a page as UTF-8; how many delimiters it has.

    Raises:
        Otherwise: it has what the engine and Python's CSV reader take for different things.
    """
    content.seek(0)
    decoder = (
        None if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig") else codecs.getincrementaldecoder(encoding)()
    )
    first, last, feeds, pairs, delimiters = True, b"", 0, 0, 0
    while chunk := content.read(_CHUNK):
        if decoder is not None:
            chunk = decoder.decode(chunk).encode()
        if first:
            chunk, first = chunk.removeprefix(codecs.BOM_UTF8), False
            if chunk[:1] in (b"\n", b"\r"):
                raise Otherwise
        feeds += chunk.count(b"\n")
        delimiters += chunk.count(delimiter)
        pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk[:1] == b"\n")
        if b"\0" in chunk or chunk.count(b"\r") > chunk.count(b"\r\n") + (chunk[-1:] == b"\r"):
            raise Otherwise
        last = chunk[-1:]
        target.write(chunk)
    if decoder is not None:
        decoder.decode(b"", True)
    if last == b"\r" or 0 < pairs < feeds:
        raise Otherwise
    return delimiters


class TextColumns:
    """The columns of a table of text, `t0`, `t1` and so on.

    Args:
        names: what they are called in the dataset.
        count: how many rows there are.
    """

    def __init__(self, connection: DuckDBPyConnection, names: list[str], count: int) -> None:
        self._connection = connection
        self._names = names
        self._count = count

    def summarize(self, types: ColumnTypes, declared: dict[str, str]) -> dict[str, set[str]]:
        """Tell the types what the columns hold.

        Args:
            declared: the types of columns that the document says.

        Returns:
            The classes of each column's texts, where they were looked for: not of columns of prose.
        """
        numbers = range(len(self._names))
        few = self._ask([class_counts(f"t{number}") for number in numbers], f"(FROM {TABLE}_read LIMIT {_FEW})")
        frequent = {number: frequent_of(few[number]) for number in numbers}
        texts = {number for number in numbers if declared.get(self._names[number], "string") in ("string", "json")}
        prose = {number for number in texts if "prose" in frequent[number]}
        wanted = [number for number in numbers if number not in prose]
        present = self._ask([f"count(t{number})" for number in numbers], f"{TABLE}_read")
        asked = [classes_present(f"t{number}", frequent[number]) for number in wanted]
        found = self._ask(asked, f"{TABLE}_read") if wanted else []
        classes = {number: names_of(bits) for number, bits in zip(wanted, found, strict=True)}
        for number in numbers:
            examples = [("prose", present[number])]
            if number not in prose:
                only_text = number in texts and "prose" in classes[number]
                examples = examples if only_text else self._examples(f"t{number}", classes[number], present[number])
            types.summarize(
                self._names[number], [*examples, (None, self._count - present[number])], self._count, text=True
            )
        return {self._names[number]: of for number, of in classes.items()}

    def _ask(self, selected: list[str], rows: str) -> list[Any]:
        return list(self._connection.execute(f"SELECT {', '.join(selected)} FROM {rows}").fetchone() or ())

    def _examples(self, cell: str, classes: set[str], present: int) -> list[tuple[str, int]]:
        """Texts that say about the column's type what all of its texts say, with how often they came."""
        single = [name for name in classes if CLASSES[name].example is None]
        examples: list[tuple[str, int]] = []
        if single:
            condition = is_one_of(cell, single)
            query = f"SELECT {cell}, count(*) FROM {TABLE}_read WHERE {condition} GROUP BY {cell}"
            found = self._connection.execute(query)
            while batch := found.fetchmany(10_000):
                examples += batch
        if any(text.lstrip().startswith("+") for text, _ in examples) and self._has_minus(cell):
            examples.append(("-1", 0))
        rest = present - sum(times for _, times in examples)
        others = [CLASSES[name].example or "" for name in sorted(classes - set(single))]
        return [*examples, *((text, 0) for text in others[1:]), *((text, rest) for text in others[:1])]

    def _has_minus(self, cell: str) -> bool:
        """Whether there is a negative number, without which a plus does not make one."""
        condition = f"starts_with({cell}, '-') AND {is_one_of(cell, NUMBERS)}"
        return bool(self._ask([f"EXISTS (FROM {TABLE}_read WHERE {condition})"], "(SELECT 1)")[0])

    def cells(self, types: ColumnTypes, columns: list[Column], classes: dict[str, set[str]]) -> dict[str, Cell]:
        """The cells of the columns; what is not of a column's type is told to the types."""
        readings, kinds = types.readings(columns), {column.name: column.type for column in columns}
        cells = {}
        for number, name in enumerate(self._names):
            reading = readings.get(name, TextReading())
            text, kind = f"t{number}", kinds[name]
            sure = Sure("NULL", "false")
            if not reading.comma:
                sure = sure_reading(kind, text, classes.get(name, set(CLASSES)))
            conversion = Conversion(text, ROWS, number, sure, str, reading.plain)
            cells[name] = conversion.cell(self._connection, types, name, kind)
        return cells
