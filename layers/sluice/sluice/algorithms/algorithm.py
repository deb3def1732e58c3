"""What an algorithm declares, and what its steps are given and return."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sluice.domain.base import Document, Record
from sluice.domain.schema import Column

# The score of a restart; a single number is a tuple of one.
Score = tuple[float, ...]


@dataclass(frozen=True)
class Input:
    """One input of an algorithm.

    Args:
        kinds: what it may be: kinds of input documents such as `topology`; `run:{algorithm}`, a run's result; or
            `table`, a dataset or model.
        description: what it is for, as a sentence.
        required: whether a run needs it.
        replaces: the names of inputs that this one replaces: they are not required with it, and refused beside it.
    """

    kinds: tuple[str, ...]
    description: str
    required: bool = True
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class ResultTable:
    """A table of results, which SQL can read.

    Args:
        columns: the columns, in order.
        rows: the rows in order, each with the values of the columns; numbers of type DECIMAL as strings.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]

    @classmethod
    def of(cls, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> ResultTable:
        """A table whose columns are given by name and type, such as `("node", "string")`."""
        return cls([Column(name=name, type=type_name) for name, type_name in columns], rows)


@dataclass(frozen=True)
class Solution:
    """What one restart computes.

    Args:
        document: JSON of any size; NaN and infinity become null.
        score: a finite number, or a tuple of them, which is compared element by element. The lowest of all restarts is
            selected; equal scores: the first restart.
    """

    document: Any
    score: float | Score = ()


@dataclass(frozen=True)
class Result:
    """What a run returns.

    Args:
        document: JSON of any size, as the algorithm's `output` describes it.
        tables: tables by name; a project reads `main` as `{algorithm}` and others as `{algorithm}_{name}`.
        files: files by name, with their extension, such as `materials.xlsx`.
    """

    document: Mapping[str, Any]
    tables: Mapping[str, ResultTable] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)


class TableInput(Protocol):
    """A dataset or model as an input."""

    @property
    def columns(self) -> Sequence[Column]:
        """The columns, in order."""
        ...

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run SQL of DuckDB, in which the table is called `data`.

        Args:
            sql: one SELECT; `$name` stands for a parameter. Quote columns with `sluice.domain.names.quoted`.
            parameters: values by name.

        Returns:
            The rows by column; timestamps as `datetime` in UTC, decimals as `Decimal`.
        """
        ...


class Task(Protocol):
    """A run as the steps of its algorithm see it."""

    @property
    def documents(self) -> Mapping[str, Any]:
        """The documents and results of runs among the inputs, by the input's name; optional ones may be missing."""
        ...

    @property
    def tables(self) -> Mapping[str, TableInput]:
        """The datasets and models among the inputs, by the input's name."""
        ...

    @property
    def parameters(self) -> Any:
        """The parameters, as an instance of the algorithm's model."""
        ...

    @property
    def seed(self) -> int:
        """The run's seed."""
        ...

    @property
    def scores(self) -> Sequence[Score]:
        """The scores of all restarts, in order. Only for `finish`; empty for the other steps."""
        ...

    def random(self, restart: int) -> random.Random:
        """A generator that depends on the seed and the restart's number only, whichever worker asks for it."""
        ...

    def progress(self, current: int, total: int | None = None, text: str | None = None) -> None:
        """Note how far the step is. Cheap: it is stored at most once a second.

        Raises:
            RunStopped: the run was cancelled.
        """
        ...

    def warn(self, text: str) -> None:
        """Add a warning to the run, as a sentence. Those of `solve` count if its restart is selected."""
        ...

    def seconds_left(self) -> float:
        """How long the step may still take before its function is ended."""
        ...


@dataclass(frozen=True, eq=False)  # compared and hashed by identity
class Algorithm:
    """An algorithm. Only `solve` is needed; all steps must be functions of what they are given.

    The steps are `prepare` (once), `solve` (for each restart, in parallel), and `select` and `finish` (once). Import
    heavy packages inside the steps: the API reads declarations without the packages of the algorithm's layer.

    Args:
        title: its name for people.
        description: what it does, in one or two sentences.
        layer: the layer with its packages; the function of that name runs it: `numeric` (NumPy) or `solver` (HiGHS).
        inputs: by name.
        parameters: the model of its parameters; each with a default, unless it must be given.
        output: the model of its result's document.
        solve: `(task, prepared, restart)` to a solution; `restart` counts from 0.
        prepare: `(task)` to JSON that all restarts are given; without it they are given None.
        restarts: how many restarts some parameters ask for; without it one.
        select: `(scores)` of all restarts to the number of the best; without it the lowest score.
        finish: `(task, prepared, solution's document)` to the result; without it the document is the result.
        check: `(document, documents, parameters)`: raise `Invalid` if a result that was made by hand does not fit the
            inputs, with pointers into the result; inputs may be missing. Without it only `output` is checked.
        check_inputs: `(documents, parameters)`: raise `Invalid` if input documents do not fit each other, before a run
            is started, with pointers that begin with the name of an input. Results of runs are not among them.
        tables: the names of the result's tables, each with a sentence; `main` is the one that has the algorithm's name.
        code: packages and modules whose source decides the result, beside the algorithm's own module.
        packages: installed packages whose versions decide the result, beside DuckDB, which reads the tables.
    """

    title: str
    description: str
    layer: str
    inputs: Mapping[str, Input]
    parameters: type[Document]
    output: type[Record]
    solve: Callable[[Task, Any, int], Solution]
    prepare: Callable[[Task], Any] | None = None
    restarts: Callable[[Any], int] | None = None
    select: Callable[[Sequence[Score]], int] | None = None
    finish: Callable[[Task, Any, Any], Result] | None = None
    check: Callable[[Mapping[str, Any], Mapping[str, Any], Any], None] | None = None
    check_inputs: Callable[[Mapping[str, Any], Any], None] | None = None
    tables: Mapping[str, str] = field(default_factory=dict)
    code: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
