"""JSON that keeps all digits of numbers: orjson where it can, the standard library where it cannot."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator
from decimal import Context, Decimal
from itertools import repeat
from typing import Any

import orjson

from sluice.domain.text_values import loses_digits

# After translating all digits to zeros, searching a run of zeros takes a tenth of the time of a regular expression.
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)
_NUMBERS_AS_ZEROS = bytes.maketrans(b"123456789.E-", b"0" * 10 + b"e+")
# orjson parses integers of more than 64 bits as doubles, which loses digits. They have at least 19 digits.
_LONG_INTEGER = b"0" * 19
# A double keeps up to 15 digits, within its range; the texts contain the point, and exponents of three digits.
_LONG_NUMBERS = (b"0" * 17, b"0e000", b"0e+000")
_BEFORE_NUMBERS = (b":", b",", b"[", b" ", b"\n", b"\t", b"\r")
# How far to look back for the start of a number; one with more digits counts as long without looking.
_LONGEST_LOOK = 64
# Integers below this fit decimal(38,0) and are written with all digits.
WHOLE = 10**38
_CONTAINERS = frozenset({dict, list})
_BRACKETS_ALIKE = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_MARKS = bytes(set(range(256)) - set(b'[]{}"'))


def loads(text: bytes, *, exact: bool = False) -> Any:
    """Parse JSON; integers of any size keep their digits.

    Args:
        text: JSON in UTF-8.
        exact: whether numbers with a fraction become Decimal instead of float, so that no digit is lost.

    Returns:
        The parsed value.

    Raises:
        orjson.JSONDecodeError: the text is not JSON.
    """
    if not exact and _LONG_INTEGER not in text.translate(_DIGITS_AS_ZEROS):
        return orjson.loads(text)
    return _loads(text, Decimal if exact else None)


def loads_with_digits(text: bytes, *, doubtful: bool | None = None) -> Any:
    """Parse JSON; numbers become Decimal only where a double would change them.

    Args:
        text: JSON in UTF-8.
        doubtful: the result of `may_lose_digits(text)`, if it is known already.

    Returns:
        The parsed value.

    Raises:
        orjson.JSONDecodeError: the text is not JSON.
    """
    doubtful = may_lose_digits(text) if doubtful is None else doubtful
    return _loads(text, _float_or_decimal) if doubtful else orjson.loads(text)


def may_lose_digits(text: bytes) -> bool:
    """Whether a JSON text may have numbers that a double does not represent exactly; may be a false alarm."""
    zeros = text.translate(_NUMBERS_AS_ZEROS)
    return any(_has_number(zeros, number) for number in _LONG_NUMBERS)


def _has_number(zeros: bytes, pattern: bytes) -> bool:
    """Whether a pattern of long numbers occurs in a number, not in a string such as `"3e123f08"`.

    Hexadecimal strings are common, and exact parsing takes five times as long. Text in a string that looks like a
    JSON number, as in `"a: 1e400"`, counts as one: that costs time, but loses nothing.
    """
    # Search from the end: `rfind` scans for the first byte of the pattern, which for exponents is rarer than zeros.
    # That takes half of the time.
    position = zeros.rfind(pattern)
    while position >= 0:
        start = max(0, position - _LONGEST_LOOK)
        before = zeros[start:position].rstrip(b"0")
        if not before.removesuffix(b"+") or before.removesuffix(b"+").endswith(_BEFORE_NUMBERS):
            return True
        position = zeros.rfind(pattern, 0, position + 1)  # the previous match may overlap this one by one zero
    return False


def _loads(text: bytes, fraction: Callable[[str], Any] | None) -> Any:
    orjson.loads(text)  # validates: it is stricter than the standard library and has better messages
    try:
        return json.loads(text, parse_float=fraction)
    except RecursionError:
        raise orjson.JSONDecodeError("nested too deeply", "", 0) from None


def _float_or_decimal(text: str) -> float | Decimal:
    return Decimal(text) if loses_digits(text) else float(text)


def dumps(value: Any) -> bytes:
    """Write a value as compact JSON with all digits of its numbers, long integers and Decimals included."""
    try:
        return orjson.dumps(value, default=_number)
    except TypeError:
        return orjson.dumps(_with_long_integers(value), default=_number)


def keeps_digits(number: Decimal) -> bool:
    """Whether a double represents a number with all its digits."""
    double = float(number)
    return math.isfinite(double) and Decimal(repr(double)) == number


def number_text(number: int | float | Decimal) -> str:
    """The canonical text of a number, equal for equal values: `1` for 1 and 1.0, `1.5` for 1.50.

    A double counts as the number that its shortest representation shows. `lake.equality` has the same rule in SQL.
    """
    exact = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    if exact == exact.to_integral_value() and abs(exact) < WHOLE:
        return str(int(exact))
    if keeps_digits(exact):
        return repr(float(exact))
    return str(exact.normalize(Context(prec=max(1, len(exact.as_tuple().digits)))))


def canonical_key(text: str) -> str:
    """The canonical JSON of a key: numbers by value, members of objects in order.

    Args:
        text: JSON. What the parser refuses, such as 1e400, is returned unchanged.
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
        raise TypeError(f"{type(value).__name__} is not JSON serializable")
    return float(value) if keeps_digits(value) else orjson.Fragment(str(value))


def _with_long_integers(value: Any) -> Any:
    """Replace integers of more than 64 bits by fragments, which orjson can write."""
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
    """How deeply lists and objects are nested in a JSON text.

    It takes a third of the time of `depth` on the parsed value.

    Args:
        text: valid JSON.
        most: the depth at which counting stops; deeper values return `most + 1`.

    Returns:
        The depth; None if a string contains a bracket, so that the text alone does not tell.
    """
    if b"\\" in text:
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    # Only brackets and quotation marks remain. A string without brackets leaves an adjacent pair of quotation marks;
    # a bracket within a string separates the pair.
    marks = text.translate(_BRACKETS_ALIKE, _ALL_BUT_MARKS)
    brackets = marks.translate(None, b'"')
    if 2 * marks.count(b'""') != len(marks) - len(brackets):
        return None
    levels = 0
    while brackets and levels <= most:
        brackets = brackets.replace(b"[]", b"")  # removes the innermost level
        levels += 1
    return levels


def set_at_pointer(document: Any, pointer: str, value: Any) -> None:
    """Set the value at a JSON Pointer; missing objects on the path are created.

    Args:
        document: the document; it is changed.

    Raises:
        ValueError: something on the path is not an object.
    """
    *parents, last = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for part in parents:
        document = document.setdefault(part, {}) if isinstance(document, dict) else document
    if not isinstance(document, dict):
        raise ValueError(f"a parent of {pointer} is not an object")
    document[last] = value


def same_json(left: Any, right: Any) -> bool:
    """Whether two values are the same JSON. 1, 1.0 and true differ; the order of keys does not matter."""
    return canonical(left) == canonical(right)


def canonical_many(values: Iterable[Any]) -> Iterator[bytes]:
    """As `canonical` for each value, in a loop of C.

    Raises:
        TypeError: a value has an integer of more than 64 bits.
    """
    return map(orjson.dumps, values, repeat(_number), repeat(orjson.OPT_SORT_KEYS))


def canonical(value: Any) -> bytes:
    """Write a value as compact JSON with sorted keys: equal values have equal bytes."""
    try:
        return orjson.dumps(value, default=_number, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return orjson.dumps(_with_long_integers(value), default=_number, option=orjson.OPT_SORT_KEYS)
