"""Readings as a client posts them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from sluice.domain.reading import NotJson
from sluice.errors import MalformedRequest

_BOM = b"\xef\xbb\xbf"


def parse_readings(body: bytes) -> Iterator[tuple[int, Any]]:
    """The readings of a body, each with its index.

    Args:
        body: a JSON array, one JSON object, or one on each line; blank lines are not counted.

    Returns:
        What is on each line or at each index; `NotJson` for a line that is not JSON.

    Raises:
        MalformedRequest: the body is neither.
    """
    body = body.removeprefix(_BOM)
    if not body.strip():
        raise MalformedRequest("The body is empty; send a JSON array of readings, or one reading on each line.")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        lines = [line for line in body.splitlines() if line.strip()]
        if body.lstrip()[:1] != b"{" or len(lines) == 1:
            raise MalformedRequest(f"The body is not JSON: {error}.") from None
        return enumerate(map(_line, lines))
    return enumerate(document if isinstance(document, list) else [document])


def _line(line: bytes) -> Any:
    try:
        return orjson.loads(line)
    except orjson.JSONDecodeError as error:
        return NotJson(str(error))
