"""What the steps of an algorithm return, checked; and their errors, in words that name the place."""

from __future__ import annotations

import math
import traceback
from collections.abc import Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError

from sluice.algorithms.algorithm import Algorithm, Result, ResultTable, Score, Solution
from sluice.algorithms.registry import PACKAGE
from sluice.domain.base import json_faults, json_pointer
from sluice.errors import AlgorithmFailed

_LARGEST_WHOLE_NUMBER = 2**63 - 1  # of JSON
_LONGEST_TEXT = 500  # of an error
_MOST_FAULTS = 20  # that an error keeps
_MOST_SENTENCES = 3  # of them in its text


class Returned:
    """Checks what the steps of one algorithm return. All faults are the algorithm's, so that no retry mends them.

    Args:
        name: the algorithm's name.
        algorithm: its declaration.
    """

    def __init__(self, name: str, algorithm: Algorithm) -> None:
        self._name = name
        self._algorithm = algorithm

    def json(self, step: str, value: Any) -> bytes:
        """The JSON of what a step has returned. NaN and infinity become null.

        Raises:
            AlgorithmFailed: it is not JSON; the detail has the type and the place of the value that is not.
        """
        try:
            return _dumps(value)
        except TypeError as error:
            pointer, part = _not_json(value)
            place = f" at {pointer}" if pointer else ""
            raise self._failure(step, f"a value of type {type(part).__name__}{place}, not JSON: {error}") from None

    def score(self, solution: Any) -> Score:
        """The score of what `solve` has returned.

        Raises:
            AlgorithmFailed: it is no solution, or its score is neither a finite number nor a tuple of them.
        """
        if not isinstance(solution, Solution):
            raise self._failure("solve", f"a value of type {type(solution).__name__}, not a Solution")
        elements = solution.score if isinstance(solution.score, tuple | list) else (solution.score,)
        if not all(map(_is_finite, elements)):
            raise self._failure("solve", f"the score {solution.score!r}, not a finite number or a tuple of them")
        return tuple(map(_plain_number, elements))

    def selected(self, number: Any, scores: Sequence[Score]) -> int:
        """The number of the restart that `select` has returned.

        Raises:
            AlgorithmFailed: there is no such restart.
        """
        if not isinstance(number, Integral) or not 0 <= int(number) < len(scores):
            raise self._failure("select", f"{number!r}, not the number of a restart from 0 to {len(scores) - 1}")
        return int(number)

    def result(self, result: Any) -> Result:
        """The result that `finish` has returned.

        Raises:
            AlgorithmFailed: it is no result, its document does not match `output`, or it has other things than tables
                and bytes of files.
        """
        if not isinstance(result, Result):
            raise self._failure("finish", f"a value of type {type(result).__name__}, not a Result")
        for noun, parts, kind in (("table", result.tables, ResultTable), ("file", result.files, bytes)):
            for name, part in parts.items():
                if not isinstance(part, kind):
                    wrong = type(part).__name__
                    raise self._failure("finish", f"the {noun} {name} of type {wrong}, not {kind.__name__}")
        faults = json_faults(self._algorithm.output, self.json("finish", result.document))
        if faults:
            text = f"The result does not match the output of the algorithm {self._name}. {_sentences(faults)}"
            raise AlgorithmFailed(text, faults[:_MOST_FAULTS])
        return result

    def describe(self, error: Exception) -> str:
        """An unexpected error of a step in one line, with the place where the algorithm has raised it."""
        frames = list(traceback.walk_tb(error.__traceback__))
        modules = (PACKAGE, *self._algorithm.code)
        own = [item for item in frames if _is_in(item[0].f_globals.get("__name__", ""), modules)]
        frame, line = (own or frames)[-1]
        place = f"{Path(frame.f_code.co_filename).name}, line {line}, in {frame.f_code.co_name}"
        text = _text_of(error)[:_LONGEST_TEXT]
        return f"The algorithm {self._name} has raised {type(error).__name__}: {text} ({place})."

    def _failure(self, step: str, returned: str) -> AlgorithmFailed:
        return AlgorithmFailed(f"The step {step} of the algorithm {self._name} has returned {returned}.")


def _dumps(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY)


def _not_json(value: Any, pointer: str = "") -> tuple[str, Any]:
    """The innermost value that is not JSON, and its JSON Pointer."""
    parts: Any = ()
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list | tuple):
        parts = enumerate(value)
    for key, part in parts:
        try:
            _dumps(part)
        except TypeError:
            return _not_json(part, pointer + json_pointer((str(key),)))
    return pointer, value


def _plain_number(element: Any) -> float:
    """A number of Python for one of NumPy; whole ones stay whole."""
    return int(element) if isinstance(element, Integral) else float(element)


def _is_finite(value: Any) -> bool:
    if isinstance(value, Integral):
        return abs(int(value)) <= _LARGEST_WHOLE_NUMBER
    return isinstance(value, Real) and math.isfinite(value)


def _is_in(module: str, packages: Sequence[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def _text_of(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    faults = [
        {"pointer": json_pointer(fault["loc"]), "message": fault["msg"] + "."}
        for fault in error.errors(include_url=False)
    ]
    return f"{error.title} does not match. {_sentences(faults)}"


def _sentences(faults: Sequence[dict[str, Any]]) -> str:
    """The first of some faults as text."""
    listed = [f"{fault['pointer'] or 'The document'}: {fault['message']}" for fault in faults[:_MOST_SENTENCES]]
    more = len(faults) - len(listed)
    return " ".join([*listed, *([f"And {more} more."] if more else [])])
