"""Paging of lists that are short enough to be read whole."""

from __future__ import annotations

from typing import Any

from sluice.api.call import Answer, Call
from sluice.container import Container


def paginate(call: Call, services: Container, bound: Any, items: list[Any]) -> Answer:
    """The page of a list that the query parameters `limit` and `cursor` select.

    Args:
        bound: identifies the list; a cursor of another list is refused.
        items: the whole list, in its order.

    Raises:
        Invalid: the cursor or the limit is not valid.
    """
    start = services.cursors.open(bound, call.query_value("cursor")) or 0
    end = start + call.limit()
    cursor = services.cursors.seal(bound, end) if end < len(items) else None
    return Answer({"items": items[start:end], "next": cursor})
