"""Linear and mixed-integer models, solved by HiGHS so that the same model gives the same solution."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from highspy import Highs

SearchStatus = Literal["optimal", "search_limit", "time_limit"]


class Budget:
    """What a search may still spend.

    The nodes decide, since a search that they end gives the same result each time. The time is a safety.

    Args:
        nodes: the most nodes of a branch-and-bound tree.
        seconds: how long all searches together may take.
    """

    def __init__(self, nodes: int, seconds: float) -> None:
        """Start the clock."""
        self.nodes = nodes
        self._end = time.monotonic() + seconds

    @property
    def seconds(self) -> float:
        """The seconds that are left, at least 0."""
        return max(self._end - time.monotonic(), 0.0)

    @property
    def spent(self) -> bool:
        """Whether the time is over."""
        return self.seconds <= 0


@dataclass
class LinearModel:
    """A model that minimises costs over integers that are at least 0.

    Args:
        costs: the cost of each variable.
        uppers: the upper bound of each variable.
        rows: constraints: lower bound, upper bound and coefficients by variable.
    """

    costs: list[float] = field(default_factory=list)
    uppers: list[float] = field(default_factory=list)
    rows: list[tuple[float, float, Mapping[int, float]]] = field(default_factory=list)

    def add_variable(self, cost: float, upper: float = 1.0) -> int:
        """Add a variable and return its number."""
        self.costs.append(cost)
        self.uppers.append(upper)
        return len(self.costs) - 1

    def add_row(self, lower: float, upper: float, variables: Sequence[int]) -> None:
        """Bound a sum of variables."""
        self.rows.append((lower, upper, dict.fromkeys(variables, 1.0)))


@dataclass(frozen=True)
class IntegerSolution:
    """What a search of an integer model ended with.

    Args:
        status: `optimal`, or which limit ended it.
        values: the value of each variable; None if no solution is known.
        bound: no solution costs less.
    """

    status: SearchStatus
    values: list[int] | None
    bound: float


def new_solver(*, presolve: bool = False) -> Highs:
    """A silent solver with one thread and a fixed seed, so that it always takes the same steps.

    Args:
        presolve: whether models may be simplified first: faster, but no proof of anything.
    """
    from highspy import Highs

    solver = Highs()  # type: ignore[no-untyped-call]
    for option, value in {
        "output_flag": False,
        "threads": 1,
        "random_seed": 0,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": 1e-6,
        # Presolve of several releases has returned worse solutions of integer models as optimal.
        "presolve": "on" if presolve else "off",
    }.items():
        solver.setOptionValue(option, value)
    return solver


def solve_integers(
    model: LinearModel, budget: Budget, start: Sequence[int] | None = None, *, presolve: bool = False
) -> IntegerSolution:
    """Search the best solution.

    Args:
        model: the model; it must have a solution.
        budget: what the search may spend.
        start: a solution to start from.
        presolve: whether the model may be simplified first: faster, but the bound is not to be trusted.
    """
    from highspy import HighsModelStatus

    # A solver that has solved another model before may return a wrong objective: each model has its own.
    solver = new_solver(presolve=presolve)
    solver.setOptionValue("mip_max_nodes", budget.nodes)
    solver.setOptionValue("time_limit", budget.seconds)
    _pass_model(solver, model)
    if start is not None:
        _set_start(solver, start)
    solver.run()
    status = solver.getModelStatus()
    info = solver.getInfo()
    values = None
    if info.primal_solution_status == 2:
        values = [round(value) for value in solver.getSolution().col_value]
    if status == HighsModelStatus.kOptimal:
        return IntegerSolution("optimal", values, info.mip_dual_bound)
    if status == HighsModelStatus.kTimeLimit:
        return IntegerSolution("time_limit", values, info.mip_dual_bound)
    if status == HighsModelStatus.kSolutionLimit:
        return IntegerSolution("search_limit", values, info.mip_dual_bound)
    raise RuntimeError(f"HiGHS ended with {solver.modelStatusToString(status)}")


def _pass_model(solver: Any, model: LinearModel) -> None:
    import numpy as np
    from highspy import HighsLp, HighsVarType, MatrixFormat

    lp = HighsLp()
    lp.num_col_, lp.num_row_ = len(model.costs), len(model.rows)
    lp.col_cost_ = np.array(model.costs)
    lp.col_lower_ = np.zeros(len(model.costs))
    lp.col_upper_ = np.array(model.uppers)
    lp.integrality_ = [HighsVarType.kInteger] * len(model.costs)
    lp.row_lower_ = np.array([lower for lower, _, _ in model.rows])
    lp.row_upper_ = np.array([upper for _, upper, _ in model.rows])
    matrix = lp.a_matrix_
    matrix.format_ = MatrixFormat.kRowwise
    matrix.num_col_, matrix.num_row_ = lp.num_col_, lp.num_row_
    matrix.start_ = np.cumsum([0, *(len(row) for _, _, row in model.rows)])
    matrix.index_ = np.array([variable for _, _, row in model.rows for variable in row], dtype=np.int32)
    matrix.value_ = np.array([value for _, _, row in model.rows for value in row.values()])
    solver.passModel(lp)


def _set_start(solver: Any, start: Sequence[int]) -> None:
    import numpy as np

    solver.setSolution(len(start), np.arange(len(start), dtype=np.int32), np.array(start, dtype=float))
