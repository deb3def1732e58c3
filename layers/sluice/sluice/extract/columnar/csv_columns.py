"""The columns of a table of text: what types they have, and their values as those."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from sluice.domain.schema import Column
from sluice.domain.text_types import TextReading
from sluice.extract.by_record.typing import ColumnTypes
from sluice.extract.columnar.conversion import Conversion, Sure
from sluice.extract.columnar.pages import ROWS, TABLE, Cell
from sluice.extract.columnar.text_classes import (
    CLASSES,
    NUMBERS,
    class_counts,
    classes_present,
    frequent_of,
    is_one_of,
    names_of,
    sure_reading,
)

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_FEW, _BATCH = 2_048, 10_000


class TextColumns:
    """The columns of a table of text, `t0`, `t1` and so on.

    Args:
        names: what they are called in the dataset.
        count: how many rows there are.
    """

    def __init__(self, connection: DuckDBPyConnection, names: list[str], count: int) -> None:
        self._connection = connection
        self._names = names
        self._count = count

    def summarize(self, types: ColumnTypes, declared: dict[str, str | None]) -> dict[str, set[str]]:
        """Tell the types what the columns hold.

        Args:
            declared: the types of columns that the document says.

        Returns:
            The classes of each column's texts, where they were looked for: not of columns of prose.
        """
        numbers = range(len(self._names))
        few = self._ask([class_counts(f"t{number}") for number in numbers], f"(FROM {TABLE}_read LIMIT {_FEW})")
        frequent = {number: frequent_of(few[number]) for number in numbers}
        texts = {number for number in numbers if (declared[self._names[number]] or "string") in ("string", "json")}
        prose = {number for number in texts if "prose" in frequent[number]}
        wanted = [number for number in numbers if number not in prose]
        present = self._ask([f"count(t{number})" for number in numbers], f"{TABLE}_read")
        asked = [classes_present(f"t{number}", frequent[number]) for number in wanted]
        found = self._ask(asked, f"{TABLE}_read") if wanted else []
        classes = {number: names_of(bits) for number, bits in zip(wanted, found, strict=True)}
        for number in numbers:
            examples: Iterable[tuple[str, int]] = [("prose", present[number])]
            if number not in prose and not (number in texts and "prose" in classes[number]):
                examples = self._examples(f"t{number}", classes[number], present[number])
            nulls = (None, self._count - present[number])
            types.summarize(self._names[number], chain(examples, [nulls]), self._count, text=True)
        return {self._names[number]: of for number, of in classes.items()}

    def _ask(self, selected: list[str], rows: str) -> list[Any]:
        return list(self._connection.execute(f"SELECT {', '.join(selected)} FROM {rows}").fetchone() or ())

    def _examples(self, cell: str, classes: set[str], present: int) -> Iterator[tuple[str, int]]:
        """Texts that say about the column's type what all of its texts say, with how often they came."""
        single = [name for name in classes if CLASSES[name].example is None]
        told, plus = 0, False
        if single:
            condition = is_one_of(cell, single)
            query = f"SELECT {cell}, count(*) FROM {TABLE}_read WHERE {condition} GROUP BY {cell}"
            found = self._connection.cursor().execute(query)
            while batch := found.fetchmany(_BATCH):
                yield from batch
                told += sum(times for _, times in batch)
                plus = plus or any(text.lstrip().startswith("+") for text, _ in batch)
        if plus and self._has_minus(cell):
            yield "-1", 0
        others = [CLASSES[name].example or "" for name in sorted(classes - set(single))]
        yield from ((text, 0) for text in others[1:])
        yield from ((text, present - told) for text in others[:1])

    def _has_minus(self, cell: str) -> bool:
        """Whether there is a negative number, without which a plus does not make one."""
        condition = f"starts_with({cell}, '-') AND {is_one_of(cell, NUMBERS)}"
        return bool(self._ask([f"EXISTS (FROM {TABLE}_read WHERE {condition})"], "(SELECT 1)")[0])

    def cells(self, types: ColumnTypes, columns: list[Column], classes: dict[str, set[str]]) -> dict[str, Cell]:
        """The cells of the columns; what is not of a column's type is told to the types."""
        readings, kinds = types.readings(columns), {column.name: column.type for column in columns}
        cells = {}
        for number, name in enumerate(self._names):
            reading = readings.get(name, TextReading())
            text, kind = f"t{number}", kinds[name]
            sure = Sure("NULL", "false")
            if not reading.comma:
                sure = sure_reading(kind, text, classes.get(name, set(CLASSES)))
            conversion = Conversion(text, ROWS, number, sure, str, reading.plain)
            cells[name] = conversion.cell(self._connection, types, name, kind)
        return cells
