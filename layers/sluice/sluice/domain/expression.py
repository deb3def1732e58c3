"""JMESPath expressions and JSON Pointers: compiled once, refused on write."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
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
        return jmespath.compile(expression)
    except JMESPathError as error:
        reason = str(error).split("\n")[0]
        raise ValueError(f"not a JMESPath expression: {reason}") from None


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
