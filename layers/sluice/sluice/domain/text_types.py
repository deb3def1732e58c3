"""Type inference for text, as in CSV and XML: the narrowest type that holds every value without loss."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sluice.domain.schema import BIGINT_RANGE, JsonTypeGuess, convert
from sluice.domain.text_values import (
    BLANKS,
    is_numeral,
    is_whole_number,
    loses_digits,
    non_finite_word,
    parse_timestamp,
)
from sluice.domain.time_format import TimeFormat

NULL_WORDS = frozenset(
    [
        "NA",
        "N/A",
        "n/a",
        "#N/A",
        "na",
        "NULL",
        "Null",
        "null",
        "None",
        "none",
        "NaN",
        "nan",
        "NAN",
        "nil",
        "-",
        "--",
        "\\N",
    ]
)
_COMMA_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,2}(\.[0-9]{3})+|[1-9][0-9]{0,17})(,[0-9]{1,17})?")
_DOTTED = re.compile(r"-?[1-9][0-9]{0,2}(\.[0-9]{3})+")
# Proof that a comma is a decimal mark: three digits after a single comma may also be thousands.
_COMMA_PROOF = re.compile(r"(^-?0,|,[0-9]{1,2}$|,[0-9]{4,}$|\.[0-9]{3},)")
# Candidates for formats that the datasource declares; `date` and `timestamp` stand for ISO 8601.
_DECLARED = {"date": "date declared", "timestamp": "timestamp declared"}
_NUMBER_TYPES = frozenset(["bigint", "double"])
_WIDE_LENGTH = 16
# Observations that are true once, and stay true when guesses are merged.
_FLAGS = ("_comma_proven", "_comma_seen", "_plus", "_minus", "_finite", "_seen", "wide")


class TextTypeGuess:
    """Infers the narrowest type of a column of text.

    - `007` is text, since a number would lose the zeros.
    - Dates and times are recognized if the year comes first, or in a format that the datasource declares:
      01/02/2026 means different days in different countries.
    - `NA` and similar words are null if all other values have a narrower type than text, else text.
    - A comma is a decimal mark if every value allows that and one proves it: `1,234` alone may also be one thousand.
    - Numbers with a plus sign are numbers if another value has a minus sign, else perhaps telephone numbers.

    The result does not depend on the order of the values, nor, except for `words`, on how often each occurs.

    Args:
        decimal: the decimal mark, if it is known.
        null_words: texts that may mean null; empty if the datasource declares its own.
        formats: formats of dates and times besides ISO 8601.
    """

    def __init__(
        self,
        decimal: str | None = None,
        null_words: frozenset[str] = NULL_WORDS,
        formats: tuple[TimeFormat, ...] = (),
    ) -> None:
        self._formats = {form.kind: form for form in formats}
        declared: dict[str, Callable[[str], bool]] = {
            _DECLARED[form.kind]: partial(_is_of_form, form) for form in formats
        }
        self._tests = {**declared, **_TEXT_TESTS}
        self._candidates = [name for name in self._tests if not (name == "double" and decimal == ",")]
        self._comma = decimal != "."
        self._comma_proven = decimal == ","
        self._comma_seen = False
        self._dotted = self._dots = 0
        self._plus = self._minus = self._finite = False
        self._null_words = null_words
        self._words: dict[str, int] = {}
        self._seen = self.wide = False
        self._others = JsonTypeGuess()

    def observe(self, value: Any, count: int = 1) -> None:
        """Take a value into account; null changes nothing.

        Args:
            value: the text. A value of another type, which an expression made of a text, keeps its own type.
            count: how often it occurs.
        """
        if not isinstance(value, str):
            self._others.observe(value)
            return
        text = value.strip(BLANKS)
        if text in self._null_words or (value and not text and self._null_words):
            self._words[value] = self._words.get(value, 0) + count
            return
        self._seen = True
        # A double represents all integers of up to 15 digits; longer ones may lose digits.
        self.wide = self.wide or (len(text) >= _WIDE_LENGTH and is_whole_number(text))
        # Once no type but text is possible, the other checks are a waste of time.
        if self._candidates or self._comma:
            self._see_text(text)

    def _see_text(self, text: str) -> None:
        self._candidates = [name for name in self._candidates if self._tests[name](text)]
        self._plus = self._plus or text[:1] == "+"
        self._minus = self._minus or text[:1] == "-"
        self._finite = self._finite or is_numeral(text)
        if "." in text:
            self._dotted += 1
            self._dots += _DOTTED.fullmatch(text) is not None
        if self._comma and not (len(text) < _WIDE_LENGTH and is_whole_number(text)):
            self._see_number(text)

    def _see_number(self, text: str) -> None:
        if non_finite_word(text) is not None:
            return
        self._comma = _COMMA_NUMBER.fullmatch(text) is not None and not loses_digits(with_decimal_point(text))
        self._finite = self._finite or self._comma
        if self._comma and "," in text:
            self._comma_seen = True
            self._comma_proven = self._comma_proven or _COMMA_PROOF.search(text) is not None

    def state(self) -> dict[str, Any]:
        """The observations as JSON, for `merge_state` of another guess with the same options."""
        return {
            "candidates": self._candidates,
            "comma": self._comma,
            "flags": [name for name in _FLAGS if getattr(self, name)],
            "dots": [self._dotted, self._dots],
            "words": self._words,
            "others": self._others.state(),
        }

    def merge_state(self, state: dict[str, Any]) -> None:
        """Take the observations of another guess into account."""
        self._candidates = [name for name in self._candidates if name in state["candidates"]]
        self._comma = self._comma and state["comma"]
        for name in state["flags"]:
            setattr(self, name, True)
        self._dotted, self._dots = self._dotted + state["dots"][0], self._dots + state["dots"][1]
        for word, count in state["words"].items():
            self._words[word] = self._words.get(word, 0) + count
        self._others.merge_state(state["others"])

    @property
    def type(self) -> str:
        """The inferred type so far."""
        if self._others.seen:
            return "json" if self._seen else self._others.type
        if not self._seen:
            return "string"
        # A column of `nan` and `inf` only is text, and so is one of numbers that only have a plus sign.
        numbers = self._finite and (self._minus or not self._plus)
        for name in self._candidates:
            if numbers or name not in _NUMBER_TYPES:
                return name.partition(" ")[0]
        return "double" if self.decimal_comma and self._finite else "string"

    @property
    def decimal_comma(self) -> bool:
        """Whether the column's numbers have a decimal comma."""
        return self._comma and self._comma_proven

    @property
    def undecided(self) -> bool:
        """Whether the values are numbers if their commas are decimal marks, which nothing proves."""
        return self._comma and self._comma_seen and not self._comma_proven and not self._candidates

    @property
    def dotted_thousands(self) -> bool:
        """Whether the dots in the column's numbers may be thousands separators."""
        return self._dots > 0 and self._dots == self._dotted and self.type == "double"

    @property
    def mixes_decimals(self) -> bool:
        """Whether JSON values, which expressions may return, mix doubles and longer numbers."""
        return self._others.mixes_decimals

    @property
    def words(self) -> dict[str, int]:
        """How often each text occurred that means null unless the column is text."""
        return self._words

    @property
    def seen(self) -> bool:
        """Whether there was a value that is not null."""
        return self._seen or self._others.seen or bool(self._words)

    def reading(self, column_type: str) -> TextReading:
        """How to read the column's texts as values of a type.

        A declared format of dates or times is used, unless all texts are ISO 8601 and not all have that format.

        Args:
            column_type: the column's type, inferred or declared.
        """
        if column_type in ("string", "json"):
            return TextReading()
        form = self._formats.get(column_type)
        if form is not None and column_type in self._candidates and _DECLARED[column_type] not in self._candidates:
            form = None
        return TextReading(frozenset(self._words), self.decimal_comma, form)


@dataclass(frozen=True)
class TextReading:
    """How texts of a column become values that `converter` accepts.

    Args:
        words: the texts that mean null.
        comma: whether numbers have a decimal comma.
        form: the format of dates or times; None: ISO 8601.
    """

    words: frozenset[str] = frozenset()
    comma: bool = False
    form: TimeFormat | None = None

    def plain(self, text: str) -> str | None:
        """Rewrite a text with ISO 8601 dates and decimal points.

        Returns:
            The rewritten text; None if it means null.

        Raises:
            ValueError: it is not a date or time in the declared format.
        """
        if text in self.words:
            return None
        if self.form is not None:
            try:
                return self.form.iso(text)
            except OverflowError:
                raise ValueError("out of range") from None
        return with_decimal_point(text.strip(BLANKS)) if self.comma else text


def _is_of_form(form: TimeFormat, text: str) -> bool:
    try:
        form.iso(text)
    except (ValueError, OverflowError):
        return False
    return True


def _converts(column_type: str, value: str) -> bool:
    try:
        convert(value, column_type)
    except ValueError:
        return False
    return True


# The narrowest type comes first. The texts are stripped of blanks.
_TEXT_TESTS: dict[str, Callable[[str], bool]] = {
    "bigint": lambda text: is_whole_number(text) and text != "-0" and int(text) in BIGINT_RANGE,
    "double": lambda text: not loses_digits(text) if is_numeral(text) else non_finite_word(text) is not None,
    "boolean": lambda text: text in ("true", "false", "True", "False", "TRUE", "FALSE"),
    "date": lambda text: text[:4].isdecimal() and _converts("date", text),
    "timestamp": lambda text: text[:4].isdecimal() and _is_timestamp(text),
}


def _is_timestamp(text: str) -> bool:
    """Whether a text has a time, not only a date."""
    try:
        parse_timestamp(text)
    except (ValueError, OverflowError):
        return False
    return True


def with_decimal_point(text: str) -> str:
    """Rewrite a number that has a decimal comma and perhaps dots between thousands."""
    return text.replace(".", "").replace(",", ".") if _COMMA_NUMBER.fullmatch(text) else text
