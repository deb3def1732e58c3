"""Which encoding a CSV page has: by its beginning, its media type, or its bytes."""

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
# Encodings that tables are found in; more would only be confused with these.
_GUESSED = ["cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp932", "gb18030"]
_GUESSED += ["big5", "euc_kr"]


def encoding_of(content: IO[bytes], media_type: str | None) -> tuple[str, tuple[str, ...]]:
    """The encoding of a page, and what was guessed about it, for the run to say.

    The content is left anywhere.

    Raises:
        UnreadableData: it is no text, or ends in the middle of a character.
    """
    beginning = content.read(4)
    content.seek(0)
    for mark, encoding in _BOMS:
        if beginning.startswith(mark):
            return encoding, ()
    told = re.search(r"charset\s*=\s*\"?([\w.:-]+)", media_type or "", re.IGNORECASE)
    if told and told[1].lower().replace("_", "-") not in ("utf-8", "utf8", "us-ascii", "ascii", "binary"):
        try:
            codecs.lookup(told[1])
        except LookupError:
            return _found_out(content)
        return told[1], ()
    return _found_out(content)


def _found_out(content: IO[bytes]) -> tuple[str, tuple[str, ...]]:
    """UTF-8 if all of it is; else what an expert guesses from the part that is not."""
    position, sample = _first_not_utf8(content)
    if position is None:
        return "utf-8", ()
    guess = _guess(sample)
    if guess is None:
        raise UnreadableData(
            f"The page is not UTF-8 text, at byte {position}, nor any encoding that can be told; set csv.encoding."
        )
    return guess, (f"the CSV is not UTF-8 and was read as {guess}; set csv.encoding if that is wrong",)


def _first_not_utf8(content: IO[bytes]) -> tuple[int | None, bytes]:
    """Where the page stops being UTF-8, and the bytes around that place."""
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
        raise UnreadableData("The page ends in the middle of a character; it was cut off.")
    return None, b""


def _guess(sample: bytes) -> str | None:
    if sample.count(0) > len(sample) // 4:
        return "utf-16-le" if sample[1:2] == b"\0" else "utf-16-be"
    if 0 in sample:
        return None
    from charset_normalizer import from_bytes  # only for the rare page that is not UTF-8

    found = from_bytes(sample, cp_isolation=_GUESSED).best()
    other = found.encoding if found is not None and _is_another_script(str(found)) else None
    try:
        western = sample.decode("cp1252")
    except UnicodeDecodeError:
        return other or ("cp1250" if _decodes(sample, "cp1250") else found.encoding if found else None)
    # The commonest of all, unless much speaks for another one.
    return other or ("cp1250" if _CENTRAL.search(western) and _decodes(sample, "cp1250") else "cp1252")


# Signs that stand within words only where letters of Central Europe were read as Western ones.
_CENTRAL = re.compile(r"[^\W\d_][³£¹¥¿¯º¾¼][^\W\d_]|[³£¹¥][a-zà-ÿ]")


def _decodes(sample: bytes, encoding: str) -> bool:
    try:
        sample.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _is_another_script(text: str) -> bool:
    """Whether the text has words of a script that is not Latin, and not just a sign here and there."""
    foreign = [index for index, character in enumerate(text) if character.isalpha() and ord(character) > 0x24F]
    half_width = sum("\uff61" <= text[index] <= "\uff9f" for index in foreign)
    beside = set(foreign)
    in_words = sum(index - 1 in beside or index + 1 in beside for index in foreign)
    accented = sum(character.isalpha() and 0x7F < ord(character) <= 0x24F for character in text)
    return len(foreign) >= 4 and in_words >= 0.8 * len(foreign) and not half_width and len(foreign) > accented
