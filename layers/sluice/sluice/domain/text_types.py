"""The types of texts, as CSV and XML give them: the narrowest that holds every value without losing anything."""

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
    not_finite,
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
# Three digits after a single comma may be a thousand; anything else is a fraction.
_COMMA_PROOF = re.compile(r"(^-?0,|,[0-9]{1,2}$|,[0-9]{4,}$|\.[0-9]{3},)")
# Besides `date` and `timestamp`, which are ISO 8601: those of the forms that the datasource says.
_AS_SAID = {"date": "date as said", "timestamp": "timestamp as said"}
_NUMBER_TYPES = frozenset(["bigint", "double"])
_WIDE_LENGTH = 16
# What a guess has found out, and another one that takes it into account has then, too.
_FLAGS = ("_comma_proven", "_comma_seen", "_plus", "_minus", "_finite", "_seen", "wide")


class TextTypeGuess:
    """The narrowest type of a column of text, as CSV gives it.

    `007` stays a string, since a number would lose the zeros. Dates and times are recognised
    where the year comes first, or in a form that the datasource says, since 01/02/2026 means
    different days to different people. `NA` and its like are null where all other values have a
    narrower type, and text where they have not. A comma is a decimal mark where every value fits
    it and one proves it: `1,234` alone could as well be a thousand. Numbers with a plus are
    numbers where another value has a minus; else they may be telephone numbers.

    What is found does not depend on the order of the values, and but for `words` not on how
    often each of them comes.

    Args:
        decimal: the decimal mark, where it is known.
        null_words: texts that may mean null; none where the datasource says itself what does.
        formats: forms of dates and times besides ISO 8601.
    """

    def __init__(
        self,
        decimal: str | None = None,
        null_words: frozenset[str] = NULL_WORDS,
        formats: tuple[TimeFormat, ...] = (),
    ) -> None:
        self._formats = {form.kind: form for form in formats}
        said: dict[str, Callable[[str], bool]] = {_AS_SAID[form.kind]: partial(_is_of_form, form) for form in formats}
        self._tests = {**said, **_TEXT_TESTS}
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

    def see(self, value: Any, count: int = 1) -> None:
        """Take one more value into account, which comes so many times; null says nothing.

        What an expression made of a text, such as a number, has its own type.
        """
        if not isinstance(value, str):
            self._others.see(value)
            return
        text = value.strip(BLANKS)
        if text in self._null_words or (value and not text and self._null_words):
            self._words[value] = self._words.get(value, 0) + count
            return
        self._seen = True
        self.wide = self.wide or (len(text) >= _WIDE_LENGTH and is_whole_number(text))
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
        if not_finite(text) is not None:
            return
        self._comma = _COMMA_NUMBER.fullmatch(text) is not None and not loses_digits(with_decimal_point(text))
        self._finite = self._finite or self._comma
        if self._comma and "," in text:
            self._comma_seen = True
            self._comma_proven = self._comma_proven or _COMMA_PROOF.search(text) is not None

    def state(self) -> dict[str, Any]:
        """What was seen, as JSON: for the `add` of another guess with the same settings."""
        return {
            "candidates": self._candidates,
            "comma": self._comma,
            "flags": [name for name in _FLAGS if getattr(self, name)],
            "dots": [self._dotted, self._dots],
            "words": self._words,
            "others": self._others.state(),
        }

    def add(self, state: dict[str, Any]) -> None:
        """Take into account what another guess has seen."""
        self._candidates = [name for name in self._candidates if name in state["candidates"]]
        self._comma = self._comma and state["comma"]
        for name in state["flags"]:
            setattr(self, name, True)
        self._dotted, self._dots = self._dotted + state["dots"][0], self._dots + state["dots"][1]
        for word, count in state["words"].items():
            self._words[word] = self._words.get(word, 0) + count
        self._others.add(state["others"])

    @property
    def type(self) -> str:
        """The type so far."""
        if self._others.seen:
            return "json" if self._seen else self._others.type
        if not self._seen:
            return "string"
        numbers = self._finite and (self._minus or not self._plus)
        for name in self._candidates:
            if numbers or name not in _NUMBER_TYPES:
                return name.partition(" ")[0]
        return "double" if self.decimal_comma and self._finite else "string"

    @property
    def decimal_comma(self) -> bool:
        """Whether the column's numbers are written with a decimal comma."""
        return self._comma and self._comma_proven

    @property
    def undecided(self) -> bool:
        """Whether the values may be numbers, if only a comma's meaning were known."""
        return self._comma and self._comma_seen and not self._comma_proven and not self._candidates

    @property
    def dotted_thousands(self) -> bool:
        """Whether the column's numbers could as well have dots between thousands."""
        return self._dots > 0 and self._dots == self._dotted and self.type == "double"

    @property
    def mixes_decimals(self) -> bool:
        """As of values of JSON, which expressions may have made of texts."""
        return self._others.mixes_decimals

    @property
    def words(self) -> dict[str, int]:
        """How often each text was seen that means null if the column is no column of text."""
        return self._words

    @property
    def seen(self) -> bool:
        """Whether anything but null was seen."""
        return self._seen or self._others.seen or bool(self._words)

    def reading(self, column_type: str) -> TextReading:
        """How the column's texts are read as values of its type.

        A form of dates or times that the datasource says is how they are read, unless all of
        them are ISO 8601 and not all are of that form.
        """
        if column_type in ("string", "json"):
            return TextReading()
        form = self._formats.get(column_type)
        if form is not None and column_type in self._candidates and _AS_SAID[column_type] not in self._candidates:
            form = None
        return TextReading(frozenset(self._words), self.decimal_comma, form)


@dataclass(frozen=True)
class TextReading:
    """How the texts of a column become what `converter` takes.

    Args:
        words: the texts that mean null.
        comma: whether numbers are written with a decimal comma.
        form: how dates or times are written, if not as in ISO 8601.
    """

    words: frozenset[str] = frozenset()
    comma: bool = False
    form: TimeFormat | None = None

    def plain(self, text: str) -> str | None:
        """A text as programs write it; none where it means null.

        Raises:
            ValueError: it is no date or time of the form.
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


# The narrowest comes first; the texts have no blanks around them.
_TEXT_TESTS: dict[str, Callable[[str], bool]] = {
    "bigint": lambda text: is_whole_number(text) and text != "-0" and int(text) in BIGINT_RANGE,
    "double": lambda text: not loses_digits(text) if is_numeral(text) else not_finite(text) is not None,
    "boolean": lambda text: text in ("true", "false", "True", "False", "TRUE", "FALSE"),
    "date": lambda text: text[:4].isdecimal() and _converts("date", text),
    "timestamp": lambda text: text[:4].isdecimal() and _is_timestamp(text),
}


def _is_timestamp(text: str) -> bool:
    """Whether a text is a time, and not only a day."""
    try:
        parse_timestamp(text)
    except (ValueError, OverflowError):
        return False
    return True


def with_decimal_point(text: str) -> str:
    """A number written with a decimal comma, and dots between thousands, as programs write it."""
    return text.replace(".", "").replace(",", ".") if _COMMA_NUMBER.fullmatch(text) else text
