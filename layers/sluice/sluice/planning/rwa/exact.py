"""The exact assignment of paths and wavelengths: the fewest blocked lightpaths, then the least objective.

The objective is that of the greedy assignment without its term for noise. Three steps, the next only if a gap remains:
the given assignment, columns (see `column_generation`), and for small problems one model of everything.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sluice.planning.rwa.column_generation import ColumnGeneration
from sluice.planning.rwa.compact_model import CompactModel
from sluice.planning.rwa.linear_model import Budget, SearchStatus
from sluice.planning.rwa.wavelength_problem import TOLERANCE, Assignment, WavelengthProblem

# A larger model of everything takes minutes at its first node.
_MOST_CHOICES = 20_000


@dataclass(frozen=True)
class Proof:
    """How good an assignment is.

    Args:
        status: `optimal`: no assignment is better; `search_limit`: the number of nodes or the model size did,
            as it always does for this problem; `time_limit`: the time did, and another run may get further.
        blocked_bound: no assignment blocks fewer lightpaths.
        bound: no assignment that blocks as few has a lower objective; None if `blocked_bound` is not reached.
    """

    status: SearchStatus
    blocked_bound: int
    bound: float | None


def _silent(_: str) -> None:
    """Report nothing."""


def assign_exactly(
    problem: WavelengthProblem, start: Assignment, budget: Budget, progress: Callable[[str], None] = _silent
) -> tuple[Assignment, Proof]:
    """Search the best assignment.

    Args:
        problem: the problem.
        start: an assignment to improve, such as the greedy one.
        budget: what may be spent.
        progress: called with what is being done.

    Returns:
        The best assignment, and how good it is. Wavelengths are numbered from 0 without gaps, unless the start is the
        best.
    """
    search = _Search(problem, start, budget)
    if not search.closed:
        search.generate_columns(progress)
    if not search.closed:
        search.solve_compact_model(progress)
    return search.best, search.proof()


class _Search:
    """The best assignment so far, and the bound."""

    def __init__(self, problem: WavelengthProblem, start: Assignment, budget: Budget) -> None:
        self.problem = problem
        self.budget = budget
        self.best = start
        self.bound = 0.0

    @property
    def closed(self) -> bool:
        """Whether no assignment can be better."""
        return self.problem.cost(self.best) <= self.bound + TOLERANCE

    def _take(self, assignment: Assignment) -> None:
        """Keep an assignment if it is better."""
        if not self.problem.permits(assignment):
            raise RuntimeError("The solver returned an assignment with two lightpaths on one wavelength of a link.")
        if self.problem.cost(assignment) < self.problem.cost(self.best) - TOLERANCE:
            self.best = assignment

    def generate_columns(self, progress: Callable[[str], None]) -> None:
        """Find a bound by columns, and the best assignment that they allow."""
        columns = ColumnGeneration(self.problem, self.best)
        columns.generate(self.budget, lambda cost: progress(f"{len(columns.columns)} columns, relaxation {cost:.3f}"))
        self.bound = self.problem.attainable(columns.bound)
        if not self.closed:
            progress(f"choosing among {len(columns.columns)} columns")
            self._take(columns.best_assignment(self.budget))

    def solve_compact_model(self, progress: Callable[[str], None]) -> None:
        """Search with the model of everything, unless it is too large."""
        problem = self.problem
        above = problem.cost(self.best) - problem.penalty * int(self.bound // problem.penalty)
        wavelengths = problem.most_wavelengths
        if problem.trade_off > 0:
            wavelengths = min(wavelengths, int(above / problem.trade_off + TOLERANCE))
        model = CompactModel(problem, wavelengths)
        if len(model.choices) > _MOST_CHOICES or self.budget.spent:
            return
        progress(f"searching {len(model.choices)} choices")
        assignment, solution = model.solve(self.best, self.bound, self.budget)
        if assignment is not None:
            self._take(assignment)
        self.bound = max(self.bound, problem.attainable(solution.bound))

    def proof(self) -> Proof:
        """How good the best assignment is."""
        problem = self.problem
        blocked, wavelengths, regenerators = problem.counts(self.best)
        if self.closed:
            return Proof("optimal", blocked, problem.objective(wavelengths, regenerators))
        blocked_bound = min(int((self.bound + TOLERANCE) // problem.penalty), blocked)
        bound = self.bound - problem.penalty * blocked_bound if blocked_bound == blocked else None
        return Proof("time_limit" if self.budget.spent else "search_limit", blocked_bound, bound)
