"""The differences between two versions of a document.

Objects in a list are matched by a key, such as the name of a node, where there is one; so a node that was added at the
beginning is one difference, although all others have another index.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from sluice.domain.base import json_pointer
from sluice.domain.json_text import canonical

Change = dict[str, Any]
# Fields that identify the objects of a list, if the kind of the input names no others.
_KEYS = (("id",), ("name",), ("slug",), ("code",), ("key",))
_SCALARS = (str, int, float, bool, type(None))


def differences(old: Any, new: Any, keys: Mapping[str, tuple[str, ...]], most: int) -> tuple[list[Change], bool]:
    """What changed between two documents, in the order of the new one.

    Args:
        old: the older document, as parsed JSON.
        new: the newer document.
        keys: the fields by which the objects of a list are identified, by the name of the list.
        most: the most changes.

    Returns:
        The changes, and whether there are more. Each has `change`, `pointer`, `old_pointer`, `label`, `old` and `new`:

        - `changed`: the value at `old_pointer` of the old document is another one at `pointer` of the new one.
        - `added`, `removed`: there is only the one at `pointer`, or only that at `old_pointer`.
        - `moved`: an element of a list has another place among those that stay.
        - `reordered`: the keys of an object, `old`, are in another order, `new`.
    """
    changes = list(islice(_Comparison(keys).values("", (), (), (), old, new), most + 1))
    return changes[:most], len(changes) > most


class _Comparison:
    """The comparison of two documents.

    Args:
        keys: the fields by which the objects of a list are identified, by the name of the list.
    """

    def __init__(self, keys: Mapping[str, tuple[str, ...]]) -> None:
        self._keys = keys

    def values(self, name: str, at: Any, was: Any, label: Any, old: Any, new: Any) -> Iterator[Change]:
        """The changes of a value.

        Args:
            name: the key that it has in its object; for an element of a list, that of the list.
            at: its path in the new document.
            was: its path in the old document.
            label: its path with keys in place of indexes.
            old, new: the value.
        """
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self._objects(at, was, label, old, new)
        elif isinstance(old, list) and isinstance(new, list):
            yield from self._lists(name, at, was, label, old, new)
        elif canonical(old) != canonical(new):
            yield _change("changed", at, was, label, old, new)

    def _objects(self, at: Any, was: Any, label: Any, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
        stay = [key for key in old if key in new]
        for key, value in old.items():
            if key not in new:
                yield _change("removed", None, (*was, key), (*label, key), value, None)
        if [*stay, *(key for key in new if key not in old)] != list(new):
            yield _change("reordered", at, was, label, list(old), list(new))
        for key, value in new.items():
            path, shown = (*at, key), (*label, key)
            if key in old:
                yield from self.values(key, path, (*was, key), shown, old[key], value)
            else:
                yield _change("added", path, None, shown, None, value)

    def _lists(self, name: str, at: Any, was: Any, label: Any, old: list[Any], new: list[Any]) -> Iterator[Change]:
        old_keys, new_keys = self._identities(name, old, new)
        places = {key: index for index, key in enumerate(old_keys)}
        present = set(new_keys)
        for index, key in enumerate(old_keys):
            if key not in present:
                yield _change("removed", None, (*was, index), (*label, key.strip('"')), old[index], None)
        moved = _moved([places[key] for key in new_keys if key in places])
        for index, key in enumerate(new_keys):
            path, shown = (*at, index), (*label, key.strip('"'))
            if key not in places:
                yield _change("added", path, None, shown, None, new[index])
                continue
            before = (*was, places[key])
            if places[key] in moved:
                yield _change("moved", path, before, shown, None, None)
            yield from self.values(name, path, before, shown, old[places[key]], new[index])

    def _identities(self, name: str, old: list[Any], new: list[Any]) -> tuple[list[str], list[str]]:
        """What identifies each element of two lists: unique keys that both have, else the indexes."""
        if all(type(value) in _SCALARS for value in (*old, *new)):
            keys = [canonical(value).decode() for value in old], [canonical(value).decode() for value in new]
            if _are_unique(*keys):
                return keys
        elif all(isinstance(value, dict) for value in (*old, *new)):
            for fields in filter(None, (self._keys.get(name), *_KEYS)):
                keys = _keys_by(fields, old), _keys_by(fields, new)
                if _are_unique(*keys):
                    return keys
        return [str(index) for index in range(len(old))], [str(index) for index in range(len(new))]


def _keys_by(fields: tuple[str, ...], values: list[Any]) -> list[str]:
    """The key that some fields are of each object; equal keys if a field is missing or no scalar."""
    parts = [[value.get(field) for field in fields] for value in values]
    if any(type(part) not in (str, int) for key in parts for part in key):
        return ["", ""]
    return ["–".join(map(str, key)) for key in parts]


def _are_unique(*lists: list[str]) -> bool:
    return all(len(set(keys)) == len(keys) for keys in lists)


def _moved(places: list[int]) -> set[int]:
    """The fewest of some places that are out of order: those not in a longest increasing sequence."""
    ends: list[int] = []
    lengths: list[int] = []
    for place in places:
        length = bisect_left(ends, place)
        ends[length : length + 1] = [place]
        lengths.append(length)
    kept, wanted = set[int](), len(ends) - 1
    for place, length in zip(reversed(places), reversed(lengths), strict=True):
        if length == wanted:
            kept.add(place)
            wanted -= 1
    return set(places) - kept


def _change(change: str, at: Any, was: Any, label: Any, old: Any, new: Any) -> Change:
    return {
        "change": change,
        "pointer": json_pointer(at) if at is not None else None,
        "old_pointer": json_pointer(was) if was is not None else None,
        "label": json_pointer(label),
        "old": old,
        "new": new,
    }
