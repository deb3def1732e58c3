"""SQL that makes equal keys equal values: numbers by value, JSON by content.

`domain.json_text` has the same rules in Python.
"""

from __future__ import annotations

from sluice.domain.schema import is_decimal
from sluice.lake.parquet import as_type

# JSON that has only one spelling: integers, strings without escapes, and literals.
_PLAIN = r"""0|-?[1-9][0-9]{0,37}|"[^"\\]*"|true|false|null"""
_FRACTION = r"-?(0|[1-9][0-9]*)\.[0-9]+"
# A double represents all decimal numbers of so many digits.
_DOUBLE_DIGITS = 15


def number_cell(cell: str, kind: str) -> str:
    """The SQL of a number's canonical text: `1` for 1 and 1.0, `1.5` for 1.50.

    Args:
        cell: the SQL of the number.
        kind: its column type.
    """
    if kind == "double":
        return _of_double(cell)
    if not is_decimal(kind) or kind.endswith(",0)"):
        return f"{cell}::VARCHAR"
    return _of_text(f"{cell}::VARCHAR")


def key_cell(cell: str, source_type: str, target_type: str) -> str:
    """The SQL of a key's value in another type, for comparing keys. A number as text gets its canonical text.

    Args:
        cell: the SQL of the value.
        source_type: its column type.
        target_type: the type in which keys are compared.
    """
    if target_type == "string" and (source_type in ("bigint", "double") or is_decimal(source_type)):
        return number_cell(cell, source_type)
    return as_type(cell, source_type, target_type)


def identity_cell(cell: str, kind: str) -> str:
    """The SQL of a value that is the same for all equal keys of one column. Lists and objects are compared as written.

    Args:
        cell: the SQL of the key.
        kind: its column type.
    """
    if kind != "json":
        return cell
    text = f"{cell}::VARCHAR"
    number = f"CASE WHEN regexp_full_match({text}, '-?[0-9].*') THEN {_of_text(text)} ELSE {text} END"
    return f"CASE WHEN {is_plain_json(cell)} THEN {text} ELSE {number} END"


def is_plain_json(cell: str) -> str:
    """The SQL condition that JSON has only one spelling, so that its text can be compared."""
    return f"regexp_full_match({cell}::VARCHAR, '{_PLAIN}')"


def _of_double(cell: str) -> str:
    whole = f"{cell} = trunc({cell}) AND abs({cell}) < 1e38"
    return f"CASE WHEN {whole} THEN {cell}::VARCHAR::DECIMAL(38,0)::VARCHAR ELSE {cell}::VARCHAR END"


def _is_whole(text: str) -> str:
    """The SQL condition that a number with an exponent has no fraction."""
    fraction = f"length(regexp_extract({text}, '[.]([0-9]+)', 1))"
    return f"{fraction} <= try_cast(regexp_extract({text}, '[eE][+]?([0-9]+)$', 1) AS INTEGER)"


def _of_text(text: str) -> str:
    """The SQL of a numeric text's canonical form: as a double if it has few digits, else without trailing zeros."""
    digits = f"length(regexp_replace(regexp_extract({text}, '^[^eE]*'), '[^0-9]', '', 'g'))"
    trimmed = f"rtrim(rtrim({text}, '0'), '.')"
    return (
        f"CASE WHEN {digits} <= {_DOUBLE_DIGITS} AND isfinite(try_cast({text} AS DOUBLE)) "
        # A number that is too small becomes 0 as a double; it must not be equal to 0.
        f"AND (try_cast({text} AS DOUBLE) <> 0 OR NOT regexp_matches({text}, '^[^eE]*[1-9]')) "
        f"THEN {_of_double(f'try_cast({text} AS DOUBLE)')} "
        f"WHEN regexp_full_match({text}, '{_FRACTION}') THEN {trimmed} "
        f"WHEN {_is_whole(text)} THEN coalesce(try_cast({text} AS DECIMAL(38,0))::VARCHAR, {text}) ELSE {text} END"
    )
