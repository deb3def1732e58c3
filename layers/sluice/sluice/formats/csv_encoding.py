"""The encoding of a CSV page: by byte order mark, media type, or content."""

from __future__ import annotations

import codecs
import re
from typing import IO

from sluice.errors import UnreadableData

_SAMPLE = 64 << 10
_CHUNK = 1 << 20
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Encodings that occur in practice. More candidates would only be confused with these.
_GUESSED = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp932", "gb18030"]
_GUESSED += ["big5", "euc_kr"]


def detect_encoding(content: IO[bytes], media_type: str | None) -> tuple[str, tuple[str, ...]]:
    """Detect the encoding of a page.

    Args:
        content: the page, at its beginning; it is left at any position.
        media_type: the `Content-Type` of the response, whose `charset` is used unless it says UTF-8 or ASCII:
            servers often send those as a default.

    Returns:
        The name of a Python codec, and warnings about what was guessed.

    Raises:
        UnreadableData: the page is not text, or ends in the middle of a character.
    """
    beginning = content.read(4)
    content.seek(0)
    for mark, encoding in _BOMS:
        if beginning.startswith(mark):
            return encoding, ()
    charset = re.search(r"charset\s*=\s*\"?([\w.:-]+)", media_type or "", re.IGNORECASE)
    if charset and charset[1].lower().replace("_", "-") not in ("utf-8", "utf8", "us-ascii", "ascii", "binary"):
        try:
            codecs.lookup(charset[1])
        except LookupError:
            return _detect_from_bytes(content)
        return charset[1], ()
    return _detect_from_bytes(content)


def _detect_from_bytes(content: IO[bytes]) -> tuple[str, tuple[str, ...]]:
    """UTF-8 if the whole page is valid UTF-8; else a guess from the bytes around the first invalid one."""
    position, sample = _first_not_utf8(content)
    if position is None:
        return "utf-8", ()
    guess = _guess(sample)
    if guess is None:
        raise UnreadableData(
            f"The page is not UTF-8 text (byte {position}) and its encoding could not be detected; set csv.encoding."
        )
    return guess, (f"the CSV is not UTF-8 and was read as {guess}; set csv.encoding if that is wrong",)


def _first_not_utf8(content: IO[bytes]) -> tuple[int | None, bytes]:
    """The position of the first byte that is not UTF-8, and the bytes around it; None if there is none."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    read = 0
    pending = b""
    while chunk := content.read(_CHUNK):
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            content.seek(max(0, read - _SAMPLE))
            return read + error.start - len(pending), content.read(2 * _SAMPLE + error.start)[-3 * _SAMPLE :]
        pending = decoder.getstate()[0]
        read += len(chunk)
    if pending:
        raise UnreadableData("The page ends in the middle of a character; it is truncated.")
    return None, b""


def _guess(sample: bytes) -> str | None:
    """The likeliest encoding: charset-normalizer's guess for other scripts, else a Western or Central European one."""
    # UTF-16 without a byte order mark: every other byte of mostly Latin text is zero.
    if sample.count(0) > len(sample) // 4:
        return "utf-16-le" if sample[1:2] == b"\0" else "utf-16-be"
    if 0 in sample:
        return None
    from charset_normalizer import from_bytes  # slow to import, and needed only for pages that are not UTF-8

    guess = from_bytes(sample, cp_isolation=_GUESSED).best()
    other_script = guess.encoding if guess is not None and _is_another_script(str(guess)) else None
    try:
        western = sample.decode("cp1252")
    except UnicodeDecodeError:
        return other_script or ("cp1250" if _decodes(sample, "cp1250") else guess.encoding if guess else None)
    # cp1252 is by far the most common, so another encoding needs evidence.
    return other_script or ("cp1250" if _CENTRAL.search(western) and _decodes(sample, "cp1250") else "cp1252")


# Symbols within words: a sign that letters of a Central European encoding were decoded as cp1252.
_CENTRAL = re.compile(r"[^\W\d_][³£¹¥¿¯º¾¼][^\W\d_]|[³£¹¥][a-zà-ÿ]")


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_another_script(text: str) -> bool:
    """Whether the text has words in a script other than Latin, not just single symbols."""
    foreign = [index for index, character in enumerate(text) if character.isalpha() and ord(character) > 0x24F]
    half_width = sum("\uff61" <= text[index] <= "\uff9f" for index in foreign)
    beside = set(foreign)
    in_words = sum(index - 1 in beside or index + 1 in beside for index in foreign)
    accented = sum(character.isalpha() and 0x7F < ord(character) <= 0x24F for character in text)
    return len(foreign) >= 4 and in_words >= 0.8 * len(foreign) and not half_width and len(foreign) > accented
