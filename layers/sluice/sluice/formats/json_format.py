"""JSON pages."""

from __future__ import annotations

from typing import IO, Any

import orjson

from sluice.domain.json_text import depth, loads
from sluice.errors import DataTooLarge, EmptyData, UnreadableData
from sluice.formats.limits import Limits


def read_json(content: IO[bytes], limits: Limits, *, exact: bool) -> Any:
    """The document of a JSON page.

    Args:
        exact: numbers with a fraction become Decimal, so that no digit is lost to a double.

    Raises:
        EmptyData: there is nothing but white space.
        DataTooLarge: it has more bytes than can be read at once.
        UnreadableData: it is no JSON, or nested too deeply; the detail says where, and what it
            looks like instead.
    """
    body = content.read(limits.json_bytes + 1).removeprefix(b"\xef\xbb\xbf")
    if len(body) > limits.json_bytes:
        raise DataTooLarge(
            f"The JSON has more than {limits.json_bytes} bytes; ask for smaller pages, or drop CSV instead."
        )
    if not body.strip():
        raise EmptyData("The page is empty; JSON was expected.")
    try:
        document = loads(body, exact=exact)
    except orjson.JSONDecodeError as error:
        raise UnreadableData(_explanation(body, error)) from None
    if depth(document) > limits.nesting:
        raise UnreadableData(f"The JSON is nested more than {limits.nesting} levels deep.")
    return document


def _explanation(body: bytes, error: orjson.JSONDecodeError) -> str:
    start = body.lstrip()[:200].lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "The page is HTML, not JSON: perhaps a login or error page; check the address and the credentials."
    if start.startswith(b"<"):
        return "The page is XML or HTML, not JSON; check the address and the format."
    if error.pos >= len(body.decode("utf-8", "replace").rstrip()) - 1:
        return f"The JSON ends too early, after {len(body)} bytes; it was cut off."
    return f"The page is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
