"""JMESPath expressions: compiled once, and validated when a document is written."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError
from jmespath.functions import Functions, signature
from jmespath.parser import ParsedResult
from pydantic import AfterValidator

METADATA_FIELDS = ("$position", "$page", "$fetched_at", "$run")


class ExpressionFunctions(Functions):
    """The functions that expressions can call: those of jmespath.py, and some of JMESPath Community.

    A method `_func_name` is the function `name`.
    """

    @signature({"types": ["object"]})
    def _func_items(self, value: dict[str, Any]) -> list[list[Any]]:
        """The members of an object, each as a list of key and value."""
        return [[key, member] for key, member in value.items()]

    @signature({"types": ["array"], "variadic": True})
    def _func_zip(self, *lists: list[Any]) -> list[list[Any]]:
        """The first elements of all lists as a list, then the second ones, up to the end of the shortest list."""
        for value in lists:  # jmespath.py checks the type of the first argument only
            if not isinstance(value, list):
                raise JMESPathTypeError("zip", value, type(value).__name__, ["array"])
        return [list(elements) for elements in zip(*lists, strict=False)]


_OPTIONS = jmespath.Options(custom_functions=ExpressionFunctions())


@lru_cache(maxsize=1024)
def compile_expression(expression: str) -> ParsedResult:
    """Compile a JMESPath expression; compiled ones are cached.

    Raises:
        ValueError: the expression is invalid; the message says where.
    """
    try:
        compiled: ParsedResult = jmespath.compile(expression)
        _check_functions(compiled.parsed)
    except JMESPathError as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"not a JMESPath expression: {reason}") from None
    except RecursionError:
        raise ValueError("the JMESPath expression is nested too deeply") from None
    return compiled


def _check_functions(node: Any) -> None:
    """Check names and argument counts of functions, which JMESPath itself checks only at run time."""
    if node["type"] == "function_expression":
        name, count = node["value"], len(node["children"])
        if name not in ExpressionFunctions.FUNCTION_TABLE:
            raise ValueError(f"not a JMESPath expression: unknown function {name}()")
        parameters = ExpressionFunctions.FUNCTION_TABLE[name]["signature"]
        variadic = bool(parameters) and parameters[-1].get("variadic", False)
        if count < len(parameters) or (count > len(parameters) and not variadic):
            raise ValueError(f"not a JMESPath expression: {name}() takes {len(parameters)} arguments, not {count}")
    for child in node["children"]:
        if isinstance(child, dict):
            _check_functions(child)


def search(expression: str, document: Any) -> Any:
    """Apply an expression to a document.

    Returns:
        The selected value; None if the expression does not match.

    Raises:
        ValueError: a function of the expression got a value of the wrong type.
    """
    try:
        return compile_expression(expression).search(document, _OPTIONS)
    except JMESPathError as error:
        raise ValueError(f"the expression {expression!r} failed: {error}") from None


def _check(expression: str) -> str:
    compile_expression(expression)
    return expression


def _check_field(expression: str) -> str:
    if expression.startswith("$"):
        if expression not in METADATA_FIELDS:
            raise ValueError(f"unknown metadata; use one of {', '.join(METADATA_FIELDS)}")
        return expression
    return _check(expression)


JmesPath = Annotated[str, AfterValidator(_check)]
FieldExpression = Annotated[str, AfterValidator(_check_field)]
