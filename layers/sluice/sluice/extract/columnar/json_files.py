"""Pages of JSON as files that the engine reads: one document each, or one on each line."""

from __future__ import annotations

import codecs
import io
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from sluice.extract.columnar.pages import NotColumnar, link_or_copy

Layout = Literal["document", "lines"]
_CHUNK = 1 << 20
_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF8)


@dataclass(frozen=True)
class JsonFile:
    """The file of a page.

    Args:
        page: the page's number.
        largest: the most bytes that a document of it may have.
    """

    path: Path
    page: int
    largest: int


def keep(content: IO[bytes], layout: Layout, path: Path, page: int, most: int) -> JsonFile:
    """A page as a file of UTF-8.

    Args:
        most: the most bytes that a document may have.

    Raises:
        NotColumnar: it is too large, in another encoding, or seems to be empty.
    """
    beginning = content.read(4)
    content.seek(0)
    if beginning.startswith(_MARKS[:2]):
        raise NotColumnar
    size = content.seek(0, os.SEEK_END)
    if layout == "document" and size > most:
        raise NotColumnar
    start = 3 if beginning.startswith(codecs.BOM_UTF8) else 0
    content.seek(start)
    if not content.read(_CHUNK).strip():
        raise NotColumnar
    content.seek(start)
    if isinstance(content, io.BufferedReader) and start == 0:
        link_or_copy(content.name, path)
    else:
        with path.open("wb") as target:
            shutil.copyfileobj(content, target, _CHUNK)
    return JsonFile(path, page, size if layout == "document" else most)
