"""A template: copy it to a name without the underscore, which becomes the algorithm's name.

As it is, it computes which groups of a table hold the largest shares of a total.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.algorithms.algorithm import Algorithm, Input, Result, ResultTable, Solution, Task
from sluice.domain.base import Document, Record
from sluice.domain.names import quoted
from sluice.tables.columns import column_of, number_column


class Parameters(Document):
    """What a run can be asked for. Each parameter has a type, a description and, if possible, a default."""

    group: str = Field(description="The column that names the groups.")
    value: str = Field(description="The column that is added up.")
    most: int = Field(10, ge=1, le=1000, description="How many groups the result lists.")


class Share(Record):
    """One group."""

    group: str | None = Field(description="The group's name.")
    total: float = Field(description="The sum of its values.")
    share: float = Field(description="Its part of the sum over all groups, from 0 to 1.")


class Output(Record):
    """The document of the result."""

    total: float = Field(description="The sum over all groups.")
    groups: list[Share] = Field(description="The groups with the largest shares, the largest first.")


def solve(task: Task, prepared: Any, restart: int) -> Solution:
    """Compute the result: a function of the task alone, so that equal inputs give equal bytes."""
    table, parameters = task.tables["data"], task.parameters
    group = quoted(column_of(table, parameters.group, "group").name)
    value = quoted(number_column(table, parameters.value, "value").name)
    # Sorted sums: floats that are added in another order give other last digits.
    rows = table.query(
        f"SELECT {group}::VARCHAR AS name, fsum({value}::DOUBLE ORDER BY {value}) AS total "  # noqa: S608
        "FROM data GROUP BY 1 ORDER BY total DESC, name"
    )
    total = sum(row["total"] or 0.0 for row in rows)
    shares = [
        {"group": row["name"], "total": row["total"] or 0.0, "share": (row["total"] or 0.0) / total if total else 0.0}
        for row in rows[: parameters.most]
    ]
    return Solution({"total": total, "groups": shares})


def finish(task: Task, prepared: Any, document: Any) -> Result:
    """Give the result a table, which the project's SQL can read."""
    rows = [(share["group"], share["share"]) for share in document["groups"]]
    return Result(document, tables={"main": ResultTable.of([("group", "string"), ("share", "double")], rows)})


ALGORITHM = Algorithm(
    title="Shares",
    description="Computes which groups of a table hold the largest shares of a total.",
    layer="numeric",
    inputs={"data": Input(("table",), "The table.")},
    parameters=Parameters,
    output=Output,
    solve=solve,
    finish=finish,
    tables={"main": "The groups with the largest shares."},
    code=("sluice.tables.columns",),
)
