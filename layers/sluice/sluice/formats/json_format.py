"""JSON pages."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import IO, Any

import orjson

from sluice.errors import EmptyData, UnreadableData


def read_json(content: IO[bytes], *, exact: bool) -> Any:
    """The document of a JSON page.

    Args:
        exact: numbers with a fraction become Decimal, so that no digit is lost to a double.

    Raises:
        EmptyData: there is nothing but white space.
        UnreadableData: it is no JSON; the detail says where, and what it looks like instead.
    """
    body = content.read().removeprefix(b"\xef\xbb\xbf")
    if not body.strip():
        raise EmptyData("The page is empty; JSON was expected.")
    try:
        document = orjson.loads(body)
        return json.loads(body, parse_float=Decimal) if exact else document
    except orjson.JSONDecodeError as error:
        raise UnreadableData(_explanation(body, error)) from None


def _explanation(body: bytes, error: orjson.JSONDecodeError) -> str:
    start = body.lstrip()[:200].lower()
    if start.startswith((b"<!doctype", b"<html")):
        return "The page is HTML, not JSON: perhaps a login or error page; check the address and the credentials."
    if start.startswith(b"<"):
        return "The page is XML or HTML, not JSON; check the address and the format."
    if error.pos >= len(body.decode("utf-8", "replace").rstrip()) - 1:
        return f"The JSON ends too early, after {len(body)} bytes; it was cut off."
    return f"The page is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
