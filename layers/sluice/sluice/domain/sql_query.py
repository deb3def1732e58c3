"""Queries that users write: one SELECT over the tables of a project, read before it is stored or run.

Here the text is read by sqlglot, which says where a fault is. What is run is read once more by the
engine itself: see `sandbox.policy`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints

MOST_CHARACTERS = 50_000
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
# Whatever tells of, or changes, anything but the project's tables.
FORBIDDEN_FUNCTIONS = frozenset(
    """
    getenv current_setting query query_table which_secret glob checkpoint force_checkpoint sniff_csv set_seed setseed
    nextval currval txid_current current_database current_schema current_schemas current_catalog current_user
    session_user user current_query version getvariable write_log add_parquet_key in_search_path
    icu_calendar_names from_substrait get_substrait sql_auto_complete test_all_types
    current_role current_connection_id current_transaction_id current_query_id sleep_ms has_table_privilege
    random gen_random_uuid uuid uuidv4 uuidv7 reservoir_quantile
    """.split()  # noqa: SIM905 - as a list it would have a line for each
)
# What they give depends on when they are asked: nothing that is kept may be made of them.
TIME_FUNCTIONS = frozenset(
    """
    now today current_date current_time current_timestamp localtime localtimestamp current_localtime
    current_localtimestamp get_current_time get_current_timestamp transaction_timestamp
    """.split()  # noqa: SIM905 - as a list it would have a line for each
)
_CATALOG = frozenset(
    {"sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema", "information_schema"}
)
FORBIDDEN_BEGINNINGS = (
    *("json_serialize_", "json_deserialize_", "json_execute_"),
    *("read_", "duckdb_", "pragma_", "pg_", "parquet_", "copy_", "delta_", "iceberg_", "sqlite_"),
)
# sqlglot reads each of them twice, and what is in it again twice.
_MOST_NESTED_TYPES = 8


class SqlError(ValueError):
    """A query that cannot be accepted.

    Args:
        line: from 1; 0 where no place can be told.
        column: from 1.
    """

    def __init__(self, reason: str, line: int = 0, column: int = 0) -> None:
        place = f"line {line}, column {column}: " if line else ""
        super().__init__(f"{place}{reason}")
        self.line, self.column = line, column


@dataclass(frozen=True)
class SqlQuery:
    """A query that was read.

    Args:
        sql: its text, without anything behind it.
        tables: the names of the tables that it reads, in lower case; none of its own common tables.
        parameters: the names after `$`.
        places: line and column where each table is named first.
        ordered: whether the query itself orders its rows.
        clock: the function by which it asks for the time; empty if it does not.
        columns: the names of its columns; none where only the engine knows them, as with `*`.
    """

    sql: str
    tables: frozenset[str]
    parameters: frozenset[str]
    places: dict[str, tuple[int, int]]
    ordered: bool
    clock: str = ""
    columns: tuple[str, ...] | None = None

    def require_tables(self, known: set[str]) -> None:
        """Refuse tables that are not there.

        Raises:
            SqlError: naming the first one and its place.
        """
        for name in sorted(self.tables - known, key=lambda one: self.places[one]):
            there = ", ".join(sorted(known)) or "none"
            raise SqlError(f"there is no table {name}; there are {there}", *self.places[name])


def is_forbidden(function: str) -> bool:
    """Whether a function must not stand in a query."""
    name = function.strip('"').lower()
    return name in FORBIDDEN_FUNCTIONS or name.startswith(FORBIDDEN_BEGINNINGS)


def is_forbidden_table(name: str) -> bool:
    """Whether a common table must not have a name: elsewhere in a query it would mean the engine's own."""
    plain = re.fullmatch(r"\w+", name) is not None
    return not plain or name in _CATALOG or name.startswith(FORBIDDEN_BEGINNINGS)


def require_readable(text: str) -> None:
    """Refuse a text that would take too long to read.

    Raises:
        SqlError: names of types are nested too deeply.
    """
    from sqlglot.dialects.duckdb import DuckDB
    from sqlglot.errors import TokenError

    try:
        tokens = DuckDB().tokenize(text)
    except TokenError:
        return  # whoever parses it says more
    opened: list[bool] = []
    for before, token in pairwise(tokens):
        if token.token_type.name == "L_PAREN":
            opened.append(before.token_type in DuckDB.Parser.TYPE_TOKENS)
            if sum(opened) > _MOST_NESTED_TYPES:
                raise SqlError(f"{before.text}( is nested too deeply")
        elif token.token_type.name == "R_PAREN" and opened:
            opened.pop()


@lru_cache(maxsize=256)
def parse_query(text: str) -> SqlQuery:
    """A query, read.

    Raises:
        SqlError: it is not exactly one SELECT, or names what no query may.
    """
    import logging

    import sqlglot  # 300 ms: only for the requests that bring SQL
    from sqlglot import expressions as exp
    from sqlglot.errors import ParseError, SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    require_readable(text)
    try:
        trees = sqlglot.parse(text, dialect="duckdb")
        found = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        reason = str(first.get("description") or error).split(" but got")[0].split(" for <class")[0]
        raise SqlError(f"this is no SQL: {reason.rstrip('.')}", first.get("line") or 0, first.get("col") or 0) from None
    except SqlglotError as error:
        raise SqlError(f"this is no SQL: {str(error).splitlines()[0][:200]}") from None
    except RecursionError:
        raise SqlError("the query is nested too deeply") from None
    if len(found) != 1 or not isinstance(found[0], exp.Query):
        raise SqlError("one SELECT is wanted, and nothing else")
    tree = found[0]
    names = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    for name in sorted(names):
        if is_forbidden_table(name):
            raise SqlError(f"a common table cannot be named {name}")
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
    """The names of a query's columns, if each of them is named in its text."""
    from sqlglot import expressions as exp

    selected = tree.selects
    named = [
        one
        for one in selected
        if (isinstance(one, exp.Column) and not one.is_star)
        or (isinstance(one, exp.Alias) and not isinstance(one.this, exp.Columns | exp.Unnest | exp.Explode))
    ]
    return tuple(one.alias_or_name for one in named) if named and len(named) == len(selected) else None


def with_typed_nulls(query: SqlQuery, types: Mapping[str, str]) -> str:
    """The query's text with typed nulls in the place of parameters that have no value.

    A null that is bound has no type, so that the engine could not choose a function by it.

    Args:
        types: the engine's types of these parameters, by name.
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
    """Whether a name means one of the query's own common tables; within one, only those before it are known."""
    from sqlglot import expressions as exp

    name, node = table.name.lower(), table
    while node.parent is not None:
        outer = node.parent
        known: list[Any] = []
        if isinstance(outer, exp.With):
            known = outer.expressions if outer.recursive else outer.expressions[: outer.expressions.index(node)]
        elif not isinstance(node, exp.With):
            common = outer.args.get("with_")
            known = common.expressions if common is not None else []
        if any(cte.alias.lower() == name for cte in known):
            return True
        node = outer
    return False


def _statement(text: str) -> str:
    """The text without the semicolons and comments behind it, so that it can stand within other SQL."""
    from sqlglot.dialects.duckdb import DuckDB

    tokens = [token for token in DuckDB().tokenize(text) if token.token_type.name != "SEMICOLON"]
    return text[: tokens[-1].end + 1]


def _check(node: Any, text: str) -> None:
    from sqlglot import expressions as exp

    if isinstance(node, exp.Insert | exp.Update | exp.Delete | exp.Create | exp.Drop | exp.Command | exp.Into):
        raise SqlError("one SELECT is wanted, which changes nothing", *_place(node, text))
    if isinstance(node, exp.TableSample):
        raise SqlError("a sample is another one each time", *_place(node, text))
    if isinstance(node, exp.Placeholder) and not str(node.this or "").isidentifier():
        raise SqlError("a parameter is written $name", *_place(node, text))
    if isinstance(node, exp.Table):
        if node.args.get("db") or node.args.get("catalog"):
            raise SqlError(f"{node.sql(dialect='duckdb')}: a table is named alone", *_place(node, text))
        if isinstance(node.this, exp.Func) and not TABLE_FUNCTIONS & set(_functions(node.this)):
            raise SqlError(f"the table function {_functions(node.this)[0]} is not allowed", *_place(node, text))
    elif isinstance(node, exp.Func) and not isinstance(node, exp.Connector):
        for name in _functions(node):
            if is_forbidden(name):
                raise SqlError(f"the function {name} is not allowed", *_place(node, text))


def _clock(node: Any) -> str:
    """The function by which a node asks for the time; empty if it does not."""
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
    """Line and column of a node's first name; nothing where sqlglot does not know."""
    for part in node.walk():
        start = part.meta.get("start")
        if isinstance(start, int) and start <= len(text):
            before = text[:start]
            return before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1
    return 0, 0


def _parsed(text: str) -> str:
    parse_query(text)
    return text


QueryText = Annotated[str, StringConstraints(min_length=1, max_length=MOST_CHARACTERS), AfterValidator(_parsed)]
