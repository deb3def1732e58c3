"""MongoDB's Extended JSON Lines as plain JSON Lines, by the rules of docs/reference/mongodb.md."""

from __future__ import annotations

import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from math import isfinite
from typing import IO, Any, cast
from uuid import UUID

import orjson

from sluice.errors import DataTooLarge, UnreadableData
from sluice.formats.limits import Limits

# Readers of JSON Lines accept this media type, and rewrite the page with `plain_lines` first.
MEDIA_TYPE = 'application/x-ndjson; profile="extended-json"'
MAX_DIGITS = 38
_INTEGERS = range(-(2**63), 2**63)
_SPOOL = 8 << 20
_DAY = 86_400_000
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Milliseconds of the years 1 to 9999.
TIMESTAMPS = range(-62_135_596_800_000, 253_402_300_800_000)


@contextmanager
def plain_lines(content: IO[bytes], media_type: str | None, limits: Limits) -> Iterator[IO[bytes]]:
    """Rewrite the content as plain JSON if its media type says that it is Extended JSON.

    Args:
        content: the page, unpacked, at its beginning.
        media_type: the media type in the page's receipt.
        limits: its `document_bytes` caps a line.

    Yields:
        The content at its beginning.

    Raises:
        DataTooLarge: a line exceeds the cap.
        UnreadableData: a line is not JSON.
    """
    if media_type != MEDIA_TYPE:
        yield content
        return
    with cast(IO[bytes], tempfile.SpooledTemporaryFile(max_size=_SPOOL)) as plain:
        number = 0
        while line := content.readline(limits.document_bytes + 1):
            number += 1
            if len(line) > limits.document_bytes:
                raise DataTooLarge(f"Line {number} has more than {limits.document_bytes} bytes.")
            plain.write(_plain_line(line, number))
        plain.seek(0)
        yield plain


def _plain_line(line: bytes, number: int) -> bytes:
    # Fast path: most lines have only types that JSON has, too.
    if b'{"$' not in line:
        return line
    try:
        document = orjson.loads(line)
        if type(document) is dict:  # a record is not a value, even if its only key is called `$oid`
            document = {key: plain(inner) for key, inner in document.items()}
        return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONDecodeError as error:
        raise UnreadableData(f"Line {number} is not JSON: {error.msg}.") from None
    except (RecursionError, TypeError):
        raise UnreadableData(f"Line {number} is nested too deeply.") from None


def plain(value: Any) -> Any:
    """Convert a value of Extended JSON to plain JSON; what has no plain form is returned unchanged.

    Returns:
        A value that orjson can write.
    """
    if type(value) is dict:
        if len(value) == 1:
            ((key, inner),) = value.items()
            form = _FORMS.get(key)
            if form is not None:
                try:
                    return form(inner)
                except (ArithmeticError, LookupError, TypeError, ValueError):
                    return value
            if key.startswith("$"):
                return value
        return {key: plain(inner) for key, inner in value.items()}
    return [plain(inner) for inner in value] if type(value) is list else value


def _date(value: Any) -> str:
    return time_text(int(value["$numberLong"]))


def time_text(milliseconds: int) -> str:
    """Format a time as ISO 8601; years outside of 0 to 9999 have a sign and at least six digits.

    Args:
        milliseconds: since 1970.
    """
    # Python's datetime ends at the year 9999, but the Gregorian calendar repeats after 400 years.
    cycles, rest = divmod(milliseconds, _CYCLE_DAYS * _DAY)
    time = _EPOCH + timedelta(milliseconds=rest)
    year = time.year + cycles * _CYCLE_YEARS
    written = f"{year:04}" if 0 <= year <= 9999 else f"{year:+07}"
    fraction = f".{time.microsecond // 1000:03}" if time.microsecond else ""
    return f"{written}-{time:%m-%dT%H:%M:%S}{fraction}Z"


def _decimal(value: str) -> Any:
    """A number with all its digits; text if JSON or the widest decimal type cannot hold it."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(value) from None
    if not number.is_finite():
        return value
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int), "finite"
    if max(number.adjusted() + 1, 1) + max(-exponent, 0) > MAX_DIGITS:
        return value
    return orjson.Fragment(format(number, "f"))


def _whole(value: Any) -> int:
    number = int(_text(value))
    if number not in _INTEGERS:
        raise ValueError(value)
    return number


def _double(value: Any) -> float | str:
    if value in ("NaN", "Infinity", "-Infinity"):
        return str(value)
    number = float(_text(value))
    if not isfinite(number):
        raise ValueError(value)
    return number


def _binary(value: Any) -> str:
    text: str = value["base64"]
    if value["subType"] in ("04", "4") and len(text) == 24:
        return str(UUID(bytes=b64decode(text)))
    return text


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


_FORMS: dict[str, Callable[[Any], Any]] = {
    "$oid": _text,
    "$date": _date,
    "$numberInt": _whole,
    "$numberLong": _whole,
    "$numberDouble": _double,
    "$numberDecimal": _decimal,
    "$binary": _binary,
}
