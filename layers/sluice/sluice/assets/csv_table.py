"""CSV files of documents: one row for each document, one column for each field."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from math import isfinite
from typing import Any, get_args

from pydantic import BaseModel

from sluice.domain.base import json_pointer
from sluice.errors import Invalid, MalformedRequest

_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,3})?")
Path = tuple[str, ...]


@dataclass(frozen=True)
class RowError:
    """What is wrong with a cell.

    Args:
        row: counted from 1, which is the header.
        column: the column's name; None for a fault of the whole row.
        message: a sentence.
    """

    row: int
    column: str | None
    message: str

    def presented(self) -> dict[str, Any]:
        """The error as problem details list it."""
        pointer = json_pointer((self.row, self.column) if self.column else (self.row,))
        return {"pointer": pointer, "row": self.row, "column": self.column, "message": self.message}


@dataclass(frozen=True)
class CsvRow:
    """One row: its number and the texts of its cells by column."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class CsvColumn:
    """Where a column's values belong.

    Args:
        path: the keys from the document to the field.
        number: whether the values are numbers.
    """

    path: Path
    number: bool


@dataclass
class CsvTable:
    """A parsed file.

    Args:
        columns: all columns that a file may have, by name.
        rows: the rows that have as many cells as the header.
        errors: what is wrong with the header and with other rows.
    """

    columns: Mapping[str, CsvColumn]
    rows: list[CsvRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    def column_at(self, pointer: str) -> str | None:
        """The column whose values belong at a JSON Pointer; None if it is none."""
        return next((name for name, column in self.columns.items() if json_pointer(column.path) == pointer), None)


def columns_of(model: type[BaseModel], path: Path = ()) -> dict[str, CsvColumn]:
    """The columns of a document's class; the fields of a document within it are columns, too.

    Args:
        model: the class.
        path: the keys from the whole document to this one.
    """
    columns: dict[str, CsvColumn] = {}
    for name, described in model.model_fields.items():
        annotation = described.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            columns |= columns_of(annotation, (*path, name))
        else:
            columns[name] = CsvColumn((*path, name), _takes_numbers(annotation))
    return columns


def _takes_numbers(annotation: Any) -> bool:
    return annotation in (int, float) or any(_takes_numbers(part) for part in get_args(annotation))


def parse_table(body: bytes, columns: Mapping[str, CsvColumn], required: str, most: int) -> CsvTable:
    """Parse a CSV file.

    Args:
        body: CSV in UTF-8, with or without a byte order mark.
        columns: the columns that it may have.
        required: a column that it must have.
        most: the most rows.

    Raises:
        MalformedRequest: it is empty or not in UTF-8.
        Invalid: it has too many rows.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"The file is not in UTF-8: the byte at {error.start} is not valid.") from None
    if not text.strip():
        raise MalformedRequest("The file is empty; its first row must have the names of the columns.")
    table = CsvTable(columns)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    number = taken = 0
    try:
        for number, cells in enumerate(reader, 1):
            if header is None:
                header = [name.strip() for name in cells]
                table.errors += _header_errors(header, columns, required)
            elif not any(cell.strip() for cell in cells):
                continue
            elif taken == most:
                raise Invalid(f"The file has more than {most} rows; split it.")
            elif len(cells) != len(header):
                taken += 1
                message = f"The row has {len(cells)} cells, and the header {len(header)}."
                table.errors.append(RowError(number, None, message))
            else:
                taken += 1
                values = {name: cell.strip() for name, cell in zip(header, cells, strict=True)}
                table.rows.append(CsvRow(number, values))
    except csv.Error as error:
        table.errors.append(RowError(number + 1, None, f"The row is not CSV: {error}."))
    # Without a right header, the cells of the rows say nothing.
    header_errors = [error for error in table.errors if error.row == 1]
    return CsvTable(columns, [], header_errors) if header_errors else table


def _header_errors(header: list[str], columns: Mapping[str, CsvColumn], required: str) -> list[RowError]:
    known = ", ".join(columns)
    errors = [
        RowError(1, name, f"There is no column {name!r}; the columns are {known}.")
        for name in header
        if name not in columns
    ]
    errors += [
        RowError(1, name, f"The column {name!r} is there twice.")
        for name, times in Counter(header).items()
        if times > 1
    ]
    if required not in header:
        errors.append(RowError(1, required, f"The column {required!r} is missing."))
    return errors


def apply_cells(row: CsvRow, columns: Mapping[str, CsvColumn], document: dict[str, Any]) -> dict[str, Any]:
    """A document with the values of a row; an empty cell removes the field, which then has its default.

    Args:
        row: the row.
        columns: where the values of each column belong.
        document: the document before; it is not changed.
    """
    result = deepcopy(document)
    for name, text in row.cells.items():
        *parents, last = columns[name].path
        target = result
        for part in parents:
            target = target.setdefault(part, {})
        if text == "":
            target.pop(last, None)
        else:
            target[last] = _number(text) if columns[name].number else text
    return result


def _number(text: str) -> int | float | str:
    """The number in a cell; a text that is none stays a text, which the document's validation refuses."""
    if not _NUMBER.fullmatch(text):
        return text
    number = int(text) if text.lstrip("-").isdigit() else float(text)
    return number if isfinite(number) else text  # JSON has no infinity, so it would become null
