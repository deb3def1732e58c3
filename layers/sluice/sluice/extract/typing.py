"""The types of a run's columns: declared, or the narrowest that holds every value."""

from __future__ import annotations

from typing import Any

from sluice.domain.datasource import Datasource
from sluice.domain.schema import Column, JsonTypeGuess, TextTypeGuess, converter
from sluice.extract.flatten import METADATA_TYPES, Row


class ColumnTypes:
    """Sees every row once to know the types, then converts every row."""

    def __init__(self, datasource: Datasource) -> None:
        declared = dict(datasource.types)
        for name, expression in (datasource.fields or {}).items():
            if expression in METADATA_TYPES:
                declared.setdefault(name, METADATA_TYPES[expression])
        self._declared = declared
        self._guesses: dict[str, JsonTypeGuess | TextTypeGuess] = {}
        self._missing: dict[str, int] = {}
        self._present: dict[str, int] = {}
        self._rows = 0
        self._failures: dict[str, tuple[int, str]] = {}
        for name in datasource.fields or {} if datasource.selects_columns else {}:
            self._guesses[name] = JsonTypeGuess()

    def know(self, names: list[str]) -> None:
        """Take the columns of a CSV header into account, which are there even without rows."""
        for name in names:
            self._guesses.setdefault(name, TextTypeGuess())

    def declare(self, name: str, kind: str) -> None:
        """Give a column its type, whatever its values."""
        self._declared.setdefault(name, kind)

    def see(self, row: Row, *, text: bool) -> None:
        """Take a row into account; `text` says that its values are CSV's."""
        self._rows += 1
        for name, value in row.items():
            guess = self._guesses.get(name)
            if guess is None or (text and isinstance(guess, JsonTypeGuess) and self._rows == 1):
                guess = self._guesses[name] = TextTypeGuess() if text else JsonTypeGuess()
            guess.see(value)
            if value is not None:
                self._present[name] = self._present.get(name, 0) + 1

    def columns(self) -> list[Column]:
        """The columns in the order in which they were first seen."""
        names = [*self._guesses, *(name for name in self._declared if name not in self._guesses)]
        return [
            Column(
                name=name,
                type=self._type(name),
                nullable=self._present.get(name, 0) < self._rows,
                guessed=name not in self._declared and not self._guesses[name].seen,
            )
            for name in names
        ]

    def _type(self, name: str) -> str:
        return self._declared.get(name) or self._guesses[name].type

    def converted(self, row: Row, columns: list[Column], page: int, position: int) -> Row:
        """A row as Parquet stores it; a value that is not of its type becomes null and is noted."""
        result: Row = {}
        for column in columns:
            name = column.name
            value = row.get(name)
            if value is None or (column.type == "string" and isinstance(value, str)):
                result[name] = value
                continue
            try:
                result[name] = converter(column.type)(value)
            except ValueError as error:
                self._note(name, column.type, value, page, position, error)
        return result

    def _note(self, name: str, wanted: str, value: Any, page: int, position: int, error: ValueError) -> None:
        count, first = self._failures.get(name, (0, ""))
        first = first or f"first {str(value)[:60]!r} in page {page}, row {position}: {error}"
        self._failures[name] = (count + 1, f"{first}")

    def warnings(self) -> list[str]:
        """What could not be converted, for the run to say."""
        return [
            f"{name}: {count} values are not {self._type(name)} and were left out ({first})"
            for name, (count, first) in self._failures.items()
        ]

    def unconverted(self) -> set[str]:
        """The columns in which a value was left out: they have null now."""
        return set(self._failures)
