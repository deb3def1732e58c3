"""Lines of MongoDB's Extended JSON as plain JSON: what its types stand for, by the rules of docs/mongodb.md."""

from __future__ import annotations

import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import IO, Any, cast
from uuid import UUID

import orjson

from sluice.errors import DataTooLarge, UnreadableData
from sluice.formats.limits import Limits

# Both readers of JSON lines take such a page for one of JSON lines, and have it made plain first.
MEDIA_TYPE = 'application/x-ndjson; profile="extended-json"'
MOST_DIGITS = 38
_SPOOL = 8 << 20
_DAY = 86_400_000
_CYCLE_YEARS, _CYCLE_DAYS = 400, 146_097
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Milliseconds of the years 1 to 9999.
TIMESTAMPS = range(-62_135_596_800_000, 253_402_300_800_000)


@contextmanager
def plain_lines(content: IO[bytes], media_type: str | None, limits: Limits) -> Iterator[IO[bytes]]:
    """The content, with its values made plain where its media type says that it is Extended JSON.

    Raises:
        DataTooLarge: a line has more bytes than may be read at once.
        UnreadableData: a line is no JSON.
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
    if b'{"$' not in line:
        return line
    try:
        document = orjson.loads(line)
        if type(document) is dict:  # a record is no value, whatever its only key is called
            document = {key: plain(inner) for key, inner in document.items()}
        return orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONDecodeError as error:
        raise UnreadableData(f"Line {number} is not JSON: {error.msg}.") from None
    except (RecursionError, TypeError):
        raise UnreadableData(f"Line {number} is nested too deeply.") from None


def plain(value: Any) -> Any:
    """A value of Extended JSON as plain JSON; what has no plain form stays as it is.

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
    """A time as ISO 8601 writes it; years outside of 0 to 9999 have a sign and six digits or more."""
    # A calendar repeats itself after 400 years.
    cycles, rest = divmod(milliseconds, _CYCLE_DAYS * _DAY)
    time = _EPOCH + timedelta(milliseconds=rest)
    year = time.year + cycles * _CYCLE_YEARS
    written = f"{year:04}" if 0 <= year <= 9999 else f"{year:+07}"
    fraction = f".{time.microsecond // 1000:03}" if time.microsecond else ""
    return f"{written}-{time:%m-%dT%H:%M:%S}{fraction}Z"


def _decimal(value: str) -> Any:
    """A number with all of its digits; text where JSON or our widest decimal has none."""
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise ValueError(value) from None
    if not number.is_finite():
        return value
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int), "finite"
    if max(number.adjusted() + 1, 1) + max(-exponent, 0) > MOST_DIGITS:
        return value
    return orjson.Fragment(format(number, "f"))


def _double(value: str) -> float | str:
    return value if value in ("NaN", "Infinity", "-Infinity") else float(value)


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
    "$numberInt": int,
    "$numberLong": int,
    "$numberDouble": _double,
    "$numberDecimal": _decimal,
    "$binary": _binary,
}
