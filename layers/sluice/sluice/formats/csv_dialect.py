"""How a CSV page is written: encoding, delimiter, quotation mark and header, found out or told."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import IO

from sluice.domain.file_format import CsvOptions
from sluice.formats.csv_blanks import collapsed
from sluice.formats.csv_encoding import encoding_of
from sluice.formats.csv_header import header_of
from sluice.formats.csv_quote import quote_of

_SAMPLE = 64 << 10
_SAMPLE_ROWS = 200
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True)
class Dialect:
    """How to read a CSV page.

    Args:
        delimiter: what separates the fields; a blank stands for any number of blanks and tabs.
        header: whether the first line names the columns.
        unnamed_first: whether the header has one name fewer than the lines have fields, since it
            has none for the first column.
        notes: what was guessed and might be wrong, for the run to say.
    """

    encoding: str
    delimiter: str
    quote: str
    escape: str | None
    header: bool = True
    unnamed_first: bool = False
    notes: tuple[str, ...] = ()

    def reader_options(self) -> dict[str, object]:
        """The arguments of Python's `csv.reader`."""
        options: dict[str, object] = {"delimiter": self.delimiter, "strict": True}
        if self.quote:
            options["quotechar"] = self.quote
        else:
            options["quoting"] = csv.QUOTE_NONE
        if self.escape:
            options |= {"escapechar": self.escape, "doublequote": False}
        return options

    def lines(self, text: Iterable[str]) -> Iterable[str]:
        """The lines of a text as `csv.reader` takes them."""
        return collapsed(text, self.quote) if self.delimiter == " " else text


def dialect_of(content: IO[bytes], options: CsvOptions, media_type: str | None) -> Dialect:
    """The dialect of a page: what the datasource says, and for the rest what the page shows.

    The content is left at its beginning.

    Raises:
        UnreadableData: it is no text, or ends in the middle of a character.
    """
    encoding, notes = (options.encoding, ()) if options.encoding else encoding_of(content, media_type)
    content.seek(0)
    sample = content.read(_SAMPLE)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample).removeprefix("\ufeff")
    whole = len(sample) < _SAMPLE
    lines = text if whole else text[: text.rfind("\n") + 1] or text
    doubt: tuple[str, ...] = ()
    quote: str | None = options.quote
    if quote is None:
        quote, doubt = quote_of(content, encoding, options.delimiter)
    content.seek(0)
    found = _separated(lines, Dialect(encoding, options.delimiter or "", quote, options.escape, True, False))
    found = replace(found, notes=(*notes, *doubt, *found.notes))
    return _headed(found, list(_rows(lines, found)), options)


def _separated(lines: str, base: Dialect) -> Dialect:
    """The dialect with its delimiter: the one that gives equal rows."""
    if base.delimiter:
        return base
    candidates = [replace(base, delimiter=mark) for mark in _DELIMITERS]
    best = max(candidates, key=lambda candidate: _score(lines, candidate))
    share, columns = _score(lines, best)
    if share < 1:
        blanks = replace(base, delimiter=" ")
        if _is_table(list(_rows(lines, blanks))):
            return replace(blanks, notes=("the fields are separated by blanks; set csv.delimiter if that is wrong",))
    return best if columns else replace(base, delimiter=",")


def _headed(dialect: Dialect, rows: list[list[str]], options: CsvOptions) -> Dialect:
    if not rows:
        return replace(dialect, header=options.header is not False)
    first, below = rows[0], rows[1:]
    shorter = _is_one_shorter([len(row) for row in rows])
    header, notes = header_of(first, below, options, shorter=shorter)
    return replace(dialect, header=header, unnamed_first=header and shorter, notes=(*dialect.notes, *notes))


def _rows(lines: str, dialect: Dialect) -> Iterator[list[str]]:
    """The first rows that are not empty; none from the first one on that cannot be read."""
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
        return  # a row that cannot be read is not like the others: those before it count


def _score(lines: str, dialect: Dialect) -> tuple[float, int]:
    """How much like one table the lines are with this dialect: the share of equal rows, the columns."""
    counts = [len(row) for row in _rows(lines, dialect)]
    if not counts or counts[0] < 2:
        return 0.0, 0
    if _is_one_shorter(counts):
        return 1.0, counts[0]
    return sum(count == counts[0] for count in counts) / len(counts), counts[0]


def _is_one_shorter(counts: list[int]) -> bool:
    """Whether the header has no name for the first column, as R writes it."""
    return len(counts) > 2 and all(count == counts[0] + 1 for count in counts[1:])


def _is_table(rows: list[list[str]]) -> bool:
    """Whether all rows, split at blanks, are alike and hold numbers: not the words of one column of text."""
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
