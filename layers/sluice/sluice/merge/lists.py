"""Fields that need the values of all sources side by side: unions, the values that disagree, majorities of JSON.

SQL puts the values side by side; which of them are equal is decided here, by value.
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
# The largest double has 309 digits before the point, the smallest one 1,074 after it.
_SUM_DIGITS = 1_400


def union(values: list[Any], key: str | None) -> list[Any]:
    """The elements of all lists, each once, in the order first seen; what is no list is one element.

    Args:
        values: best ranked first; null has no elements.
        key: where it is given, of objects with the same value there the first one stays.
    """
    elements: list[Any] = []
    for value in values:
        elements += value if isinstance(value, list) else [] if value is None else [value]
    if key is None:
        return distinct(elements)
    kept: dict[Any, Any] = {}
    for element in elements:
        told = isinstance(element, dict) and key in element
        kept.setdefault(("by key", identity(element[key])) if told else identity(element), element)
    return list(kept.values())


def every(values: list[Any]) -> list[Any]:
    """The values that are not null, each once, best ranked first."""
    return distinct([value for value in values if value is not None])


def majority(said: list[tuple[int, str]]) -> tuple[int, str]:
    """The rank and the text of the JSON that most say, the best ranked of equal ones.

    Args:
        said: ranks and texts, the best ranked first.
    """
    votes: dict[Hashable, list[tuple[int, str]]] = {}
    for rank, text in said:
        votes.setdefault(identity(json_of(text)), []).append((rank, text))
    return max(votes.values(), key=len)[0]


def exact_sum(texts: list[str | None]) -> str:
    """The sum of numbers that are written as text, with every digit."""
    with localcontext(prec=_SUM_DIGITS):
        return number_text(sum((Decimal(text) for text in texts if text is not None), Decimal(0)))


def lists_of(spec: RowsMerge, columns: list[Column]) -> list[Column]:
    """The columns whose values stand side by side."""
    if not isinstance(spec, JoinMerge):
        return []
    return [one for one in columns if one.name not in spec.key and _is_listed(spec.rule_of(one.name), one)]


def _is_listed(rule: FieldRule, column: Column) -> bool:
    listed = {"majority": "json", "sum": "string"}
    return rule.rule in _LIST_RULES or listed.get(rule.rule) == column.type


def made_into_lists(
    connection: DuckDBPyConnection, spec: RowsMerge, listed: list[Column], fields: list[str], scratch: Path
) -> None:
    """Replace, in the engine's table `merged`, values that stand side by side by what they make.

    Args:
        listed: the columns that `lists_of` gave.
        fields: the merged fields, in the order of their winners.
    """
    if not isinstance(spec, JoinMerge):
        return
    for column in listed:
        rule = spec.rule_of(column.name)
        if rule.rule == "majority":
            _replace_by_majority(connection, column.name, winner_column(fields.index(column.name)), scratch)
        else:
            _replace(connection, column, scratch, _maker(rule))


def _replace_by_majority(connection: DuckDBPyConnection, name: str, winner: str, scratch: Path) -> None:
    column, won = quoted(name), in_merge(winner)
    answer = connection.execute(f"SELECT {PLACE}, {column} FROM merged WHERE {column} IS NOT NULL ORDER BY {PLACE}")

    def rows() -> Iterator[dict[str, str | int | None]]:
        while batch := answer.fetchmany(BATCH):
            for place, text in batch:
                said = [(one["rank"], one["text"]) for one in loads(text.encode()) if one["text"] is not None]
                rank, made = majority(said)
                yield {"place": place, "made": made, "rank": rank}

    load(connection, "lists", {"place": "BIGINT", "made": "VARCHAR", "rank": "BIGINT"}, rows(), scratch)
    replace_merged(
        connection,
        f"SELECT merged.* REPLACE (lists.made::JSON AS {column}, "
        f"coalesce(lists.rank, merged.{won})::UTINYINT AS {won}) "
        f"FROM merged LEFT JOIN lists ON merged.{PLACE} = lists.place",
    )
    connection.execute("DROP TABLE lists")


def _maker(rule: FieldRule) -> Callable[[list[Any]], str]:
    match rule.rule:
        case "sum":
            return exact_sum
        case "all":
            return lambda values: dumps(every(values)).decode()
        case _:
            return lambda values: dumps(union(values, rule.key)).decode()


def _replace(connection: DuckDBPyConnection, merged: Column, scratch: Path, make: Callable[[list[Any]], str]) -> None:
    column = quoted(merged.name)
    answer = connection.execute(f"SELECT {PLACE}, {column} FROM merged WHERE {column} IS NOT NULL ORDER BY {PLACE}")

    def rows() -> Iterator[dict[str, str | int | None]]:
        while batch := answer.fetchmany(BATCH):
            yield from ({"place": place, "made": make(json_of(text))} for place, text in batch)

    load(connection, "lists", {"place": "BIGINT", "made": "VARCHAR"}, rows(), scratch)
    replace_merged(
        connection,
        f"SELECT merged.* REPLACE (lists.made::{duckdb_type(merged.type)} AS {column}) "
        f"FROM merged LEFT JOIN lists ON merged.{PLACE} = lists.place",
    )
    connection.execute("DROP TABLE lists")
