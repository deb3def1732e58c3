"""Evaluating JMESPath within a budget, since a short expression can make a small document fill the memory."""

from __future__ import annotations

from collections.abc import Callable
from sys import getsizeof
from typing import Any

from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.visitor import TreeInterpreter

# The most bytes that an evaluation may create in all, by estimate: this, or for each character of the document that.
MAX_CREATED = 32_000_000
CREATED_PER_CHARACTER = 50
_EQUALITY = {"eq", "ne"}  # the comparators that need no order
_NUMBER = 8  # the characters that a number counts as

# Functions that return an argument, a part of one, or a value of the page.
_RETURN_EXISTING = {"max", "max_by", "min", "min_by", "not_null", "parent", "root"}
_CREATE = {"multi_select_dict", "multi_select_list", "slice"}
_CREATE |= {"projection", "value_projection", "filter_projection"}


class Budget:
    """What an evaluation may still create, in bytes.

    All that is created counts, also what is no longer used: elements of lists, members of objects, and texts.

    Args:
        document: what the expression is applied to. A large one allows more.
    """

    def __init__(self, document: Any) -> None:
        self._document = document
        self._left = MAX_CREATED
        self._is_extended = False

    def spend(self, size: int) -> None:
        """Reduce what is left.

        Args:
            size: bytes.

        Raises:
            JMESPathError: nothing is left.
        """
        if size > self._left:
            self._extend()
        self._left -= size
        if self._left < 0:
            raise JMESPathError(
                f"it creates more than {MAX_CREATED:,} bytes and more than {CREATED_PER_CHARACTER} times "
                "what it is applied to; select less, or split the expression over several fields"
            )

    def spend_written(self, value: Any) -> None:
        """Reduce what is left by the size of a value as JSON, in which shared parts count each time.

        Raises:
            JMESPathError: nothing is left.
        """
        size = written_size(value, self._left)
        if size > self._left:
            self._extend()
            size = written_size(value, self._left)
        self.spend(size)

    def _extend(self) -> None:
        # Measured only when needed: it takes far longer than most evaluations.
        if not self._is_extended:
            self._is_extended = True
            self._left += max(0, CREATED_PER_CHARACTER * written_size(self._document) - MAX_CREATED)


class Interpreter(TreeInterpreter):
    """The interpreter of jmespath.py with a budget; for one evaluation.

    Args:
        document: what the expression is applied to.
        functions: gives the functions that expressions may call; called if one does.
    """

    def __init__(self, document: Any, functions: Callable[[Budget], Functions]) -> None:
        self.budget = Budget(document)
        self._new_functions = functions
        self._functions: Functions | None = None
        self._dict_cls = dict

    def visit(self, node: Any, value: Any) -> Any:
        """Evaluate a node of a compiled expression.

        Args:
            node: the node.
            value: what it is applied to.

        Raises:
            JMESPathError: a function failed, or the budget is spent.
        """
        kind = node["type"]
        result = _VISITS[kind](self, node, value)
        if kind in _CREATE:
            self.budget.spend(getsizeof(result))
        return result

    def visit_comparator(self, node: Any, value: Any) -> Any:
        """Compare two values; comparing large ones counts as work. A number and a text have no order: null."""
        left, right = (self.visit(child, value) for child in node["children"])
        if node["value"] not in _EQUALITY and isinstance(left, str) != isinstance(right, str):
            return None
        if isinstance(left, list | dict) and isinstance(right, list | dict):
            self.budget.spend_written(left)
        literals = [{"type": "literal", "value": side} for side in (left, right)]
        compared: Any = {**node, "children": literals}
        return super().visit_comparator(compared, value)

    def visit_flatten(self, node: Any, value: Any) -> Any:
        """Join the lists within a list; their lengths are known before the result exists."""
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        length = sum(len(element) if isinstance(element, list) else 1 for element in base)
        self.budget.spend(getsizeof([]) + length * (getsizeof([None]) - getsizeof([])))
        flat: list[Any] = []
        for element in base:
            if isinstance(element, list):
                flat += element
            else:
                flat.append(element)
        return flat

    def visit_function_expression(self, node: Any, value: Any) -> Any:
        """Call a function."""
        if self._functions is None:
            self._functions = self._new_functions(self.budget)
        result = super().visit_function_expression(node, value)
        if node["value"] not in _RETURN_EXISTING:
            self.budget.spend(getsizeof(result))
        return result


# By type of node. Looking a method up by its name takes as long as evaluating most nodes.
_VISITS = {
    name.removeprefix("visit_"): getattr(Interpreter, name) for name in dir(Interpreter) if name.startswith("visit_")
}


def written_size(value: Any, most: int | None = None) -> int:
    """The characters of a value as JSON, by estimate: a number counts as 8.

    Args:
        value: the value. Parts that occur several times count each time.
        most: stop counting above this.

    Returns:
        The number of characters; some number above `most` if there are more.
    """
    total, rest = 0, [value]
    while rest and (most is None or total <= most):
        part = rest.pop()
        if isinstance(part, str):
            total += len(part) + 2
        elif isinstance(part, dict):
            total += 2 + sum(map(len, part)) + 4 * len(part)
            rest.extend(part.values())
        elif isinstance(part, list):
            total += 2 + len(part)
            rest.extend(part)
        else:
            total += _NUMBER
    return total
