"""What makes values equal as keys, as SQL: numbers by their value, JSON by what it says.

`domain.json_text` has the same rules in Python.
"""

from __future__ import annotations

from sluice.domain.schema import is_decimal
from sluice.lake.parquet import as_type

# JSON that is written in one way only: whole numbers, texts without escapes, and words.
_PLAIN = r"""0|-?[1-9][0-9]{0,37}|"[^"\\]*"|true|false|null"""
_FRACTION = r"-?(0|[1-9][0-9]*)\.[0-9]+"
# A double gives back every number of so many digits.
_DOUBLE_DIGITS = 15


def number_cell(cell: str, kind: str) -> str:
    """The SQL of the one text that all numbers of the same value have: `1` for 1 and 1.0, `1.5` for 1.50."""
    if kind == "double":
        return _of_double(cell)
    if not is_decimal(kind) or kind.endswith(",0)"):
        return f"{cell}::VARCHAR"
    return _of_text(f"{cell}::VARCHAR")


def key_cell(cell: str, have: str, want: str) -> str:
    """The SQL of a key's value as another type, by which keys are compared: numbers as text have one text each."""
    if want == "string" and (have in ("bigint", "double") or is_decimal(have)):
        return number_cell(cell, have)
    return as_type(cell, have, want)


def identity_cell(cell: str, kind: str) -> str:
    """The SQL of what equal keys of one column have in common; of lists and objects it is what was written."""
    if kind != "json":
        return cell
    text = f"{cell}::VARCHAR"
    number = f"CASE WHEN regexp_full_match({text}, '-?[0-9].*') THEN {_of_text(text)} ELSE {text} END"
    return f"CASE WHEN {is_plain_json(cell)} THEN {text} ELSE {number} END"


def is_plain_json(cell: str) -> str:
    """The SQL condition that JSON is written as all that is equal to it would be."""
    return f"regexp_full_match({cell}::VARCHAR, '{_PLAIN}')"


def _of_double(cell: str) -> str:
    whole = f"{cell} = trunc({cell}) AND abs({cell}) < 1e38"
    return f"CASE WHEN {whole} THEN {cell}::VARCHAR::DECIMAL(38,0)::VARCHAR ELSE {cell}::VARCHAR END"


def _is_whole(text: str) -> str:
    """The SQL condition that a number with an exponent has no fraction."""
    fraction = f"length(regexp_extract({text}, '[.]([0-9]+)', 1))"
    return f"{fraction} <= try_cast(regexp_extract({text}, '[eE][+]?([0-9]+)$', 1) AS INTEGER)"


def _of_text(text: str) -> str:
    """The number that a text says: as a double writes it where it has few digits, else without zeros at its end."""
    digits = f"length(regexp_replace(regexp_extract({text}, '^[^eE]*'), '[^0-9]', '', 'g'))"
    trimmed = f"rtrim(rtrim({text}, '0'), '.')"
    return (
        f"CASE WHEN {digits} <= {_DOUBLE_DIGITS} AND isfinite(try_cast({text} AS DOUBLE)) "
        f"AND (try_cast({text} AS DOUBLE) <> 0 OR NOT regexp_matches({text}, '^[^eE]*[1-9]')) "
        f"THEN {_of_double(f'try_cast({text} AS DOUBLE)')} "
        f"WHEN regexp_full_match({text}, '{_FRACTION}') THEN {trimmed} "
        f"WHEN {_is_whole(text)} THEN coalesce(try_cast({text} AS DECIMAL(38,0))::VARCHAR, {text}) ELSE {text} END"
    )
