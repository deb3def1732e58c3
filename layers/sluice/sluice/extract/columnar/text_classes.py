"""The texts that the engine reads as Python does, and what they say about the type of a column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sluice.domain.schema import duckdb_type
from sluice.domain.text_types import NULL_WORDS
from sluice.extract.columnar.conversion import Sure
from sluice.lake.parquet import literal

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_TRUTH = ("true", "false", "True", "False", "TRUE", "FALSE")
_NEAR_WORDS = r"(?i)(n/?a|null|none|nan|nil|inf|infinity|true|false)[ \t\r\n]*"


def _matches(pattern: str) -> str:
    escaped = literal(pattern).replace("{", "{{").replace("}", "}}")
    return f"regexp_full_match({{0}}, {escaped})"


# Whether a double gives back a whole number.
_KEPT = "({0}::DOUBLE::VARCHAR::DECIMAL(38,0) = {0}::DECIMAL(38,0) OR TRY_CAST({0}::DOUBLE AS BIGINT) = {0}::BIGINT)"


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


# No text is of two of them, but for the last one, which has what is of no other.
CLASSES: dict[str, Class] = {
    "whole": Class(_matches("-?[1-9][0-9]{0,14}|0"), "1"),
    "fraction": Class(
        _matches(
            r"-?(0|[1-9][0-9]{0,8})\.([0-9]{1,2}|[0-9]{4,6})|-?0\.[0-9]{3}"
            r"|-?[1-9][0-9]{3,11}\.[0-9]{3}|-?[1-9][0-9]{9,11}\.[0-9]{1,2}"
        ),
        "1.5",
    ),
    # A number whose dot may as well stand between thousands.
    "dotted": Class(_matches(r"-?[1-9][0-9]{0,2}\.[0-9]{3}"), "1.234"),
    # As a double prints it, so that it gives the text back.
    "long": Class(
        f"{_matches(r'-?(0|[1-9][0-9]*)[.][0-9]{4,}')} AND {{0}}::DOUBLE::VARCHAR = {{0}}",
        "0.30000000000000004",
    ),
    "zeros": Class(_matches("-?0[0-9]+"), "007"),
    "wide": Class(f"{_matches('-?[1-9][0-9]{15,17}')} AND NOT {_KEPT}", "12345678901234567"),
    "wide_kept": Class(f"{_matches('-?[1-9][0-9]{15,17}')} AND {_KEPT}", "12345678901234568"),
    "truth": Class(f"{{0}} IN ({', '.join(map(literal, _TRUTH))})", "true"),
    "day": Class(f"{_matches(_DAY)} AND year(TRY_CAST({{0}} AS DATE)) BETWEEN 1 AND 9999", "2026-01-31"),
    "moment": Class(
        f"{_matches(f'{_DAY}[T ]{_TIME}Z?')} AND year(TRY_CAST({{0}} AS TIMESTAMP)) BETWEEN 1 AND 9999",
        "2026-01-31T12:00:00",
    ),
    "moment_offset": Class(
        f"{_matches(f'{_DAY}[T ]{_TIME}[+-](0[0-9]|1[0-4]):[0-5][0-9]')} "
        "AND year(TRY_CAST({0} AS TIMESTAMPTZ)::TIMESTAMP) BETWEEN 2 AND 9998",
        "2026-01-31T12:00:00+02:00",
    ),
    "word": Class(f"{{0}} IN ({', '.join(map(literal, sorted(NULL_WORDS)))})", None),
    "prose": Class(f"{_matches('(?s)[A-Za-z_].*')} AND NOT {_matches(_NEAR_WORDS)}", "prose"),
    "other": Class("true", None),
}
NUMBERS = ("whole", "fraction", "dotted", "long", "wide", "wide_kept")
_BIT = {name: 1 << number for number, name in enumerate(CLASSES)}


def _case(cell: str, results: dict[str, str], null: str, first: Sequence[str] = ()) -> str:
    """The SQL of a result for each class.

    Args:
        results: for each class; what has the result of `other` need not be looked at.
        first: the classes to ask for first: the frequent ones.
    """
    names = [*first, *(name for name in CLASSES if name not in first)]
    cases = [
        f"WHEN {CLASSES[name].condition.format(cell)} THEN {results[name]}"
        for name in names
        if name != "other" and results[name] != results["other"]
    ]
    return f"CASE WHEN {cell} IS NULL THEN {null} {' '.join(cases)} ELSE {results['other']} END"


def class_counts(cell: str) -> str:
    """The SQL aggregate of how many texts of a column are of each class; `names_of` reads it."""
    return f"histogram({_case(cell, {name: str(bit) for name, bit in _BIT.items()}, 'NULL')})"


def classes_present(cell: str, frequent: Sequence[str]) -> str:
    """The SQL aggregate of which classes the texts of a column are; `names_of` reads it.

    Args:
        frequent: those that a few of the texts are, the most frequent one first.
    """
    first = [name for name in frequent if name != "other"]
    return f"coalesce(bit_or({_case(cell, {name: str(bit) for name, bit in _BIT.items()}, '0', first)}), 0)"


def names_of(bits: int) -> set[str]:
    """The names of the classes in the answer of `classes_present`."""
    return {name for name, bit in _BIT.items() if bits & bit}


def frequent_of(counts: dict[int, int] | None) -> list[str]:
    """The names of the classes in the answer of `class_counts`, the most frequent one first."""
    found = sorted((counts or {}).items(), key=lambda one: -one[1])
    return [name for bit, _ in found for name in names_of(bit)]


def is_one_of(cell: str, names: Iterable[str]) -> str:
    """The SQL condition that a text is of one of the classes."""
    wanted = set(names)
    if not wanted:
        return "false"
    return f"({_case(cell, {name: str(name in wanted).lower() for name in CLASSES}, 'false')})"


# How the engine reads the classes of text that it reads as Python does, by the type of the column.
_SURE: dict[str, dict[str, str]] = {
    "string": dict.fromkeys(CLASSES, "{0}"),
    "bigint": dict.fromkeys(("whole", "wide", "wide_kept"), "TRY_CAST({0} AS BIGINT)"),
    "double": dict.fromkeys(("whole", "dotted", "fraction", "long", "wide_kept"), "TRY_CAST({0} AS DOUBLE)"),
    "boolean": {"truth": "(lower({0}) = 'true')"},
    "date": {"day": "TRY_CAST({0} AS DATE)"},
    "timestamp": {
        **dict.fromkeys(("day", "moment"), "TRY_CAST({0} AS TIMESTAMP)"),
        "moment_offset": "TRY_CAST({0} AS TIMESTAMPTZ)::TIMESTAMP",
    },
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
    # The last one reads the texts of the others, too.
    return Sure(list(sure.values())[-1].format(cell), condition)
