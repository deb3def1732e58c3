"""Assignments by a model with a variable for each lightpath, option and wavelength: exact, for small problems."""

from __future__ import annotations

from itertools import pairwise

from sluice.planning.rwa.column_generation import bits
from sluice.planning.rwa.linear_model import Budget, IntegerSolution, LinearModel, solve_integers
from sluice.planning.rwa.wavelength_problem import TOLERANCE, Assignment, WavelengthProblem


class CompactModel:
    """The model of a problem.

    All wavelengths are alike. So that no solution is searched again with other numbers, wavelengths are used in order,
    and of lightpaths that no wavelength can carry together the first has wavelength 0, the second 0 or 1 and so on.

    Args:
        problem: the problem.
        wavelengths: how many wavelengths an optimal assignment needs at most.
    """

    def __init__(self, problem: WavelengthProblem, wavelengths: int) -> None:
        self.problem = problem
        self.wavelengths = wavelengths
        self.clique = _clique(problem)
        self.choices = [
            (number, option, wavelength)
            for number, options in enumerate(problem.options)
            for option in range(len(options))
            for wavelength in range(min(wavelengths, self.clique.get(number, wavelengths) + 1))
        ]

    def solve(self, start: Assignment, bound: float, budget: Budget) -> tuple[Assignment | None, IntegerSolution]:
        """Search the best assignment.

        Args:
            start: an assignment to start from.
            bound: no assignment costs less.
            budget: what may be spent.

        Returns:
            The best assignment, if one was found, and how the search ended.
        """
        solution = solve_integers(self._model(bound), budget, self._values(start))
        if solution.values is None:
            return None, solution
        assignment: Assignment = [None] * len(self.problem.options)
        for (number, option, wavelength), value in zip(self.choices, solution.values, strict=False):
            if value:
                assignment[number] = option, wavelength
        return assignment, solution

    def _model(self, bound: float) -> LinearModel:
        problem, model = self.problem, LinearModel()
        lightpaths: list[list[int]] = [[] for _ in problem.options]
        sharing: dict[tuple[int, int], list[int]] = {}
        for number, place, wavelength in self.choices:
            option = problem.options[number][place]
            variable = model.add_variable(problem.objective(0, option.regenerators))
            lightpaths[number].append(variable)
            for resource in bits(option.resources):
                sharing.setdefault((resource, wavelength), []).append(variable)
        for variables in lightpaths:
            model.add_row(1.0, 1.0, [*variables, model.add_variable(problem.penalty)])
        used = [model.add_variable(problem.objective(1, 0)) for _ in range(self.wavelengths)]
        for (_, wavelength), variables in sharing.items():
            model.rows.append((-float(len(variables)), 0.0, {**dict.fromkeys(variables, 1.0), used[wavelength]: -1.0}))
        for lower, higher in pairwise(used):
            model.rows.append((0.0, 1.0, {lower: 1.0, higher: -1.0}))
        costs = {variable: cost for variable, cost in enumerate(model.costs) if cost}
        model.rows.append((bound - TOLERANCE, sum(costs.values()), costs))
        return model

    def _values(self, start: Assignment) -> list[int]:
        """The variables of an assignment, with its wavelengths numbered as the model asks."""
        order: dict[int, int] = {}
        by_rank = sorted(self.clique, key=lambda number: self.clique[number])
        others = [number for number in range(len(start)) if number not in self.clique]
        for number in [*by_rank, *others]:
            chosen = start[number]
            if chosen is not None:
                order.setdefault(chosen[1], len(order))
        wanted = {(number, chosen[0], order[chosen[1]]) for number, chosen in enumerate(start) if chosen is not None}
        values = [int(choice in wanted) for choice in self.choices]
        values += [int(chosen is None) for chosen in start]
        return values + [int(wavelength < len(order)) for wavelength in range(self.wavelengths)]


def _clique(problem: WavelengthProblem) -> dict[int, int]:
    """The largest set of lightpaths that need one resource whatever their option, each with its place in the set."""
    needed: dict[int, list[int]] = {}
    for number, options in enumerate(problem.options):
        common = -1
        for option in options:
            common &= option.resources
        for resource in bits(common) if options else ():
            needed.setdefault(resource, []).append(number)
    largest = max(needed.values(), key=len, default=[])
    return {number: place for place, number in enumerate(largest)}
