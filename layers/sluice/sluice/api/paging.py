"""Pages of lists that are short enough to be read whole."""

from __future__ import annotations

from typing import Any

from sluice.api.call import Answer, Call
from sluice.container import Container


def paged(call: Call, services: Container, bound: Any, items: list[Any]) -> Answer:
    """The page of a list that `limit` and `cursor` ask for.

    Args:
        bound: what the list is of; its cursors fit no other.
    """
    start = services.cursors.open(bound, call.one("cursor")) or 0
    end = start + call.limit()
    cursor = services.cursors.seal(bound, end) if end < len(items) else None
    return Answer({"items": items[start:end], "next": cursor})
