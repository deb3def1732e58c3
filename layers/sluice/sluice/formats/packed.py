"""Pages packed with gzip or zip, unpacked up to a cap regardless of the sizes they claim."""

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
# A zip archive ends with records that state its directory's size, and a comment of at most 64 KB.
_DIRECTORY_END = (64 << 10) + 200
_BROKEN = (EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError)


@contextmanager
def open_unpacked(content: IO[bytes], filename: str | None, limits: Limits) -> Iterator[tuple[IO[bytes], str | None]]:
    """Unpack a page.

    Args:
        content: the page, at its beginning.
        filename: its name, if it is known.
        limits: its `unpacked_bytes` and `directory_bytes` are the caps.

    Yields:
        The unpacked content at its beginning, and the name of the file within.

    Raises:
        DataTooLarge: it has more bytes unpacked than the cap.
        UnreadableData: it is broken, truncated, encrypted, or contains more than one file.
    """
    with ExitStack() as stack:
        for _ in range(_MOST_LAYERS):
            beginning = content.read(4)
            content.seek(0)
            if beginning.startswith(b"\x1f\x8b"):
                content = stack.enter_context(_gunzipped(content, limits))
                filename = (filename or "").removesuffix(".gz") or None
            # zipfile needs a seekable file, and a workbook is recognized by its directory only.
            elif beginning in (b"PK\x03\x04", b"PK\x05\x06"):  # the second marks an empty archive
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
            raise UnreadableData("The page is packed several times; pack it once.")
        yield content, filename


def _spooled() -> IO[bytes]:
    return cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=_SPOOL))


@contextmanager
def _gunzipped(packed: IO[bytes], limits: Limits) -> Iterator[IO[bytes]]:
    with _spooled() as plain:
        try:
            with gzip.GzipFile(fileobj=packed, mode="rb") as source:
                _copy_limited(cast(IO[bytes], source), plain, limits)
        except _BROKEN as error:
            raise UnreadableData(f"The gzip data is broken or truncated: {error}.") from None
        yield plain


def _copy_limited(source: IO[bytes], target: IO[bytes], limits: Limits) -> None:
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        # Checked while copying: the size that an archive states may be wrong.
        if size > limits.unpacked_bytes:
            raise _too_large(limits)
        target.write(chunk)
    target.seek(0)


def _too_large(limits: Limits) -> DataTooLarge:
    return DataTooLarge(
        f"The page has more than {limits.unpacked_bytes} bytes once unpacked; split it, or raise MAX_UNPACKED_BYTES."
    )


def require_small_directory(packed: IO[bytes], limits: Limits) -> None:
    """Refuse an archive with a very long list of files, which `zipfile` would read at once.

    Args:
        packed: the archive; it is left at its beginning.
        limits: its `directory_bytes` is the cap.

    Raises:
        DataTooLarge: the directory exceeds the cap.
    """
    size = packed.seek(0, io.SEEK_END)
    packed.seek(max(0, size - _DIRECTORY_END))
    tail = packed.read()
    packed.seek(0)
    # Read the end records by hand: `zipfile` would already load the whole directory when it opens the archive.
    end_record = tail.rfind(b"PK\x05\x06")
    if end_record < 0 or len(tail) < end_record + 16:
        return  # not an archive; opening it will report that
    (directory_size,) = struct.unpack_from("<L", tail, end_record + 12)
    zip64_record = tail.rfind(b"PK\x06\x06", 0, end_record)
    if zip64_record >= 0 and len(tail) >= zip64_record + 48:
        (directory_size,) = struct.unpack_from("<Q", tail, zip64_record + 40)
    if directory_size > limits.directory_bytes:
        raise DataTooLarge(
            f"The zip archive's list of files has {directory_size} bytes; at most {limits.directory_bytes} are read "
            "(MAX_DIRECTORY_BYTES). Pack one file in each archive."
        )


def _is_workbook(content: IO[bytes]) -> bool:
    """Whether an archive is a workbook, which is a zip archive but not a packed file."""
    try:
        with zipfile.ZipFile(content) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except _BROKEN as error:
        raise UnreadableData(f"The zip archive is broken or truncated: {error}.") from None
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
                    _copy_limited(source, plain, limits)
        except _BROKEN as error:
            raise UnreadableData(f"The zip archive is broken or truncated: {error}.") from None
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
            f"The zip archive holds {len(members)} files{f' ({names})' if names else ''}; pack exactly one file."
        )
    if members[0].flag_bits & 1:
        raise UnreadableData("The zip archive is encrypted; pack it without a password.")
    return members[0]


def require_small_workbook(packed: IO[bytes], limits: Limits) -> None:
    """Refuse a workbook whose parts are too large in total after unpacking.

    The sizes in the archive's directory may be wrong, so each part is unpacked and counted.

    Args:
        packed: the workbook; it is left at its beginning.
        limits: its `document_bytes` is the cap.

    Raises:
        DataTooLarge, UnreadableData: as `open_unpacked`.
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
        raise UnreadableData(f"The workbook is broken or truncated: {error}.") from None
    finally:
        packed.seek(0)
