"""JSON pages, and pages of one JSON document on each line."""

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
from sluice.formats.detect import looks_like, mistaken
from sluice.formats.limits import Limits
from sluice.formats.memory import require_json_fits


def read_json(content: IO[bytes], limits: Limits) -> tuple[Any, bytes]:
    """The document of a JSON page, and its text; numbers that a double does not give back are Decimal.

    Raises:
        EmptyData: there is nothing but white space.
        DataTooLarge: it has more bytes or values than can be read at once.
        UnreadableData: it is no JSON, or nested too deeply; the detail says where, and what it
            looks like instead.
    """
    body = _utf8(content.read(limits.document_bytes + 1))
    if len(body) > limits.document_bytes:
        raise DataTooLarge(
            f"The JSON has more than {limits.document_bytes} bytes; ask for smaller pages, or send JSON lines instead."
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


# What may be the end of a key: a quotation mark within a text has a backslash before it.
_KEY = re.compile(rb'(?<!\\)"\s*:')
_UTF16 = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def _utf8(body: bytes) -> bytes:
    """The text as UTF-8, which RFC 8259 asks for; a byte order mark says when it is UTF-16."""
    for mark, encoding in _UTF16:
        if body.startswith(mark):
            try:
                return body.decode(encoding).encode()
            except UnicodeDecodeError:
                raise UnreadableData("The JSON begins like UTF-16, and is not; send it in UTF-8.") from None
    return body.removeprefix(b"\xef\xbb\xbf")


def _explanation(body: bytes, error: orjson.JSONDecodeError) -> str:
    said = mistaken(body[:512], "JSON")
    if said is not None:
        return said
    try:
        text = body.decode()
    except UnicodeDecodeError as fault:
        return f"The JSON is not UTF-8 text, at byte {fault.start}; send it in UTF-8."
    if error.pos >= len(text.rstrip()) - 1:
        return f"The JSON ends too early, after {len(body)} bytes; it was cut off."
    return f"The page is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."


def repeated_keys(text: bytes, document: Any) -> Counter[str]:
    """The keys that objects have more than once, with how often another value takes the place of one.

    Args:
        text: the JSON, without an error.
        document: what it was read as.
    """
    said = sum(1 for _ in _KEY.finditer(text))
    found: Counter[str] = Counter()
    if said > _keys_in(document):
        json.loads(text, object_pairs_hook=partial(_object, found))
    return found


def _object(found: Counter[str], members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(members)) < len(members):
        found.update(Counter(key for key, _ in members) - Counter({key for key, _ in members}))
    return dict(members)


def _keys_in(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(map(_keys_in, value.values()))
    return sum(map(_keys_in, value)) if isinstance(value, list) else 0


def read_json_lines(content: IO[bytes], limits: Limits, repeated: Counter[str] | None = None) -> Iterator[Any]:
    """The documents of a page that has one on each line; empty lines count for nothing.

    Args:
        repeated: where the keys are counted that objects have more than once; without it nobody looks.

    Raises:
        EmptyData, DataTooLarge, UnreadableData: as `read_json`, naming the line.
    """
    number = found = 0
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
        found += 1
        yield document
    if not found:
        raise EmptyData("The page is empty; a JSON document on each line was expected.")


def _line_explanation(line: bytes, number: int, error: orjson.JSONDecodeError) -> str:
    if number == 1 and looks_like(line[:512]) != "JSON":
        said = mistaken(line[:512], "JSON lines")
        if said is not None:
            return said
    if not line.endswith(b"\n"):
        return f"Line {number} is not JSON: {error.msg}; the page ends there, so perhaps it was cut off."
    return f"Line {number} is not JSON: {error.msg} (column {error.colno}); each line must hold one whole document."
