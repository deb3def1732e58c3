"""How much the fields of a page's records may write: root() in each of many records copies the page each time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sluice.domain.evaluation import written_size
from sluice.domain.expression import selects_places

# What a record's fields may write without being counted, in characters: this, or so many times the record.
USUAL_SIZE = 500
USUAL_FACTOR = 50


class FieldGrowth:
    """Counts what the fields of one page's records write beyond what is usual.

    Args:
        expressions: those of the fields, without metadata.
        most: the most characters that all records together may write beyond it.
    """

    def __init__(self, expressions: Collection[str], most: int) -> None:
        # A field that only selects writes at most its record.
        self._is_bounded = len(expressions) <= USUAL_FACTOR and all(map(selects_places, expressions))
        self._most = most
        self._left = most

    def add(self, record: Any, values: Collection[Any]) -> None:
        """Count a record.

        Args:
            record: the record.
            values: what its fields have selected.

        Raises:
            ValueError: the records of the page have written too much.
        """
        if self._is_bounded or _written(values, USUAL_SIZE) <= USUAL_SIZE:
            return
        usual = max(USUAL_SIZE, USUAL_FACTOR * written_size(record))
        self._left -= max(0, _written(values, usual + self._left) - usual)
        if self._left < 0:
            raise ValueError(
                f"the fields of the page's records write more than {self._most:,} characters beyond {USUAL_FACTOR} "
                "times their records (MAX_FIELD_GROWTH); select less of what root(), parent() or parents() return, or "
                "of what fields repeat"
            )


def _written(values: Collection[Any], most: int) -> int:
    """The characters of values as JSON; some number above `most` if there are more."""
    return sum(written_size(value, most) for value in values)
