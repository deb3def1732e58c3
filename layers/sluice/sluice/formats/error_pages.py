"""Whether a page is an error that the upstream answers with status 200."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sluice.domain.file_format import Format
from sluice.errors import RecordsNotFound
from sluice.formats.parsed_page import Page

# Without what separates their words: `error_message` and `errorMessage` alike.
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
        listed: whether `records` selects a list there.
        record: the keys of the first record; of CSV, the columns.
        errors: the keys by which the page's document, or the first row, says that it is an error.
    """

    form: Format
    listed: bool
    record: frozenset[str]
    errors: frozenset[str]


def shape_of(page: Page, records: list[Any], *, listed: bool) -> Shape:
    """The shape of a page whose records were read.

    Args:
        listed: whether `records` selects a list there.
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
    """Whether a page must be compared with the first one: an error has one record at most."""
    return not shape.listed or shape.form == "csv" or (records <= 1 and bool(shape.errors))


def require_same_shape(first: Shape, page: Shape, records: int) -> None:
    """Refuse a page that holds an error, or something else than the records of the first page.

    Args:
        records: how many records the page has.

    Raises:
        RecordsNotFound: it does.
    """
    new = sorted(page.errors - first.errors)
    alike = bool(first.record) and 2 * len(first.record & page.record) >= len(first.record)
    if alike and not (new and first.listed and not page.listed):
        return
    if new:
        raise _error_page(new[0])
    if page.form == "csv" and first.form == "csv" and not first.record & page.record:
        raise RecordsNotFound("The page has no column of the first page; see the page's content for what it says.")
    # In XML an element that comes once is no list where more of them are.
    if first.listed and not page.listed and records and page.form != "xml":
        names = ", ".join(sorted(page.record)[:_SHOWN_KEYS]) or "none"
        raise RecordsNotFound(f"The page holds a single value (its keys: {names}) where the first page has a list.")


def require_no_error(page: Shape, records: int) -> None:
    """Refuse a page that has no records and says that it is an error.

    Raises:
        RecordsNotFound: it does.
    """
    if records == 0 and page.errors:
        raise _error_page(min(page.errors))


def _error_page(key: str) -> RecordsNotFound:
    return RecordsNotFound(
        f"The page holds an error (its key {key!r}) where records are expected, although its HTTP status is "
        "not an error's; see the page's content for what it says. Where that means that there are none, set "
        "`allow_missing`."
    )


def _keys(value: Any) -> frozenset[str]:
    return frozenset(map(str, value)) if isinstance(value, dict) else frozenset()


def _errors(document: Any) -> frozenset[str]:
    """The keys by which a document says that it is an error, such as `error`, or `success` that is false."""
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
