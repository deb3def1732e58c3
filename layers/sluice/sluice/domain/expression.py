"""JMESPath expressions and JSON Pointers: compiled once, refused on write."""

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
    """The compiled JMESPath expression.

    Raises:
        ValueError: the expression is not JMESPath; the message says where.
    """
    try:
        compiled: ParsedResult = jmespath.compile(expression)
        _check_functions(compiled.parsed)
    except JMESPathError as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"not a JMESPath expression: {reason}") from None
    except RecursionError:
        raise ValueError("not a JMESPath expression that can be read: it is nested too deeply") from None
    return compiled


def _check_functions(node: Any) -> None:
    """JMESPath itself finds an unknown function, or a wrong number of arguments, only when run."""
    if node["type"] == "function_expression":
        name, given = node["value"], len(node["children"])
        if name not in Functions.FUNCTION_TABLE:
            raise ValueError(f"not a JMESPath expression: there is no function {name}()")
        signature = Functions.FUNCTION_TABLE[name]["signature"]
        variadic = bool(signature) and signature[-1].get("variadic", False)
        if given < len(signature) or (given > len(signature) and not variadic):
            raise ValueError(f"not a JMESPath expression: {name}() takes {len(signature)} arguments, not {given}")
    for child in node["children"]:
        if isinstance(child, dict):
            _check_functions(child)


def search(expression: str, document: Any) -> Any:
    """What the expression selects in the document; null when it does not apply.

    Raises:
        ValueError: a function of the expression was given a value of a wrong type.
    """
    try:
        return compile_expression(expression).search(document)
    except JMESPathError as error:
        raise ValueError(f"the expression {expression!r} does not apply: {error}") from None


def _check(expression: str) -> str:
    compile_expression(expression)
    return expression


def _check_field(expression: str) -> str:
    if expression.startswith("$"):
        if expression not in METADATA_FIELDS:
            raise ValueError(f"unknown metadata; it is one of {', '.join(METADATA_FIELDS)}")
        return expression
    return _check(expression)


JmesPath = Annotated[str, AfterValidator(_check)]
FieldExpression = Annotated[str, AfterValidator(_check_field)]
