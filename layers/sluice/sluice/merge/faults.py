"""Errors about a part of a merge's specification."""

from __future__ import annotations

from sluice.domain.base import json_pointer
from sluice.errors import MergeFailed

# The list of a wide table's columns is long, and the error of a run is stored in its item.
_MOST_CHARACTERS = 500


def unfit(place: tuple[str, ...], detail: str) -> MergeFailed:
    """Return the error about a part that does not fit the data.

    Args:
        place: the part, from the project's document on, such as `("merge", "fields", "price")`.
        detail: for the user: what is wrong and what to do.
    """
    message = detail if len(detail) <= _MOST_CHARACTERS else detail[:_MOST_CHARACTERS] + "…"
    return MergeFailed(detail, [{"pointer": json_pointer(place), "message": message}])
