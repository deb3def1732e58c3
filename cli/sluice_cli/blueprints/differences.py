"""The fields in which two documents differ."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from sluice.domain.json_text import same_json

# Stands for the value of a key that a mapping or list lacks.
ABSENT = object()
# The fields that identify an element of a list.
_NAMES = ("name", "slug", "as")


@dataclass(frozen=True)
class FieldChange:
    """A field that an apply changes.

    Args:
        path: the keys and indexes from the document to the field. The index of an element that is removed is that in
            the old list, every other one is that in the new list.
        old: the stored value; ABSENT if there is none.
        new: the blueprint's value; ABSENT if there is none.
    """

    path: tuple[str | int, ...]
    old: Any
    new: Any


def differences(old: Any, new: Any, path: tuple[str | int, ...] = ()) -> Iterator[FieldChange]:
    """The fields in which two JSON values differ.

    Elements of lists are compared with those of the same name, or else of the same value: an element that is removed
    is one change, and not one of each element after it.

    Args:
        old: a value; ABSENT if there is none.
        new: a value; ABSENT if there is none.
        path: where the values are.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from differences(old.get(key, ABSENT), new.get(key, ABSENT), (*path, key))
    elif isinstance(old, list) and isinstance(new, list):
        for before, after in _pairs(old, new):
            index = after if after is not None else before
            assert index is not None
            values = (ABSENT if before is None else old[before], ABSENT if after is None else new[after])
            yield from differences(*values, (*path, index))
    elif old is ABSENT or new is ABSENT or not same_json(old, new):
        yield FieldChange(path, old, new)


def _pairs(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[int | None, int | None]]:
    """The indexes of the elements to compare with each other; null for an element that has no counterpart."""
    matcher = SequenceMatcher(None, [_identity(item) for item in old], [_identity(item) for item in new], False)
    for tag, old_start, old_end, new_start, new_end in matcher.get_opcodes():
        removed, added = range(old_start, old_end), range(new_start, new_end)
        named = tag == "replace" and any(
            _name(item) is not None for item in (*old[old_start:old_end], *new[new_start:new_end])
        )
        if named:  # their names differ, so none of them is another one's new state
            yield from ((index, None) for index in removed)
            yield from ((None, index) for index in added)
        else:
            yield from zip_longest(removed, added)


def _identity(item: Any) -> str:
    name = _name(item)
    return json.dumps(item, sort_keys=True) if name is None else f"name {name}"


def _name(item: Any) -> str | None:
    """The name of an element; null if it has none."""
    names = (item.get(field) for field in _NAMES) if isinstance(item, dict) else ()
    return next((name for name in names if isinstance(name, str)), None)
