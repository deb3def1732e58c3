"""Column types: their names in the API, their DuckDB types, and the conversion of values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Context, Decimal, InvalidOperation
from functools import cache, partial
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from sluice.domain.base import Record
from sluice.domain.json_text import dumps, keeps_digits
from sluice.domain.text_values import (
    is_numeral,
    is_whole_number,
    non_finite_word,
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
# Enough digits for every decimal(38,s); the default context rounds to 28.
_WIDE = Context(prec=100)
# A double represents all integers up to this.
_EXACT = 2**53
# A double represents all decimal numbers of so many digits.
_DOUBLE_DIGITS = 15
BIGINT_RANGE = range(-(2**63), 2**63)


def _check_type(name: str) -> str:
    if name in _SIMPLE:
        return name
    decimal = _DECIMAL.match(name)
    if decimal is None:
        raise ValueError(f"the type must be one of {', '.join(_SIMPLE)} or decimal(p,s)")
    if not (1 <= int(decimal[1]) <= 38 and int(decimal[2]) <= int(decimal[1])):
        raise ValueError("decimal(p,s) needs 1 <= p <= 38 and s <= p")
    return name


# For editors and clients; `_check_type` also checks the digits.
COLUMN_TYPE_PATTERN = rf"^({'|'.join(_SIMPLE)}|decimal\([0-9]{{1,2}},[0-9]{{1,2}}\))$"
ColumnType = Annotated[
    str, AfterValidator(_check_type), WithJsonSchema({"type": "string", "pattern": COLUMN_TYPE_PATTERN})
]


class Column(Record):
    """One column of a dataset."""

    name: str = Field(description="The name of the column in data, SQL and filters.")
    type: str = Field(description="Its type, such as `bigint`, `decimal(18,4)` or `json`.")
    nullable: bool = Field(True, description="Whether it has nulls.")
    missing: bool = Field(False, description="Whether some records lack it, which is not the same as null.")
    wide: bool = Field(False, description="Whether it has integers that a double cannot represent.")
    guessed: bool = Field(False, description="Whether all values are null, so that the type is arbitrary.")
    from_json: bool = Field(
        False, description='Whether its type was inferred from JSON values, where 7 and "7" differ.'
    )


def common_type(types: list[str]) -> str:
    """The narrowest type that holds the values of all these types without losing a digit; text if there is none.

    A double holds integers up to 2^53 and decimals of up to 15 digits. A type does not tell whether a bigint column
    has larger integers: see `column_type`.
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
    """The narrowest type for the values of these columns; text if a double would lose digits of integers."""
    types = [column.type for column in columns if not column.guessed]
    # Columns of nulls only have an arbitrary type, which must not widen that of the others.
    kind = common_type(types) if types else columns[0].type
    if kind == "double" and "bigint" in types and any(column.wide for column in columns):
        return "string"
    return kind


def are_numbers(columns: list[Column]) -> bool:
    """Whether all columns are numeric. Columns of nulls only are ignored, but one must be known."""
    typed = [column for column in columns if not column.guessed]
    return bool(typed) and all(is_number(column.type) for column in typed)


def _decimals(types: set[str]) -> set[str]:
    return {name for name in types if _DECIMAL.match(name)}


def is_long(column_type: str) -> bool:
    """Whether this is a decimal type whose values may have more digits than a double keeps."""
    match = _DECIMAL.match(column_type)
    return match is not None and int(match[1]) > _DOUBLE_DIGITS


def _common_decimal(types: set[str]) -> str:
    """The decimal type that holds all digits of these types; text if it would need more than 38."""
    parts = [(int(match[1]), int(match[2])) for name in types if (match := _DECIMAL.match(name))]
    parts += [(19, 0)] if "bigint" in types else []
    scale = max(scale for _, scale in parts)
    precision = max(precision - scale for precision, scale in parts) + scale
    return f"decimal({precision},{scale})" if precision <= 38 else "string"


def is_decimal(column_type: str) -> bool:
    """Whether this is a type `decimal(p,s)`."""
    return _DECIMAL.match(column_type) is not None


def scale_of(column_type: str) -> int:
    """The number of decimal places of an exact numeric type."""
    match = _DECIMAL.match(column_type)
    return int(match[2]) if match else 0


def is_number(column_type: str) -> bool:
    """Whether the type is numeric."""
    return column_type in ("bigint", "double") or is_decimal(column_type)


def duckdb_type(column_type: str) -> str:
    """The DuckDB type that stores a column type."""
    return _SIMPLE.get(column_type) or column_type.upper()


def whole_number_type(low: int, high: int) -> str:
    """The type for integers in a range: bigint if they fit, else one that keeps all digits.

    Args:
        low: the smallest integer.
        high: the largest integer.
    """
    if low in BIGINT_RANGE and high in BIGINT_RANGE:
        return "bigint"
    return "decimal(38,0)" if max(abs(low), abs(high)) < 10**38 else "string"


class JsonTypeGuess:
    """Infers the narrowest type that holds all observed JSON values without loss.

    Integers of more than 64 bits give `decimal(38,0)`, and numbers with more digits than a double `decimal(38,s)`.
    If that is too small, or values are of several kinds, the type is `json`. Strings are never parsed as numbers:
    JSON itself says what is a number.
    """

    def __init__(self) -> None:
        self._kinds: set[str] = set()
        self._wide = False
        self._digits = self._scale = 0  # the most digits before and after the decimal point

    def observe(self, value: Any, times: int = 1) -> None:
        """Take a value into account; null changes nothing.

        Args:
            value: a parsed JSON value.
            times: how often it occurs; unused here, but text columns count.
        """
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
        """The observations as JSON, for `merge_state` of another guess."""
        return {"kinds": sorted(self._kinds), "wide": self._wide, "digits": self._digits, "scale": self._scale}

    def merge_state(self, state: dict[str, Any]) -> None:
        """Take the observations of another guess into account."""
        self._kinds |= set(state["kinds"])
        self._wide = self._wide or state["wide"]
        self._digits, self._scale = max(self._digits, state["digits"]), max(self._scale, state["scale"])

    @property
    def wide(self) -> bool:
        """Whether there was an integer that a double cannot represent."""
        return self._wide

    @property
    def mixes_decimals(self) -> bool:
        """Whether there were both doubles and numbers with more digits than a double."""
        return {"decimal", "double"} <= self._kinds

    @property
    def seen(self) -> bool:
        """Whether there was a value that is not null."""
        return bool(self._kinds)

    @property
    def type(self) -> str:
        """The type so far; `string` if there were only nulls."""
        kinds = self._kinds
        if "decimal" in kinds:
            return self._decimal_type()
        if len(kinds) <= 1:
            return next(iter(kinds), "string")
        if kinds == {"bigint", "double"}:
            return "json" if self._wide else "double"  # doubles lose digits of integers above 2^53
        return "decimal(38,0)" if kinds == {"bigint", "decimal(38,0)"} else "json"

    def _decimal_type(self) -> str:
        """The decimal type that holds all numbers; `json` if there is none or other kinds occur."""
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
    """Convert a value to the form in which DuckDB reads it from JSON as a column type.

    Args:
        value: a parsed JSON value, or text.
        column_type: a type of `ColumnType`.

    Returns:
        None, a boolean, an int, a float or text.

    Raises:
        ValueError: the value is not of the type. Nothing is guessed.
    """
    return None if value is None else converter(column_type)(value)


@cache
def converter(column_type: str) -> Callable[[Any], Any]:
    """The function that `convert` applies to values of a type other than null."""
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
    # 1.0 is an integer: some APIs write all numbers with a fraction.
    if isinstance(value, float | Decimal) and value == value // 1:
        value = int(value)
    # bool is a subclass of int, but `true` is not a number.
    if isinstance(value, bool) or not isinstance(value, int) or value not in BIGINT_RANGE:
        raise ValueError("not an integer of 64 bits")
    return value


def _double(value: Any) -> float | str:
    if isinstance(value, str):
        text = value.strip()
        if is_numeral(text):
            value = float(text)
        elif (word := non_finite_word(text)) is not None:
            return word  # JSON has no such number; DuckDB reads the word
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
    """Convert ISO 8601 text or seconds since 1970; text without an offset is UTC."""
    if isinstance(value, str):
        text = value.strip()
        moment = parse_timestamp(text if ":" in text else f"{text} 00:00")
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            moment = datetime.fromtimestamp(float(value), UTC).replace(tzinfo=None)
        except (OverflowError, OSError):
            raise ValueError("not seconds since 1970") from None
    else:
        raise ValueError("not a timestamp")
    return moment.isoformat(sep=" ", timespec="microseconds")


_CONVERTERS = {
    "bigint": _bigint,
    "double": _double,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
}
