"""CSV pages: rows of text below a header."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import IO

import orjson

from sluice.domain.file_format import CsvOptions
from sluice.errors import DataTooLarge, EmptyData, UnreadableData
from sluice.formats.csv_dialect import detect_dialect
from sluice.formats.detect import describe_mismatch, looks_like
from sluice.formats.limits import Limits
from sluice.formats.memory import require_csv_record_fits

# Python's default of 131,072 characters is less than real fields have; MAX_DOCUMENT_BYTES is the cap.
csv.field_size_limit(16_000_000)
_PEEK = 64 << 10
_SHOWN_NAMES = 5


def _is_json(beginning: bytes) -> bool:
    """Whether a page that begins like JSON is JSON; a CSV header may begin with a bracket, too."""
    for text in (beginning, beginning.lstrip(b"\xef\xbb\xbf \t\r\n").partition(b"\n")[0]):
        try:
            return isinstance(orjson.loads(text), dict | list)
        except orjson.JSONDecodeError:
            continue
    return False


class CsvPage:
    """One CSV page.

    Args:
        content: the page, at its beginning.
        options: the declared dialect.
        media_type: the `Content-Type` of the response.
        limits: caps for the size of records.
        guessed: whether only the content suggests that the page is CSV, so that it may be an error message.

    Raises:
        EmptyData: there is not even a header.
        UnreadableData: it is obviously another format, or its encoding could not be detected.
    """

    text = True

    def __init__(
        self, content: IO[bytes], options: CsvOptions, media_type: str | None, limits: Limits, *, guessed: bool = False
    ) -> None:
        beginning = content.read(_PEEK)
        content.seek(0)
        mismatch = describe_mismatch(beginning, "CSV")
        if mismatch is not None and (looks_like(beginning) != "JSON" or _is_json(beginning)):
            raise UnreadableData(mismatch)
        self.content = content
        self._limits = limits
        self.guessed = guessed
        self.dialect = detect_dialect(content, options, media_type)
        self._nulls = {"", *(options.null_strings or [])}
        self.delimiter = self.dialect.delimiter
        self.notes = list(self.dialect.notes)

    def columns(self) -> dict[str, str | None]:
        """The column names; the types are unknown until all texts were read."""
        rows = self._lines()
        try:
            return dict.fromkeys(self._names(next(rows)))
        finally:
            rows.close()

    def rows(self) -> Iterator[dict[str, str | None]]:
        """The rows; an empty field is null.

        Raises:
            EmptyData: there is not even a header.
            UnreadableData: a row has more or fewer fields than the header, two columns have the same name, a quote is
                not closed, or the text is not in its encoding.
        """
        lines = self._lines()
        first = next(lines)
        names = self._names(first)
        width, rows = len(names), 0
        if not self.dialect.header:
            yield self._row(names, first)
        for row in lines:
            if len(row) != width:
                raise UnreadableData(
                    f"Line {self._line} has {len(row)} fields, but the {self._first_line} has {width}. "
                    "Quote fields that contain a delimiter or a line break, or set csv.delimiter."
                )
            rows += 1
            yield self._row(names, row)
        if self.guessed and not rows:
            raise UnreadableData(
                f"The page is a single line of text ({first[0][:60]!r} …) of unknown format, perhaps an error "
                "message. If it is a CSV header without rows, set format to csv."
            )

    def _row(self, names: list[str], row: list[str]) -> dict[str, str | None]:
        nulls = self._nulls
        return {name: None if value in nulls else value for name, value in zip(names, row, strict=True)}

    @property
    def _first_line(self) -> str:
        return "header" if self.dialect.header else "first line"

    def _lines(self) -> Generator[list[str], None, None]:
        """The non-empty records, including the header."""
        self.content.seek(0)
        self._line = 0
        encoding = codecs.lookup(self.dialect.encoding).name
        # utf-8-sig also reads text without a byte order mark.
        encoding = "utf-8-sig" if encoding == "utf-8" else encoding
        text = io.TextIOWrapper(self.content, encoding=encoding, newline="")
        lines = self._physical_lines(text)
        reader = csv.reader(lines, **self.dialect.reader_options())  # type: ignore[arg-type]
        empty = True
        try:
            for row in reader:
                self._line = reader.line_num
                self._characters = self._delimiters = 0
                if row:
                    empty = False
                    yield row
        except UnicodeError as error:
            where = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
            raise UnreadableData(
                f"The page is not {self.dialect.encoding} text{where}; correct csv.encoding, or omit it."
            ) from None
        except csv.Error as error:
            raise UnreadableData(f"Line {reader.line_num} is not CSV: {error}.") from None
        finally:
            with suppress(ValueError):  # the caller closed the page before reading all rows
                text.detach()
        if empty:
            raise EmptyData("The page is empty; CSV needs a header line.")

    def _physical_lines(self, text: IO[str]) -> Iterator[str]:
        """The lines of the text. Refuses a record that spans too many characters or has too many fields."""
        self._characters = self._delimiters = 0
        most = self._limits.document_bytes
        # readline with a limit: a file without line breaks must not be read into memory at once.
        for line in self.dialect.lines(iter(lambda: text.readline(most + 1), "")):
            self._characters += len(line)
            self._delimiters += line.count(self.dialect.delimiter)
            if self._characters > most:
                raise DataTooLarge(
                    f"The record in line {self._line + 1} has more than {most} characters. "
                    "Close its quotes, split it, or raise MAX_DOCUMENT_BYTES."
                )
            require_csv_record_fits(self._characters, self._delimiters, self._limits, self._line + 1)
            yield line

    def _names(self, first: list[str]) -> list[str]:
        if len(first) > self._limits.columns:
            raise UnreadableData(
                f"The {self._first_line} has {len(first)} columns, more than {self._limits.columns} (MAX_COLUMNS)."
            )
        numbered = [f"column_{number}" for number in range(1, len(first) + 1 + self.dialect.unnamed_first)]
        if not self.dialect.header:
            return numbered
        header = [name.strip() for name in first]
        header = ["", *header] if self.dialect.unnamed_first else header
        self._note_unnamed([number for number, name in zip(numbered, header, strict=True) if not name])
        names = [name or number for number, name in zip(numbered, header, strict=True)]
        seen: set[str] = set()
        for name in names:
            if name in seen:
                raise UnreadableData(f"The header has the column {name!r} twice.")
            seen.add(name)
        return names

    def _note_unnamed(self, names: list[str]) -> None:
        if not names:
            return
        shown = ", ".join(names[:_SHOWN_NAMES]) + (" and so on" if len(names) > _SHOWN_NAMES else "")
        note = f"the header has no name for {len(names)} columns, which were named {shown}"
        if self.dialect.unnamed_first:
            note += "; every line has one field more: quote fields that contain a delimiter if that is wrong"
        if note not in self.notes:
            self.notes.append(note)
