"""JMESPath expressions: compiled once, and validated when a document is written."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.functions import Functions
from jmespath.parser import ParsedResult
from pydantic import AfterValidator

METADATA_FIELDS = ("$position", "$page", "$fetched_at", "$run")


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
        if name not in Functions.FUNCTION_TABLE:
            raise ValueError(f"not a JMESPath expression: unknown function {name}()")
        signature = Functions.FUNCTION_TABLE[name]["signature"]
        variadic = bool(signature) and signature[-1].get("variadic", False)
        if count < len(signature) or (count > len(signature) and not variadic):
            raise ValueError(f"not a JMESPath expression: {name}() takes {len(signature)} arguments, not {count}")
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
        return compile_expression(expression).search(document)
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
