"""Estimates how much memory a document takes after parsing, from its bytes, before anything is built.

The weights were measured with CPython 3.11 to 3.13, for the most expensive document of each shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sluice.errors import DataTooLarge
from sluice.formats.limits import Limits

# Bytes of a list, an object, each further value, a string, a key, and the extra bytes of an exact number.
_LIST, _OBJECT, _VALUE, _STRING, _KEY, _EXACT_NUMBER = 90, 200, 40, 57, 10, 80
# The most bytes of memory that one byte of JSON or XML can take.
_JSON_COSTLIEST, _XML_COSTLIEST = 100, 60
_JSON_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_EXPONENT = re.compile(rb"\d[eE]")
# Bytes of an XML element and of an attribute.
_ELEMENT, _ATTRIBUTE = 190, 100
# Bytes of a field of CSV, and of a character.
_FIELD, _CHARACTER = 64, 4


def require_json_fits(body: bytes, limits: Limits, what: str, *, exact: bool) -> None:
    """Refuse JSON that would take too much memory.

    Args:
        body: the JSON.
        limits: its `document_memory` is the cap, in bytes.
        what: the subject of the error message.
        exact: whether numbers with a fraction may become Decimal.

    Raises:
        DataTooLarge: the estimate exceeds the cap.
    """
    # Fast path: most pages are small enough whatever they contain.
    if len(body) * _JSON_COSTLIEST <= limits.document_memory:
        return
    if _json_memory(body, body.count(b'"') // 2, exact=exact) + len(body) <= limits.document_memory:
        return
    # The quick estimate counted brackets and commas within strings, too: remove the strings and estimate again.
    plain, strings = _JSON_STRING.subn(b"s", body)
    estimate = _json_memory(plain, strings, exact=exact) + len(body)
    if estimate > limits.document_memory:
        containers, commas = plain.count(b"[") + plain.count(b"{"), plain.count(b",")
        subject = f"{what} has {containers} lists and objects and {commas} commas between values"
        raise _too_large(estimate, limits, subject)


def _json_memory(plain: bytes, strings: int, *, exact: bool) -> int:
    """The bytes of a document's values, without the characters of its strings."""
    keys = plain.count(b":")
    estimate = plain.count(b"[") * _LIST + plain.count(b"{") * _OBJECT + plain.count(b",") * _VALUE
    estimate += max(0, strings - keys) * _STRING + keys * _KEY
    if exact:
        # An exact number is a Decimal, which takes more memory than a float.
        estimate += (plain.count(b".") + len(_EXPONENT.findall(plain))) * _EXACT_NUMBER
    return estimate


def require_xml_fits(body: bytes, limits: Limits) -> None:
    """Refuse XML that would take too much memory.

    Args:
        body: the XML.
        limits: its `document_memory` is the cap, in bytes.

    Raises:
        DataTooLarge: the estimate exceeds the cap.
    """
    if len(body) * _XML_COSTLIEST <= limits.document_memory:
        return
    plain = body.replace(b"\0", b"")  # in UTF-16 a zero stands beside each counted character
    elements = plain.count(b"<") - plain.count(b"</")
    attributes = plain.count(b'="') + plain.count(b"='")
    estimate = len(body) + elements * _ELEMENT + attributes * _ATTRIBUTE
    if estimate > limits.document_memory:
        raise _too_large(estimate, limits, f"The XML has {elements} elements and {attributes} attributes")


def require_csv_record_fits(characters: int, delimiters: int, limits: Limits, line: int) -> None:
    """Refuse a CSV record that would take too much memory.

    Args:
        characters: the characters of the record.
        delimiters: the delimiters in it.
        limits: its `document_memory` is the cap, in bytes.
        line: the line where the record begins, for the error message.

    Raises:
        DataTooLarge: the estimate exceeds the cap.
    """
    estimate = characters * _CHARACTER + delimiters * _FIELD
    if estimate > limits.document_memory:
        raise _too_large(estimate, limits, f"The record in line {line} has {delimiters} delimiters")


def collect_rows(rows: Iterable[Any], limits: Limits) -> list[Any]:
    """Collect all rows of a page, which an expression over the whole page needs.

    Args:
        rows: the rows, as JSON values.
        limits: its `document_memory` is the cap, in bytes.

    Raises:
        DataTooLarge: the rows take more memory than the cap.
    """
    collected: list[Any] = []
    size = 0
    for row in rows:
        size += _size(row)
        if size > limits.document_memory:
            raise _too_large(
                size, limits, f"An expression over the whole page needs its first {len(collected) + 1} rows"
            )
        collected.append(row)
    return collected


def _size(value: Any) -> int:
    match value:
        case dict():
            return _OBJECT + sum(_KEY + _VALUE + _size(inner) for inner in value.values())
        case list():
            return _LIST + sum(_VALUE + _size(inner) for inner in value)
        case str():
            return _STRING + len(value)
        case _:
            return 0


def _too_large(estimate: int, limits: Limits, what: str) -> DataTooLarge:
    return DataTooLarge(
        f"{what}, which take about {estimate} bytes of memory; at most {limits.document_memory} are allowed "
        "(MAX_DOCUMENT_MEMORY). Send smaller pages, or JSON Lines."
    )
