"""The format of a page: declared, or detected by media type, file name and content, in this order."""

from __future__ import annotations

import re

import orjson

from sluice.domain.file_format import Format

_BY_MEDIA_TYPE: dict[str, Format] = {
    "application/json": "json",
    "text/json": "json",
    "application/x-ndjson": "jsonl",
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/x-jsonlines": "jsonl",
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/vnd.apache.parquet": "parquet",
    "application/parquet": "parquet",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}
_BY_ENDING: dict[str, Format] = {
    "json": "json",
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "csv": "csv",
    "tsv": "csv",
    "parquet": "parquet",
    "xml": "xml",
    "xlsx": "xlsx",
    "xlsm": "xlsx",
}
_MAGIC = (
    (b"PAR1", "Parquet"),
    (b"PK\x03\x04", "a zip archive or workbook"),
    (b"\x1f\x8b", "gzip"),
    (b"%PDF", "PDF"),
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"7z\xbc\xaf", "7z"),
    (b"Obj\x01", "Avro"),
    (b"ORC", "ORC"),
)
_BOM = b"\xef\xbb\xbf"


def detect_format(declared: Format | None, media_type: str | None, filename: str | None, beginning: bytes) -> Format:
    """Choose the format to read a page with.

    Args:
        declared: the datasource's `format`.
        media_type: the `Content-Type` of the response.
        filename: the name of the file, unpacked.
        beginning: the first bytes of the page, unpacked.
    """
    if declared is not None:
        return declared
    plain = (media_type or "").partition(";")[0].strip().lower()
    if plain in _BY_MEDIA_TYPE:
        return _BY_MEDIA_TYPE[plain]
    if plain.endswith("+json"):
        return "json"
    if plain.endswith("+xml") and plain != "application/xhtml+xml":
        return "xml"
    ending = (filename or "").rpartition(".")[2].lower()
    # Generic media types such as text/plain or application/octet-stream tell nothing: go on with the name.
    return _BY_ENDING.get(ending) or _by_content(beginning)


def is_format_guessed(declared: Format | None, media_type: str | None, filename: str | None) -> bool:
    """Whether only a page's content, not its declaration, media type or file name, tells its format."""
    plain = (media_type or "").partition(";")[0].strip().lower()
    ending = (filename or "").rpartition(".")[2].lower()
    has_known_name = plain in _BY_MEDIA_TYPE or plain.endswith(("+json", "+xml")) or ending in _BY_ENDING
    return declared is None and not has_known_name


def _by_content(beginning: bytes) -> Format:
    if beginning.startswith(b"PAR1"):
        return "parquet"
    if beginning.startswith(b"PK\x03\x04"):
        return "xlsx"
    text = _text(beginning)
    if text.startswith(b"<") and looks_like(beginning) != "HTML":
        return "xml"
    if text[:1] in (b"{", b"[", b"<"):
        return "jsonl" if _is_lines(text) else "json"
    return "csv"


def _text(beginning: bytes) -> bytes:
    return beginning.removeprefix(_BOM).lstrip()


def _is_lines(text: bytes) -> bool:
    """Whether the first line is a complete JSON document and another one follows."""
    first, line_break, rest = text.partition(b"\n")
    if not line_break or rest.lstrip()[:1] not in (b"{", b"["):
        return False
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return True


def looks_like(beginning: bytes) -> str | None:
    """What a page obviously is, whatever it is called; None if that is not obvious."""
    for magic, kind in _MAGIC:
        if beginning.startswith(magic):
            return kind
    text = _text(beginning)[:300].lower()
    if re.match(rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<(!doctype html|html|head|body)\b", text, re.DOTALL):
        return "HTML"
    if text.startswith(b"<"):
        return "XML"
    return "JSON" if text[:1] in (b"{", b"[") else None


def describe_mismatch(beginning: bytes, expected: str) -> str | None:
    """Explain to a user that a page is obviously of another format than expected.

    Args:
        beginning: the first bytes of the page, unpacked.
        expected: the expected format, as `looks_like` names it.

    Returns:
        A message; None if the page is not obviously of another format.
    """
    kind = looks_like(beginning)
    if kind is None or kind == expected:
        return None
    if kind == "HTML":
        return f"The page is HTML, not {expected}, perhaps a login or error page; check the URL and the credentials."
    return f"The page is {kind}, not {expected}; correct the datasource's `format`, or the file's name or media type."
