"""The type of a merged field, by its rule and its columns in the sources."""

from __future__ import annotations

from sluice.domain.merge import FieldRule
from sluice.domain.schema import Column, column_type, is_decimal
from sluice.errors import MergeFailed

_NUMBERS = ("bigint", "double")
_COMPARED = ("min", "max", "sum", "mean")


def merged_type(rule: FieldRule, found: list[Column]) -> str:
    """The type of a field, by its rule and its columns in the sources.

    Raises:
        MergeFailed: the rule does not fit the values.
    """
    guessed = all(column.guessed for column in found)
    kind = column_type(found, exact=rule.rule not in _COMPARED)
    match rule.rule:
        case "count":
            return "bigint"
        case "union" | "all":
            return "json"
        case "constant":
            return _constant_type(rule)
        case "sum" | "mean" if not guessed and not (kind in _NUMBERS or is_decimal(kind)):
            raise MergeFailed(f"The rule {rule.rule} of {found[0].name!r} needs numbers; the column is {kind}.")
        case "mean":
            return "double"
        case "sum" if guessed:
            return "double"
        case "sum" if is_decimal(kind):
            return f"decimal(38,{kind.partition(',')[2]}"
        case _:
            return kind


def _constant_type(rule: FieldRule) -> str:
    match rule.value:
        case bool():
            return "boolean"
        case int():
            return "bigint"
        case float():
            return "double"
        case _:
            return "string"
