"""The dependencies of models, and the order in which they are made."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.domain.model import Model, Relationships, SqlTest
from sluice.domain.sql_query import SqlError, parse_query


def tables_read_by(name: str, model: Model) -> set[str]:
    """Return the names of the tables that a model and its tests read.

    Args:
        name: the model's name; its tests read the model itself, which is not a dependency.
        model: the model.
    """
    tables = set(parse_query(model.sql).tables)
    for test in model.tests:
        if isinstance(test, Relationships):
            tables.add(test.to)
        elif isinstance(test, SqlTest):
            tables |= parse_query(test.sql).tables
    return tables - ({name} - parse_query(model.sql).tables)


def waves(reads: Mapping[str, set[str]]) -> list[list[str]]:
    """Divide models into groups that can be made in parallel, each after all groups before it.

    Args:
        reads: the tables that each model reads.

    Returns:
        The groups; names are sorted within each.

    Raises:
        SqlError: the dependencies have a cycle.
    """
    waiting = {name: tables & set(reads) for name, tables in reads.items()}
    done, order = set[str](), list[list[str]]()
    while waiting:
        ready = sorted(name for name, tables in waiting.items() if tables <= done)
        if not ready:
            raise SqlError(f"the models have a circular dependency: {' → '.join(_cycle(waiting))}")
        order.append(ready)
        done.update(ready)
        waiting = {name: tables for name, tables in waiting.items() if name not in done}
    return order


def _cycle(waiting: Mapping[str, set[str]]) -> list[str]:
    # Every waiting model depends on a waiting one, so following dependencies must come back to a model of the path.
    path = [min(waiting)]
    while True:
        next_name = min(waiting[path[-1]] & set(waiting))
        if next_name in path:
            return [*path[path.index(next_name) :], next_name]
        path.append(next_name)


def required_models(reads: Mapping[str, set[str]], tables: set[str]) -> set[str]:
    """Return the models among some tables, and all models that they depend on.

    Args:
        reads: the tables that each model reads.
        tables: the names of the tables.
    """
    required = set[str]()
    waiting = tables & set(reads)
    while waiting:
        name = waiting.pop()
        required.add(name)
        waiting |= (reads[name] & set(reads)) - required
    return required
