"""JMESPath expressions: compiled once, and validated when a document is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from sys import getsizeof
from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError, JMESPathTypeError
from jmespath.functions import TYPES_MAP, Functions, signature
from jmespath.parser import ParsedResult
from pydantic import AfterValidator

from sluice.domain.evaluation import Budget, Interpreter

METADATA_FIELDS = ("$position", "$page", "$fetched_at", "$run")
Path = tuple[str | int, ...]
# Results that may be longer than what they are made of have a cap: a short expression must not fill the memory.
MAX_CHARACTERS = 1_000_000
MAX_PARTS = 100_000
# Of an expression itself.
MAX_LENGTH = 10_000
MAX_DEPTH = 100
_QUOTED = 200  # characters of an expression in an error

_TEXT_OR_NULL: Any = {"types": ["string", "null"]}
_TEXT: Any = {"types": ["string"]}
# The functions whose argument with this index must not be an empty text.
NOT_EMPTY = {"split": 1, "replace": 1}
# The functions that need to know what encloses the record; the first also works in other expressions than `fields`.
ROOT, PARENTS = "root", frozenset({"parent", "parents"})
# The nodes of expressions that build no new values, apart from lists of values of the document.
_PROJECTIONS = {"projection", "value_projection", "filter_projection", "flatten", "slice"}
_SELECTING = {"current", "identity", "field", "index", "subexpression", "index_expression", "pipe", "or_expression"}
_SELECTING |= _PROJECTIONS


@dataclass(frozen=True)
class RecordContext:
    """The place of a record in its page: what `root()`, `parent()` and `parents()` return.

    Args:
        root: the document that `records` was applied to: the page; in formats of rows without `records`, the row.
        path: the keys and indexes that lead from there to the record.
    """

    root: Any
    path: Path = ()

    @property
    def enclosing(self) -> list[tuple[Path, dict[str, Any]]]:
        """The objects that enclose the record, nearest first, each with its path; lists are skipped."""
        objects: list[tuple[Path, dict[str, Any]]] = []
        value = self.root
        for length, step in enumerate(self.path):
            if isinstance(value, dict):
                objects.append((self.path[:length], value))
            value = value[step]
        return objects[::-1]


class ExpressionFunctions(Functions):
    """All functions that expressions may call.

    The functions for texts return null for null, since a record that lacks a value is no error.

    Args:
        context: the place of the record that the expression is applied to.
        budget: what the evaluation may still create. Functions use it whose result may be far larger than their
            arguments; the interpreter counts the results themselves.
    """

    def __init__(self, context: RecordContext, budget: Budget) -> None:
        self._context = context
        self._budget = budget

    @signature(_TEXT_OR_NULL)
    def _func_lower(self, subject: str | None) -> str | None:
        return None if subject is None else subject.lower()

    @signature(_TEXT_OR_NULL)
    def _func_upper(self, subject: str | None) -> str | None:
        return None if subject is None else subject.upper()

    @signature(_TEXT_OR_NULL)
    def _func_trim(self, subject: str | None) -> str | None:
        return None if subject is None else subject.strip()

    @signature(_TEXT_OR_NULL, _TEXT)
    def _func_split(self, subject: str | None, separator: str) -> list[str] | None:
        _require_text("split", separator)
        if subject is None:
            return None
        if subject.count(separator) >= MAX_PARTS:
            raise JMESPathError(f"split() gives more than {MAX_PARTS} parts")
        parts = subject.split(separator)
        self._budget.spend(sum(map(getsizeof, parts)))
        return parts

    @signature(_TEXT_OR_NULL, _TEXT, _TEXT)
    def _func_replace(self, subject: str | None, old: str, new: str) -> str | None:
        _require_text("replace", old)
        if subject is None:
            return None
        growth = subject.count(old) * (len(new) - len(old))
        _require_short("replace", len(subject) + growth, grows=growth > 0)
        return subject.replace(old, new)

    @signature(_TEXT, {"types": ["array-string"]})
    def _func_join(self, glue: str, parts: list[str]) -> str:
        glued = len(glue) * (len(parts) - 1)
        _require_short("join", _characters(parts) + glued, grows=True)
        return glue.join(parts)

    @signature({"types": ["object"]})
    def _func_items(self, value: dict[str, Any]) -> list[list[Any]]:
        self._budget.spend(len(value) * getsizeof([None, None]))
        return [[key, member] for key, member in value.items()]

    @signature({"types": ["array"], "variadic": True})
    def _func_zip(self, *lists: list[Any]) -> list[list[Any]]:
        for value in lists:  # jmespath.py checks the type of the first argument only
            if not isinstance(value, list):
                raise JMESPathTypeError("zip", value, type(value).__name__, ["array"])
        self._budget.spend(min(map(len, lists)) * getsizeof([None] * len(lists)))
        return [list(elements) for elements in zip(*lists, strict=False)]

    @signature({"types": ["array"]}, {"types": ["expref"]})
    def _func_min_by(self, array: list[Any], expression: Any) -> Any:
        with _comparing("min_by"):
            return super()._func_min_by(array, expression)  # type: ignore[misc]

    @signature({"types": ["array"]}, {"types": ["expref"]})
    def _func_max_by(self, array: list[Any], expression: Any) -> Any:
        with _comparing("max_by"):
            return super()._func_max_by(array, expression)  # type: ignore[misc]

    @signature({"types": []})
    def _func_to_string(self, value: Any) -> str:
        if isinstance(value, list | dict):
            self._budget.spend_written(value)
        text: str = super()._func_to_string(value)  # type: ignore[misc]
        return text

    @signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject: list[Any] | str, value: Any) -> bool:
        if isinstance(subject, list) and isinstance(value, list | dict):
            self._budget.spend_written(subject)
        return super()._func_contains(subject, value)  # type: ignore[misc, no-any-return]

    @signature()
    def _func_root(self) -> Any:
        return self._context.root

    @signature()
    def _func_parent(self) -> dict[str, Any] | None:
        enclosing = self._context.enclosing
        return enclosing[0][1] if enclosing else None

    @signature()
    def _func_parents(self) -> list[dict[str, Any]]:
        return [value for _, value in self._context.enclosing]


@contextmanager
def _comparing(function: str) -> Iterator[None]:
    """Name a function that compares values of which some are numbers and some texts."""
    try:
        yield
    except TypeError:
        raise JMESPathError(
            f"{function}() got both numbers and texts; convert them, such as with to_string()"
        ) from None


def is_of_type(value: Any, types: Iterable[str]) -> bool:
    """Whether a value is of one of the types in a signature, such as `string` or `array-number`."""
    for kind, _, inner in (name.partition("-") for name in types):
        if _type_of(value) == kind and (not inner or all(_type_of(element) == inner for element in value)):
            return True
    return False


def _type_of(value: Any) -> str | None:
    return TYPES_MAP.get(type(value).__name__)


def _characters(parts: Iterable[str]) -> int:
    return sum(map(len, parts))


def _require_text(function: str, argument: str) -> None:
    if not argument:
        raise JMESPathError(f"argument {NOT_EMPTY[function] + 1} of {function}() must not be empty")


def _require_short(function: str, length: int, *, grows: bool) -> None:
    if grows and length > MAX_CHARACTERS:
        raise JMESPathError(f"{function}() gives a text of more than {MAX_CHARACTERS} characters")


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
    """Check the calls of functions, which JMESPath itself checks only at run time."""
    if node["type"] == "function_expression":
        _check_call(node["value"], node["children"])
    for child in node["children"]:
        if isinstance(child, dict):
            _check_functions(child)


def _check_call(name: str, arguments: list[Any]) -> None:
    """Check the name, the number of arguments, and the types of those that are literals or expressions (`&x`)."""
    if name not in ExpressionFunctions.FUNCTION_TABLE:
        raise ValueError(f"not a JMESPath expression: unknown function {name}()")
    signature = ExpressionFunctions.FUNCTION_TABLE[name]["signature"]
    variadic = bool(signature) and signature[-1].get("variadic", False)
    if len(arguments) < len(signature) or (len(arguments) > len(signature) and not variadic):
        noun = "argument" if len(signature) == 1 else "arguments"
        expected = f"{'at least ' if variadic else ''}{len(signature)} {noun}"
        raise ValueError(f"not a JMESPath expression: {name}() takes {expected}, not {len(arguments)}")
    for index, argument in enumerate(arguments):
        types = signature[min(index, len(signature) - 1)]["types"]
        _check_argument(f"argument {index + 1} of {name}()", types, argument)
        if NOT_EMPTY.get(name) == index and argument["type"] == "literal" and argument["value"] == "":
            raise ValueError(f"not a JMESPath expression: argument {index + 1} of {name}() must not be empty")


def _check_argument(where: str, types: list[str], argument: Any) -> None:
    expected = " or ".join(types).replace("expref", "expression such as &name")
    fits = (argument["type"] == "expref") == ("expref" in types)
    if argument["type"] == "literal":
        fits = is_of_type(argument["value"], types)
    if types and not fits:
        raise ValueError(f"not a JMESPath expression: {where} must be of the type {expected}")


@lru_cache(maxsize=1024)
def functions_in(expression: str) -> frozenset[str]:
    """The names of the functions that an expression calls."""
    return frozenset(_calls(compile_expression(expression).parsed))


def _calls(node: Any) -> list[str]:
    own = [node["value"]] if node["type"] == "function_expression" else []
    return own + [name for child in node["children"] if isinstance(child, dict) for name in _calls(child)]


@lru_cache(maxsize=1024)
def needs_context(expression: str) -> bool:
    """Whether the value of a field depends on what encloses the record."""
    return not expression.startswith("$") and not functions_in(expression).isdisjoint({ROOT, *PARENTS})


def needs_places(expression: str) -> bool:
    """Whether the value of a field depends on the objects that enclose the record."""
    return not expression.startswith("$") and not functions_in(expression).isdisjoint(PARENTS)


def selects_places(expression: str) -> bool:
    """Whether an expression only selects values of its document, so that each has a place in it."""
    return _only_selects(compile_expression(expression).parsed)


def _only_selects(node: Any) -> bool:
    children = node["children"]
    if node["type"] == "filter_projection":
        children = children[:2]  # the third is the condition, which may be anything
    return node["type"] in _SELECTING and all(_only_selects(child) for child in children if isinstance(child, dict))


def search(expression: str, document: Any, context: RecordContext | None = None) -> Any:
    """Apply an expression to a document.

    Args:
        expression: the expression.
        document: a page, or a record.
        context: the record's place, if a document is a record; None: `root()` is the document itself.

    Returns:
        The selected value; None if the expression does not match.

    Raises:
        ValueError: a function of the expression got a value of the wrong type, or its result is too large.
    """
    compiled = compile_expression(expression)
    interpreter = interpreter_for(document, context)
    with evaluating(expression):
        result = interpreter.visit(compiled.parsed, document)
        if not _shares_nothing(expression):
            interpreter.budget.spend_written(result)
    return result


@contextmanager
def evaluating(expression: str) -> Iterator[None]:
    """Name the expression in errors of its evaluation.

    Raises:
        ValueError: the evaluation failed, in whatever way.
    """
    try:
        yield
    # jmespath.py does not check all arguments: `ceil` of an infinite number fails as Python does.
    except (ValueError, TypeError, ArithmeticError) as error:
        raise ValueError(f"the expression {_beginning(expression)!r} failed: {error}") from None
    except RecursionError:
        raise ValueError(f"the expression {_beginning(expression)!r} failed: it nests values too deeply") from None


def _beginning(expression: str) -> str:
    return expression if len(expression) <= _QUOTED else f"{expression[:_QUOTED]}…"


def interpreter_for(document: Any, context: RecordContext | None = None) -> Interpreter:
    """An interpreter for one evaluation, see `search`."""
    return Interpreter(document, partial(ExpressionFunctions, context or RecordContext(document)))


@lru_cache(maxsize=1024)
def _shares_nothing(expression: str) -> bool:
    """Whether no part of the document can occur twice in the result, which would then be larger as JSON."""
    return _only_selects(compile_expression(expression).parsed)


def _check(expression: str) -> str:
    _check_size(expression)
    if outside := functions_in(expression) & PARENTS:
        raise ValueError(f"{min(outside)}() is only for `fields`, whose expressions are applied to records")
    return expression


def _check_field(expression: str) -> str:
    if expression.startswith("$"):
        if expression not in METADATA_FIELDS:
            raise ValueError(f"unknown metadata; use one of {', '.join(METADATA_FIELDS)}")
        return expression
    _check_size(expression)
    return expression


def _check_size(expression: str) -> None:
    """Compile an expression of a definition, which must not be too long or too deep."""
    if len(expression) > MAX_LENGTH:
        raise ValueError(f"a JMESPath expression has at most {MAX_LENGTH:,} characters, not {len(expression):,}")
    if _depth(compile_expression(expression).parsed) > MAX_DEPTH:
        raise ValueError(f"a JMESPath expression has at most {MAX_DEPTH} levels; split it over several fields")


def _depth(node: Any) -> int:
    """The levels of a compiled expression; counted without recursion, since it may have thousands."""
    depth, level = 0, [node]
    while level:
        depth += 1
        level = [child for parent in level for child in parent["children"] if isinstance(child, dict)]
    return depth


JmesPath = Annotated[str, AfterValidator(_check)]
FieldExpression = Annotated[str, AfterValidator(_check_field)]
