"""Least squares by Levenberg and Marquardt, for many small problems at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sluice.numeric.batch import Flags, Floats, Whole, total

# Residuals, of shape (rows, problems, variants), of numbers of shape (problems, variants, numbers); `problems` are the
# indexes of the problems that are asked for, ascending.
Residuals = Callable[[Whole, Floats], Floats]

MOST_STEPS = 60
_STEP = 1e-7  # of a difference quotient
_SMALLEST_GAIN = 1e-8  # a step that lowers the sum of squares by a smaller part is the last one
_MOST_DAMPING = 1e8


@dataclass(frozen=True)
class Minimum:
    """Where searches ended.

    Args:
        numbers: shape (problems, numbers).
        squares: shape (problems,): the sums of squares there.
    """

    numbers: Floats
    squares: Floats


def minimize(residuals: Residuals, start: Floats, low: Floats, high: Floats) -> Minimum:
    """Look for the numbers with the least sum of squares, for each problem on its own.

    Args:
        residuals: the function; a NaN or an infinite number among its results means that the numbers are not allowed.
        start: shape (problems, numbers): where to begin, within the bounds.
        low: shape (numbers,): what each number must be at least; may be infinite.
        high: shape (numbers,): what each number must be at most.

    Returns:
        The best numbers; those of the start and an infinite sum, if they are not allowed.
    """
    problems = np.arange(len(start))
    best, squares = start.copy(), np.full(len(start), np.inf)
    damping = np.full(len(start), 1e-2)
    slopes, curves = np.zeros_like(start), np.zeros((*start.shape, start.shape[1]))
    trial = start
    for _ in range(MOST_STEPS):
        sums, slope, curve = _normal_equations(residuals(problems, _variants(trial)), trial)
        better = sums < squares[problems]
        with np.errstate(invalid="ignore"):
            gain = 1 - sums / squares[problems]
        improved = problems[better]
        best[improved], squares[improved] = trial[better], sums[better]
        slopes[improved], curves[improved] = slope[better], curve[better]
        damping[problems] = np.where(better, damping[problems] / 5, damping[problems] * 6)
        going_on = np.where(better, ~(gain < _SMALLEST_GAIN), damping[problems] < _MOST_DAMPING)
        problems = problems[going_on & np.isfinite(squares[problems]) & (squares[problems] > 0)]
        if not len(problems):
            break
        at, slope = best[problems], slopes[problems]
        stuck = ((at <= low) & (slope > 0)) | ((at >= high) & (slope < 0))
        step = _solve(curves[problems], slope, damping[problems], stuck)
        trial = np.clip(at - step, low, high)
    return Minimum(best, squares)


def _steps(numbers: Floats) -> Floats:
    return _STEP * np.maximum(1.0, np.abs(numbers))


def _variants(numbers: Floats) -> Floats:
    """The numbers themselves, and with each of them moved by a small step."""
    variants = np.repeat(numbers[:, None, :], numbers.shape[1] + 1, axis=1)
    each = np.arange(numbers.shape[1])
    variants[:, each + 1, each] += _steps(numbers)
    return variants


def _normal_equations(residuals: Floats, numbers: Floats) -> tuple[Floats, Floats, Floats]:
    """The sums of squares, half of their gradients, and the products of the columns of the Jacobians."""
    with np.errstate(all="ignore"):
        squares = total(residuals[:, :, 0] ** 2)
        slope = np.zeros_like(numbers)
        curve = np.zeros((*numbers.shape, numbers.shape[1]))
        steps = _steps(numbers)
        for row in residuals:
            derivatives = (row[:, 1:] - row[:, :1]) / steps
            slope += derivatives * row[:, :1]
            curve += derivatives[:, :, None] * derivatives[:, None, :]
        allowed = np.isfinite(squares) & np.isfinite(slope).all(axis=1) & np.isfinite(curve).all(axis=(1, 2))
    return np.where(allowed, squares, np.inf), slope, curve


def _solve(curve: Floats, slope: Floats, damping: Floats, stuck: Flags) -> Floats:
    """The steps of Marquardt: each number is damped in proportion to its own curvature; stuck ones do not move."""
    size = slope.shape[1]
    each = np.arange(size)
    free = ~stuck
    table = np.concatenate([curve, slope[:, :, None]], axis=2)
    table *= free[:, :, None]
    table[:, :, :size] *= free[:, None, :]
    diagonal = table[:, each, each]
    # A number that changes nothing stays where it is.
    floor = np.maximum(diagonal.max(axis=1, keepdims=True) * 1e-14, 1e-300)
    table[:, each, each] = diagonal + damping[:, None] * np.maximum(diagonal, floor) + floor
    for pivot in range(size):
        factors = table[:, pivot + 1 :, pivot] / table[:, pivot, pivot, None]
        table[:, pivot + 1 :, pivot:] -= factors[:, :, None] * table[:, pivot, None, pivot:]
    result = np.zeros_like(slope)
    for row in range(size - 1, -1, -1):
        known = np.zeros(len(slope))
        for column in range(row + 1, size):
            known += table[:, row, column] * result[:, column]
        result[:, row] = (table[:, row, size] - known) / table[:, row, row]
    return result
