"""The texts that the engine reads as Python does, and what they say about the type of a column."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from sluice.domain.schema import NULL_WORDS, duckdb_type
from sluice.extract.columnar.conversion import Sure
from sluice.lake.parquet import literal

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_TRUTH = ("true", "false", "True", "False", "TRUE", "FALSE")
_NEAR_WORDS = "(?is)(n|inf|true|false).{0,12}"


def _matches(pattern: str) -> str:
    escaped = literal(pattern).replace("{", "{{").replace("}", "}}")
    return f"regexp_full_match({{0}}, {escaped})"


@dataclass(frozen=True)
class Class:
    """Texts that are read alike.

    Args:
        condition: the SQL condition that a text is one of them; `{0}` is the text.
        example: a text that says as much about the type of a column as any of them; none where each
            says something else.
    """

    condition: str
    example: str | None


# The first one whose condition holds is a text's class.
CLASSES: dict[str, Class] = {
    "whole": Class(_matches("-?[1-9][0-9]{0,14}|0"), "1"),
    # A number whose dot may as well stand between thousands.
    "dotted": Class(_matches(r"-?[1-9][0-9]{0,2}\.[0-9]{3}"), "1.234"),
    "fraction": Class(_matches(r"-?(0|[1-9][0-9]{0,8})\.[0-9]{1,6}"), "1.5"),
    "truth": Class(f"{{0}} IN ({', '.join(map(literal, _TRUTH))})", "true"),
    "day": Class(f"{_matches(_DAY)} AND year(TRY_CAST({{0}} AS DATE)) BETWEEN 1 AND 9999", "2026-01-31"),
    "moment": Class(
        f"{_matches(f'{_DAY}[T ]{_TIME}Z?')} AND year(TRY_CAST({{0}} AS TIMESTAMP)) BETWEEN 1 AND 9999",
        "2026-01-31T12:00:00",
    ),
    "word": Class(f"{{0}} IN ({', '.join(map(literal, sorted(NULL_WORDS)))})", None),
    "prose": Class(f"{_matches('(?s)[A-Za-z_].*')} AND NOT {_matches(_NEAR_WORDS)}", "prose"),
    "other": Class("true", None),
}
_BIT = {name: 1 << number for number, name in enumerate(CLASSES)}


def classes_present(cell: str) -> str:
    """The SQL aggregate of which classes the texts of a column are; `names_of` reads it."""
    cases = " ".join(f"WHEN {one.condition.format(cell)} THEN {_BIT[name]}" for name, one in CLASSES.items())
    return f"coalesce(bit_or(CASE WHEN {cell} IS NULL THEN 0 {cases} END), 0)"


def names_of(bits: int) -> set[str]:
    """The names of the classes in the answer of `classes_present`."""
    return {name for name, bit in _BIT.items() if bits & bit}


def is_one_of(cell: str, names: Iterable[str]) -> str:
    """The SQL condition that a text is of one of the classes."""
    wanted = set(names)
    if not wanted:
        return "false"
    cases = " ".join(f"WHEN {one.condition.format(cell)} THEN {name in wanted}" for name, one in CLASSES.items())
    return f"(CASE WHEN {cell} IS NULL THEN false {cases} END)"


# How the engine reads the classes of text that it reads as Python does, by the type of the column.
_SURE: dict[str, dict[str, str]] = {
    "string": dict.fromkeys(CLASSES, "{0}"),
    "bigint": {"whole": "TRY_CAST({0} AS BIGINT)"},
    "double": dict.fromkeys(("whole", "dotted", "fraction"), "TRY_CAST({0} AS DOUBLE)"),
    "boolean": {"truth": "(lower({0}) = 'true')"},
    "date": {"day": "TRY_CAST({0} AS DATE)"},
    "timestamp": dict.fromkeys(("day", "moment"), "TRY_CAST({0} AS TIMESTAMP)"),
}
_DECIMAL = re.compile(r"decimal\((\d+),(\d+)\)")


def sure_reading(kind: str, cell: str, classes: set[str]) -> Sure:
    """How the engine reads the texts of a column as a type, as far as it does so as Python does.

    Args:
        classes: those that the column has.
    """
    decimal = _DECIMAL.match(kind)
    if decimal is not None:
        precision, scale = int(decimal[1]), int(decimal[2])
        digits = min(precision - scale, 15)
        whole = f"0|[1-9][0-9]{{0,{digits - 1}}}" if digits else "0"
        fraction = rf"(\.[0-9]{{1,{scale}}})?" if scale else ""
        return Sure(f"TRY_CAST({cell} AS {duckdb_type(kind)})", _matches(f"-?({whole}){fraction}").format(cell))
    sure = {name: sql for name, sql in _SURE.get(kind, {}).items() if name in classes}
    if not sure:
        return Sure("NULL", "false")
    condition = None if classes <= set(sure) else is_one_of(cell, sure)
    return Sure(next(iter(sure.values())).format(cell), condition)
