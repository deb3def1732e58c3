"""Compression of pages: standard gzip, made by ISA-L.

Compared with zlib at level 1 it takes a fraction of the time and makes JSON 5 % smaller; decompression takes half of
the time. The compressed bytes may differ between processors, so only uncompressed content is hashed.
"""

from __future__ import annotations

import gzip
from typing import IO, Any

# The beginnings of Parquet, zip archives (workbooks, too) and gzip. Compressing them again gains nothing.
_PACKED = (b"PAR1", b"PK\x03\x04", b"\x1f\x8b")
_LONGEST_MARK = 4
# Levels are 0 to 3; level 3 takes three times as long.
_LEVEL = 2
_READ_AT_ONCE = 256 << 10


def compress(body: bytes) -> bytes:
    """Compress a body with gzip."""
    if body.startswith(_PACKED):
        return gzip.compress(body, 0, mtime=0)
    from isal import igzip  # only functions that handle pages need it

    return igzip.compress(body, _LEVEL, mtime=0)


def open_writer(target: IO[bytes], content: IO[bytes]) -> gzip.GzipFile:
    """Open a gzip stream for writing.

    Args:
        target: where the compressed bytes go.
        content: what will be written, at its beginning, where it is left; content that is packed already is stored.
    """
    from isal.igzip import IGzipFile

    packed = content.read(_LONGEST_MARK).startswith(_PACKED)
    content.seek(0)
    kind, level = (gzip.GzipFile, 0) if packed else (IGzipFile, _LEVEL)
    return kind("", "wb", level, target, mtime=0)


def open_reader(source: Any) -> gzip.GzipFile:
    """Open a gzip stream for reading.

    Args:
        source: any object with `read`.
    """
    from isal.igzip import IGzipFile

    return IGzipFile(fileobj=source)  # type: ignore[no-untyped-call]


def read_up_to(content: gzip.GzipFile, most: int) -> bytes:
    """Read a whole content of at most some bytes, or slightly more of a larger one.

    `read(most)` would allocate the whole size in advance.

    Args:
        content: the stream.
        most: the limit in bytes.

    Returns:
        All of the content if it has at most `most` bytes; else its beginning, which is longer than `most`.
    """
    parts: list[bytes] = []
    size = 0
    while size <= most and (part := content.read1(_READ_AT_ONCE)):
        parts.append(part)
        size += len(part)
    return b"".join(parts)
