"""In which order models are made: each after those that it reads."""

from __future__ import annotations

from collections.abc import Mapping

from sluice.domain.sql_query import SqlError, parse_query


def dependencies(models: Mapping[str, str]) -> dict[str, set[str]]:
    """The models that each model reads.

    Args:
        models: their SQL by name.
    """
    return {name: set(parse_query(sql).tables) & set(models) for name, sql in models.items()}


def waves(models: Mapping[str, str]) -> list[list[str]]:
    """The models in groups: those of one may be made at the same time, after all groups before it.

    Raises:
        SqlError: models read each other in a circle.
    """
    waiting, made, order = dependencies(models), set[str](), list[list[str]]()
    while waiting:
        ready = sorted(name for name, reads in waiting.items() if reads <= made)
        if not ready:
            raise SqlError(f"the models read each other in a circle: {' → '.join(_circle(waiting))}")
        order.append(ready)
        made.update(ready)
        waiting = {name: reads for name, reads in waiting.items() if name not in made}
    return order


def _circle(waiting: Mapping[str, set[str]]) -> list[str]:
    path = [min(waiting)]
    while True:
        following = min(waiting[path[-1]] & set(waiting))
        if following in path:
            return [*path[path.index(following) :], following]
        path.append(following)


def needed(models: Mapping[str, str], tables: set[str]) -> set[str]:
    """The models among these tables, and those that they read in turn."""
    reads, found = dependencies(models), set[str]()
    waiting = tables & set(models)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting |= reads[name] - found
    return found
