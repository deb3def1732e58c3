"""Column types: what the contract calls them, how DuckDB stores them, how text becomes them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from functools import cache, partial
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from sluice.domain.base import Record
from sluice.domain.json_text import dumps, keeps_digits
from sluice.domain.text_values import (
    is_numeral,
    is_whole_number,
    not_finite,
    parse_date,
    parse_timestamp,
)

_SIMPLE = {
    "string": "VARCHAR",
    "bigint": "BIGINT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "json": "JSON",
}
_DECIMAL = re.compile(r"^decimal\((\d{1,2}),(\d{1,2})\)$")
# Wide enough for every decimal(38,s); the default context would round.
_WIDE = Context(prec=100)
_EXACT = 2**53
# A double gives back every decimal number of so many digits.
_DOUBLE_DIGITS = 15
BIGINT_RANGE = range(-(2**63), 2**63)


def _check_type(name: str) -> str:
    if name in _SIMPLE:
        return name
    decimal = _DECIMAL.match(name)
    if decimal is None:
        raise ValueError(f"a type is one of {', '.join(_SIMPLE)} or decimal(p,s)")
    if not (1 <= int(decimal[1]) <= 38 and int(decimal[2]) <= int(decimal[1])):
        raise ValueError("decimal(p,s) needs 1 <= p <= 38 and s <= p")
    return name


ColumnType = Annotated[str, AfterValidator(_check_type)]


class Column(Record):
    """One column of a dataset."""

    name: str
    type: str
    nullable: bool = True
    missing: bool = Field(False, description="Some records lack it, which is not the same as null.")
    wide: bool = Field(False, description="It has whole numbers whose digits a double would lose.")
    guessed: bool = Field(False, description="Only nulls were seen, so that nothing speaks for the type.")
    from_json: bool = Field(False, description='Its type was found in JSON values, where 7 and "7" are two values.')


def common_type(types: list[str]) -> str:
    """The type that holds the values of all these types with every digit: text where nothing narrower does.

    A double holds whole numbers up to 2^53, and decimals of up to 15 digits. Whether a bigint has
    larger ones its type does not say: see `column_type`.
    """
    distinct = set(types)
    if len(distinct) == 1:
        return types[0]
    if "double" in distinct and distinct <= {"bigint", "double"} | _decimals(distinct):
        return "string" if any(map(is_long, distinct)) else "double"
    if distinct <= {"date", "timestamp"}:
        return "timestamp"
    if distinct <= {"bigint"} | _decimals(distinct):
        return _common_decimal(distinct)
    return "string"


def column_type(columns: list[Column]) -> str:
    """The type that holds what the columns hold: text where numbers beside doubles would lose digits."""
    types = [column.type for column in columns if not column.guessed]
    kind = common_type(types) if types else columns[0].type
    if kind == "double" and "bigint" in types and any(column.wide for column in columns):
        return "string"
    return kind


def are_numbers(columns: list[Column]) -> bool:
    """Whether the columns hold numbers only, of which type ever; one of nulls only may be anything."""
    known = [column for column in columns if not column.guessed]
    return bool(known) and all(is_number(column.type) for column in known)


def _decimals(types: set[str]) -> set[str]:
    return {name for name in types if _DECIMAL.match(name)}


def is_long(column_type: str) -> bool:
    """Whether these are decimals of a type that may have digits which a double would lose."""
    found = _DECIMAL.match(column_type)
    return found is not None and int(found[1]) > _DOUBLE_DIGITS


def _common_decimal(types: set[str]) -> str:
    """The decimal that holds every digit of these; text where 38 digits are too few."""
    parts = [(int(found[1]), int(found[2])) for name in types if (found := _DECIMAL.match(name))]
    parts += [(19, 0)] if "bigint" in types else []
    scale = max(scale for _, scale in parts)
    precision = max(precision - scale for precision, scale in parts) + scale
    return f"decimal({precision},{scale})" if precision <= 38 else "string"


def is_decimal(column_type: str) -> bool:
    """Whether this is one of the types `decimal(p,s)`."""
    return _DECIMAL.match(column_type) is not None


def scale_of(column_type: str) -> int:
    """How many digits of a fraction the values of an exact type of numbers have."""
    found = _DECIMAL.match(column_type)
    return int(found[2]) if found else 0


def is_number(column_type: str) -> bool:
    """Whether the values of this type are numbers."""
    return column_type in ("bigint", "double") or is_decimal(column_type)


def duckdb_type(column_type: str) -> str:
    """The DuckDB type that stores a column of this type."""
    return _SIMPLE.get(column_type) or column_type.upper()


def whole_number_type(low: int, high: int) -> str:
    """The type of whole numbers between two: bigint, else what keeps all of their digits."""
    if low in BIGINT_RANGE and high in BIGINT_RANGE:
        return "bigint"
    return "decimal(38,0)" if max(abs(low), abs(high)) < 10**38 else "string"


class JsonTypeGuess:
    """The narrowest type that holds every JSON value seen, without losing anything of one.

    Integers beyond 64 bits become `decimal(38,0)`, numbers with more digits than a double
    `decimal(38,s)`, or `json` where even that is too small; so does a mixture. Text is never
    guessed at: JSON says itself what is a number.
    """

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._wide = False
        self._digits = self._scale = 0  # the most before and behind the point

    def see(self, value: Any, times: int = 1) -> None:
        """Take one more value into account, or more of its like; null says nothing."""
        if value is None:
            return
        kind = _kind(value)
        self._kinds.add(kind)
        if isinstance(value, int) and abs(value) > _EXACT:
            self._wide = True
        if kind in ("double", "decimal"):
            self._measure(value)

    def _measure(self, value: float | Decimal) -> None:
        text = repr(value) if isinstance(value, float) else str(value)
        if "e" not in text.lower():
            whole, _, fraction = text.lstrip("-").partition(".")
            digits, scale = len(whole), len(fraction) if fraction != "0" else 0
        else:
            number = Decimal(text)
            digits, scale = max(number.adjusted() + 1, 1), max(-_exponent(number), 0)
        self._digits, self._scale = max(self._digits, digits), max(self._scale, scale)

    def state(self) -> dict[str, Any]:
        """What was seen, as JSON: for the `add` of another guess."""
        return {"kinds": sorted(self._kinds), "wide": self._wide, "digits": self._digits, "scale": self._scale}

    def add(self, state: dict[str, Any]) -> None:
        """Take into account what another guess has seen."""
        self._kinds |= set(state["kinds"])
        self._wide = self._wide or state["wide"]
        self._digits, self._scale = max(self._digits, state["digits"]), max(self._scale, state["scale"])

    @property
    def wide(self) -> bool:
        """Whether a whole number was seen whose digits a double would lose."""
        return self._wide

    @property
    def mixes_decimals(self) -> bool:
        """Whether numbers with more digits than a double were seen, and doubles besides."""
        return {"decimal", "double"} <= self._kinds

    @property
    def seen(self) -> bool:
        """Whether anything but null was seen."""
        return bool(self._kinds)

    @property
    def type(self) -> str:
        """The type so far; `string` when nothing but null was seen."""
        kinds = self._kinds
        if "decimal" in kinds:
            return self._decimal_type()
        if len(kinds) <= 1:
            return next(iter(kinds), "string")
        if kinds == {"bigint", "double"}:
            return "json" if self._wide else "double"  # a double has no digits for whole numbers beyond 2^53
        return "decimal(38,0)" if kinds == {"bigint", "decimal(38,0)"} else "json"

    def _decimal_type(self) -> str:
        """The decimal that holds all numbers; `json` where there is none, or where other values were seen."""
        digits = {"bigint": 19, "decimal(38,0)": 38, "double": 0, "decimal": 0}
        if not self._kinds <= set(digits):
            return "json"
        whole = max(self._digits, *(digits[kind] for kind in self._kinds))
        return f"decimal(38,{self._scale})" if whole + self._scale <= 38 else "json"


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int), "JSON has finite numbers only"
    return exponent


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "boolean"
        case int():
            if value in BIGINT_RANGE:
                return "bigint"
            return "decimal(38,0)" if abs(value) < 10**38 else "json"
        case float():
            return "double"
        case Decimal():
            return "double" if keeps_digits(value) else "decimal"
        case str():
            return "string"
        case _:
            return "json"


def convert(value: Any, column_type: str) -> Any:
    """A value as its column stores it: what DuckDB reads from JSON as that type.

    Returns:
        null, a boolean, an int, a float or text.

    Raises:
        ValueError: the value is not of that type and nothing of it may be guessed.
    """
    return None if value is None else converter(column_type)(value)


@cache
def converter(column_type: str) -> Callable[[Any], Any]:
    """The function that `convert` applies to values of this type, null excepted."""
    if column_type == "json":
        return lambda value: dumps(value).decode()
    if column_type == "string":
        return _text
    checked = _CONVERTERS.get(column_type) or partial(_decimal, column_type=column_type)

    def apply(value: Any) -> Any:
        try:
            return checked(value)
        except ArithmeticError:
            raise ValueError("out of range") from None

    return apply


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return dumps(value).decode()


def _bigint(value: Any) -> int:
    if isinstance(value, str) and is_whole_number(value.strip()):
        value = int(value)
    if isinstance(value, float | Decimal) and value == value // 1:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value not in BIGINT_RANGE:
        raise ValueError("not a whole number of 64 bits")
    return value


def _double(value: Any) -> float | str:
    if isinstance(value, str):
        text = value.strip()
        if is_numeral(text):
            value = float(text)
        elif (word := not_finite(text)) is not None:
            return word  # JSON has no number for these; DuckDB reads the word
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError("not a number")
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _decimal(value: Any, column_type: str) -> str:
    match = _DECIMAL.match(column_type)
    assert match is not None, column_type
    precision, scale = int(match[1]), int(match[2])
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise ValueError("not a number")
    try:
        exact = Decimal(repr(value) if isinstance(value, float) else value)
        fixed = exact.quantize(Decimal(1).scaleb(-scale), context=_WIDE)
    except InvalidOperation:
        raise ValueError(f"not a {column_type}") from None
    if fixed != exact or len(fixed.as_tuple().digits) > precision:
        raise ValueError(f"does not fit {column_type} without losing digits")
    return format(fixed, "f")


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    raise ValueError("not true or false")


def _date(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("not a date such as 2026-01-31")
    return parse_date(value.strip()).isoformat()


def _timestamp(value: Any) -> str:
    """ISO 8601 text, or seconds since 1970; without an offset it is UTC."""
    if isinstance(value, str):
        text = value.strip()
        moment = parse_timestamp(text if ":" in text else f"{text} 00:00")
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            moment = datetime.fromtimestamp(float(value), UTC).replace(tzinfo=None)
        except (OverflowError, OSError):
            raise ValueError("not a number of seconds since 1970") from None
    else:
        raise ValueError("not a time")
    return moment.isoformat(sep=" ", timespec="microseconds")


_CONVERTERS = {
    "bigint": _bigint,
    "double": _double,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}
