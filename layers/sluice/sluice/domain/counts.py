"""Numbers of things in sentences for users."""

from __future__ import annotations


def counted(number: int, singular: str, plural: str) -> str:
    """Return a number and what it counts: `1 row has`, `2 rows have`.

    Args:
        number: how many there are.
        singular: the words after 1.
        plural: the words after any other number.
    """
    return f"{number} {singular if number == 1 else plural}"
