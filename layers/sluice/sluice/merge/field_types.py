"""The type of a merged field, by its rule and its columns in the sources."""

from __future__ import annotations

from sluice.domain.merge import FieldRule
from sluice.domain.schema import Column, are_numbers, column_type, is_decimal
from sluice.errors import MergeFailed


def merged_type(rule: FieldRule, found: list[Column]) -> str:
    """The type of a field, by its rule and its columns in the sources.

    Raises:
        MergeFailed: the rule does not fit the values.
    """
    guessed = all(column.guessed for column in found)
    kind = column_type(found)
    match rule.rule:
        case "count":
            return "bigint"
        case "union" | "all":
            return "json"
        case "constant":
            return _constant_type(rule)
        case "sum" | "mean" if not guessed and not are_numbers(found):
            raise MergeFailed(f"The rule {rule.rule} of {found[0].name!r} needs numbers; the column is {kind}.")
        case "mean":
            return "double"
        case "sum" if guessed:
            return "double"
        case "sum" if is_decimal(kind):
            return f"decimal(38,{kind.partition(',')[2]}"
        case _:
            return kind


def text_notes(columns: list[Column], sources: list[dict[str, Column]]) -> list[str]:
    """What is said of numbers that became text, since no type of numbers keeps all of their digits.

    Args:
        columns: the merged ones.
        sources: the columns of each source, by their names.
    """
    notes = []
    for column in columns:
        found = [source[column.name] for source in sources if column.name in source]
        known = [one for one in found if not one.guessed]
        mixed = len({one.type for one in known}) > 1 and all(one.type == "json" or are_numbers([one]) for one in known)
        if column.type == "string" and mixed:
            types = " and ".join(sorted({one.type for one in found if not one.guessed}))
            notes.append(
                f"{column.name}: {types} have no common type of numbers that keeps every digit, so they are text; "
                "give the column one type with `types` or `cast`"
            )
    return notes


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
