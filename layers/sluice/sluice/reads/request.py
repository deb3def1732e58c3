"""The query parameters `select`, `where` and `order` of a read, checked against the dataset's columns."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sluice.domain.schema import Column, convert
from sluice.domain.text_values import loses_digits
from sluice.errors import Invalid

# How doubles compare with a number that no double equals, in terms of the double nearest to it: the operator to use if
# the nearest double is below the number, and if it is above. If `n` is the nearest and below x, `d < x` is `d <= n`.
_NEAREST = {"gt": ("gt", "ge"), "ge": ("gt", "ge"), "lt": ("le", "lt"), "le": ("le", "lt")}
COMPARISONS = {"eq": "=", "ne": "IS DISTINCT FROM", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
OPERATORS = (*COMPARISONS, "in", "like", "null")


@dataclass(frozen=True)
class Condition:
    """One `where`: a column, an operator of `OPERATORS`, and the values to compare with."""

    column: Column
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class DataRequest:
    """Columns, conditions and order of one read.

    Args:
        select: the columns, in the order of the output.
        where: the conditions, all of which must hold.
        order: columns, each with whether its order is descending.
    """

    select: tuple[Column, ...]
    where: tuple[Condition, ...]
    order: tuple[tuple[Column, bool], ...]


def data_request(columns: list[Column], select: str | None, where: list[str], order: str | None) -> DataRequest:
    """Parse the query parameters `select`, `where` and `order`.

    Args:
        columns: the dataset's columns.
        select: names separated by commas; None: all columns.
        where: conditions `{column}.{operator}:{value}`.
        order: names separated by commas; a minus before a name means descending.

    Raises:
        Invalid: a column or operator is unknown, or a value does not have the column's type.
    """
    by_name = {column.name: column for column in columns}
    selected = tuple(_column(by_name, name, "select") for name in _fields(select)) if select else tuple(columns)
    for column in selected:
        if selected.count(column) > 1:
            raise _fault("select", f"{column.name} is selected twice.")
    ordered = tuple(
        (_column(by_name, name.removeprefix("-"), "order"), name.startswith("-")) for name in _fields(order or "")
    )
    return DataRequest(selected, tuple(_condition(by_name, text) for text in where), ordered)


def _fields(text: str) -> list[str]:
    """Parse a list separated by commas; an element with a comma is quoted as in CSV."""
    try:
        return next(csv.reader([text], strict=True), []) if text else []
    except csv.Error as error:
        raise Invalid(f"{text!r} is not a list separated by commas: {error}.") from None


def _fault(parameter: str, message: str) -> Invalid:
    return Invalid(message, [{"pointer": f"?{parameter}", "message": message}])


def _column(by_name: dict[str, Column], name: str, parameter: str) -> Column:
    if name not in by_name:
        raise _fault(parameter, f"There is no column {name!r}; the columns are {', '.join(by_name)}.")
    return by_name[name]


def _condition(by_name: dict[str, Column], text: str) -> Condition:
    # Column names may contain dots, so the longest matching name is used.
    candidates = [
        (name, match)
        for name in sorted(by_name, key=len, reverse=True)
        if (match := re.match(re.escape(name) + r"\.([a-z]+)(?::(.*))?$", text, re.DOTALL))
    ]
    if not candidates:
        raise _fault("where", _parse_error(by_name, text))
    name, match = candidates[0]
    column, operator, value = by_name[name], match[1], match[2]
    if operator not in OPERATORS:
        raise _fault("where", f"There is no operator {operator!r}; the operators are {', '.join(OPERATORS)}.")
    if operator == "null":
        if value not in ("true", "false", None, ""):
            raise _fault("where", f"{name}.null is followed by true or false.")
        return Condition(column, "null", (value != "false",))
    if value is None:
        raise _fault("where", f"{name}.{operator} needs a value, as in {name}.{operator}:1.")
    if operator == "like":
        return Condition(column, "like", (value,))
    texts = _fields(value) if operator == "in" else [value]
    values = tuple(_value(column, value_text) for value_text in texts)
    if column.type == "double" and any(map(loses_digits, texts)):
        return _between_doubles(column, operator, texts, values)
    return Condition(column, operator, values)


def _between_doubles(column: Column, operator: str, texts: list[str], values: tuple[Any, ...]) -> Condition:
    """Return a condition on doubles for numbers that a double cannot hold, and that therefore equal none."""
    equal = tuple(value for text, value in zip(texts, values, strict=True) if not loses_digits(text))
    if operator not in _NEAREST:
        return Condition(column, "in" if operator == "eq" else operator, equal)
    below = Decimal(repr(values[0])) < Decimal(texts[0])
    return Condition(column, _NEAREST[operator][0 if below else 1], values)


def _parse_error(by_name: dict[str, Column], text: str) -> str:
    match = re.match(r"(.+?)\.([a-z]+)(:|$)", text, re.DOTALL)
    if match is None:
        return f"{text!r} is not <column>.<operator>:<value>."
    return f"There is no column {match[1]!r}; the columns are {', '.join(by_name)}."


def _value(column: Column, text: str) -> Any:
    if column.type in ("string", "json"):
        return text
    try:
        return convert(text, column.type)
    except ValueError as error:
        raise _fault("where", f"{text!r} cannot be compared with {column.name}: {error}.") from None
