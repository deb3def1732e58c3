"""What is in a table: types, nulls, quantiles, frequent values, correlations, keys."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from pydantic import Field

from sluice.algorithms.algorithm import Algorithm, Input, Result, ResultTable, Solution, TableInput, Task
from sluice.domain.base import Document, Record
from sluice.domain.schema import Column
from sluice.tables.columns import column_of, count_rows
from sluice.tables.profiles.columns import QUANTILES, TEXT_LENGTH, ColumnProfile, profile_column
from sluice.tables.profiles.pairs import Correlation, candidate_keys, correlate


class Parameters(Document):
    """Which columns to profile, and how closely."""

    columns: list[str] | None = Field(
        None, min_length=1, max_length=1000, description="The columns to profile; null: all."
    )
    top: int = Field(10, ge=0, le=1000, description="How many of the most frequent values of each column.")
    bins: int = Field(20, ge=1, le=1000, description="How many parts of equal width a histogram has.")
    correlated: int = Field(
        12, ge=0, le=100, description="How many numeric columns, the first ones, are correlated with each other."
    )
    exact_rows: int = Field(
        5_000_000,
        ge=0,
        description="Up to how many rows different values are counted exactly. In larger tables, columns with more "
        "than 100,000 different values have an approximate number, no frequent values, and are no keys.",
    )


class Output(Record):
    """The size of the table and what tells its rows apart."""

    rows: int = Field(description="How many rows the table has.")
    columns: int = Field(description="How many columns were profiled.")
    candidate_keys: list[list[str]] = Field(
        description="Columns without nulls, other than doubles, that tell all rows apart: single ones, or else pairs "
        "of the ten columns with the most different values."
    )


_MAIN = (
    ("column", "string"),
    ("type", "string"),
    ("rows", "bigint"),
    ("nulls", "bigint"),
    ("not_finite", "bigint"),
    ("distinct_values", "bigint"),
    ("distinct_is_exact", "boolean"),
    ("min", "string"),
    ("max", "string"),
    ("mean", "double"),
    ("standard_deviation", "double"),
    *((f"q{int(quantile * 100):02d}", "double") for quantile in QUANTILES),
)
_VALUES = (("column", "string"), ("place", "bigint"), ("value", "string"), ("rows", "bigint"), ("share", "double"))
_HISTOGRAM = (
    ("column", "string"), ("bin", "bigint"), ("lower", "double"), ("upper", "double"), ("rows", "bigint"),
)  # fmt: skip
_CORRELATIONS = (
    ("column", "string"), ("other", "string"), ("rows", "bigint"), ("pearson", "double"), ("spearman", "double"),
)  # fmt: skip


def _solve(task: Task, prepared: Any, restart: int) -> Solution:
    parameters: Parameters = task.parameters
    table = task.tables["data"]
    rows = count_rows(table)
    columns = _columns(table, parameters, rows)
    exact = rows <= parameters.exact_rows
    profiles = []
    for index, column in enumerate(columns):
        task.progress(index, len(columns), f"column {column.name}")
        profiles.append(profile_column(table, column, rows, exact, parameters.top, parameters.bins))
    numeric = [profile for profile in profiles if profile.deviation is not None]
    pairs = list(combinations(numeric[: parameters.correlated], 2))
    correlations = []
    for index, (first, second) in enumerate(pairs):
        task.progress(index, len(pairs), f"correlation of {first.column.name} and {second.column.name}")
        correlations.append(correlate(table, first, second))
    keys = candidate_keys(table, profiles, rows)
    for warning in _warnings(profiles, len(numeric), rows, parameters):
        task.warn(warning)
    document = {"rows": rows, "columns": len(columns), "candidate_keys": keys}
    return Solution({"document": document, "tables": _tables(profiles, correlations, rows)})


def _finish(task: Task, prepared: Any, solved: Any) -> Result:
    layouts = {"main": _MAIN, "values": _VALUES, "histogram": _HISTOGRAM, "correlations": _CORRELATIONS}
    tables = {name: ResultTable.of(layout, solved["tables"][name]) for name, layout in layouts.items()}
    return Result(solved["document"], tables)


def _columns(table: TableInput, parameters: Parameters, rows: int) -> list[Column]:
    if parameters.columns is None:
        return list(table.columns)
    names = dict.fromkeys(parameters.columns)
    if not rows:
        # The columns of a datasource that never had a record are not known yet.
        return [column for column in table.columns if column.name in names]
    return [column_of(table, name, f"columns/{index}") for index, name in enumerate(names)]


def _tables(profiles: list[ColumnProfile], correlations: list[Correlation], rows: int) -> dict[str, list[list[Any]]]:
    tables: dict[str, list[list[Any]]] = {"main": [], "values": [], "histogram": [], "correlations": []}
    for profile in profiles:
        name = profile.column.name
        quantiles: list[Any] = profile.quantiles or [None] * len(QUANTILES)
        counts = [rows, profile.nulls, profile.not_finite, profile.distinct, profile.exact]
        extremes = [profile.minimum, profile.maximum, profile.mean, profile.deviation]
        tables["main"].append([name, profile.column.type, *counts, *extremes, *quantiles])
        tables["values"] += [
            [name, place, value.text, value.rows, value.rows / rows]
            for place, value in enumerate(profile.frequent, start=1)
        ]
        tables["histogram"] += [
            [name, place, part.lower, part.upper, part.rows] for place, part in enumerate(profile.bins, start=1)
        ]
    tables["correlations"] = [
        [pair.first, pair.second, pair.rows, pair.pearson, pair.spearman] for pair in correlations
    ]
    return tables


def _warnings(profiles: list[ColumnProfile], numeric: int, rows: int, parameters: Parameters) -> list[str]:
    warnings = [] if rows else ["The table has no rows."]
    approximate = [profile.column.name for profile in profiles if not profile.exact]
    if approximate:
        warnings.append(
            f"The table has more than {parameters.exact_rows} rows, so the number of different values is approximate, "
            f"and frequent values and keys are not known, of: {', '.join(approximate)}."
        )
    if numeric > parameters.correlated > 0:
        warnings.append(
            f"Only the first {parameters.correlated} of {numeric} numeric columns are correlated: raise correlated, or "
            "name the columns."
        )
    infinite = [profile.column.name for profile in profiles if profile.not_finite]
    if infinite:
        warnings.append(
            f"Moments, quantiles and correlations leave out values that are not finite, of: {', '.join(infinite)}."
        )
    return warnings


ALGORITHM = Algorithm(
    title="Profile",
    description="Describes each column of a dataset or model: nulls, different values, extremes, mean, standard "
    "deviation, quantiles, frequent values and histogram; and correlations and candidate keys.",
    layer="numeric",
    inputs={"data": Input(("table",), "The dataset or model to describe.")},
    parameters=Parameters,
    output=Output,
    solve=_solve,
    finish=_finish,
    tables={
        "main": "A row for each column.",
        "values": f"The most frequent values of each column, as text of at most {TEXT_LENGTH} characters.",
        "histogram": "How many values of each numeric column are in each of some parts of equal width.",
        "correlations": "The correlation of each pair of numeric columns: Pearson's and Spearman's.",
    },
    code=("sluice.tables.profiles", "sluice.tables.columns"),
)
