"""The step of reading between having seen all records and converting them: what their columns are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sluice.domain.schema import Column
from sluice.extract.by_record.flatten import Columns
from sluice.extract.by_record.typing import ColumnTypes


@dataclass(frozen=True)
class Seen:
    """What was seen of some pages.

    Args:
        notes: what was guessed about the pages and might be wrong.
        repeated: the keys that objects have more than once, and how often.
    """

    types: ColumnTypes
    spelled: Columns
    notes: list[str] = field(default_factory=list)
    repeated: Counter[str] = field(default_factory=Counter)

    def warnings(self, types: ColumnTypes) -> list[str]:
        """What the run has to say about the pages.

        Args:
            types: what was told while their records were converted.
        """
        repeated = [
            f"{key}: {count} values were left out, since their objects have the key again; the last value is used"
            for key, count in self.repeated.items()
        ]
        return [*self.notes, *repeated, *types.warnings()]


# Decides on the types and the columns by which the records are converted.
Settle = Callable[[Seen], tuple[ColumnTypes, list[Column]]]


def _alone(seen: Seen) -> tuple[ColumnTypes, list[Column]]:
    return seen.types, seen.types.columns(seen.spelled)


@dataclass(frozen=True)
class Among:
    """What is known of a run's other pages, where some of them are read.

    Args:
        reconcile: decides on the columns; by itself, what the pages have are the columns.
        types: those of the run's columns by their names in lower case, where they are known.
        before: how many records the run has in front of these.
    """

    reconcile: Settle = _alone
    types: Mapping[str, str] = field(default_factory=dict)
    before: int = 0


ALONE = Among()
