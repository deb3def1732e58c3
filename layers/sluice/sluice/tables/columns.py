"""Columns that parameters name: that they exist and have the types that an algorithm needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import count
from typing import Any

from sluice.algorithms.algorithm import TableInput
from sluice.domain.schema import Column, is_number
from sluice.errors import Invalid

# Squares of larger values, and sums of many, would not be doubles.
LARGEST = 1e100


def column_of(table: TableInput, name: str, parameter: str) -> Column:
    """The column that a parameter names.

    Args:
        table: the table.
        name: the column's name.
        parameter: the parameter, as in `groups/0`.

    Raises:
        Invalid: the table has no such column; the message names those that there are.
    """
    for column in table.columns:
        if column.name == name:
            return column
    names = ", ".join(column.name for column in table.columns)
    raise refusal(parameter, f"The table has no column {name}; its columns are {names}.")


def number_column(table: TableInput, name: str, parameter: str) -> Column:
    """The numeric column that a parameter names.

    Args:
        table: the table.
        name: the column's name.
        parameter: the parameter.

    Raises:
        Invalid: the table has no such column, or it is not numeric; the message names those that are.
    """
    column = column_of(table, name, parameter)
    if not is_number(column.type):
        numeric = ", ".join(number_columns(table)) or "none"
        message = f"The column {name} is of type {column.type}, not numeric; numeric columns are: {numeric}."
        raise refusal(parameter, message)
    return column


def plain_columns(table: TableInput, names: Sequence[str], parameter: str) -> list[Column]:
    """The columns that a parameter names, whose values can be compared.

    Args:
        table: the table.
        names: the columns' names.
        parameter: the parameter.

    Raises:
        Invalid: a column does not exist, is named twice, or is JSON.
    """
    columns = [column_of(table, name, f"{parameter}/{index}") for index, name in enumerate(names)]
    for index, column in enumerate(columns):
        if column.type == "json":
            raise refusal(f"{parameter}/{index}", f"The column {column.name} is JSON, which is not compared.")
        if column.name in names[:index]:
            raise refusal(f"{parameter}/{index}", f"The column {column.name} is named twice.")
    return columns


def number_columns(table: TableInput) -> list[str]:
    """The names of the numeric columns."""
    return [column.name for column in table.columns if is_number(column.type)]


def count_rows(table: TableInput) -> int:
    """The number of rows."""
    [row] = table.query("SELECT count(*) AS rows FROM data")
    return int(row["rows"])


def columns_without_rows(table: TableInput, names: Sequence[str]) -> list[Column]:
    """The columns of a table without rows.

    Args:
        table: the table.
        names: the names of columns. Those that it does not have are texts: a datasource that never had a record has no
            columns yet.
    """
    known = {column.name: column for column in table.columns}
    return [known.get(name, Column(name=name, type="string")) for name in names]


def result_columns(copied: Sequence[Column], added: Sequence[Column]) -> tuple[list[Column], list[str]]:
    """The columns of a result: some of the input's, then those that the algorithm adds.

    Those of the algorithm keep their names. A column of the input that has the same name, upper and lower case being
    equal, gets a number: `value` becomes `value_2`, or `value_3` if there is a `value_2`.

    Args:
        copied: columns of the input, whose names differ.
        added: columns of the algorithm.

    Returns:
        The columns, and a warning about each that has another name than in the input.
    """
    own = {column.name.lower() for column in added}
    taken = own | {column.name.lower() for column in copied}
    columns, warnings = [], []
    for column in copied:
        name = column.name
        if name.lower() in own:
            name = next(free for number in count(2) if (free := f"{name}_{number}").lower() not in taken)
            taken.add(name.lower())
            warnings.append(
                f"The column {column.name} is called {name} in the result, which has a column of that name."
            )
        columns.append(Column(name=name, type=column.type, nullable=column.nullable))
    return [*columns, *added], warnings


def refusal(parameter: str, message: str) -> Invalid:
    """The error of a parameter that does not fit the data.

    Args:
        parameter: its name, or its path as in `groups/0`.
        message: what is wrong and what to do, as a sentence.
    """
    return Invalid(message, [{"pointer": f"/parameters/{parameter}", "message": message}])


def too_large(name: str, rows: int, parameter: str) -> Invalid:
    """The error of a column with values beyond `LARGEST`.

    Args:
        name: the column's name.
        rows: how many rows have such a value.
        parameter: the parameter that names the column.
    """
    message = f"The column {name} has infinite values, or values beyond 1e100: {rows} rows. Leave them out in a model."
    return refusal(parameter, message)


def stored(value: Any) -> Any:
    """A value of a query in the form in which result tables take it."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")
    return value.isoformat() if isinstance(value, date) else value
