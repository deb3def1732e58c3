"""JSON pages, and JSON Lines."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import IO, Any

import orjson

from sluice.domain.json_text import depth, depth_of_text, loads_with_digits, may_lose_digits
from sluice.errors import DataTooLarge, EmptyData, UnreadableData
from sluice.formats.detect import describe_mismatch, looks_like
from sluice.formats.limits import Limits
from sluice.formats.memory import require_json_fits


def read_json(content: IO[bytes], limits: Limits) -> tuple[Any, bytes]:
    """Parse a JSON page. Numbers that a double cannot represent become Decimal.

    Args:
        content: the page, unpacked, at its beginning.
        limits: caps for size, memory and nesting.

    Returns:
        The document, and its text in UTF-8.

    Raises:
        EmptyData: there is only white space.
        DataTooLarge: it has more bytes or values than may be read at once.
        UnreadableData: it is not JSON, or nested too deeply; the detail says where, and what it looks like instead.
    """
    body = _utf8(content.read(limits.document_bytes + 1))
    if len(body) > limits.document_bytes:
        raise DataTooLarge(
            f"The JSON has more than {limits.document_bytes} bytes; request smaller pages, or use JSON Lines."
        )
    if not body.strip():
        raise EmptyData("The page is empty; JSON was expected.")
    doubtful = may_lose_digits(body)
    require_json_fits(body, limits, "The JSON", exact=doubtful)
    try:
        document = loads_with_digits(body, doubtful=doubtful)
    except orjson.JSONDecodeError as error:
        raise UnreadableData(_explanation(body, error)) from None
    if _is_deeper(body, document, limits.nesting):
        raise UnreadableData(f"The JSON is nested more than {limits.nesting} levels deep.")
    return document, body


def _is_deeper(text: bytes, document: Any, most: int) -> bool:
    levels = depth_of_text(text, most)
    return (depth(document) if levels is None else levels) > most


# May be the end of a key. A quotation mark within a string has a backslash before it.
_KEY = re.compile(rb'(?<!\\)"\s*:')
_UTF16 = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def _utf8(body: bytes) -> bytes:
    """Convert a text to UTF-8, which RFC 8259 requires; UTF-16 is accepted with a byte order mark."""
    for mark, encoding in _UTF16:
        if body.startswith(mark):
            try:
                return body.decode(encoding).encode()
            except UnicodeDecodeError:
                raise UnreadableData(
                    "The JSON has a byte order mark of UTF-16 but is not UTF-16; send it as UTF-8."
                ) from None
    return body.removeprefix(b"\xef\xbb\xbf")


def _explanation(body: bytes, error: orjson.JSONDecodeError) -> str:
    mismatch = describe_mismatch(body[:512], "JSON")
    if mismatch is not None:
        return mismatch
    try:
        text = body.decode()
    except UnicodeDecodeError as fault:
        return f"The JSON is not UTF-8 (byte {fault.start}); send it as UTF-8."
    # An error at the very end of the text means that the text is incomplete.
    if error.pos >= len(text.rstrip()) - 1:
        return f"The JSON ends too early, after {len(body)} bytes; it is truncated."
    return f"The page is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."


def repeated_keys(text: bytes, document: Any) -> Counter[str]:
    """Count duplicate keys in objects.

    Args:
        text: valid JSON.
        document: the parsed text.

    Returns:
        For each duplicate key, how many values were replaced by a later one.
    """
    written = sum(1 for _ in _KEY.finditer(text))
    repeated: Counter[str] = Counter()
    # The count is cheap and finds most pages clean; only a suspicious page is parsed a second time.
    if written > _keys_in(document):
        json.loads(text, object_pairs_hook=partial(_object, repeated))
    return repeated


def _object(repeated: Counter[str], members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(members)) < len(members):
        repeated.update(Counter(key for key, _ in members) - Counter({key for key, _ in members}))
    return dict(members)


def _keys_in(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_keys_in, value.values()))
    return sum(map(_keys_in, value)) if isinstance(value, list) else 0


def read_json_lines(content: IO[bytes], limits: Limits, repeated: Counter[str] | None = None) -> Iterator[Any]:
    """Parse the documents of a JSON Lines page; empty lines are skipped.

    Args:
        content: the page, unpacked, at its beginning.
        limits: caps for size, memory and nesting of a line.
        repeated: counts duplicate keys, if it is given; that costs time.

    Yields:
        The documents.

    Raises:
        EmptyData, DataTooLarge, UnreadableData: as `read_json`, with the line.
    """
    number = count = 0
    while line := content.readline(limits.document_bytes + 1):
        number += 1
        if len(line) > limits.document_bytes:
            raise DataTooLarge(f"Line {number} has more than {limits.document_bytes} bytes.")
        if number == 1:
            line = _utf8(line)
        if not line.strip():
            continue
        doubtful = may_lose_digits(line)
        require_json_fits(line, limits, f"Line {number}", exact=doubtful)
        try:
            document = loads_with_digits(line, doubtful=doubtful)
        except orjson.JSONDecodeError as error:
            raise UnreadableData(_line_explanation(line, number, error)) from None
        if _is_deeper(line, document, limits.nesting):
            raise UnreadableData(f"Line {number} is nested more than {limits.nesting} levels deep.")
        if repeated is not None:
            repeated += repeated_keys(line, document)
        count += 1
        yield document
    if not count:
        raise EmptyData("The page is empty; JSON Lines were expected.")


def _line_explanation(line: bytes, number: int, error: orjson.JSONDecodeError) -> str:
    if number == 1 and looks_like(line[:512]) != "JSON":
        mismatch = describe_mismatch(line[:512], "JSON lines")
        if mismatch is not None:
            return mismatch
    if not line.endswith(b"\n"):
        return f"Line {number} is not JSON: {error.msg}; the page ends there, so it is perhaps truncated."
    return f"Line {number} is not JSON: {error.msg} (column {error.colno}); each line must be a complete document."
