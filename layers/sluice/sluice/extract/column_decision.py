"""The step between reading all records and converting them: deciding on their columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sluice.domain.schema import Column
from sluice.extract.by_record.flatten import ColumnNames
from sluice.extract.by_record.typing import ColumnTypes


@dataclass(frozen=True)
class Observations:
    """What was observed in some pages.

    Args:
        types: the observed values.
        column_names: the observed keys.
        notes: warnings about what was guessed.
        repeated: duplicate keys in objects, and how often each was replaced.
    """

    types: ColumnTypes
    column_names: ColumnNames
    notes: list[str] = field(default_factory=list)
    repeated: Counter[str] = field(default_factory=Counter)

    def warnings(self, types: ColumnTypes) -> list[str]:
        """The warnings of a run about its pages.

        Args:
            types: the types with the problems found while converting the records.
        """
        repeated = [
            f"{key}: {count} values were ignored because their objects have the key again; the last value counts"
            for key, count in self.repeated.items()
        ]
        return [*self.notes, *repeated, *types.warnings()]


# From the observations to the types and columns for the conversion.
DecideColumns = Callable[[Observations], tuple[ColumnTypes, list[Column]]]


def _own_columns(observed: Observations) -> tuple[ColumnTypes, list[Column]]:
    return observed.types, observed.types.columns(observed.column_names)


@dataclass(frozen=True)
class ReadingContext:
    """What is known of a run's other pages when only some are read.

    Args:
        decide_columns: decides on the columns; by default they are those that the pages themselves have.
        types: the types of the run's columns by name in lower case, if they are known.
        before: how many records of the run precede these.
    """

    decide_columns: DecideColumns = _own_columns
    types: Mapping[str, str] = field(default_factory=dict)
    before: int = 0


WHOLE_RUN = ReadingContext()
