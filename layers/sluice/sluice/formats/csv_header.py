"""Whether the first line of a CSV page has column names or is a record."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from sluice.domain.file_format import CsvOptions
from sluice.domain.text_types import NULL_WORDS, TextTypeGuess
from sluice.domain.text_values import is_numeral
from sluice.domain.time_format import time_format

_YEARS = (1800, 2200)
_EVENLY = 5
# How many rows are compared: at least _ROWS, and for short rows about _FIELDS fields.
_ROWS, _FIELDS = 20, 4_000
_RECORD = ("the first line was read as a record, like those below it; set csv.header to true if it has column names",)
_NAMES = ("the first line was read as column names, but may be a record; set csv.header to true, or to false if it is",)


def detect_header(
    first: list[str], below: list[list[str]], options: CsvOptions, *, shorter: bool
) -> tuple[bool, tuple[str, ...]]:
    """Detect whether the first line has the column names.

    A text above a column of numbers or dates proves it. A line whose fields are all like those below it is a record,
    unless it numbers the columns or has years, as tables by year do.

    Args:
        first: the fields of the first line.
        below: the next lines of the page.
        options: the declared dialect.
        shorter: whether the first line has one field fewer than all others.

    Returns:
        Whether it is a header, and warnings about what was guessed.
    """
    if options.header is not None:
        return options.header, ()
    below = below[: max(_ROWS, _FIELDS // max(1, len(first)))]
    values = [field for field in map(str.strip, first) if field and _kind([field], options) != "string"]
    # A line without numbers or dates is taken for names: the usual case needs no proof.
    if shorter or not values or _is_proven(first, below, options):
        return True, ()
    if not _is_like(first, below, options):
        return True, ()
    return (True, _NAMES) if _counts(first) and not (below and _counts(below[0])) else (False, _RECORD)


def _kind(values: list[str], options: CsvOptions) -> str:
    declared = (("date", options.date_format), ("timestamp", options.timestamp_format))
    formats = tuple(time_format(text, kind) for kind, text in declared if text is not None)
    guess = TextTypeGuess(options.decimal, NULL_WORDS | frozenset(options.null_strings or []), formats)
    for value in values:
        if value:
            guess.observe(value)
    return guess.type


def _is_proven(first: list[str], below: list[list[str]], options: CsvOptions) -> bool:
    """Whether a column of numbers, dates or booleans has a text of another kind in the first line."""
    for position, field in enumerate(first):
        column = [row[position] for row in below if position < len(row)]
        if field.strip() and _kind(column, options) != "string" and _kind([field, *column], options) == "string":
            return True
    return False


def _is_like(first: list[str], below: list[list[str]], options: CsvOptions) -> bool:
    """Whether the first line, which has no proof of a header, has values like those of a record."""
    fields = [field.strip() for field in first]
    if not below:
        filled = [field for field in fields if field]
        return len(set(filled)) < len(filled) or all(_kind([field], options) != "string" for field in filled)
    columns = zip(fields, zip(*below, strict=False), strict=False)
    return any(
        field and _kind([field], options) != "string" and _kind(list(column), options) != "string"
        for field, column in columns
    )


def _counts(row: list[str]) -> bool:
    """Whether the numbers of a line are years, or count: 0, 1, 2, or at least five in equal steps."""
    fields = [field.strip() for field in row if field.strip()]
    numbers = [Decimal(field) for field in fields if is_numeral(field)]
    if not numbers:
        return False
    steps = {right - left for left, right in pairwise(numbers)}
    whole = all(number == int(number) for number in numbers)
    if whole and _YEARS[0] <= min(numbers) and max(numbers) <= _YEARS[1]:
        one_way = all(step > 0 for step in steps) or all(step < 0 for step in steps)
        return one_way and (len(numbers) > 1 or len(fields) > 1)
    if len(steps) != 1 or 0 in steps:
        return False
    return len(numbers) >= _EVENLY or (numbers[0] == 0 and steps == {1})
