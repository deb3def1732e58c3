"""The statement that a SQL source sends to its database: exactly one SELECT, with named parameters.

The database's read-only transaction protects its data. This check tells authors early, and refuses what a
read-only transaction allows: writing files on the server, and locks.
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
# MySQL and MariaDB execute the content of such comments, and parsers skip it: a way around the check.
_EXECUTED_COMMENTS = ("/*!", "/*M!")


def require_select(text: str, engine: Engine) -> None:
    """Refuse a text that is not exactly one SELECT in the engine's dialect.

    Raises:
        SqlError: with line and column if the parser knows them.
    """
    import sqlglot  # takes 300 ms; only requests with SQL need it
    from sqlglot import expressions as exp
    from sqlglot.errors import ParseError, SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    if engine == "mysql" and any(mark in text for mark in _EXECUTED_COMMENTS):
        raise SqlError("executable comments (/*! and /*M!) are not allowed")
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
        raise SqlError(f"not valid {engine} SQL: {reason.rstrip('.')}", *place) from None
    except SqlglotError as error:
        raise SqlError(f"not valid {engine} SQL: {str(error).splitlines()[0][:200]}") from None
    except RecursionError:
        raise SqlError("the text is nested too deeply") from None
    if len(trees) != 1 or not isinstance(trees[0], exp.Select | exp.SetOperation | exp.Subquery):
        raise SqlError("exactly one SELECT statement is allowed")
    _require_no_change(trees[0])


def _with_names(text: str, engine: Engine) -> str:
    """Replace parameters by column names of the same length: not every dialect of sqlglot knows `$name`."""
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
            raise SqlError("only SELECT is allowed, not statements that change data")
        if isinstance(node, exp.Lock):
            raise SqlError("a SELECT that locks rows (FOR UPDATE, FOR SHARE) is not allowed")


def parameters_of(text: str, engine: Engine) -> tuple[str, ...]:
    """The names of the parameters in a statement, written `$name`, in the order of their first use."""
    return tuple(dict.fromkeys(name for _, _, name in _places(text, engine)))


def with_placeholders(
    text: str, engine: Engine, placeholder: Callable[[str], str], plain: Callable[[str], str] = str
) -> str:
    """Replace the parameters of a statement by a driver's placeholders.

    Args:
        text: the statement.
        engine: the database engine, which decides about quoting.
        placeholder: returns the driver's placeholder for a parameter name.
        plain: applied to the text between parameters, for a driver that interprets characters such as `%`.

    Returns:
        The statement for the driver.
    """
    parts, end = [], 0
    for first, last, name in _places(text, engine):
        parts += [plain(text[end:first]), placeholder(name)]
        end = last + 1
    return "".join([*parts, plain(text[end:])])


@lru_cache(maxsize=64)
def _places(text: str, engine: Engine) -> tuple[tuple[int, int, str], ...]:
    """The first and the last position of each parameter, and its name."""
    return tuple(_find_parameters(text, engine))


# Tokens in which `$` does not begin a parameter: strings, quoted names, comments, and names with a `$`.
# An unclosed token extends to the end of the text, so that scanning takes linear time.
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


def _find_parameters(text: str, engine: Engine) -> Iterator[tuple[int, int, str]]:
    position, tokens = 0, _TOKENS[engine]
    while position < len(text):
        if engine == "postgresql" and text.startswith("/*", position):
            position = _comment_end(text, position)
            continue
        token = tokens.match(text, position)
        if token is not None and token["parameter"]:
            yield token.start(), token.end() - 1, token["parameter"]
        position = token.end() if token is not None else position + 1


def _comment_end(text: str, start: int) -> int:
    """The position after a comment. PostgreSQL's comments nest."""
    depth = 0
    for mark in _COMMENT.finditer(text, start):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return len(text)
