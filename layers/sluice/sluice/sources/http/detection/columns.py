"""The columns of records: which keys become fields, under which names, with which values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sluice.domain.datasource.base import is_reserved
from sluice.domain.expression import MAX_LENGTH
from sluice.sources.http.detection.paths import Path, expression_of

# Deeper objects stay JSON.
_DEPTH = 5
_LONGEST_NAME = 255
# Objects that only wrap the columns, in JSON:API, GeoJSON, Airtable and Elasticsearch.
_WRAPPERS = frozenset({"attributes", "properties", "fields", "_source", "resource", "node"})
_LINKS = frozenset({"_links", "links"})
# An object whose keys are data, such as codes of currencies, has many keys, of which each record has few.
_MANY_KEYS = 10
_POSITIONS = ("longitude", "latitude", "elevation")


@dataclass(frozen=True)
class SampledColumn:
    """A proposed column.

    Args:
        name: its name.
        path: the keys and indexes from the record to its value.
        values: its value in each record of the sample; null where a record lacks it.
    """

    name: str
    path: Path
    values: list[Any]

    @property
    def expression(self) -> str:
        """The JMESPath expression that selects its value in a record."""
        return expression_of(self.path)


@dataclass(frozen=True)
class Columns:
    """The columns of a sample of records.

    Args:
        columns: the columns, at most as many as the setting allows.
        kept_whole: the places of objects that stay JSON, because their keys differ from record to record.
        left_out: the places of objects with links only, which are no columns.
        cut: whether there are more columns.
        too_long: how many places have expressions longer than a document may contain; they are no columns.
    """

    columns: list[SampledColumn]
    kept_whole: list[str]
    left_out: list[str]
    cut: bool
    too_long: int = 0


def find_columns(records: list[Any], names: list[str] | None, most: int) -> Columns:
    """Find the columns of records that are objects, or lists with named positions.

    Args:
        records: a sample of the records.
        names: the names of positions; see `Choice.names`.
        most: the most columns.
    """
    tree = _Tree()
    leaves: list[tuple[Path, list[Any]]] = []
    objects = [record if isinstance(record, dict) else None for record in records]
    cut, too_long = False, 0
    for leaf in _named_leaves(tree, records, names) if names is not None else tree.leaves((), objects, 0):
        if len(expression_of(leaf[0])) > MAX_LENGTH:
            too_long += 1
        elif len(leaves) == most:
            cut = True
            break
        else:
            leaves.append(leaf)
    return Columns(_named(leaves, names), tree.kept_whole, tree.left_out, cut, too_long)


def _named_leaves(tree: _Tree, records: list[Any], names: list[str]) -> Iterator[tuple[Path, list[Any]]]:
    for index, name in enumerate(names):
        values = [record[index] if isinstance(record, list) and index < len(record) else None for record in records]
        if name:
            yield (index,), values
        else:
            yield from tree.leaves((index,), values, 0)


class _Tree:
    """Descends into the objects of records."""

    def __init__(self) -> None:
        self.kept_whole: list[str] = []
        self.left_out: list[str] = []

    def leaves(self, path: Path, values: list[Any], depth: int) -> Iterator[tuple[Path, list[Any]]]:
        """The paths below a path that become columns, and their values."""
        objects = [value for value in values if isinstance(value, dict)]
        if not any(objects) or depth > _DEPTH or any(not isinstance(value, dict | None) for value in values):
            yield path, values
        elif depth and _is_point(objects):
            yield from _coordinates(path, values, objects)
        elif depth and _keys_are_data(objects):
            self.kept_whole.append(expression_of(path))
            yield path, values
        else:
            for key in dict.fromkeys(key for item in objects for key in item):
                below = [value.get(key) if isinstance(value, dict) else None for value in values]
                if _is_link(key, below):
                    self.left_out.append(expression_of((*path, key)))
                else:
                    yield from self.leaves((*path, key), below, depth + 1)


def _is_point(objects: list[dict[str, Any]]) -> bool:
    """Whether these are points of GeoJSON."""
    return all(
        item.get("type") == "Point" and isinstance(item.get("coordinates"), list) and len(item["coordinates"]) > 1
        for item in objects
    )


def _coordinates(path: Path, values: list[Any], objects: list[dict[str, Any]]) -> Iterator[tuple[Path, list[Any]]]:
    width = min(len(_POSITIONS), max(len(item["coordinates"]) for item in objects))
    for index in range(width):
        points = [value["coordinates"] if isinstance(value, dict) else [] for value in values]
        yield (*path, "coordinates", index), [point[index] if index < len(point) else None for point in points]


def _keys_are_data(objects: list[dict[str, Any]]) -> bool:
    keys = {key for item in objects for key in item}
    filled = [item for item in objects if item]
    return len(keys) > _MANY_KEYS and len(keys) * len(filled) > 3 * sum(map(len, filled))


def _is_link(key: str, values: list[Any]) -> bool:
    """Whether a key is metadata of HAL, JSON:API or OData and no data."""
    if key.startswith(("@odata.", "odata.")):
        return True
    return key in _LINKS and all(isinstance(value, dict | None) for value in values)


def _named(leaves: list[tuple[Path, list[Any]]], names: list[str] | None) -> list[SampledColumn]:
    """Give each column a name that no other has, whatever the case of letters."""
    taken: set[str] = set()
    columns = []
    # Short names are given first to columns that need them, so that a wrapper does not take the name of a plain key.
    plain = {_join(path) for path, _ in leaves if len(path) == 1}
    for path, values in leaves:
        name = _free_name(_candidates(path, names, plain), taken)
        taken.add(name.lower())
        columns.append(SampledColumn(name, path, values))
    return columns


def _candidates(path: Path, names: list[str] | None, plain: set[str]) -> list[str]:
    if names is not None and isinstance(path[0], int):
        if names[path[0]]:
            return [_clean(names[path[0]])]
        path = path[1:] or ("value",)
    if len(path) > 1 and path[-2] == "coordinates" and isinstance(path[-1], int):
        return [_POSITIONS[path[-1]], _clean(_join((*path[:-2], _POSITIONS[path[-1]])))]
    full = _clean(_join(path))
    short = _clean(_join(path[1:])) if len(path) > 1 and path[0] in _WRAPPERS else full
    return [full] if short in plain else [short, full]


def _free_name(candidates: list[str], taken: set[str]) -> str:
    for name in candidates:
        if name.lower() not in taken:
            return name
    number = 2
    while f"{candidates[-1][: _LONGEST_NAME - 6]}_{number}".lower() in taken:
        number += 1
    return f"{candidates[-1][: _LONGEST_NAME - 6]}_{number}"


def _join(path: Path) -> str:
    return "_".join(map(str, path))


def _clean(name: str) -> str:
    """A column's name: without control characters, not too long, and not one of Sluice's own."""
    name = re.sub(r"[\x00-\x1f]+", "_", name)
    while len(name.encode()) > _LONGEST_NAME:
        name = name[:-1]
    if is_reserved(name):
        name = name.strip("_")
        name = f"{name}_" if is_reserved(name) else name
    return name or "column"
