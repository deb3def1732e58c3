"""JSON that keeps whole numbers of any size: orjson where it can, the standard library where not."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from decimal import Context, Decimal
from itertools import repeat
from typing import Any

import orjson

from sluice.domain.text_values import loses_digits

# Looking for as many zeros in a text whose digits are all zeros takes a tenth of the time of a regular expression.
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_NUMBERS_AS_ZEROS = bytes.maketrans(b"123456789.E-", b"0" * 10 + b"e+")
# orjson reads a whole number beyond 64 bits as a double, which loses digits of it.
_LONG_INTEGER = b"0" * 19
# A double keeps numbers of up to 15 digits, within its range.
_LONG_NUMBERS = (b"0" * 17, b"0e000", b"0e+000")
_BEFORE_NUMBERS = (b":", b",", b"[", b" ", b"\n", b"\t", b"\r")
# A number with more digits before its exponent counts as long without a look at what is before it.
_LONGEST_LOOK = 64
# Whole numbers below it are written with all of their digits, as decimal(38,0) is.
WHOLE = 10**38
_CONTAINERS = frozenset({dict, list})
_BRACKETS_ALIKE = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_MARKS = bytes(set(range(256)) - set(b'[]{}"'))


def loads(text: bytes, *, exact: bool = False) -> Any:
    """The value in a JSON text.

    Args:
        exact: numbers with a fraction become Decimal, so that no digit is lost to a double.

    Raises:
        orjson.JSONDecodeError: it is no JSON.
    """
    if not exact and _LONG_INTEGER not in text.translate(_DIGITS_AS_ZEROS):
        return orjson.loads(text)
    return _loads(text, Decimal if exact else None)


def loads_with_digits(text: bytes, *, doubtful: bool | None = None) -> Any:
    """The value in a JSON text, with every digit of its numbers: Decimal where a double would change one.

    Args:
        doubtful: what `may_lose_digits` says of the text, where that is known already.

    Raises:
        orjson.JSONDecodeError: it is no JSON.
    """
    doubtful = may_lose_digits(text) if doubtful is None else doubtful
    return _loads(text, _float_or_decimal) if doubtful else orjson.loads(text)


def may_lose_digits(text: bytes) -> bool:
    """Whether a JSON text may have numbers that a double does not give back."""
    zeros = text.translate(_NUMBERS_AS_ZEROS)
    return any(_has_number(zeros, number) for number in _LONG_NUMBERS)


def _has_number(zeros: bytes, marks: bytes) -> bool:
    """Whether a mark of long numbers belongs to a number, and not to a string such as `"3e123f08"`.

    Strings of hexadecimal digits are common, and reading numbers exactly takes five times as long. What is
    in a string and looks like a number there, as in `"a: 1e400"`, counts as one.
    """
    # From the end: `rfind` looks for the first byte of the mark, which is rarer than its zeros, in half of the time.
    at = zeros.rfind(marks)
    while at >= 0:
        begun = max(0, at - _LONGEST_LOOK)
        before = zeros[begun:at].rstrip(b"0")
        if not before.removesuffix(b"+") or before.removesuffix(b"+").endswith(_BEFORE_NUMBERS):
            return True
        at = zeros.rfind(marks, 0, at + 1)  # the mark before may end with this one's first zero
    return False


def _loads(text: bytes, fraction: Callable[[str], Any] | None) -> Any:
    orjson.loads(text)  # stricter than the standard library, and with the better message
    try:
        return json.loads(text, parse_float=fraction)
    except RecursionError:
        raise orjson.JSONDecodeError("nested too deeply", "", 0) from None


def _float_or_decimal(text: str) -> float | Decimal:
    return Decimal(text) if loses_digits(text) else float(text)


def dumps(value: Any) -> bytes:
    """The value as compact JSON with every digit of its numbers, whole ones of any size and Decimals included."""
    try:
        return orjson.dumps(value, default=_number)
    except TypeError:
        return orjson.dumps(_with_long_integers(value), default=_number)


def keeps_digits(number: Decimal) -> bool:
    """Whether a double gives back the digits of a number."""
    double = float(number)
    return math.isfinite(double) and Decimal(repr(double)) == number


def number_text(number: int | float | Decimal) -> str:
    """The one text of all numbers of the same value: `1` for 1 and 1.0, `1.5` for 1.50.

    A double stands for the number that its shortest text says.
    """
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if exact == exact.to_integral_value() and abs(exact) < WHOLE:
        return str(int(exact))
    if keeps_digits(exact):
        return repr(float(exact))
    return str(exact.normalize(Context(prec=max(1, len(exact.as_tuple().digits)))))


def canonical_key(text: str) -> str:
    """The one JSON text of all that are equal as keys: numbers by their value, objects whatever their order.

    Args:
        text: JSON; what the parser refuses, such as 1e400, stays as it is.
    """
    try:
        value = loads(text.encode(), exact=True)
    except ValueError:
        return text
    return canonical(_with_plain_numbers(value)).decode()


def _with_plain_numbers(value: Any) -> Any:
    match value:
        case bool():
            return value
        case int() | float() | Decimal():
            return orjson.Fragment(number_text(value))
        case dict():
            return {key: _with_plain_numbers(inner) for key, inner in value.items()}
        case list():
            return [_with_plain_numbers(inner) for inner in value]
        case _:
            return value


def _number(value: Any) -> Any:
    if not isinstance(value, Decimal):
        raise TypeError(f"{type(value).__name__} has no JSON")
    return float(value) if keeps_digits(value) else orjson.Fragment(str(value))


def _with_long_integers(value: Any) -> Any:
    """A value that orjson can write: whole numbers beyond 64 bits as they are written."""
    match value:
        case bool():
            return value
        case int() if not -(2**63) <= value < 2**64:
            return orjson.Fragment(str(value))
        case dict():
            return {key: _with_long_integers(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_with_long_integers(inner) for inner in value]
        case _:
            return value


def depth(value: Any) -> int:
    """How deeply lists and objects are nested in a value; 0 for a scalar."""
    deepest, level = 0, [value] if type(value) in _CONTAINERS else []
    while level:
        deepest += 1
        inner: list[Any] = []
        for outer in level:
            for item in outer.values() if type(outer) is dict else outer:
                if type(item) in _CONTAINERS:
                    inner.append(item)  # noqa: PERF401 - a comprehension for each small object takes twice as long
        level = inner
    return deepest


def depth_of_text(text: bytes, most: int) -> int | None:
    """How deeply lists and objects are nested in a JSON text, which takes a third of the time of looking at its values.

    Args:
        text: JSON, without an error.
        most: where counting ends; what is nested deeper is `most + 1` deep.

    Returns:
        None where a string holds a bracket: the text alone does not tell then.
    """
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Strings without brackets leave pairs of quotation marks; a bracket in a string stands between the two of a pair.
    marks = text.translate(_BRACKETS_ALIKE, _ALL_BUT_MARKS)
    brackets = marks.translate(None, b'"')
    if 2 * marks.count(b'""') != len(marks) - len(brackets):
        return None
    levels = 0
    while brackets and levels <= most:
        brackets = brackets.replace(b"[]", b"")  # the innermost ones
        levels += 1
    return levels


def set_at(document: Any, pointer: str, value: Any) -> None:
    """Set the value at a JSON Pointer, making the objects on the way to it.

    Raises:
        ValueError: something on the way is no object.
    """
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in way:
        document = document.setdefault(part, {}) if isinstance(document, dict) else document
    if not isinstance(document, dict):
        raise ValueError(f"{pointer} leads through something that is no object")
    document[last] = value


def identical(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: 1, 1.0 and true are three values; the order of keys does not matter."""
    return canonical(one) == canonical(other)


def canonical_each(values: Iterable[Any]) -> Iterator[bytes]:
    """As `canonical` of each value, without a step of Python for one; raises TypeError for integers beyond 64 bits."""
    return map(orjson.dumps, values, repeat(_number), repeat(orjson.OPT_SORT_KEYS))


def canonical(value: Any) -> bytes:
    """The value as compact JSON with its keys in order: equal values have equal bytes."""
    try:
        return orjson.dumps(value, default=_number, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return orjson.dumps(_with_long_integers(value), default=_number, option=orjson.OPT_SORT_KEYS)
