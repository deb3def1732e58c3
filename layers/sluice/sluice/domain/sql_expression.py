"""SQL expressions over the columns of one row: parsed, and refused unless they are deterministic and free of queries.

The SQL that runs is generated from the parsed tree, so that only what was checked can run.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, StringConstraints

from sluice.domain.sql_query import require_readable

if TYPE_CHECKING:
    from sqlglot.expressions import Expression

MAX_CHARACTERS = 4_000
_MOST_PADDING = 1_000
_MOST_GROWTH = 10_000
_REPLACING = ("Replace", "RegexpReplace")
# sqlglot's classes that are allowed in an expression. What reads anything but the row, or is not deterministic,
# is missing from the list on purpose.
_ALLOWED = frozenset(
    """
    Column Identifier Literal Boolean Null Paren Neg Not And Or Xor Add Sub Mul Div IntDiv Mod EQ NEQ GT GTE LT LTE
    Is NullSafeEQ NullSafeNEQ Like ILike In Between Case If Coalesce Nullif Cast TryCast DataType DataTypeParam
    DPipe Concat ConcatWs Upper Lower Length Substring Trim Replace Round Abs Ceil Floor Greatest Least Sqrt Ln Log
    Exp Pow Sign StrPosition StartsWith EndsWith Left Right Reverse SplitPart RegexpReplace RegexpExtract RegexpLike
    RegexpFullMatch Pad Contains Extract Var Year Month Day Quarter Week DayOfWeek DayOfYear DateTrunc
    TimestampTrunc DateDiff DateAdd DateSub Interval JSONExtract JSONExtractScalar JSONPath JSONPathRoot JSONPathKey
    JSONPathSubscript Escape Initcap Unicode Chr MD5 SHA2 Trunc Hour Minute Second TimeUnit TimeToStr StrToTime
    TimeToUnix UnixToTime DateFromParts JSONType IsNan
    """.split()  # noqa: SIM905 - a list would take one line for each
)
_ALLOWED_FUNCTIONS = frozenset(
    """
    json_extract_string strip_accents epoch epoch_ms make_date date_part json_array_length json_type
    json_valid nfc_normalize prefix suffix starts_with ends_with try_strptime strptime strftime isfinite isnan
    """.split()  # noqa: SIM905 - as a list it would have a line for each
)


@dataclass(frozen=True)
class SqlExpression:
    """A checked expression.

    Args:
        sql: the SQL for DuckDB, with every name quoted.
        columns: the columns that it reads, in lower case.
    """

    sql: str
    columns: frozenset[str]


@lru_cache(maxsize=1024)
def parse_expression(text: str) -> SqlExpression:
    """Parse and check an expression; results are cached.

    Raises:
        ValueError: it is not an SQL expression, or a part is not allowed; the message says which.
    """
    import sqlglot  # takes 300 ms; only projects with expressions need it
    from sqlglot import expressions as exp
    from sqlglot.errors import SqlglotError

    require_readable(text)
    try:
        # As a SELECT, so that a second column, a FROM or another statement is found by the checks below.
        parsed = sqlglot.parse(f"SELECT {text}", dialect="duckdb")
        select = parsed[0] if len(parsed) == 1 else None
        if not isinstance(select, exp.Select) or len(select.expressions) != 1 or _has_clauses(select):
            raise ValueError("exactly one SQL expression over the columns of a row is allowed")
        tree = select.expressions[0]
        for node in tree.walk():
            _check_node(node)
        columns = frozenset(column.name.lower() for column in tree.find_all(exp.Column))
        return SqlExpression(tree.sql(dialect="duckdb", identify=True), columns)
    except SqlglotError as error:
        raise ValueError(f"not an SQL expression: {_short(error)}") from None
    except RecursionError:
        raise ValueError("the SQL expression is nested too deeply") from None


def _has_clauses(select: Expression) -> bool:
    return any(value for name, value in select.args.items() if name not in ("expressions", "kind", "hint"))


def _check_node(node: Expression) -> None:
    kind = type(node).__name__
    name = str(node.this).lower() if kind == "Anonymous" else kind
    if kind == "Column" and (node.args.get("table") or type(node.this).__name__ != "Identifier"):
        raise ValueError(f"{node.sql(dialect='duckdb')} is not a column name")
    if kind == "Pad" and not _is_short(node.expression):
        raise ValueError(f"lpad and rpad need a literal length of at most {_MOST_PADDING}")
    if kind in _REPLACING and _growth(node) > _MOST_GROWTH:
        raise ValueError("nested replacements could exhaust the memory; use fewer or shorter ones")
    if kind == "In" and (node.args.get("query") or node.args.get("unnest")):
        raise ValueError("subqueries are not allowed in an expression")
    if not (kind in _ALLOWED or (kind == "Anonymous" and name in _ALLOWED_FUNCTIONS)):
        raise ValueError(f"{node.sql(dialect='duckdb')[:80]!r} is not allowed in an expression")


def _growth(node: Expression) -> int:
    """The factor by which a replacement, and those that enclose it, may lengthen a text."""
    factor = 1
    outer: Any = node
    while outer is not None:
        replacement = outer.args.get("replacement") if type(outer).__name__ in _REPLACING else None
        if replacement is not None:
            factor *= max(1, len(replacement.name)) if type(replacement).__name__ == "Literal" else _MOST_PADDING
        outer = outer.parent
    return factor


def _is_short(length: Expression) -> bool:
    """Whether a length is a literal number that is small enough."""
    text = length.name if type(length).__name__ == "Literal" else ""
    return text.isdecimal() and int(text) <= _MOST_PADDING


def _short(error: Exception) -> str:
    # sqlglot underlines the place with terminal escapes.
    return str(error).split("\n")[0].replace("\x1b[4m", "").replace("\x1b[0m", "")[:300]


def _check(text: str) -> str:
    parse_expression(text)
    return text


SqlText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS), AfterValidator(_check)]
