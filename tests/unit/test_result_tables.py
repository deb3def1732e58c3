"""Tables of results: what is written, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sluice.algorithm_runs.results import write_table
from sluice.algorithms.algorithm import ResultTable
from sluice.errors import AlgorithmFailed
from sluice.settings import load_settings


def write(folder: Path, columns: list[tuple[str, str]], rows: list[list[Any]]) -> list[tuple[Any, ...]]:
    """The rows that are read from the file."""
    target = folder / "data.parquet"
    write_table(ResultTable.of(columns, rows), target, folder, load_settings(), "shares")
    return duckdb.connect().execute("SELECT * FROM read_parquet(?)", [str(target)]).fetchall()


def test_rows_are_written_in_order(tmp_path: Path) -> None:
    columns = [("day", "date"), ("share", "double"), ("more", "json")]
    rows: list[list[Any]] = [["2026-02-01", 0.5, {"b": [1]}], ["2026-01-01", None, None]]
    assert write(tmp_path, columns, rows) == [(date(2026, 2, 1), 0.5, '{"b":[1]}'), (date(2026, 1, 1), None, None)]
    assert write(tmp_path, columns, []) == []


@pytest.mark.parametrize(
    ("columns", "rows", "words"),
    [
        ([("value", "double"), ("Value", "string")], [], "shares has columns of the same name: value, Value."),
        ([], [], "shares has no columns"),
        ([("a", "double"), ("b", "double")], [[1.0, 2.0], [1.0]], "Row 1 of the table shares.* has 1 values.*: a, b"),
        ([("a", "double")], [[1.0, 2.0]], "Row 0 of the table shares.* has 2 values.* has 1 columns: a"),
        ([("a", "double")], [[{1, 2}]], "Row 0 of the table shares.* not JSON.*set"),
        ([("a", "json")], [[{1, 2}]], "Row 0 of the table shares.* not JSON.*set"),
        ([("a", "double")], [["much"]], "shares has a value that does not fit its column"),
    ],
    ids=["same name", "no columns", "short row", "long row", "set", "set in json", "text"],
)
def test_tables_that_sql_cannot_read_are_refused(
    tmp_path: Path, columns: list[tuple[str, str]], rows: list[list[Any]], words: str
) -> None:
    with pytest.raises(AlgorithmFailed, match=words):
        write(tmp_path, columns, rows)
