"""CSV pages as files that the engine reads as Python does."""

from __future__ import annotations

import codecs
import io
import re
from pathlib import Path
from typing import IO

from sluice.extract.columnar.pages import NotColumnar, link_or_copy

_CHUNK = 1 << 20
# So many bytes of a chunk are checked again with the next one, for patterns that cross the boundary.
_CARRIED = 256


def count_bytes(path: Path, pattern: bytes) -> int:
    """How often a byte string occurs in a file; it must be a single byte, since chunks are counted separately."""
    with path.open("rb") as file:
        return sum(chunk.count(pattern) for chunk in iter(lambda: file.read(_CHUNK), b""))


def store_page(content: IO[bytes], encoding: str, path: Path, delimiter: str, quote: str) -> bool:
    """Write a page to a file in UTF-8.

    Args:
        content: the page, unpacked.
        encoding: the page's encoding.
        path: the file to write.
        delimiter: the field delimiter.
        quote: the quotation mark; empty if there is none.

    Returns:
        Whether a line ends with a delimiter.

    Raises:
        NotColumnar: the page has something that the engine and Python's CSV reader treat differently.
    """
    content.seek(0)
    utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
    checks = _Checks(delimiter.encode(), quote.encode())
    if utf8 and isinstance(content, io.BufferedReader) and not content.peek(3).startswith(codecs.BOM_UTF8):
        for chunk in iter(lambda: content.read(_CHUNK), b""):
            checks.observe(chunk)
        link_or_copy(content.name, path)
    else:
        decoder = None if utf8 else codecs.getincrementaldecoder(encoding)()
        with path.open("wb") as target:
            for chunk in iter(lambda: content.read(_CHUNK), b""):
                plain = chunk if decoder is None else decoder.decode(chunk).encode()
                plain = plain if checks.begun else plain.removeprefix(codecs.BOM_UTF8)
                checks.observe(plain)
                target.write(plain)
            if decoder is not None:
                decoder.decode(b"", True)
    return checks.end()


class _Checks:
    """Searches the chunks of a page for what the engine and Python's CSV reader treat differently."""

    def __init__(self, delimiter: bytes, quote: bytes) -> None:
        empty = (b"", quote + quote)
        self._ends = tuple(delimiter + field + end for field in empty for end in (b"\n", b"\r"))
        self._delimiter = delimiter
        self._quote = quote
        # The engine skips blanks beside quotation marks.
        self._blanks = (b" " + quote, quote + b" ") if quote else ()
        mark, field = re.escape(quote), re.escape(delimiter)
        self._skipped = re.compile(rb"(?:^|[\r\n]|%b) +%b|%b +(?:$|[\r\n]|%b)" % (field, mark, mark, field))
        self._carried = b""
        self._trailing = self._plain = False
        self._returns = self._pairs = self._feeds = 0
        self._last = b""

    @property
    def begun(self) -> bool:
        """Whether a chunk was checked."""
        return bool(self._last)

    def observe(self, part: bytes) -> None:
        """Check a chunk.

        Raises:
            NotColumnar: there is an empty first line, a zero byte, or a blank beside a quotation mark.
        """
        if (not self.begun and part[:1] in (b"\n", b"\r")) or b"\0" in part:
            raise NotColumnar
        whole = self._carried + part
        # Searching a single byte takes a tenth of the time of searching two.
        quoted, returns = bool(self._quote) and self._quote in whole, b"\r" in whole
        ends = [end for end in self._ends if (quoted or len(end) == len(self._delimiter) + 1)]
        ends = [end for end in ends if returns or not end.endswith(b"\r")]
        self._trailing = self._trailing or any(end in whole for end in ends)
        if quoted and any(beside in whole for beside in self._blanks) and self._skipped.search(whole):
            raise NotColumnar
        self._carried = part[-_CARRIED:]
        if b"\r" in part or self._returns:
            self._returns += part.count(b"\r")
            self._pairs += part.count(b"\r\n") + (self._last == b"\r" and part[:1] == b"\n")
            self._feeds += part.count(b"\n")
        else:
            self._plain = self._plain or b"\n" in part
        # A CR LF may be split between two chunks.
        self._last = part[-1:] or self._last

    def end(self) -> bool:
        """Finish the checks.

        Returns:
            Whether a line ends with a delimiter.

        Raises:
            NotColumnar: the lines do not all end alike.
        """
        if self._returns and (self._plain or not self._returns == self._pairs == self._feeds):
            raise NotColumnar
        return self._trailing or self._carried.endswith(tuple(end[:-1] for end in self._ends))
