"""The type of a merged field, by its rule and its columns in the sources."""

from __future__ import annotations

from sluice.domain.merge import FieldRule
from sluice.domain.schema import Column, are_numbers, column_type, is_decimal
from sluice.errors import MergeFailed


def merged_type(rule: FieldRule, columns: list[Column]) -> str:
    """Return the type of a merged field.

    Args:
        rule: the field's rule.
        columns: the field's columns in the sources that have it.

    Raises:
        MergeFailed: the rule needs numbers, and the columns have others.
    """
    guessed = all(column.guessed for column in columns)
    type_ = column_type(columns)
    match rule.rule:
        case "count":
            return "bigint"
        case "union" | "all":
            return "json"
        case "constant":
            return _constant_type(rule)
        case "sum" | "mean" if not guessed and not are_numbers(columns):
            raise MergeFailed(f"The rule {rule.rule} of {columns[0].name!r} needs numbers; the column is {type_}.")
        case "mean":
            return "double"
        case "sum" if guessed:
            return "double"
        case "sum" if is_decimal(type_):
            return f"decimal(38,{type_.partition(',')[2]}"
        case _:
            return type_


def text_notes(columns: list[Column], sources: list[dict[str, Column]]) -> list[str]:
    """Return messages about numbers that became text, since no numeric type holds all of their digits.

    Args:
        columns: the merged columns.
        sources: the columns of each source, by name.
    """
    notes = []
    for column in columns:
        source_columns = [source[column.name] for source in sources if column.name in source]
        known = [source_column for source_column in source_columns if not source_column.guessed]
        mixed = len({source_column.type for source_column in known}) > 1 and all(
            source_column.type == "json" or are_numbers([source_column]) for source_column in known
        )
        if column.type == "string" and mixed:
            types = " and ".join(
                sorted({source_column.type for source_column in source_columns if not source_column.guessed})
            )
            notes.append(
                f"{column.name}: no numeric type holds every digit of {types}, so the values are text; "
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
