"""What a reader of data asks for, checked against the dataset's columns."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sluice.domain.schema import Column, convert
from sluice.domain.text_values import loses_digits
from sluice.errors import Invalid

# Whether a double that is not the number itself compares with it like the double nearest to it.
_BESIDE = {"gt": ("gt", "ge"), "ge": ("gt", "ge"), "lt": ("le", "lt"), "le": ("le", "lt")}
COMPARISONS = {"eq": "=", "ne": "IS DISTINCT FROM", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
OPERATORS = (*COMPARISONS, "in", "like", "null")


@dataclass(frozen=True)
class Condition:
    """One `where`: a column, an operator, and the values it compares with."""

    column: Column
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class DataRequest:
    """Columns, conditions and order of one read."""

    select: tuple[Column, ...]
    where: tuple[Condition, ...]
    order: tuple[tuple[Column, bool], ...]


def data_request(columns: list[Column], select: str | None, where: list[str], order: str | None) -> DataRequest:
    """The request in the query parameters `select`, `where` and `order`.

    Raises:
        Invalid: a column is unknown, an operator is, or a value is not of the column's type.
    """
    known = {column.name: column for column in columns}
    chosen = tuple(_column(known, name, "select") for name in _fields(select)) if select else tuple(columns)
    for column in chosen:
        if chosen.count(column) > 1:
            raise _fault("select", f"{column.name} is selected twice.")
    ordered = tuple(
        (_column(known, name.removeprefix("-"), "order"), name.startswith("-")) for name in _fields(order or "")
    )
    return DataRequest(chosen, tuple(_condition(known, text) for text in where), ordered)


def _fields(text: str) -> list[str]:
    """A list separated by commas, quoted as CSV where a part holds one."""
    try:
        return next(csv.reader([text], strict=True), []) if text else []
    except csv.Error as error:
        raise Invalid(f"{text!r} is not a list separated by commas: {error}.") from None


def _fault(parameter: str, message: str) -> Invalid:
    return Invalid(message, [{"pointer": f"?{parameter}", "message": message}])


def _column(known: dict[str, Column], name: str, parameter: str) -> Column:
    if name not in known:
        raise _fault(parameter, f"There is no column {name!r}; there are {', '.join(known)}.")
    return known[name]


def _condition(known: dict[str, Column], text: str) -> Condition:
    # Column names may hold dots themselves: the longest known name wins.
    candidates = [
        (name, match)
        for name in sorted(known, key=len, reverse=True)
        if (match := re.match(re.escape(name) + r"\.([a-z]+)(?::(.*))?$", text, re.DOTALL))
    ]
    if not candidates:
        raise _fault("where", _explained(known, text))
    name, match = candidates[0]
    column, operator, value = known[name], match[1], match[2]
    if operator not in OPERATORS:
        raise _fault("where", f"There is no operator {operator!r}; there are {', '.join(OPERATORS)}.")
    if operator == "null":
        if value not in ("true", "false", None, ""):
            raise _fault("where", f"{name}.null is followed by true or false.")
        return Condition(column, "null", (value != "false",))
    if value is None:
        raise _fault("where", f"{name}.{operator} needs a value, as in {name}.{operator}:1.")
    if operator == "like":
        return Condition(column, "like", (value,))
    texts = _fields(value) if operator == "in" else [value]
    values = tuple(_value(column, one) for one in texts)
    if column.type == "double" and any(map(loses_digits, texts)):
        return _between_doubles(column, operator, texts, values)
    return Condition(column, operator, values)


def _between_doubles(column: Column, operator: str, texts: list[str], values: tuple[Any, ...]) -> Condition:
    """A comparison with numbers that no double is, by the doubles that are: none equals such a number."""
    equal = tuple(value for text, value in zip(texts, values, strict=True) if not loses_digits(text))
    if operator not in _BESIDE:
        return Condition(column, "in" if operator == "eq" else operator, equal)
    below = Decimal(repr(values[0])) < Decimal(texts[0])
    return Condition(column, _BESIDE[operator][0 if below else 1], values)


def _explained(known: dict[str, Column], text: str) -> str:
    match = re.match(r"(.+?)\.([a-z]+)(:|$)", text, re.DOTALL)
    if match is None:
        return f"{text!r} is not <column>.<operator>:<value>."
    return f"There is no column {match[1]!r}; there are {', '.join(known)}."


def _value(column: Column, text: str) -> Any:
    if column.type in ("string", "json"):
        return text
    try:
        return convert(text, column.type)
    except ValueError as error:
        raise _fault("where", f"{text!r} cannot be compared with {column.name}: {error}.") from None
