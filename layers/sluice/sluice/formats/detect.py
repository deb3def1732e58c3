"""Which format a page has: what the datasource says, else media type, file name, content."""

from __future__ import annotations

from typing import Literal

Format = Literal["json", "csv"]

_BY_MEDIA_TYPE: dict[str, Format] = {"application/json": "json", "text/json": "json", "text/csv": "csv"}
_BY_ENDING: dict[str, Format] = {"json": "json", "csv": "csv"}


def detect(declared: Format | None, media_type: str | None, filename: str | None, beginning: bytes) -> Format:
    """The format to read a page with."""
    if declared is not None:
        return declared
    plain = (media_type or "").partition(";")[0].strip().lower()
    if plain in _BY_MEDIA_TYPE or plain.endswith("+json"):
        return _BY_MEDIA_TYPE.get(plain, "json")
    ending = (filename or "").rpartition(".")[2].lower()
    if ending in _BY_ENDING:
        return _BY_ENDING[ending]
    return "json" if beginning.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[", b"<") else "csv"
