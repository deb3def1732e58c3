"""The dialect of a CSV page: encoding, delimiter, quotation mark and header, declared or detected."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO

from sluice.domain.file_format import CsvOptions
from sluice.formats.csv_blanks import collapse_blanks
from sluice.formats.csv_encoding import detect_encoding
from sluice.formats.csv_header import detect_header
from sluice.formats.csv_quote import detect_quote

_SAMPLE = 64 << 10
_SAMPLE_ROWS = 200
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Dialect:
    """How to parse a CSV page.

    Args:
        encoding: the name of a Python codec.
        delimiter: the field delimiter; a space stands for any number of spaces and tabs.
        quote: the quotation mark; empty if fields are never quoted.
        escape: the escape character; None if quotation marks are doubled.
        header: whether the first line has the column names.
        unnamed_first: whether the header has one name fewer than the lines have fields, because the first
            column has none.
        notes: what was guessed and may be wrong, as warnings for the run.
    """

    encoding: str
    delimiter: str
    quote: str
    escape: str | None
    header: bool = True
    unnamed_first: bool = False
    notes: tuple[str, ...] = ()

    def reader_options(self) -> dict[str, object]:
        """The arguments for `csv.reader`."""
        options: dict[str, object] = {"delimiter": self.delimiter, "strict": True}
        if self.quote:
            options["quotechar"] = self.quote
        else:
            options["quoting"] = csv.QUOTE_NONE
        if self.escape:
            options |= {"escapechar": self.escape, "doublequote": False}
        return options

    def lines(self, text: Iterable[str]) -> Iterable[str]:
        """Prepare the lines of a text for `csv.reader`."""
        return collapse_blanks(text, self.quote) if self.delimiter == " " else text


def detect_dialect(content: IO[bytes], options: CsvOptions, media_type: str | None) -> Dialect:
    """The dialect of a page: the declared options, and detected values for the rest.

    Args:
        content: the page, at its beginning; it is left at its beginning.
        options: what the datasource declares.
        media_type: the `Content-Type` of the response, which may name the encoding.

    Raises:
        UnreadableData: the page is not text, or ends in the middle of a character.
    """
    encoding, notes = (options.encoding, ()) if options.encoding else detect_encoding(content, media_type)
    content.seek(0)
    sample = content.read(_SAMPLE)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample).removeprefix("\ufeff")
    is_complete = len(sample) < _SAMPLE
    # A sample usually ends within a line, which would look too short.
    lines = text if is_complete else text[: text.rfind("\n") + 1] or text
    quote_notes: tuple[str, ...] = ()
    quote: str | None = options.quote
    if quote is None:
        quote, quote_notes = detect_quote(content, encoding, options.delimiter)
    content.seek(0)
    dialect = _separated(lines, Dialect(encoding, options.delimiter or "", quote, options.escape, True, False))
    dialect = replace(dialect, notes=(*notes, *quote_notes, *dialect.notes))
    return _headed(dialect, list(_rows(lines, dialect)), options)


def _separated(lines: str, base: Dialect) -> Dialect:
    """The dialect with the delimiter that gives the most uniform rows."""
    if base.delimiter:
        return base
    candidates = [replace(base, delimiter=mark) for mark in _DELIMITERS]
    best = max(candidates, key=lambda candidate: _score(lines, candidate))
    share, columns = _score(lines, best)
    if share < 1:
        blanks = replace(base, delimiter=" ")
        if _is_table(list(_rows(lines, blanks))):
            return replace(blanks, notes=("the delimiter was detected as blanks; set csv.delimiter if that is wrong",))
    return best if columns else replace(base, delimiter=",")


def _headed(dialect: Dialect, rows: list[list[str]], options: CsvOptions) -> Dialect:
    if not rows:
        return replace(dialect, header=options.header is not False)
    first, below = rows[0], rows[1:]
    shorter = _is_one_shorter([len(row) for row in rows])
    header, notes = detect_header(first, below, options, shorter=shorter)
    return replace(dialect, header=header, unnamed_first=header and shorter, notes=(*dialect.notes, *notes))


def _rows(lines: str, dialect: Dialect) -> Iterator[list[str]]:
    """The first non-empty rows. Iteration stops at a row that cannot be parsed."""
    count = 0
    text = io.StringIO(lines, newline="")
    try:
        for row in csv.reader(dialect.lines(text), **dialect.reader_options()):  # type: ignore[arg-type]
            if row:
                count += 1
                yield row
            if count == _SAMPLE_ROWS:
                return
    except csv.Error:
        return  # with the wrong dialect a row may be unreadable; the rows before it still count


def _score(lines: str, dialect: Dialect) -> tuple[float, int]:
    """How uniform the rows are with this dialect: the share of rows as wide as the first, and its width."""
    counts = [len(row) for row in _rows(lines, dialect)]
    if not counts or counts[0] < 2:
        return 0.0, 0
    if _is_one_shorter(counts):
        return 1.0, counts[0]
    return sum(count == counts[0] for count in counts) / len(counts), counts[0]


def _is_one_shorter(counts: list[int]) -> bool:
    """Whether the header has no name for the first column, as R's `write.table` writes it."""
    return len(counts) > 2 and all(count == counts[0] + 1 for count in counts[1:])


def _is_table(rows: list[list[str]]) -> bool:
    """Whether the rows, split at blanks, are equally wide and have a column of numbers; prose has none."""
    counts = [len(row) for row in rows]
    if len(counts) < 2 or counts[1] < 2 or not (len(set(counts)) == 1 or _is_one_shorter(counts)):
        return False
    return any(all(_is_number(field) for field in column) for column in zip(*rows[1:], strict=True))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
