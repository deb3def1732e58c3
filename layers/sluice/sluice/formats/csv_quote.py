"""Which quotation mark a CSV page uses, decided from all of it."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from sluice.formats.csv_blanks import collapsed

_CHUNK = 1 << 20
_DELIMITERS = ",;\t|"
_LINE_BREAKS = "\r\n"
# In these a byte below 128 is that character, wherever it stands.
_ASCII_BASED = frozenset(["utf-8", "utf-8-sig", "ascii", "iso8859-1", "cp1252", "cp1250"])
_SINGLE = ("fields stand in single quotation marks, which were left off; set csv.quote if that is wrong",)


def quote_of(content: IO[bytes], encoding: str, delimiter: str | None) -> tuple[str, tuple[str, ...]]:
    """The quotation mark of a page, and what was guessed about it, for the run to say.

    It is the single mark where no field of the page begins with a double one, at least two begin
    with a single one, and all that do end with it. The content is left anywhere.
    """
    marks = delimiter or _DELIMITERS
    before: Counter[str] = Counter()
    for chunk in _chunks(content, encoding):
        if not _before(chunk, '"').keys().isdisjoint([*marks, *_LINE_BREAKS]):
            return '"', ()
        before += _before(chunk, "'")
    begun = sum(before[mark] for mark in _LINE_BREAKS)
    if any(begun + before[mark] > 1 and _is_readable(content, encoding, mark) for mark in marks):
        return "'", _SINGLE
    return '"', ()


def _chunks(content: IO[bytes], encoding: str) -> Iterator[str]:
    """The page as text, in parts that each repeat the last character of the one before."""
    name = codecs.lookup(encoding).name
    # Faster by half, and marks and delimiters are the same characters.
    decoder = codecs.getincrementaldecoder("latin-1" if name in _ASCII_BASED else name)("replace")
    content.seek(0)
    last = "\n"
    while chunk := content.read(_CHUNK):
        text = last + decoder.decode(chunk).removeprefix("\ufeff").removeprefix("ï»¿")
        yield text
        last = text[-1]


def _before(text: str, quote: str) -> Counter[str]:
    """How often each character stands before a quotation mark."""
    return Counter(part[-1:] for part in text.split(quote)[:-1]) if quote in text else Counter()


def _is_readable(content: IO[bytes], encoding: str, delimiter: str) -> bool:
    """Whether every field that begins with a single mark ends with one."""
    content.seek(0)
    text = io.TextIOWrapper(content, encoding=encoding, errors="replace", newline="")
    lines = collapsed(text, "'") if delimiter == " " else text
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
