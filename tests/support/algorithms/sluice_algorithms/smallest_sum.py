"""A small algorithm with every step, from a folder that is not Sluice's: shuffles numbers and cuts them in two."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.algorithms.algorithm import Algorithm, Input, Result, ResultTable, Solution, Task
from sluice.domain.base import Document, Record
from sluice.domain.schema import Column
from sluice.errors import AlgorithmFailed, Invalid


class Parameters(Document):
    column: str = Field("value", description="The column with the numbers.")
    restarts: int = Field(1, ge=1, description="How many restarts there are.")
    fail: str | None = Field(None, description="The step that fails.")
    padding: int = Field(0, ge=0, description="How many characters the result is padded with.")


class Output(Record):
    difference: float = Field(description="The difference of the two sums.")
    restart: int = Field(description="The restart that found it.")
    padding: str = Field("", description="Nothing.")


def _fail(task: Task, step: str) -> None:
    if task.parameters.fail == step:
        raise ZeroDivisionError("nothing to divide")


def prepare(task: Task) -> Any:
    _fail(task, "prepare")
    if "previous" in task.documents:
        task.warn(f"The previous difference was {task.documents['previous']['difference']}.")
    rows = task.tables["data"].query(f'SELECT "{task.parameters.column}" AS value FROM data ORDER BY 1')
    if not rows:
        raise AlgorithmFailed("The table has no rows.")
    return [float(row["value"]) for row in rows]


def solve(task: Task, prepared: Any, restart: int) -> Solution:
    _fail(task, "solve")
    numbers = list(prepared)
    task.random(restart).shuffle(numbers)
    task.progress(1, 1, "cut")
    if task.parameters.restarts > 1:
        task.warn(f"The numbers are from restart {restart}.")
    half = len(numbers) // 2
    difference = abs(sum(numbers[:half]) - sum(numbers[half:]))
    return Solution({"difference": difference, "restart": restart, "numbers": numbers}, (difference,))


def finish(task: Task, prepared: Any, document: Any) -> Result:
    _fail(task, "finish")
    columns = [Column(name="place", type="bigint"), Column(name="number", type="double")]
    rows = list(enumerate(document["numbers"]))
    kept = {"difference": document["difference"], "restart": document["restart"]}
    return Result(
        {**kept, "padding": "x" * task.parameters.padding},
        tables={"main": ResultTable(columns, rows), "first": ResultTable(columns, rows[:1])},
        files={"numbers.txt": "\n".join(map(str, document["numbers"])).encode()},
    )


def check(document: Any, documents: Any, parameters: Parameters) -> None:
    if document["difference"] < 0:
        raise Invalid("A difference is not negative.", [{"pointer": "/difference", "message": "Must be >= 0."}])


ALGORITHM = Algorithm(
    title="Smallest sum",
    description="Divides numbers into two lists whose sums differ little.",
    layer="numeric",
    inputs={
        "data": Input(("table",), "The numbers."),
        "previous": Input(("run:smallest_sum",), "An earlier result.", required=False),
    },
    parameters=Parameters,
    output=Output,
    prepare=prepare,
    restarts=lambda parameters: parameters.restarts,
    solve=solve,
    finish=finish,
    check=check,
    tables={"main": "The numbers in order.", "first": "The first of them."},
    packages=("numpy",),
)
