"""In which order models are made: each after those that it reads."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.domain.model import Model, Relationships, SqlTest
from sluice.domain.sql_query import SqlError, parse_query


def reads_of(name: str, model: Model) -> set[str]:
    """The tables that a model reads, its tests among them."""
    tables = set(parse_query(model.sql).tables)
    for test in model.tests:
        if isinstance(test, Relationships):
            tables.add(test.to)
        elif isinstance(test, SqlTest):
            tables |= parse_query(test.sql).tables
    return tables - ({name} - parse_query(model.sql).tables)


def waves(reads: Mapping[str, set[str]]) -> list[list[str]]:
    """The models in groups: those of one may be made at the same time, after all groups before it.

    Args:
        reads: the tables that each model reads.

    Raises:
        SqlError: models read each other in a circle.
    """
    waiting = {name: tables & set(reads) for name, tables in reads.items()}
    made, order = set[str](), list[list[str]]()
    while waiting:
        ready = sorted(name for name, tables in waiting.items() if tables <= made)
        if not ready:
            raise SqlError(f"the models read each other in a circle: {' → '.join(_circle(waiting))}")
        order.append(ready)
        made.update(ready)
        waiting = {name: tables for name, tables in waiting.items() if name not in made}
    return order


def _circle(waiting: Mapping[str, set[str]]) -> list[str]:
    path = [min(waiting)]
    while True:
        following = min(waiting[path[-1]] & set(waiting))
        if following in path:
            return [*path[path.index(following) :], following]
        path.append(following)


def needed(reads: Mapping[str, set[str]], tables: set[str]) -> set[str]:
    """The models among these tables, and those that they read in turn."""
    found = set[str]()
    waiting = tables & set(reads)
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= (reads[name] & set(reads)) - found
    return found
