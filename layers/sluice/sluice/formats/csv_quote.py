"""The quotation mark of a CSV page, detected from all of it."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from sluice.formats.csv_blanks import collapse_blanks

_CHUNK = 1 << 20
_DELIMITERS = ",;\t|"
_LINE_BREAKS = "\r\n"
# In these encodings a byte below 128 is always that ASCII character.
_ASCII_BASED = frozenset(["utf-8", "utf-8-sig", "ascii", "iso8859-1", "cp1252", "cp1250"])
_SINGLE = ("fields are enclosed in single quotation marks, which were removed; set csv.quote if that is wrong",)


def detect_quote(content: IO[bytes], encoding: str, delimiter: str | None) -> tuple[str, tuple[str, ...]]:
    """Detect the quotation mark of a page.

    It is the single one if no field of the page begins with a double one, at least two fields begin with a single
    one, and all fields that do so also end with it.

    Args:
        content: the page; it is left at any position.
        encoding: the name of a Python codec.
        delimiter: the delimiter, if it is known.

    Returns:
        The quotation mark, and warnings about what was guessed.
    """
    marks = delimiter or _DELIMITERS
    before: Counter[str] = Counter()
    for chunk in _chunks(content, encoding):
        if not _before(chunk, '"').keys().isdisjoint([*marks, *_LINE_BREAKS]):
            return '"', ()
        before += _before(chunk, "'")
    at_line_start = sum(before[mark] for mark in _LINE_BREAKS)
    # Texts with apostrophes at their start are common, so the single mark must also close every field.
    if any(at_line_start + before[mark] > 1 and _is_readable(content, encoding, mark) for mark in marks):
        return "'", _SINGLE
    return '"', ()


def _chunks(content: IO[bytes], encoding: str) -> Iterator[str]:
    """The page as text in chunks; each repeats the last character of the previous one."""
    name = codecs.lookup(encoding).name
    # latin-1 decodes in half of the time, and quotes and delimiters are the same characters.
    decoder = codecs.getincrementaldecoder("latin-1" if name in _ASCII_BASED else name)("replace")
    content.seek(0)
    last = "\n"
    while chunk := content.read(_CHUNK):
        text = last + decoder.decode(chunk).removeprefix("\ufeff").removeprefix("ï»¿")
        yield text
        last = text[-1]


def _before(text: str, quote: str) -> Counter[str]:
    """How often each character precedes a quotation mark."""
    return Counter(part[-1:] for part in text.split(quote)[:-1]) if quote in text else Counter()


def _is_readable(content: IO[bytes], encoding: str, delimiter: str) -> bool:
    """Whether each field that begins with a single quotation mark ends with one."""
    content.seek(0)
    text = io.TextIOWrapper(content, encoding=encoding, errors="replace", newline="")
    lines = collapse_blanks(text, "'") if delimiter == " " else text
    widths: set[int] = set()
    try:
        for row in csv.reader(lines, delimiter=delimiter, quotechar="'", strict=True):
            widths.add(len(row))
    except csv.Error:
        return False
    finally:
        with suppress(ValueError):
            text.detach()
    return len(widths - {0}) == 1
