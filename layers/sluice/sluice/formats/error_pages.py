"""Detects pages that are errors although their HTTP status is 200."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sluice.domain.file_format import Format
from sluice.errors import RecordsNotFound
from sluice.formats.parsed_page import Page

# Keys in lower case without separators, so that `error_message` and `errorMessage` both match.
_ERROR_KEYS = frozenset(
    {"error", "errors", "errorcode", "errordescription", "errormessage", "errormsg", "exception", "fault"}
)
_STATUS_KEYS = frozenset({"code", "meta", "response", "result", "status", "statuscode"})
_FAILED = frozenset({"error", "fail", "failed", "failure"})
_SHOWN_KEYS = 10


@dataclass(frozen=True)
class Shape:
    """What a page looks like.

    Args:
        form: its format.
        listed: whether `records` selects a list.
        record: the keys of the first record; for CSV the columns.
        errors: the keys in the page's document, or in its first row, that state an error.
    """

    form: Format
    listed: bool
    record: frozenset[str]
    errors: frozenset[str]


def shape_of(page: Page, records: list[Any], *, listed: bool) -> Shape:
    """The shape of a page whose records were read.

    Args:
        page: the page.
        records: its records.
        listed: whether `records` selects a list.
    """
    record = _keys(records[0]) if records else frozenset()
    if page.rows is not None:
        errors = _errors(records[0]) if records else frozenset()
        return Shape(page.form, listed, record or frozenset(page.columns()), errors)
    errors = _errors(page.document())
    if not listed and records:
        errors |= _errors(records[0])
    return Shape(page.form, listed, record, errors)


def is_suspect(shape: Shape, records: int) -> bool:
    """Whether a page must be compared with the first one; an error page has at most one record."""
    return not shape.listed or shape.form == "csv" or (records <= 1 and bool(shape.errors))


def require_same_shape(first: Shape, page: Shape, records: int) -> None:
    """Refuse a page that contains an error, or something other than the records of the first page.

    Args:
        first: the shape of the first page.
        page: the shape of the page.
        records: how many records the page has.

    Raises:
        RecordsNotFound: the page is refused.
    """
    new = sorted(page.errors - first.errors)
    similar = bool(first.record) and 2 * len(first.record & page.record) >= len(first.record)
    if similar and not (new and first.listed and not page.listed):
        return
    if new:
        raise _error_page(new[0])
    if page.form == "csv" and first.form == "csv" and not first.record & page.record:
        raise RecordsNotFound("The page has none of the columns of the first page; see the content of the page.")
    # In XML a single element is an object, and several are a list.
    if first.listed and not page.listed and records and page.form != "xml":
        names = ", ".join(sorted(page.record)[:_SHOWN_KEYS]) or "none"
        raise RecordsNotFound(f"The page is a single value (its keys: {names}), but the first page is a list.")


def require_no_error(page: Shape, records: int) -> None:
    """Refuse a page without records that states an error.

    Args:
        page: the shape of the page.
        records: how many records the page has.

    Raises:
        RecordsNotFound: the page is refused.
    """
    if records == 0 and page.errors:
        raise _error_page(min(page.errors))


def _error_page(key: str) -> RecordsNotFound:
    return RecordsNotFound(
        f"The page is an error (it has the key {key!r}) although its HTTP status is not; see the content of the "
        "page. If it means that there are no records, set `allow_missing`."
    )


def _keys(value: Any) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, dict) else frozenset()


def _errors(document: Any) -> frozenset[str]:
    """The keys that state an error, such as `error`, or `success` with the value false."""
    if not isinstance(document, dict):
        return frozenset()
    return frozenset(str(key) for key, value in document.items() if _is_error(str(key).lower(), value))


def _is_error(name: str, value: Any) -> bool:
    key = name.lower().replace("_", "").replace("-", "")
    if key in _ERROR_KEYS:
        return bool(value)
    if key in ("success", "ok"):
        return value is False or str(value).lower() == "false"
    if key not in _STATUS_KEYS:
        return False
    text = str(value).lower()
    if text.isdecimal():
        return 400 <= int(text[:6]) < 600
    return text in _FAILED or bool(_errors(value))
