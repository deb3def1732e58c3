"""The differences between two JSON documents."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from sluice.domain.base import json_pointer

_ABSENT = object()


def differences(first: Any, second: Any, most: int) -> Iterator[dict[str, Any]]:
    """What differs between two documents, in the order of the first one.

    Members are matched by name, elements by index.

    Args:
        most: the most differences.

    Yields:
        `{"pointer", "a", "b"}`: a JSON Pointer and both values; a value that is absent in one document has no key.
    """
    yield from islice(_walk(first, second, ()), most)


def _walk(first: Any, second: Any, path: tuple[str | int, ...]) -> Iterator[dict[str, Any]]:
    if isinstance(first, dict) and isinstance(second, dict):
        for name in [*first, *(name for name in second if name not in first)]:
            yield from _walk(first.get(name, _ABSENT), second.get(name, _ABSENT), (*path, name))
    elif isinstance(first, list) and isinstance(second, list):
        for index in range(max(len(first), len(second))):
            one, other = (items[index] if index < len(items) else _ABSENT for items in (first, second))
            yield from _walk(one, other, (*path, index))
    elif type(first) is not type(second) or first != second:
        values = {"a": first, "b": second}
        shown = {name: value for name, value in values.items() if value is not _ABSENT}
        yield {"pointer": json_pointer(path), **shown}
