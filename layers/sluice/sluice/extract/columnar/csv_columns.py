"""The columns of a table of text: their types, and their values in those types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from sluice.domain.schema import Column
from sluice.domain.text_types import TextReading
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.columnar.conversion import Conversion, EngineCast
from sluice.extract.columnar.pages import ROWS, TABLE, Cell
from sluice.extract.columnar.text_classes import (
    CLASSES,
    NUMBERS,
    class_counts,
    class_names,
    classes_by_frequency,
    classes_present,
    engine_cast,
    is_of_class,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_SAMPLE_ROWS, _BATCH = 2_048, 10_000


class TextColumns:
    """The columns of a table of text, `t0`, `t1` and so on.

    Args:
        connection: the engine that has the table.
        names: the names of the columns in the dataset.
        count: the number of rows.
    """

    def __init__(self, connection: DuckDBPyConnection, names: list[str], count: int) -> None:
        self._connection = connection
        self._names = names
        self._count = count

    def summarize(self, types: ColumnTypes, declared: dict[str, str | None]) -> dict[str, set[str]]:
        """Add a summary of each column to the types.

        Args:
            types: gets the summaries.
            declared: the declared types by column; None if there is none.

        Returns:
            The classes of each column's texts. Columns of prose are not examined and are missing.
        """
        numbers = range(len(self._names))
        # A look at some rows first: prose columns, the expensive ones, need no further checks, and for the others
        # the frequent classes are tested first.
        few = self._select_row(
            [class_counts(f"t{number}") for number in numbers], f"(FROM {TABLE}_read LIMIT {_SAMPLE_ROWS})"
        )
        frequent = {number: classes_by_frequency(few[number]) for number in numbers}
        texts = {number for number in numbers if (declared[self._names[number]] or "string") in ("string", "json")}
        prose = {number for number in texts if "prose" in frequent[number]}
        examined = [number for number in numbers if number not in prose]
        present = self._select_row([f"count(t{number})" for number in numbers], f"{TABLE}_read")
        aggregates = [classes_present(f"t{number}", frequent[number]) for number in examined]
        bits_by_column = self._select_row(aggregates, f"{TABLE}_read") if examined else []
        classes = {number: class_names(bits) for number, bits in zip(examined, bits_by_column, strict=True)}
        for number in numbers:
            # A column with prose is text whatever else it has, so one example is enough.
            examples: Iterable[tuple[str, int]] = [("prose", present[number])]
            if number not in prose and not (number in texts and "prose" in classes[number]):
                examples = self._examples(f"t{number}", classes[number], present[number])
            nulls = (None, self._count - present[number])
            types.add_summary(self._names[number], chain(examples, [nulls]), self._count, text=True)
        return {self._names[number]: names for number, names in classes.items()}

    def _select_row(self, selected: list[str], rows: str) -> list[Any]:
        return list(self._connection.execute(f"SELECT {', '.join(selected)} FROM {rows}").fetchone() or ())

    def _examples(self, cell: str, classes: set[str], present: int) -> Iterator[tuple[str, int]]:
        """Texts that together determine the column's type as all of its texts would, with their counts."""
        # Classes without an example: each distinct text must be looked at.
        single = [name for name in classes if CLASSES[name].example is None]
        counted, plus = 0, False
        if single:
            condition = is_of_class(cell, single)
            query = f"SELECT {cell}, count(*) FROM {TABLE}_read WHERE {condition} GROUP BY {cell}"
            # A cursor of its own: the caller runs other queries while it iterates over these rows.
            rows = self._connection.cursor().execute(query)
            while batch := rows.fetchmany(_BATCH):
                yield from batch
                counted += sum(times for _, times in batch)
                plus = plus or any(text.lstrip().startswith("+") for text, _ in batch)
        # The guess must see a minus wherever it is: see TextTypeGuess. A count of 0 adds the proof, not a value.
        if plus and self._has_minus(cell):
            yield "-1", 0
        others = [CLASSES[name].example or "" for name in sorted(classes - set(single))]
        yield from ((text, 0) for text in others[1:])
        yield from ((text, present - counted) for text in others[:1])

    def _has_minus(self, cell: str) -> bool:
        """Whether there is a negative number, without which a plus sign does not make a number."""
        condition = f"starts_with({cell}, '-') AND {is_of_class(cell, NUMBERS)}"
        return bool(self._select_row([f"EXISTS (FROM {TABLE}_read WHERE {condition})"], "(SELECT 1)")[0])

    def cells(self, types: ColumnTypes, columns: list[Column], classes: dict[str, set[str]]) -> dict[str, Cell]:
        """The SQL of the columns' values in their types.

        Args:
            types: is told of values that are not of the type.
            columns: the columns of the run.
            classes: the result of `summarize`.
        """
        text_readings, kinds = types.text_readings(columns), {column.name: column.type for column in columns}
        cells = {}
        for number, name in enumerate(self._names):
            reading = text_readings.get(name, TextReading())
            text, kind = f"t{number}", kinds[name]
            sure = EngineCast("NULL", "false")
            if not reading.comma:
                sure = engine_cast(kind, text, classes.get(name, set(CLASSES)))
            conversion = Conversion(text, ROWS, number, sure, str, reading.plain)
            cells[name] = conversion.cell(self._connection, types, name, kind)
        return cells
