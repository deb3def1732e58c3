"""JSON pages as files that the engine reads: one document each, or JSON Lines."""

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
        path: where it is.
        page: the number of the page.
        largest: the most bytes that one of its documents may have.
    """

    path: Path
    page: int
    largest: int


def store_page(content: IO[bytes], layout: Layout, path: Path, page: int, most: int) -> JsonFile:
    """Write a page to a file in UTF-8.

    Args:
        content: the page, unpacked.
        layout: whether it is one document or JSON Lines.
        path: the file to write.
        page: the number of the page.
        most: the most bytes that a document may have.

    Raises:
        NotColumnar: the page is too large, in another encoding, or seems to be empty.
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
