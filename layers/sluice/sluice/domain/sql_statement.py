"""The statement that a SQL source sends to its database: exactly one SELECT, with named parameters.

The database's read-only transaction is what protects its data. The check here tells an author at once,
and refuses what a read-only transaction allows: files that the server would write, and locks.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Literal

from sluice.domain.sql_query import SqlError

Engine = Literal["postgresql", "mysql", "sqlite"]
_DIALECTS: dict[str, str] = {"postgresql": "postgres", "mysql": "mysql", "sqlite": "sqlite"}
# MySQL and MariaDB execute what is in such comments; a parser skips it.
_EXECUTED_COMMENTS = ("/*!", "/*M!")


def require_select(text: str, engine: Engine) -> None:
    """Refuse a text that is not exactly one SELECT of this engine.

    Raises:
        SqlError: saying what is wrong, with line and column where the parser knows them.
    """
    import sqlglot  # 300 ms: only for the requests that bring SQL
    from sqlglot import expressions as exp
    from sqlglot.errors import ParseError, SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    if engine == "mysql" and any(mark in text for mark in _EXECUTED_COMMENTS):
        raise SqlError("comments that the server executes (/*! and /*M!) are not allowed")
    try:
        trees = [
            tree
            for tree in sqlglot.parse(_with_names(text, engine), dialect=_DIALECTS[engine])
            if tree is not None and not isinstance(tree, exp.Semicolon)
        ]
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        reason = str(first.get("description") or error).split(" but got")[0].split(" for <class")[0]
        place = (first.get("line") or 0, first.get("col") or 0)
        raise SqlError(f"the text is not SQL of {engine}: {reason.rstrip('.')}", *place) from None
    except SqlglotError as error:
        raise SqlError(f"the text is not SQL of {engine}: {str(error).splitlines()[0][:200]}") from None
    except RecursionError:
        raise SqlError("the text is nested too deeply") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Select | exp.SetOperation | exp.Subquery):
        raise SqlError("exactly one SELECT statement is allowed")
    _require_no_change(trees[0])


def _with_names(text: str, engine: Engine) -> str:
    """The statement with names of columns in the place of its parameters, which not every dialect of sqlglot knows."""
    for first, _, _ in _places(text, engine):
        text = f"{text[:first]}_{text[first + 1 :]}"
    return text


def _require_no_change(tree: Any) -> None:
    from sqlglot import expressions as exp

    changes = (
        *(exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop),
        *(exp.Alter, exp.Command, exp.Into, exp.PropertyEQ),
    )
    for node in tree.walk():
        if isinstance(node, changes):
            raise SqlError("exactly one SELECT statement is allowed, which changes nothing")
        if isinstance(node, exp.Lock):
            raise SqlError("a SELECT that locks rows (FOR UPDATE, FOR SHARE) is not allowed")


def parameters_of(text: str, engine: Engine) -> tuple[str, ...]:
    """The names of the parameters in a statement, written `$name`, in the order in which they come first."""
    return tuple(dict.fromkeys(name for _, _, name in _places(text, engine)))


def with_placeholders(
    text: str, engine: Engine, placeholder: Callable[[str], str], plain: Callable[[str], str] = str
) -> str:
    """The statement with the placeholders of a driver in the place of its parameters.

    Args:
        placeholder: gives the driver's placeholder of a parameter.
        plain: applied to the text between parameters, for a driver that reads marks in it.
    """
    parts, end = [], 0
    for first, last, name in _places(text, engine):
        parts += [plain(text[end:first]), placeholder(name)]
        end = last + 1
    return "".join([*parts, plain(text[end:])])


@lru_cache(maxsize=64)
def _places(text: str, engine: Engine) -> tuple[tuple[int, int, str], ...]:
    """The first and the last character of each parameter, and its name."""
    return tuple(_found(text, engine))


# What may hold a `$` that begins no parameter: texts, quoted names, comments, and names with a `$`.
# One that nothing closes goes to the end, so that each character is looked at once.
_SKIPPED = {
    "postgresql": r"""[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)|'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)|--[^\n]*"""
    r"""|\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z)""",
    "mysql": r"""'(?:[^'\\]|\\.|'')*(?:'|\Z)|"(?:[^"\\]|\\.|"")*(?:"|\Z)|`[^`]*(?:`|\Z)"""
    r"""|--(?=\s|\Z)[^\n]*|\#[^\n]*|/\*.*?(?:\*/|\Z)""",
    "sqlite": r"""'[^']*(?:'|\Z)|"[^"]*(?:"|\Z)|`[^`]*(?:`|\Z)|\[[^\]]*(?:\]|\Z)|--[^\n]*|/\*.*?(?:\*/|\Z)""",
}
_TOKENS = {
    engine: re.compile(rf"(?:{skipped})|[^\W\d][\w$]*|\$(?P<parameter>[^\W\d]\w*)", re.DOTALL)
    for engine, skipped in _SKIPPED.items()
}
_COMMENT = re.compile(r"/\*|\*/")


def _found(text: str, engine: Engine) -> Iterator[tuple[int, int, str]]:
    at, tokens = 0, _TOKENS[engine]
    while at < len(text):
        if engine == "postgresql" and text.startswith("/*", at):
            at = _behind_comment(text, at)
            continue
        token = tokens.match(text, at)
        if token is not None and token["parameter"]:
            yield token.start(), token.end() - 1, token["parameter"]
        at = token.end() if token is not None else at + 1


def _behind_comment(text: str, at: int) -> int:
    """Where a comment of PostgreSQL ends, which may hold others."""
    depth = 0
    for mark in _COMMENT.finditer(text, at):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return len(text)
