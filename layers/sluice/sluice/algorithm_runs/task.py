"""A run as the steps of its algorithm see it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from sluice.algorithm_runs.table_input import LakeTable
from sluice.algorithms.algorithm import Algorithm, Score, TableInput
from sluice.domain.algorithm_run import AlgorithmRequest
from sluice.domain.base import validate

_SECONDS_BETWEEN_NOTES = 1.0
Note = Callable[[int, int | None, str | None], None]


class RunTask:
    """A run's task, as `sluice.algorithms.algorithm.Task` describes it. Inputs are read when they are first used.

    Args:
        request: what the run was asked to do.
        algorithm: its algorithm.
        load_document: reads the document or result of an input by the input's name.
        load_table: opens the table of an input by the input's name.
        note: stores the progress; raises `RunStopped` if the run has ended.
        seconds_left: how long the step may still take.
    """

    def __init__(
        self,
        request: AlgorithmRequest,
        algorithm: Algorithm,
        load_document: Callable[[str], Any],
        load_table: Callable[[str], LakeTable],
        note: Note,
        seconds_left: Callable[[], float],
    ) -> None:
        self._request = request
        self._algorithm = algorithm
        self._load_document = load_document
        self._load_table = load_table
        self._note = note
        self._noted_at = 0.0
        self.seconds_left = seconds_left
        self.scores: Sequence[Score] = ()
        self.warnings: list[str] = []

    @cached_property
    def documents(self) -> Mapping[str, Any]:
        """The documents and results of runs among the inputs, by the input's name."""
        inputs = self._request.inputs
        return {name: self._load_document(name) for name, use in inputs.items() if use.kind != "table"}

    @cached_property
    def tables(self) -> Mapping[str, TableInput]:
        """The datasets and models among the inputs, by the input's name."""
        inputs = self._request.inputs
        return {name: self._load_table(name) for name, use in inputs.items() if use.kind == "table"}

    @cached_property
    def parameters(self) -> Any:
        """The parameters, as an instance of the algorithm's model."""
        return validate(self._algorithm.parameters, self._request.parameters)

    @property
    def seed(self) -> int:
        """The run's seed."""
        return self._request.seed

    def random(self, restart: int) -> random.Random:
        """A generator that depends on the seed and the restart's number only."""
        # A text, whose SHA-512 seeds the generator: the numbers of neighbouring restarts have nothing in common.
        return random.Random(f"{self._request.seed}:{restart}")  # noqa: S311 - no secret

    def progress(self, current: int, total: int | None = None, text: str | None = None) -> None:
        """Note how far the step is; stored at most once a second.

        Raises:
            RunStopped: the run was cancelled.
        """
        moment = time.monotonic()
        if moment - self._noted_at >= _SECONDS_BETWEEN_NOTES:
            self._noted_at = moment
            self._note(current, total, text)

    def warn(self, text: str) -> None:
        """Add a warning to the run, as a sentence."""
        self.warnings.append(text)
