"""Queries that users write: exactly one SELECT over the tables of a project, checked before it is stored or run.

Here sqlglot parses the text, which tells the place of an error. What runs is checked again on DuckDB's own parse
tree: see `sandbox.policy`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints

MAX_CHARACTERS = 50_000
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
# Functions that read or change anything but the project's tables, or are not deterministic.
FORBIDDEN_FUNCTIONS = frozenset(
    """
    getenv current_setting query query_table which_secret glob checkpoint force_checkpoint sniff_csv set_seed setseed
    nextval currval txid_current current_database current_schema current_schemas current_catalog current_user
    session_user user current_query version getvariable write_log add_parquet_key in_search_path
    icu_calendar_names from_substrait get_substrait sql_auto_complete test_all_types
    current_role current_connection_id current_transaction_id current_query_id sleep_ms has_table_privilege
    random gen_random_uuid uuid uuidv4 uuidv7 reservoir_quantile
    """.split()  # noqa: SIM905 - a list would take one line for each
)
# Their results depend on the time of the call, so nothing that is stored may use them.
TIME_FUNCTIONS = frozenset(
    """
    now today current_date current_time current_timestamp localtime localtimestamp current_localtime
    current_localtimestamp get_current_time get_current_timestamp transaction_timestamp
    """.split()  # noqa: SIM905 - a list would take one line for each
)
_CATALOG = frozenset(
    {"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema", "information_schema"}
)
FORBIDDEN_BEGINNINGS = (
    *("json_serialize_", "json_deserialize_", "json_execute_"),
    *("read_", "duckdb_", "pragma_", "pg_", "parquet_", "copy_", "delta_", "iceberg_", "sqlite_"),
)
# sqlglot parses each nested type twice, so the time doubles with each level.
_MOST_NESTED_TYPES = 8


class SqlError(ValueError):
    """A query is not valid or not allowed.

    Args:
        reason: what is wrong.
        line: from 1; 0 if the place is unknown.
        column: from 1.
    """

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        place = f"line {line}, column {column}: " if line else ""
        super().__init__(f"{place}{reason}")
        self.line, self.column = line, column


@dataclass(frozen=True)
class SqlQuery:
    """A parsed query.

    Args:
        sql: its text without a trailing semicolon or comment.
        tables: the names of the tables that it reads, in lower case, without its common table expressions.
        parameters: the names of its parameters, without `$`.
        places: line and column of the first mention of each table.
        ordered: whether the query itself orders its rows.
        clock: the function that reads the current time; empty if there is none.
        columns: the names of its columns; None if only the engine knows them, as with `*`.
    """

    sql: str
    tables: frozenset[str]
    parameters: frozenset[str]
    places: dict[str, tuple[int, int]]
    ordered: bool
    clock: str = ""
    columns: tuple[str, ...] | None = None

    def require_tables(self, known: set[str]) -> None:
        """Refuse unknown tables.

        Args:
            known: the names of the project's tables.

        Raises:
            SqlError: with the first unknown table and its place.
        """
        for name in sorted(self.tables - known, key=lambda table: self.places[table]):
            tables = f"the tables are {', '.join(sorted(known))}" if known else "there are no tables"
            raise SqlError(f"there is no table {name}; {tables}", *self.places[name])


def is_forbidden(function: str) -> bool:
    """Whether a function is not allowed in a query."""
    name = function.strip('"').lower()
    return name in FORBIDDEN_FUNCTIONS or name.startswith(FORBIDDEN_BEGINNINGS)


def is_forbidden_table(name: str) -> bool:
    """Whether a common table expression must not have a name.

    Elsewhere in the query the name would refer to a table of the engine itself.
    """
    plain = re.fullmatch(r"\w+", name) is not None
    return not plain or name in _CATALOG or name.startswith(FORBIDDEN_BEGINNINGS)


def require_readable(text: str) -> None:
    """Refuse a text that would take too long to parse.

    Raises:
        SqlError: names of types are nested too deeply.
    """
    from sqlglot.dialects.duckdb import DuckDB
    from sqlglot.errors import TokenError

    try:
        tokens = DuckDB().tokenize(text)
    except TokenError:
        return  # the parser will report it with more detail
    opened: list[bool] = []
    for before, token in pairwise(tokens):
        if token.token_type.name == "L_PAREN":
            opened.append(before.token_type in DuckDB.Parser.TYPE_TOKENS)
            if sum(opened) > _MOST_NESTED_TYPES:
                raise SqlError(f"{before.text}( is nested too deeply")
        elif token.token_type.name == "R_PAREN" and opened:
            opened.pop()


def _parse_select(text: str) -> Any:
    """The tree of the one SELECT in a text.

    Raises:
        SqlError: the text is not exactly one SELECT.
    """
    import logging

    import sqlglot  # takes 300 ms; only requests with SQL need it
    from sqlglot import expressions as exp
    from sqlglot.errors import ParseError, SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    require_readable(text)
    try:
        trees = sqlglot.parse(text, dialect="duckdb")
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        reason = str(first.get("description") or error).split(" but got")[0].split(" for <class")[0]
        raise SqlError(f"not valid SQL: {reason.rstrip('.')}", first.get("line") or 0, first.get("col") or 0) from None
    except SqlglotError as error:
        raise SqlError(f"not valid SQL: {str(error).splitlines()[0][:200]}") from None
    except RecursionError:
        raise SqlError("the query is nested too deeply") from None
    # A trailing semicolon makes an empty statement, which is allowed.
    statements = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
    if len(statements) != 1 or not isinstance(statements[0], exp.Query):
        raise SqlError("exactly one SELECT statement is allowed")
    return statements[0]


@lru_cache(maxsize=256)
def parse_query(text: str) -> SqlQuery:
    """Parse and check a query; results are cached.

    Raises:
        SqlError: it is not exactly one SELECT, or uses something that is not allowed.
    """
    from sqlglot import expressions as exp

    tree = _parse_select(text)
    names = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for name in sorted(names):
        if is_forbidden_table(name):
            raise SqlError(f"a common table expression cannot be named {name}")
    places: dict[str, tuple[int, int]] = {}
    for node in tree.walk():
        _check(node, text)
        if isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier) and not _is_common(node):
            places.setdefault(node.name.lower(), _place(node, text))
    parameters = frozenset(node.name for node in tree.find_all(exp.Placeholder))
    return SqlQuery(
        sql=_statement(text),
        tables=frozenset(places),
        parameters=parameters,
        places=places,
        ordered=tree.args.get("order") is not None,
        clock=next((name for node in tree.walk() if (name := _clock(node))), ""),
        columns=_columns(tree),
    )


def _columns(tree: Any) -> tuple[str, ...] | None:
    """The names of a query's columns, if its text names all of them."""
    from sqlglot import expressions as exp

    selected = tree.selects
    named = [
        column
        for column in selected
        if (isinstance(column, exp.Column) and not column.is_star)
        or (isinstance(column, exp.Alias) and not isinstance(column.this, exp.Columns | exp.Unnest | exp.Explode))
    ]
    return tuple(column.alias_or_name for column in named) if named and len(named) == len(selected) else None


def with_typed_nulls(query: SqlQuery, types: Mapping[str, str]) -> str:
    """Replace parameters without a value by typed nulls.

    A bound null has no type, so that the engine could not choose the overload of a function.

    Args:
        query: the query.
        types: DuckDB's types of these parameters, by name.

    Returns:
        The query's text.
    """
    if not types:
        return query.sql
    from sqlglot.dialects.duckdb import DuckDB

    text, end = "", 0
    for mark, name in pairwise(DuckDB().tokenize(query.sql)):
        if mark.token_type.name == "PARAMETER" and name.text in types and name.start == mark.end + 1:
            text += f"{query.sql[end : mark.start]}(NULL::{types[name.text]})"
            end = name.end + 1
    return text + query.sql[end:]


def _is_common(table: Any) -> bool:
    """Whether a name refers to a common table expression; within one, only earlier ones are visible."""
    from sqlglot import expressions as exp

    name, node = table.name.lower(), table
    while node.parent is not None:
        outer = node.parent
        visible: list[Any] = []
        if isinstance(outer, exp.With):
            visible = outer.expressions if outer.recursive else outer.expressions[: outer.expressions.index(node)]
        elif not isinstance(node, exp.With):
            common = outer.args.get("with_")
            visible = common.expressions if common is not None else []
        if any(cte.alias.lower() == name for cte in visible):
            return True
        node = outer
    return False


def _statement(text: str) -> str:
    """The text without trailing semicolons and comments, so that it can be a subquery."""
    from sqlglot.dialects.duckdb import DuckDB

    tokens = [token for token in DuckDB().tokenize(text) if token.token_type.name != "SEMICOLON"]
    return text[: tokens[-1].end + 1]


def _check(node: Any, text: str) -> None:
    from sqlglot import expressions as exp

    if isinstance(node, exp.Insert | exp.Update | exp.Delete | exp.Create | exp.Drop | exp.Command | exp.Into):
        raise SqlError("only SELECT is allowed, not statements that change data", *_place(node, text))
    if isinstance(node, exp.TableSample):
        raise SqlError("TABLESAMPLE is not deterministic and not allowed here", *_place(node, text))
    if isinstance(node, exp.Placeholder) and not str(node.this or "").isidentifier():
        raise SqlError("write a parameter as $name", *_place(node, text))
    if isinstance(node, exp.Table):
        if node.args.get("db") or node.args.get("catalog"):
            raise SqlError(
                f"{node.sql(dialect='duckdb')}: name the table without a schema or catalog", *_place(node, text)
            )
        if isinstance(node.this, exp.Func) and not TABLE_FUNCTIONS & set(_functions(node.this)):
            raise SqlError(f"the table function {_functions(node.this)[0]} is not allowed", *_place(node, text))
    elif isinstance(node, exp.Func) and not isinstance(node, exp.Connector):
        for name in _functions(node):
            if is_forbidden(name):
                raise SqlError(f"the function {name} is not allowed", *_place(node, text))


def _clock(node: Any) -> str:
    """The function by which a node reads the current time; empty if it does not."""
    from sqlglot import expressions as exp

    if not isinstance(node, exp.Func):
        return ""
    names = [name.strip('"') for name in _functions(node)]
    if "age" in names and isinstance(node, exp.Anonymous) and len(node.expressions) == 1:
        return "age"
    return next((name for name in names if name in TIME_FUNCTIONS), "")


def _functions(node: Any) -> list[str]:
    """The names that a function may have in DuckDB."""
    from sqlglot import expressions as exp

    if isinstance(node, exp.Anonymous):
        return [str(node.this).lower()]
    return [name.lower() for name in node.sql_names()]


def _place(node: Any, text: str) -> tuple[int, int]:
    """Line and column of a node's first name; 0, 0 if sqlglot does not know them."""
    for part in node.walk():
        start = part.meta.get("start")
        if isinstance(start, int) and start <= len(text):
            before = text[:start]
            return before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1
    return 0, 0


def _parsed(text: str) -> str:
    parse_query(text)
    return text


QueryText = Annotated[str, StringConstraints(min_length=1, max_length=MAX_CHARACTERS), AfterValidator(_parsed)]
