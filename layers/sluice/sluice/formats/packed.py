"""Pages packed with gzip or zip: unpacked up to a cap, whatever they claim."""

from __future__ import annotations

import gzip
import io
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, cast

from sluice.errors import DataTooLarge, UnreadableData
from sluice.formats.limits import Limits

_SPOOL = 8 << 20
_CHUNK = 1 << 20
_MOST_LAYERS = 3
# An archive ends with at most 64 KB of comment, behind the records that say how large its directory is.
_DIRECTORY_END = (64 << 10) + 200
_BROKEN = (EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError)


@contextmanager
def unpacked(content: IO[bytes], filename: str | None, limits: Limits) -> Iterator[tuple[IO[bytes], str | None]]:
    """The content without its packing, at its beginning, and the name of the file within.

    Raises:
        DataTooLarge: it has more bytes unpacked than the setting allows.
        UnreadableData: it is broken, cut off, encrypted, or holds more than one file.
    """
    with ExitStack() as stack:
        for _ in range(_MOST_LAYERS):
            beginning = content.read(4)
            content.seek(0)
            if beginning.startswith(b"\x1f\x8b"):
                content = stack.enter_context(_gunzipped(content, limits))
                filename = (filename or "").removesuffix(".gz") or None
            elif beginning in (b"PK\x03\x04", b"PK\x05\x06"):  # the second: an archive of nothing
                copied = stack.enter_context(_spooled())
                shutil.copyfileobj(content, copied, _CHUNK)
                copied.seek(0)
                content = copied
                require_small_directory(copied, limits)
                if _is_workbook(copied):
                    break
                content, filename = stack.enter_context(_unzipped(copied, limits))
            else:
                break
        else:
            raise UnreadableData("The page is packed several times over; pack it once.")
        yield content, filename


def _spooled() -> IO[bytes]:
    return cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=_SPOOL))


@contextmanager
def _gunzipped(packed: IO[bytes], limits: Limits) -> Iterator[IO[bytes]]:
    with _spooled() as plain:
        try:
            with gzip.GzipFile(fileobj=packed, mode="rb") as source:
                _copy(cast(IO[bytes], source), plain, limits)
        except _BROKEN as error:
            raise UnreadableData(f"The gzip data is broken or cut off: {error}.") from None
        yield plain


def _copy(source: IO[bytes], target: IO[bytes], limits: Limits) -> None:
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > limits.unpacked_bytes:
            raise _too_large(limits)
        target.write(chunk)
    target.seek(0)


def _too_large(limits: Limits) -> DataTooLarge:
    return DataTooLarge(
        f"The page has more than {limits.unpacked_bytes} bytes once unpacked; split it, or raise MAX_UNPACKED_BYTES."
    )


def require_small_directory(packed: IO[bytes], limits: Limits) -> None:
    """Refuse an archive that lists more files than may be read: `zipfile` reads the whole list at once.

    Raises:
        DataTooLarge: the directory has more bytes than the setting allows.
    """
    size = packed.seek(0, io.SEEK_END)
    packed.seek(max(0, size - _DIRECTORY_END))
    tail = packed.read()
    packed.seek(0)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 16:
        return  # no archive; whoever opens it says so
    (listed,) = struct.unpack_from("<L", tail, at + 12)
    wide = tail.rfind(b"PK\x06\x06", 0, at)
    if wide >= 0 and len(tail) >= wide + 48:
        (listed,) = struct.unpack_from("<Q", tail, wide + 40)
    if listed > limits.directory_bytes:
        raise DataTooLarge(
            f"The zip archive's list of files has {listed} bytes; at most {limits.directory_bytes} are read "
            "(MAX_DIRECTORY_BYTES). Pack one file in each archive."
        )


def _is_workbook(content: IO[bytes]) -> bool:
    """Whether an archive is a workbook, which only looks like a packed file."""
    try:
        with zipfile.ZipFile(content) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except _BROKEN as error:
        raise UnreadableData(f"The zip archive is broken or cut off: {error}.") from None
    finally:
        content.seek(0)


@contextmanager
def _unzipped(packed: IO[bytes], limits: Limits) -> Iterator[tuple[IO[bytes], str]]:
    with _spooled() as plain:
        try:
            with zipfile.ZipFile(packed) as archive:
                member = _only_file(archive)
                if member.file_size > limits.unpacked_bytes:
                    raise _too_large(limits)
                with archive.open(member) as source:
                    _copy(source, plain, limits)
        except _BROKEN as error:
            raise UnreadableData(f"The zip archive is broken or cut off: {error}.") from None
        yield plain, member.filename.rpartition("/")[2]


def _only_file(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir()
        and not member.filename.startswith("__MACOSX/")
        and not member.filename.rpartition("/")[2].startswith(".")
    ]
    if len(members) != 1:
        names = ", ".join(member.filename[:60] for member in members[:5])
        raise UnreadableData(
            f"The zip archive holds {len(members)} files{f' ({names})' if names else ''}; pack one file in each."
        )
    if members[0].flag_bits & 1:
        raise UnreadableData("The zip archive is encrypted; pack it without a password.")
    return members[0]


def require_small(packed: IO[bytes], limits: Limits) -> None:
    """Refuse a workbook whose parts have more bytes unpacked than may be read at once.

    The sizes that an archive claims are not believed: each part is unpacked and counted.

    Raises:
        DataTooLarge, UnreadableData: as `unpacked`.
    """
    size = 0
    require_small_directory(packed, limits)
    try:
        with zipfile.ZipFile(packed) as archive:
            for member in archive.infolist():
                with archive.open(member) as part:
                    while chunk := part.read(_CHUNK):
                        size += len(chunk)
                        if size > limits.document_bytes:
                            raise DataTooLarge(
                                f"The workbook has more than {limits.document_bytes} bytes once unpacked; "
                                "split it, drop CSV instead, or raise MAX_DOCUMENT_BYTES."
                            )
    except _BROKEN as error:
        raise UnreadableData(f"The workbook is broken or cut off: {error}.") from None
    finally:
        packed.seek(0)
