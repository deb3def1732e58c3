"""Classes of texts that the engine reads as Python does, and what they tell about a column's type."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sluice.domain.schema import duckdb_type
from sluice.domain.text_types import NULL_WORDS
from sluice.extract.columnar.conversion import EngineCast
from sluice.lake.parquet import literal

_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"([01][0-9]|2[0-3]):[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
_TRUTH = ("true", "false", "True", "False", "TRUE", "FALSE")
_NEAR_WORDS = r"(?i)(n/?a|null|none|nan|nil|inf|infinity|true|false)[ \t\r\n]*"


def _matches(pattern: str) -> str:
    escaped = literal(pattern).replace("{", "{{").replace("}", "}}")
    return f"regexp_full_match({{0}}, {escaped})"


# The condition that a double represents an integer.
_KEPT = "({0}::DOUBLE::VARCHAR::DECIMAL(38,0) = {0}::DECIMAL(38,0) OR TRY_CAST({0}::DOUBLE AS BIGINT) = {0}::BIGINT)"


@dataclass(frozen=True)
class TextClass:
    """A class of texts that are read alike.

    Args:
        condition: the SQL condition that a text is in the class; `{0}` is the text.
        example: a text that determines a column's type as any text of the class does; None if they differ.
    """

    condition: str
    example: str | None


# The classes are disjoint; `other` contains what is in no other class.
CLASSES: dict[str, TextClass] = {
    "whole": TextClass(_matches("-?[1-9][0-9]{0,14}|0"), "1"),
    "fraction": TextClass(
        _matches(
            r"-?(0|[1-9][0-9]{0,8})\.([0-9]{1,2}|[0-9]{4,6})|-?0\.[0-9]{3}"
            r"|-?[1-9][0-9]{3,11}\.[0-9]{3}|-?[1-9][0-9]{9,11}\.[0-9]{1,2}"
        ),
        "1.5",
    ),
    # The dot may also be a thousands separator.
    "dotted": TextClass(_matches(r"-?[1-9][0-9]{0,2}\.[0-9]{3}"), "1.234"),
    # A double's shortest representation, so that converting it gives the same text.
    "long": TextClass(
        f"{_matches(r'-?(0|[1-9][0-9]*)[.][0-9]{4,}')} AND {{0}}::DOUBLE::VARCHAR = {{0}}",
        "0.30000000000000004",
    ),
    "zeros": TextClass(_matches("-?0[0-9]+"), "007"),
    "wide": TextClass(f"{_matches('-?[1-9][0-9]{15,17}')} AND NOT {_KEPT}", "12345678901234567"),
    "wide_kept": TextClass(f"{_matches('-?[1-9][0-9]{15,17}')} AND {_KEPT}", "12345678901234568"),
    "truth": TextClass(f"{{0}} IN ({', '.join(map(literal, _TRUTH))})", "true"),
    "day": TextClass(f"{_matches(_DAY)} AND year(TRY_CAST({{0}} AS DATE)) BETWEEN 1 AND 9999", "2026-01-31"),
    "moment": TextClass(
        f"{_matches(f'{_DAY}[T ]{_TIME}Z?')} AND year(TRY_CAST({{0}} AS TIMESTAMP)) BETWEEN 1 AND 9999",
        "2026-01-31T12:00:00",
    ),
    "moment_offset": TextClass(
        f"{_matches(f'{_DAY}[T ]{_TIME}[+-](0[0-9]|1[0-4]):[0-5][0-9]')} "
        "AND year(TRY_CAST({0} AS TIMESTAMPTZ)::TIMESTAMP) BETWEEN 2 AND 9998",
        "2026-01-31T12:00:00+02:00",
    ),
    "word": TextClass(f"{{0}} IN ({', '.join(map(literal, sorted(NULL_WORDS)))})", None),
    "prose": TextClass(f"{_matches('(?s)[A-Za-z_].*')} AND NOT {_matches(_NEAR_WORDS)}", "prose"),
    "other": TextClass("true", None),
}
NUMBERS = ("whole", "fraction", "dotted", "long", "wide", "wide_kept")
_BIT = {name: 1 << number for number, name in enumerate(CLASSES)}


def _case(cell: str, results: dict[str, str], null: str, first: Sequence[str] = ()) -> str:
    """The SQL of a result that depends on the class of a text.

    Args:
        cell: the SQL of the text.
        results: the result for each class.
        null: the result for null.
        first: the classes to test first, because they are frequent.
    """
    names = [*first, *(name for name in CLASSES if name not in first)]
    cases = [
        f"WHEN {CLASSES[name].condition.format(cell)} THEN {results[name]}"
        for name in names
        if name != "other" and results[name] != results["other"]
    ]
    return f"CASE WHEN {cell} IS NULL THEN {null} {' '.join(cases)} ELSE {results['other']} END"


def class_counts(cell: str) -> str:
    """The SQL aggregate that counts a column's texts by class; `class_names` decodes its keys."""
    return f"histogram({_case(cell, {name: str(bit) for name, bit in _BIT.items()}, 'NULL')})"


def classes_present(cell: str, frequent: Sequence[str]) -> str:
    """The SQL aggregate of the classes that occur in a column; `class_names` decodes it.

    Args:
        cell: the SQL of the text.
        frequent: the classes of a sample, the most frequent first.
    """
    first = [name for name in frequent if name != "other"]
    return f"coalesce(bit_or({_case(cell, {name: str(bit) for name, bit in _BIT.items()}, '0', first)}), 0)"


def class_names(bits: int) -> set[str]:
    """The names of the classes whose bits are set."""
    return {name for name, bit in _BIT.items() if bits & bit}


def classes_by_frequency(counts: dict[int, int] | None) -> list[str]:
    """The names of the classes in a result of `class_counts`, the most frequent first."""
    sorted_counts = sorted((counts or {}).items(), key=lambda item: -item[1])
    return [name for bit, _ in sorted_counts for name in class_names(bit)]


def is_of_class(cell: str, names: Iterable[str]) -> str:
    """The SQL condition that a text is in one of some classes.

    Args:
        cell: the SQL of the text.
        names: the classes.
    """
    selected = set(names)
    if not selected:
        return "false"
    return f"({_case(cell, {name: str(name in selected).lower() for name in CLASSES}, 'false')})"


# The casts by column type and class, for the classes that the engine reads as Python does.
_CASTS: dict[str, dict[str, str]] = {
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


def engine_cast(kind: str, cell: str, classes: set[str]) -> EngineCast:
    """The cast of a column's texts to a type, as far as the engine does it as Python does.

    Args:
        kind: the column type.
        cell: the SQL of the text.
        classes: the classes that occur in the column.
    """
    decimal = _DECIMAL.match(kind)
    if decimal is not None:
        precision, scale = int(decimal[1]), int(decimal[2])
        digits = min(precision - scale, 15)
        whole = f"0|[1-9][0-9]{{0,{digits - 1}}}" if digits else "0"
        fraction = rf"(\.[0-9]{{1,{scale}}})?" if scale else ""
        return EngineCast(f"TRY_CAST({cell} AS {duckdb_type(kind)})", _matches(f"-?({whole}){fraction}").format(cell))
    casts = {name: sql for name, sql in _CASTS.get(kind, {}).items() if name in classes}
    if not casts:
        return EngineCast("NULL", "false")
    condition = None if classes <= set(casts) else is_of_class(cell, casts)
    # The casts of a type differ only for timestamps with an offset, whose cast, the last one, fits the others too.
    return EngineCast(list(casts.values())[-1].format(cell), condition)
