"""An algorithm whose steps return what they must not."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sluice.algorithms.algorithm import Algorithm, Result, Solution, Task
from sluice.domain.base import Document, Record
from sluice.domain.schema import Column


class Parameters(Document):
    fault: str | None = Field(None, description="What is wrong.")


class Output(Record):
    size: float = Field(description="A number.")
    names: list[str] = Field([], description="Texts.")


def prepare(task: Task) -> Any:
    return {"nodes": [{"links": {1, 2}}]} if task.parameters.fault == "set in prepare" else None


def solve(task: Task, prepared: Any, restart: int) -> Any:
    fault = task.parameters.fault
    task.warn(f"Restart {restart}.")
    if fault == "column":
        Column.model_validate({"name": 1, "nullable": "perhaps"})
    documents = {
        "set in solve": {"size": {1.0}},
        "key": {"size": {1: 2.0}},
        "nan": {"size": float("nan")},
        "text": {"size": "much", "names": [1, 2, 3]},
        "number as text": {"size": "1"},
    }
    scores: dict[str, Any] = {"score nan": float("nan"), "score text": "low", "score none": (1.0, None)}
    if fault == "no solution":
        return {"size": 1.0}
    # The last restart is the best.
    return Solution(documents.get(fault or "", {"size": 1.0}), scores.get(fault or "", 0.5 - restart))


def select(scores: Any) -> Any:
    best = min(scores)
    return 1 if len(scores) == 1 else scores.index(best)


def finish(task: Task, prepared: Any, document: Any) -> Any:
    fault = task.parameters.fault
    if fault == "no result":
        return document
    if fault == "no table":
        return Result(document, tables={"main": [[1]]})  # type: ignore[dict-item]
    return Result(document, files={"note.txt": "text"} if fault == "no bytes" else {})  # type: ignore[dict-item]


ALGORITHM = Algorithm(
    title="Careless",
    description="Returns what it must not.",
    layer="numeric",
    inputs={},
    parameters=Parameters,
    output=Output,
    prepare=prepare,
    solve=solve,
    select=select,
    restarts=lambda parameters: 1 if parameters.fault == "select" else 2,
    finish=finish,
)
