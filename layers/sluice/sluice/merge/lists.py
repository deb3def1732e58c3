"""Fields that need the values of all sources at once: unions, lists of all values, majorities of JSON.

The SQL of the merge collects the values of each record in one cell. Python combines them here, since the engine
cannot compare JSON by value.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from decimal import Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sluice.domain.json_text import dumps, loads, number_text
from sluice.domain.merge import FieldRule, JoinMerge, RowsMerge
from sluice.domain.schema import Column, duckdb_type
from sluice.lake.json_values import json_of
from sluice.lake.parquet import quoted
from sluice.merge.documents import distinct, identity
from sluice.merge.loading import BATCH, load, replace_merged
from sluice.merge.provenance import PLACE, in_merge, winner_column

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_LIST_RULES = ("union", "all")
# Enough for any sum of doubles: the largest has 309 digits before the point, the smallest 1,074 after it.
_SUM_DIGITS = 1_400


def union(values: list[Any], key: str | None) -> list[Any]:
    """Return the distinct elements of all lists, in the order of first occurrence.

    Args:
        values: the sources' values, best ranked first; null has no elements, and any other value that is not a
            list is one element.
        key: a key of the elements; of objects with the same value there the first is kept.
    """
    elements: list[Any] = []
    for value in values:
        elements += value if isinstance(value, list) else [] if value is None else [value]
    if key is None:
        return distinct(elements)
    kept: dict[Any, Any] = {}
    for element in elements:
        has_key = isinstance(element, dict) and key in element
        kept.setdefault(("by key", identity(element[key])) if has_key else identity(element), element)
    return list(kept.values())


def distinct_values(values: list[Any]) -> list[Any]:
    """Return the distinct values that are not null, best ranked first."""
    return distinct([value for value in values if value is not None])


def majority(candidates: list[tuple[int, str]]) -> tuple[int, str]:
    """Return the most frequent JSON value; of equally frequent values the best ranked.

    Args:
        candidates: ranks and JSON texts, best ranked first.

    Returns:
        The rank and the text of the best ranked source with that value.
    """
    votes: dict[Hashable, list[tuple[int, str]]] = {}
    for rank, text in candidates:
        votes.setdefault(identity(json_of(text)), []).append((rank, text))
    return max(votes.values(), key=len)[0]


def exact_sum(texts: list[str | None]) -> str:
    """Add numbers that are written as text, without rounding."""
    with localcontext(prec=_SUM_DIGITS):
        return number_text(sum((Decimal(text) for text in texts if text is not None), Decimal(0)))


def list_columns(spec: RowsMerge, columns: list[Column]) -> list[Column]:
    """Return the columns whose values `replace_lists` must combine.

    Args:
        spec: the merge; only joins have such columns.
        columns: the merged columns.
    """
    if not isinstance(spec, JoinMerge):
        return []
    return [
        column
        for column in columns
        if column.name not in spec.key and _needs_all_values(spec.rule_of(column.name), column)
    ]


def _needs_all_values(rule: FieldRule, column: Column) -> bool:
    listed = {"majority": "json", "sum": "string"}
    return rule.rule in _LIST_RULES or listed.get(rule.rule) == column.type


def replace_lists(
    connection: DuckDBPyConnection, spec: RowsMerge, listed: list[Column], fields: list[str], scratch: Path
) -> None:
    """Combine the collected values of each record in the engine's table `merged`.

    Args:
        connection: the engine.
        spec: the merge.
        listed: the columns from `list_columns`.
        fields: the merged fields, in the order of the provenance.
        scratch: a temporary file.
    """
    if not isinstance(spec, JoinMerge):
        return
    for column in listed:
        rule = spec.rule_of(column.name)
        if rule.rule == "majority":
            _replace_by_majority(connection, column.name, winner_column(fields.index(column.name)), scratch)
        else:
            _replace(connection, column, scratch, _combiner(rule))


def _replace_by_majority(connection: DuckDBPyConnection, name: str, winner: str, scratch: Path) -> None:
    column, winner_name = quoted(name), in_merge(winner)
    result = connection.execute(f"SELECT {PLACE}, {column} FROM merged WHERE {column} IS NOT NULL ORDER BY {PLACE}")

    def rows() -> Iterator[dict[str, str | int | None]]:
        while batch := result.fetchmany(BATCH):
            for place, text in batch:
                collected = [(value["rank"], value["text"]) for value in loads(text.encode())]
                rank, winner_text = majority([(rank, text) for rank, text in collected if text is not None])
                yield {"place": place, "value": winner_text, "rank": rank}

    load(connection, "lists", {"place": "BIGINT", "value": "VARCHAR", "rank": "BIGINT"}, rows(), scratch)
    replace_merged(
        connection,
        f"SELECT merged.* REPLACE (lists.value::JSON AS {column}, "
        f"coalesce(lists.rank, merged.{winner_name})::UTINYINT AS {winner_name}) "
        f"FROM merged LEFT JOIN lists ON merged.{PLACE} = lists.place",
    )
    connection.execute("DROP TABLE lists")


def _combiner(rule: FieldRule) -> Callable[[list[Any]], str]:
    match rule.rule:
        case "sum":
            return exact_sum
        case "all":
            return lambda values: dumps(distinct_values(values)).decode()
        case _:
            return lambda values: dumps(union(values, rule.key)).decode()


def _replace(
    connection: DuckDBPyConnection, merged: Column, scratch: Path, combine: Callable[[list[Any]], str]
) -> None:
    column = quoted(merged.name)
    result = connection.execute(f"SELECT {PLACE}, {column} FROM merged WHERE {column} IS NOT NULL ORDER BY {PLACE}")

    def rows() -> Iterator[dict[str, str | int | None]]:
        while batch := result.fetchmany(BATCH):
            yield from ({"place": place, "value": combine(json_of(text))} for place, text in batch)

    load(connection, "lists", {"place": "BIGINT", "value": "VARCHAR"}, rows(), scratch)
    replace_merged(
        connection,
        f"SELECT merged.* REPLACE (lists.value::{duckdb_type(merged.type)} AS {column}) "
        f"FROM merged LEFT JOIN lists ON merged.{PLACE} = lists.place",
    )
    connection.execute("DROP TABLE lists")
