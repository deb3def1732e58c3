"""Assignments by column generation: a column is a set of lightpaths with options that can share a wavelength.

The master problem covers each lightpath by columns, or blocks it, at the least cost. Its linear relaxation is a strong
bound, because it sees no difference between wavelengths; the best whole-number choice among the generated columns is an
assignment, and mostly reaches the bound.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from sluice.planning.rwa.linear_model import Budget, LinearModel, new_solver, solve_integers
from sluice.planning.rwa.wavelength_problem import TOLERANCE, Assignment, WavelengthProblem

# Lightpaths with the places of their options, in order.
Column = tuple[tuple[int, int], ...]
# How often a column is composed by chance before the best column is searched.
_ATTEMPTS = 12


class ColumnGeneration:
    """The columns of a problem and the bound that they prove.

    Args:
        problem: the problem.
        start: an assignment, whose wavelengths are the first columns.
    """

    def __init__(self, problem: WavelengthProblem, start: Assignment) -> None:
        self.problem = problem
        self.start = start
        self.bound = 0.0
        self.columns: list[Column] = []
        self._present: set[Column] = set()
        self._rng = random.Random(0)  # noqa: S311 - varies columns, guards nothing
        self._master = self._new_master()
        for column in columns_of(start):
            self._add(column)

    def _new_master(self) -> Any:
        """The relaxed master: a row and a blocking variable for each lightpath, then the row of all wavelengths."""
        from highspy import kHighsInf

        master = new_solver()
        for _ in self.problem.options:
            master.addRow(1.0, kHighsInf, 0, [], [])
        master.addRow(-kHighsInf, float(self.problem.wavelengths), 0, [], [])
        for number in range(len(self.problem.options)):
            master.addCol(self.problem.penalty, 0.0, kHighsInf, 1, [number], [1.0])
        return master

    def _column_cost(self, column: Column) -> float:
        regenerators = sum(self.problem.options[number][option].regenerators for number, option in column)
        return self.problem.objective(1, regenerators)

    def _add(self, column: Column) -> bool:
        """Add a column unless it is there."""
        from highspy import kHighsInf

        if column in self._present:
            return False
        self._present.add(column)
        self.columns.append(column)
        rows = [*(number for number, _ in column), len(self.problem.options)]
        self._master.addCol(self._column_cost(column), 0.0, kHighsInf, len(rows), rows, [1.0] * len(rows))
        return True

    def generate(self, budget: Budget, progress: Callable[[float], None]) -> None:
        """Add columns until none improves the relaxation, or the time is over.

        Args:
            budget: what may be spent.
            progress: called with the relaxation's cost, again and again.
        """
        while not budget.spent:
            self._master.run()
            progress(self._master.getInfo().objective_function_value)
            duals = self._master.getSolution().row_dual
            prices = [max(price, 0.0) for price in duals[:-1]]
            weights = self._weights(prices)
            least = self.problem.objective(1, 0) - min(duals[-1], 0.0)
            improving = [column for column in self._compose(weights) if _weight(column, weights) > least + TOLERANCE]
            if sum([self._add(column) for column in improving]):
                continue
            column, most = self._best_column(weights, budget)
            self._note_bound(prices, most)
            if most <= least + TOLERANCE or not self._add(column):
                return

    def _weights(self, prices: Sequence[float]) -> dict[tuple[int, int], float]:
        """What each option adds to a column's worth: its lightpath's price without the cost of its regenerators."""
        weights = {
            (number, place): prices[number] - self.problem.objective(0, option.regenerators)
            for number, options in enumerate(self.problem.options)
            for place, option in enumerate(options)
        }
        return {choice: weight for choice, weight in weights.items() if weight > 0}

    def _compose(self, weights: dict[tuple[int, int], float]) -> list[Column]:
        """Columns of options by falling weight, which is varied by chance."""
        columns = []
        for attempt in range(_ATTEMPTS):
            ranks = []
            for (number, place), weight in weights.items():
                varied = weight * (self._rng.uniform(0.6, 1.0) if attempt else 1.0)
                size = self.problem.options[number][place].resources.bit_count()
                ranks.append((-varied / (size**0.5 if attempt % 2 else 1.0), number, place))
            used, numbers, column = 0, set(), []
            for _, number, place in sorted(ranks):
                resources = self.problem.options[number][place].resources
                if not used & resources and number not in numbers:
                    used |= resources
                    numbers.add(number)
                    column.append((number, place))
            columns.append(tuple(sorted(column)))
        return columns

    def _best_column(self, weights: dict[tuple[int, int], float], budget: Budget) -> tuple[Column, float]:
        """The column of the most weight, and how much weight no column exceeds."""
        choices = list(weights)
        model = LinearModel()
        by_lightpath: dict[int, list[int]] = {}
        by_resource: dict[int, list[int]] = {}
        for number, place in choices:
            variable = model.add_variable(-weights[number, place])
            by_lightpath.setdefault(number, []).append(variable)
            for resource in bits(self.problem.options[number][place].resources):
                by_resource.setdefault(resource, []).append(variable)
        for variables in (*by_lightpath.values(), *by_resource.values()):
            if len(variables) > 1:
                model.add_row(0.0, 1.0, variables)
        if not choices:
            return (), 0.0
        solution = solve_integers(model, budget)
        values = solution.values or [0] * len(choices)
        return tuple(choice for choice, value in zip(choices, values, strict=True) if value), -solution.bound

    def _note_bound(self, prices: Sequence[float], most: float) -> None:
        """Raise the bound to what prices prove when no column has more weight than `most`.

        Either the wavelengths' row takes up the excess, or all prices are scaled down until no column has any.
        """
        least = self.problem.objective(1, 0)
        total = sum(prices)
        scale = min(least / most, 1.0) if most > 0 else 1.0
        self.bound = max(self.bound, total * scale, total - self.problem.wavelengths * max(most - least, 0.0))

    def best_assignment(self, budget: Budget) -> Assignment:
        """The best assignment that the columns allow; the start if nothing better is found."""
        problem, count = self.problem, len(self.problem.options)
        model = LinearModel()
        for _ in range(count):
            model.add_variable(problem.penalty)
        covering: list[list[int]] = [[number] for number in range(count)]
        for column in self.columns:
            variable = model.add_variable(self._column_cost(column))
            for number, _ in column:
                covering[number].append(variable)
        for variables in covering:
            model.add_row(1.0, float(len(variables)), variables)
        model.add_row(0.0, float(problem.wavelengths), range(count, count + len(self.columns)))
        started = len(columns_of(self.start))
        start = [int(chosen is None) for chosen in self.start]
        start += [int(place < started) for place in range(len(self.columns))]
        solution = solve_integers(model, budget, start, presolve=True)
        values = (solution.values or start)[count:]
        return self._assignment([column for column, value in zip(self.columns, values, strict=True) if value])

    def _assignment(self, columns: list[Column]) -> Assignment:
        """The assignment by columns; a lightpath in several of them is kept where it needs the fewest regenerators."""
        places: list[tuple[int, int, int] | None] = [None] * len(self.problem.options)
        for place, column in enumerate(columns):
            for number, option in column:
                ranked = self.problem.options[number][option].regenerators, place, option
                places[number] = min(places[number] or ranked, ranked)
        used = sorted({kept[1] for kept in places if kept})
        return [(kept[2], used.index(kept[1])) if kept else None for kept in places]


def columns_of(assignment: Assignment) -> list[Column]:
    """The lightpaths and options of each used wavelength, in the order of wavelengths."""
    columns: dict[int, list[tuple[int, int]]] = {}
    for number, chosen in enumerate(assignment):
        if chosen is not None:
            option, wavelength = chosen
            columns.setdefault(wavelength, []).append((number, option))
    return [tuple(columns[wavelength]) for wavelength in sorted(columns)]


def bits(number: int) -> list[int]:
    """The places of a number's bits that are 1, lowest first."""
    return [place for place in range(number.bit_length()) if number >> place & 1]


def _weight(column: Column, weights: dict[tuple[int, int], float]) -> float:
    return sum(weights[choice] for choice in column)
