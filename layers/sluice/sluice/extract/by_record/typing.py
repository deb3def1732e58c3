"""The types of a run's columns: declared, or the narrowest that holds every value."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sluice.domain.datasource import Datasource
from sluice.domain.file_format import CsvOptions
from sluice.domain.json_text import keeps_digits, loads
from sluice.domain.schema import Column, JsonTypeGuess, column_type, converter
from sluice.domain.text_types import NULL_WORDS, TextReading, TextTypeGuess
from sluice.domain.text_values import has_nanoseconds
from sluice.domain.time_format import TimeFormat, time_format
from sluice.extract.by_record.flatten import METADATA_TYPES, Columns, Row


class TogetherOnlyError(Exception):
    """What was seen of some pages and of others does not say what would have been seen of all of them."""


class ColumnTypes:
    """Sees every row once to know the types, then converts every row."""

    def __init__(self, datasource: Datasource) -> None:
        declared = dict(datasource.types)
        for name, expression in (datasource.fields or {}).items():
            if expression in METADATA_TYPES:
                declared.setdefault(name, METADATA_TYPES[expression])
        self._declared_names = list(declared)
        self._declared = {name.lower(): kind for name, kind in declared.items()}
        options = datasource.csv or CsvOptions()
        self._decimal = options.decimal
        self._formats = _formats(options)
        self.doubts_dots = False  # where the fields are not separated by commas, a dot may mean something else
        self._null_words = NULL_WORDS if options.null_strings is None else frozenset()
        self._guesses: dict[str, JsonTypeGuess | TextTypeGuess] = {}
        self._known: dict[str, list[str]] = {}
        self._untold: set[str] = set()
        self._estimated: set[str] = set()  # columns of whose numbers the engine has not said how long they are
        self._present: dict[str, int] = {}
        self._given: dict[str, int] = {}
        self._rows = 0
        self._read: dict[str, TextReading] | None = None
        self._failures: dict[str, tuple[int, str]] = {}
        self._cut: dict[str, tuple[int, str]] = {}
        for name in datasource.fields or {} if datasource.selects_columns else {}:
            self._guesses[name] = JsonTypeGuess()

    def _text_guess(self) -> TextTypeGuess:
        return TextTypeGuess(self._decimal, self._null_words, self._formats)

    def know(self, columns: dict[str, str | None], *, text: bool) -> None:
        """Take the columns into account that a page has even without rows, with the types it knows."""
        for name, kind in columns.items():
            guess = self._guesses.setdefault(name, self._text_guess() if text else JsonTypeGuess())
            if kind is not None:
                self._known.setdefault(name, []).append(kind)
            elif isinstance(guess, JsonTypeGuess):
                self._untold.add(name)

    def declare(self, name: str, kind: str) -> None:
        """Give a column its type, whatever its values."""
        self._declared.setdefault(name.lower(), kind)

    def observe(self, row: Row, *, text: bool) -> None:
        """Take a row into account; `text` says that its values are CSV's."""
        self._rows += 1
        for name, value in row.items():
            guess = self._guesses.get(name)
            if guess is None or (text and isinstance(guess, JsonTypeGuess) and self._rows == 1):
                guess = self._guesses[name] = self._text_guess() if text else JsonTypeGuess()
            guess.observe(value)
            self._given[name] = self._given.get(name, 0) + 1
            if value is not None:
                self._present[name] = self._present.get(name, 0) + 1

    def summarize(self, name: str, examples: Iterable[tuple[Any, int]], rows: int, *, text: bool = False) -> None:
        """Take a column into account of which the engine knows what is in it.

        Args:
            examples: values, each with the number of records that have one like it: together they say
                all that the column's values say about its type. Null is a value, too.
            rows: how many records there are.
        """
        self._rows = rows
        guess = self._guesses.setdefault(name, self._text_guess() if text else JsonTypeGuess())
        self._estimated.add(name)
        for value, times in examples:
            guess.observe(value, times)
            self._given[name] = self._given.get(name, 0) + times
            if value is not None:
                self._present[name] = self._present.get(name, 0) + times

    def state(self) -> dict[str, Any]:
        """What was seen, as JSON: for the `add` of the types of the same datasource's other pages."""
        guesses = [[name, isinstance(guess, TextTypeGuess), guess.state()] for name, guess in self._guesses.items()]
        return {
            "rows": self._rows,
            "doubts_dots": self.doubts_dots,
            "declared": self._declared,
            "guesses": guesses,
            "known": {name: sorted(set(kinds)) for name, kinds in self._known.items()},
            "untold": sorted(self._untold),
            "estimated": sorted(self._estimated),
            "present": self._present,
            "given": self._given,
        }

    def told(self) -> dict[str, Any]:
        """What was told while records were converted, as JSON: for the `add_told` of others."""
        return {"failures": self._failures, "cut": self._cut}

    def add(self, state: dict[str, Any], spelled: Columns) -> None:
        """Take into account what was seen of pages behind those that were seen so far.

        Args:
            spelled: how the columns are called here.

        Raises:
            TogetherOnlyError: each record must be seen: the one pages are text and the others are not, or long
                numbers meet some whose length is not known.
        """
        self._rows += state["rows"]
        self.doubts_dots = self.doubts_dots or state["doubts_dots"]
        for name, kind in state["declared"].items():
            self.declare(name, kind)
        for name, text, seen in state["guesses"]:
            if name in state["given"] or spelled.spelling(name) not in self._guesses:
                self._guess(spelled.spelling(name), text=text).merge_state(seen)
        for name, kinds in state["known"].items():
            self._known.setdefault(spelled.spelling(name), []).extend(kinds)
        self._untold |= {spelled.spelling(name) for name in state["untold"]}
        self._estimated |= {spelled.spelling(name) for name in state["estimated"]}
        if any(self._guesses[name].mixes_decimals for name in self._estimated):
            raise TogetherOnlyError
        for counts, more in ((self._present, state["present"]), (self._given, state["given"])):
            for name, count in more.items():
                counts[spelled.spelling(name)] = counts.get(spelled.spelling(name), 0) + count

    def add_told(self, told: dict[str, Any], spelled: Columns) -> None:
        """Take into account what was told of pages behind those that were converted so far."""
        for mine, more in ((self._failures, told["failures"]), (self._cut, told["cut"])):
            for name, (count, first) in more.items():
                before, shown = mine.get(spelled.spelling(name), (0, first))
                mine[spelled.spelling(name)] = (before + count, shown)

    def _guess(self, name: str, *, text: bool) -> JsonTypeGuess | TextTypeGuess:
        """The guess for a column of other pages."""
        guess = self._guesses.get(name)
        if guess is None or (text and isinstance(guess, JsonTypeGuess) and name not in self._given):
            guess = self._guesses[name] = self._text_guess() if text else JsonTypeGuess()
        if isinstance(guess, TextTypeGuess) != text:
            raise TogetherOnlyError
        return guess

    def columns(self, spelled: Columns) -> list[Column]:
        """The columns in their order, those that no record has last."""
        seen = spelled.ordered(list(self._guesses))
        spelled_so = {name.lower() for name in seen}
        names = [*seen, *(name for name in self._declared_names if name.lower() not in spelled_so)]
        return [
            Column(
                name=name,
                type=self._type(name),
                nullable=self._present.get(name, 0) - sum(self._nulls(name).values()) < self._rows,
                missing=self._given.get(name, 0) < self._rows,
                wide=name.lower() not in self._declared and self._type(name) == "bigint" and self._guesses[name].wide,
                guessed=name.lower() not in self._declared and name not in self._known and not self._guesses[name].seen,
                from_json=name.lower() not in self._declared
                and name not in self._known
                and isinstance(self._guesses[name], JsonTypeGuess),
            )
            for name in names
        ]

    def _type(self, name: str) -> str:
        if name.lower() in self._declared:
            return self._declared[name.lower()]
        known = self._known.get(name, [])
        if known and name not in self._untold:
            wide = self._guesses[name].wide
            return column_type([Column(name=name, type=kind, wide=wide and kind == "bigint") for kind in known])
        return self._guesses[name].type

    def _nulls(self, name: str) -> dict[str, int]:
        """The texts that mean null in a column, and how often each was seen."""
        guess = self._guesses.get(name)
        if not isinstance(guess, TextTypeGuess) or self._type(name) in ("string", "json"):
            return {}
        return guess.words

    def readings(self, columns: list[Column]) -> dict[str, TextReading]:
        """For each column whose text is read in a way of its own, how it is read."""
        guesses = [(column, self._guesses.get(column.name)) for column in columns]
        found = {
            column.name: guess.reading(column.type) for column, guess in guesses if isinstance(guess, TextTypeGuess)
        }
        return {name: reading for name, reading in found.items() if reading != TextReading()}

    def converted(self, row: Row, columns: list[Column], page: int, position: int) -> Row:
        """A row as Parquet stores it; a value that is not of its type becomes null and is noted."""
        result: Row = {}
        if self._read is None:
            self._read = self.readings(columns)
        for column in columns:
            name = column.name
            value = row.get(name)
            if value is None or (column.type == "string" and isinstance(value, str)):
                result[name] = value
                continue
            try:
                plain = self._read[name].plain(value) if name in self._read and isinstance(value, str) else value
                result[name] = None if plain is None else converter(column.type)(plain)
            except ValueError as error:
                result[name] = None
                self.note(name, value, page, position, error)
                continue
            if column.type == "timestamp" and isinstance(plain, str) and has_nanoseconds(plain):
                self.note_cut(name, plain)
        return result

    def note(self, name: str, value: Any, page: int, position: int, error: ValueError, times: int = 1) -> None:
        """Take note of values that are not of their column's type; the first one that is told of is shown."""
        if isinstance(value, Decimal) and keeps_digits(value):
            value = float(value)
        count, first = self._failures.get(name, (0, ""))
        first = first or f"first {str(value)[:60]!r} in page {page}, row {position}: {error}"
        self._failures[name] = (count + times, first)

    def note_cut(self, name: str, text: str, times: int = 1) -> None:
        """Take note of times that have more digits than microseconds; the first one that is told of is shown."""
        count, first = self._cut.get(name, (0, text))
        self._cut[name] = (count + times, first)

    def warnings(self) -> list[str]:
        """What could not be converted, for the run to say."""
        failed = [
            f"{name}: {count} values are not {self._type(name)} and were left out ({first})"
            for name, (count, first) in self._by_column(self._failures)
        ]
        cut = [
            f"{name}: the digits beyond microseconds of {count} times were cut off (first {first[:60]!r})"
            for name, (count, first) in self._by_column(self._cut)
        ]
        return [*failed, *cut, *(note for name in self._guesses for note in self._doubts(name))]

    def _by_column(self, told: dict[str, tuple[int, str]]) -> list[tuple[str, tuple[int, str]]]:
        """What was told, in the order in which the columns were seen, whichever value failed first."""
        return [(name, told[name]) for name in self._guesses if name in told]

    def _doubts(self, name: str) -> list[str]:
        guess = self._guesses[name]
        words = self._nulls(name)
        notes = (
            [f"{name}: {', '.join(map(repr, sorted(words)))} was read as null, {sum(words.values())} times"]
            if words
            else []
        )
        if isinstance(guess, TextTypeGuess) and guess.undecided and name.lower() not in self._declared:
            notes.append(f"{name}: the comma may be a decimal mark or stand between thousands; set csv.decimal")
        doubtful = self.doubts_dots and self._decimal is None and name.lower() not in self._declared
        if doubtful and isinstance(guess, TextTypeGuess) and guess.dotted_thousands:
            notes.append(
                f"{name}: the dot was read as a decimal mark, and may stand between thousands; set csv.decimal"
            )
        return notes

    def ways(self, columns: list[Column]) -> dict[str, str]:
        """What besides the type decides about the values of a column that is read in a way of its own."""
        found = self.readings(columns)
        return {
            name: f"{reading.comma} {reading.form.text if reading.form else ''}"
            for name, reading in found.items()
            if reading.comma or reading.form
        }

    def with_failures(self, columns: list[Column]) -> list[Column]:
        """The columns; those in which a value was left out have null now."""
        return [
            column.model_copy(update={"nullable": column.nullable or column.name in self._failures})
            for column in columns
        ]


def _formats(options: CsvOptions) -> tuple[TimeFormat, ...]:
    said = (("date", options.date_format), ("timestamp", options.timestamp_format))
    return tuple(time_format(text, kind) for kind, text in said if text is not None)


def shown(typed: Row, columns: list[Column]) -> Row:
    """A converted row as readers of the dataset see it: times with `Z`, JSON as values."""
    return {column.name: _shown(column.type, typed[column.name]) for column in columns}


def _shown(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "json":
        return loads(value.encode())
    if kind == "timestamp":
        whole, _, fraction = value.replace(" ", "T").partition(".")
        fraction = fraction.rstrip("0")
        return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"
    return value
