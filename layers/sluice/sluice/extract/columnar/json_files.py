"""Pages of JSON as files that the engine reads: each a document, JSON lines in parts that are lists."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sluice.extract.columnar.pages import Otherwise

# Large enough for the engine, and small enough for the processor's cache.
_CHUNK = 2 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class JsonFile:
    """A file with one document.

    Args:
        path: its name says the place of its page among the pages, the page's number, and its first record.
        records: how many records it must have; none where that is not known.
        nulls: how many members of its objects are null; none where that cannot be counted.
    """

    path: Path
    size: int
    records: int | None
    nulls: int | None


class JsonFiles:
    """The files of a run's pages, in their order.

    Args:
        most: the most bytes of a document, or of a line.
    """

    def __init__(self, folder: Path, most: int) -> None:
        self._folder = folder
        self._most = most
        self._pages = 0
        self.all: list[JsonFile] = []

    def document(self, content: IO[bytes], page: int, kept: Callable[[JsonFile], None]) -> None:
        """Keep a page that is one document.

        Args:
            kept: is told the file.

        Raises:
            Otherwise: it is too large, or not UTF-8.
        """
        body = content.read(self._most + 1).removeprefix(codecs.BOM_UTF8)
        if len(body) > self._most or body.startswith(_UTF16):
            raise Otherwise
        self._pages += 1
        kept(self._kept(page, 0, None, [body]))

    def lines(self, content: IO[bytes], page: int, kept: Callable[[JsonFile], None]) -> None:
        """Keep a page with a document on each line, as some lists of them.

        Args:
            kept: is told each file as soon as it is there.

        Raises:
            Otherwise: a line is too long, or there is none.
        """
        self._pages += 1
        first, rest = 0, b""
        while chunk := content.read(_CHUNK):
            chunk = chunk if first or rest else chunk.removeprefix(codecs.BOM_UTF8)
            lines, line_break, rest = (rest + chunk).rpartition(b"\n")
            if len(rest) > self._most:
                raise Otherwise
            if line_break:
                first += self._part(lines, page, first, kept)
        first += self._part(rest, page, first, kept)
        if first == 0:
            raise Otherwise

    def _part(self, lines: bytes, page: int, first: int, kept: Callable[[JsonFile], None]) -> int:
        """Keep whole lines as a list; how many records it must have."""
        lines = lines.strip()
        if not lines:
            return 0
        if b"\r" in lines:
            lines = lines.replace(b"\r\n", b"\n")
        if b"\n\n" in lines or b"\n " in lines or b"\n\t" in lines:
            lines = b"\n".join(line for line in lines.split(b"\n") if line.strip())
        records = lines.count(b"\n") + 1
        kept(self._kept(page, first, records, [b"[", lines.replace(b"\n", b",\n"), b"\n]"]))
        return records

    def _kept(self, page: int, first: int, records: int | None, parts: list[bytes]) -> JsonFile:
        path = self._folder / f"{self._pages - 1}-{page}-{first}.json"
        with path.open("wb") as file:
            file.writelines(parts)
        nulls = [_nulls(part) for part in parts]
        total = None if None in nulls else sum(number or 0 for number in nulls)
        self.all.append(JsonFile(path, sum(map(len, parts)), records, total))
        return self.all[-1]


def _nulls(text: bytes) -> int | None:
    """How many members of objects are null; none where a text within the JSON may look like one."""
    if b'\\":' in text:
        return None
    return text.count(b'":null') + (text.count(b'": null') if b'": ' in text else 0)
