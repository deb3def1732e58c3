"""The types of a run's columns: declared ones, or the narrowest that hold every value."""

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
from sluice.extract.by_record.flatten import METADATA_TYPES, ColumnNames, Row


class NeedsSingleReaderError(Exception):
    """What parts of the pages show separately does not tell what all pages would show together."""


class ColumnTypes:
    """The types of a run's columns. It observes every row to find them, then converts every row.

    Args:
        datasource: its `types`, `fields` and `csv` declare types and formats.
    """

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
        self.doubts_dots = False  # if the delimiter is no comma, a dot may be a thousands separator
        self._null_words = NULL_WORDS if options.null_strings is None else frozenset()
        self._guesses: dict[str, JsonTypeGuess | TextTypeGuess] = {}
        self._known: dict[str, list[str]] = {}
        self._untold: set[str] = set()
        self._estimated: set[str] = set()  # columns whose number lengths the engine did not report
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

    def add_page_columns(self, columns: dict[str, str | None], *, text: bool) -> None:
        """Add the columns that a page has even without rows.

        Args:
            columns: the names, with the types that the format states.
            text: whether the page's values are text, as in CSV.
        """
        for name, kind in columns.items():
            guess = self._guesses.setdefault(name, self._text_guess() if text else JsonTypeGuess())
            if kind is not None:
                self._known.setdefault(name, []).append(kind)
            elif isinstance(guess, JsonTypeGuess):
                self._untold.add(name)

    def declare(self, name: str, kind: str) -> None:
        """Set the type of a column regardless of its values, unless it is declared already."""
        self._declared.setdefault(name.lower(), kind)

    def observe(self, row: Row, *, text: bool) -> None:
        """Take a row into account.

        Args:
            row: the values by column.
            text: whether values are text whose types must be inferred, as in CSV.
        """
        self._rows += 1
        for name, value in row.items():
            guess = self._guesses.get(name)
            # `fields` creates JSON guesses before it is known that the first page is text.
            if guess is None or (text and isinstance(guess, JsonTypeGuess) and self._rows == 1):
                guess = self._guesses[name] = self._text_guess() if text else JsonTypeGuess()
            guess.observe(value)
            self._given[name] = self._given.get(name, 0) + 1
            if value is not None:
                self._present[name] = self._present.get(name, 0) + 1

    def add_summary(self, name: str, examples: Iterable[tuple[Any, int]], rows: int, *, text: bool = False) -> None:
        """Take a column into account whose values the engine has summarized.

        Args:
            name: the column.
            examples: pairs of a value and the number of records it stands for, nulls included. Together they determine
                the type as all values would.
            rows: the number of records.
            text: whether values are text whose types must be inferred.
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
        """The observations as JSON, for `merge_state` of the types of other pages of the same datasource."""
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

    def conversion_notes(self) -> dict[str, Any]:
        """The problems found while converting as JSON, for `merge_notes` of another instance."""
        return {"failures": self._failures, "cut": self._cut}

    def merge_state(self, state: dict[str, Any], column_names: ColumnNames) -> None:
        """Add the observations of later pages.

        Args:
            state: the `state` of the instance that observed those pages.
            column_names: the names of the columns in this instance.

        Raises:
            NeedsSingleReaderError: one reader must observe every record: some pages are text and others not, or
                long numbers meet numbers whose lengths the engine did not report.
        """
        self._rows += state["rows"]
        self.doubts_dots = self.doubts_dots or state["doubts_dots"]
        for name, kind in state["declared"].items():
            self.declare(name, kind)
        for name, text, observations in state["guesses"]:
            if name in state["given"] or column_names.spelling(name) not in self._guesses:
                self._guess(column_names.spelling(name), text=text).merge_state(observations)
        for name, kinds in state["known"].items():
            self._known.setdefault(column_names.spelling(name), []).extend(kinds)
        self._untold |= {column_names.spelling(name) for name in state["untold"]}
        self._estimated |= {column_names.spelling(name) for name in state["estimated"]}
        # The engine reports neither digits nor scale, so the common decimal type would be a guess.
        if any(self._guesses[name].mixes_decimals for name in self._estimated):
            raise NeedsSingleReaderError
        for counts, more in ((self._present, state["present"]), (self._given, state["given"])):
            for name, count in more.items():
                counts[column_names.spelling(name)] = counts.get(column_names.spelling(name), 0) + count

    def merge_notes(self, notes: dict[str, Any], column_names: ColumnNames) -> None:
        """Add the problems found while converting later pages.

        Args:
            notes: the `conversion_notes` of the instance that converted those pages.
            column_names: the names of the columns in this instance.
        """
        for totals, more in ((self._failures, notes["failures"]), (self._cut, notes["cut"])):
            for name, (count, first) in more.items():
                before, example = totals.get(column_names.spelling(name), (0, first))
                totals[column_names.spelling(name)] = (before + count, example)

    def _guess(self, name: str, *, text: bool) -> JsonTypeGuess | TextTypeGuess:
        """The guess for a column of other pages.

        Raises:
            NeedsSingleReaderError: the column is text on some pages and not on others.
        """
        guess = self._guesses.get(name)
        if guess is None or (text and isinstance(guess, JsonTypeGuess) and name not in self._given):
            guess = self._guesses[name] = self._text_guess() if text else JsonTypeGuess()
        if isinstance(guess, TextTypeGuess) != text:
            raise NeedsSingleReaderError
        return guess

    def columns(self, column_names: ColumnNames) -> list[Column]:
        """The columns in record order, those without a key last."""
        keyed = column_names.in_record_order(list(self._guesses))
        keyed_lower = {name.lower() for name in keyed}
        names = [*keyed, *(name for name in self._declared_names if name.lower() not in keyed_lower)]
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
        known_types = self._known.get(name, [])
        # A type that the format states holds only if every page states one.
        if known_types and name not in self._untold:
            wide = self._guesses[name].wide
            return column_type([Column(name=name, type=kind, wide=wide and kind == "bigint") for kind in known_types])
        return self._guesses[name].type

    def _nulls(self, name: str) -> dict[str, int]:
        """The texts that mean null in a column, and how often each occurred."""
        guess = self._guesses.get(name)
        if not isinstance(guess, TextTypeGuess) or self._type(name) in ("string", "json"):
            return {}
        return guess.words

    def text_readings(self, columns: list[Column]) -> dict[str, TextReading]:
        """How texts become values, for the columns whose texts need more than a conversion."""
        guesses = [(column, self._guesses.get(column.name)) for column in columns]
        by_column = {
            column.name: guess.reading(column.type) for column, guess in guesses if isinstance(guess, TextTypeGuess)
        }
        return {name: reading for name, reading in by_column.items() if reading != TextReading()}

    def convert_row(self, row: Row, columns: list[Column], page: int, position: int) -> Row:
        """Convert a row to the values that Parquet stores.

        A value that is not of its column's type becomes null and is noted.

        Args:
            row: the values by column.
            columns: the columns of the run.
            page: the number of the page, for warnings.
            position: the number of the record in the page, from 0, for warnings.
        """
        result: Row = {}
        if self._read is None:
            self._read = self.text_readings(columns)
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
                self.note_failure(name, value, page, position, error)
                continue
            if column.type == "timestamp" and isinstance(plain, str) and has_nanoseconds(plain):
                self.note_truncation(name, plain)
        return result

    def note_failure(self, name: str, value: Any, page: int, position: int, error: ValueError, times: int = 1) -> None:
        """Count values that are not of their column's type. The first value noted is the example in the warning.

        Args:
            name: the column.
            value: the value.
            page: the number of the page.
            position: the number of the record in the page.
            error: why the value cannot be converted.
            times: how many values it stands for.
        """
        if isinstance(value, Decimal) and keeps_digits(value):
            value = float(value)
        count, first = self._failures.get(name, (0, ""))
        first = first or f"first {str(value)[:60]!r} in page {page}, row {position}: {error}"
        self._failures[name] = (count + times, first)

    def note_truncation(self, name: str, text: str, times: int = 1) -> None:
        """Count times with more digits than microseconds; the first one noted is the example in the warning."""
        count, first = self._cut.get(name, (0, text))
        self._cut[name] = (count + times, first)

    def warnings(self) -> list[str]:
        """Warnings for the run: values that could not be converted, and guesses that may be wrong."""
        failed = [
            f"{name}: {count} values are not {self._type(name)} and were replaced by null ({first})"
            for name, (count, first) in self._by_column(self._failures)
        ]
        cut = [
            f"{name}: {count} times were truncated to microseconds (first {first[:60]!r})"
            for name, (count, first) in self._by_column(self._cut)
        ]
        return [*failed, *cut, *(note for name in self._guesses for note in self._doubts(name))]

    def _by_column(self, notes: dict[str, tuple[int, str]]) -> list[tuple[str, tuple[int, str]]]:
        """The notes in column order, which does not depend on which value failed first."""
        return [(name, notes[name]) for name in self._guesses if name in notes]

    def _doubts(self, name: str) -> list[str]:
        guess = self._guesses[name]
        words = self._nulls(name)
        notes = (
            [f"{name}: {', '.join(map(repr, sorted(words)))} was read as null {sum(words.values())} times"]
            if words
            else []
        )
        if isinstance(guess, TextTypeGuess) and guess.undecided and name.lower() not in self._declared:
            notes.append(f"{name}: the comma may be a decimal mark or a thousands separator; set csv.decimal")
        doubtful = self.doubts_dots and self._decimal is None and name.lower() not in self._declared
        if doubtful and isinstance(guess, TextTypeGuess) and guess.dotted_thousands:
            notes.append(
                f"{name}: the dot was read as a decimal mark, but may be a thousands separator; set csv.decimal"
            )
        return notes

    def reading_variants(self, columns: list[Column]) -> dict[str, str]:
        """What else than the type decides how texts become values, for columns where something does."""
        by_column = self.text_readings(columns)
        return {
            name: f"{reading.comma} {reading.form.text if reading.form else ''}"
            for name, reading in by_column.items()
            if reading.comma or reading.form
        }

    def with_failures(self, columns: list[Column]) -> list[Column]:
        """The columns, nullable where a value could not be converted."""
        return [
            column.model_copy(update={"nullable": column.nullable or column.name in self._failures})
            for column in columns
        ]


def _formats(options: CsvOptions) -> tuple[TimeFormat, ...]:
    declared = (("date", options.date_format), ("timestamp", options.timestamp_format))
    return tuple(time_format(text, kind) for kind, text in declared if text is not None)


def display_row(row: Row, columns: list[Column]) -> Row:
    """Format a converted row for readers of the dataset: times with `Z`, JSON as values."""
    return {column.name: _display_value(column.type, row[column.name]) for column in columns}


def _display_value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "json":
        return loads(value.encode())
    if kind == "timestamp":
        whole, _, fraction = value.replace(" ", "T").partition(".")
        fraction = fraction.rstrip("0")
        return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"
    return value
