"""The exact assignment of wavelengths, against trying all assignments of small problems."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluice.planning.rwa.column_generation import ColumnGeneration
from sluice.planning.rwa.compact_model import CompactModel
from sluice.planning.rwa.exact import assign_exactly
from sluice.planning.rwa.linear_model import Budget
from sluice.planning.rwa.wavelength_problem import Assignment, Option, WavelengthProblem

SECONDS = 600.0
options = st.builds(Option, st.integers(1, 31), st.integers(0, 2))
problems = st.builds(
    WavelengthProblem,
    st.lists(st.lists(options, max_size=3), min_size=0, max_size=4),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]),
)


def budget() -> Budget:
    """A budget that small problems never spend."""
    return Budget(1000, SECONDS)


def least_cost(problem: WavelengthProblem) -> float:
    """The cost of the best of all assignments."""
    choices = [
        [None, *itertools.product(range(len(options)), range(problem.wavelengths))] for options in problem.options
    ]
    assignments = (list(assignment) for assignment in itertools.product(*choices))
    return min(problem.cost(assignment) for assignment in assignments if problem.permits(assignment))


def first_fit(problem: WavelengthProblem) -> Assignment:
    """Each lightpath's first option with the lowest free wavelength."""
    assignment: Assignment = [None] * len(problem.options)
    for number, options in enumerate(problem.options):
        for chosen in itertools.product(range(len(options)), range(problem.wavelengths)):
            trial = [*assignment[:number], chosen, *assignment[number + 1 :]]
            if problem.permits(trial):
                assignment = trial
                break
    return assignment


@settings(max_examples=60, deadline=None)
@given(problems)
def test_no_assignment_is_better(problem: WavelengthProblem) -> None:
    """The result is optimal and says so, whether it starts from nothing or from first fit."""
    best = least_cost(problem)
    nothing: Assignment = [None] * len(problem.options)
    for start in (nothing, first_fit(problem)):
        assignment, proof = assign_exactly(problem, start, budget())
        blocked, wavelengths, regenerators = problem.counts(assignment)
        assert problem.permits(assignment)
        assert problem.cost(assignment) == pytest.approx(best)
        assert (proof.status, proof.blocked_bound) == ("optimal", blocked)
        assert proof.bound == pytest.approx(problem.objective(wavelengths, regenerators))


@settings(max_examples=30, deadline=None)
@given(problems.filter(lambda problem: len(problem.options) > 0))
def test_each_model_is_right_alone(problem: WavelengthProblem) -> None:
    """Columns give a bound and an assignment, the compact model the optimum."""
    best, start = least_cost(problem), first_fit(problem)
    columns = ColumnGeneration(problem, start)
    columns.generate(budget(), lambda cost: None)
    assignment = columns.best_assignment(budget())
    assert columns.bound <= problem.attainable(columns.bound) + 1e-6 <= best + 1e-5
    assert problem.permits(assignment)
    assert best - 1e-6 <= problem.cost(assignment) <= problem.cost(start) + 1e-6
    exact, solution = CompactModel(problem, problem.most_wavelengths).solve(start, 0.0, budget())
    assert exact is not None
    assert problem.permits(exact)
    assert problem.cost(exact) == pytest.approx(best)
    assert solution.bound == pytest.approx(best, abs=1e-5)


def ring(count: int, wavelengths: int = 80) -> WavelengthProblem:
    """Lightpaths between neighbours of the next but one, over either side of a ring of nine links."""
    whole = (1 << 9) - 1
    options = []
    for number in range(count):
        direct = sum(1 << (number + step) % 9 for step in range(2 + number % 3))
        options.append([Option(direct, 0), Option(whole & ~direct, 1)])
    return WavelengthProblem(options, wavelengths, 0.5)


def test_same_problem_gives_same_assignment() -> None:
    """Two searches end alike."""
    problem = ring(24)
    assert assign_exactly(problem, first_fit(problem), budget()) == assign_exactly(
        problem, first_fit(problem), budget()
    )


def test_no_time() -> None:
    """Without time the start is returned, with a bound that holds."""
    problem = ring(24)
    start = first_fit(problem)
    assignment, proof = assign_exactly(problem, start, Budget(1000, 0.0))
    assert assignment == start
    assert proof.status == "time_limit"
    assert proof.bound is not None
    assert proof.bound <= problem.objective(*problem.counts(assignment)[1:])


def test_fewest_blocked_come_first() -> None:
    """A lightpath is not blocked to save wavelengths or regenerators."""
    problem = WavelengthProblem([[Option(1, 9)], [Option(1, 9)], [Option(1, 9)]], 2, 0.1)
    assignment, proof = assign_exactly(problem, [None] * 3, budget())
    assert problem.counts(assignment) == (1, 2, 18)
    assert (proof.status, proof.blocked_bound) == ("optimal", 1)
