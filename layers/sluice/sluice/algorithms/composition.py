"""Algorithms that call the steps of others."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from sluice.algorithms.algorithm import Score, TableInput, Task


class PartTask:
    """The task of a run for the steps of another algorithm, which find more documents among its inputs.

    The parameters are those of the run: their model must have the fields of the other algorithm's.

    Args:
        task: the run's task.
        documents: documents by the other algorithm's names of its inputs, beside those of the run.
    """

    def __init__(self, task: Task, documents: Mapping[str, Any]) -> None:
        self._task = task
        self._documents = {**task.documents, **documents}

    @property
    def documents(self) -> Mapping[str, Any]:
        """The documents by the input's name."""
        return self._documents

    @property
    def tables(self) -> Mapping[str, TableInput]:
        """The tables of the run."""
        return self._task.tables

    @property
    def parameters(self) -> Any:
        """The parameters of the run."""
        return self._task.parameters

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return self._task.seed

    @property
    def scores(self) -> Sequence[Score]:
        """The scores of the run's restarts."""
        return self._task.scores

    def random(self, restart: int) -> random.Random:
        """The generator of one of the run's restarts."""
        return self._task.random(restart)

    def progress(self, current: int, total: int | None = None, text: str | None = None) -> None:
        """Note how far the step is.

        Raises:
            RunStopped: the run was cancelled.
        """
        self._task.progress(current, total, text)

    def warn(self, text: str) -> None:
        """Add a warning to the run."""
        self._task.warn(text)

    def seconds_left(self) -> float:
        """How long the step may still take."""
        return self._task.seconds_left()
