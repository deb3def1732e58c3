"""Notes of a merge about its inputs: each part of a merge counts its own, and `merge_notes` adds them up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from sluice.domain.base import Record
from sluice.domain.counts import counted


class OverrideNote(Record):
    """The overrides of one field that were not applied.

    Args:
        column: the field, by its name before the result is reshaped.
        refused: messages about overrides that cannot be applied to any record.
        unmet: the keys that no record has.
    """

    column: str = ""
    refused: list[str] = Field(default_factory=list)
    unmet: list[list[str]] = Field(default_factory=list)


class LostDigits(Record):
    """Rows in which an expression converts numbers to a double that has fewer digits.

    Args:
        expression: the place of the expression in the project's document.
        columns: the columns with such numbers.
        rows: the number of rows with such numbers.
    """

    expression: str
    columns: list[str]
    rows: int

    @property
    def text(self) -> str:
        """The note as a sentence for users."""
        count = counted(self.rows, "row has", "rows have")
        return (
            f"{self.expression}: the result is a double, and {count} more digits in "
            f"{', '.join(self.columns)} than a double has; cast it to a decimal, or to DOUBLE if that does not matter"
        )


class Notes(Record):
    """What a merge left out or changed.

    Args:
        lost: expressions that lose digits.
        texts: messages about numbers that became text; the same in each part.
        datasources: the slugs of the inputs, best ranked first.
        repeated: the number of rows whose key a later row has again, by datasource.
        keyless: the number of rows with a null in the key, by datasource.
        overrides: one note for each field with overrides, in their order.
    """

    lost: list[LostDigits] = Field(default_factory=list)
    texts: list[str] = Field(default_factory=list)
    datasources: list[str] = Field(default_factory=list)
    repeated: dict[str, int] = Field(default_factory=dict)
    keyless: dict[str, int] = Field(default_factory=dict)
    overrides: list[OverrideNote] = Field(default_factory=list)

    def warnings(self) -> list[str]:
        """The notes as sentences for users."""
        texts = [*(lost.text for lost in self.lost), *self.texts]
        for slug in self.datasources:
            if repeated := self.repeated.get(slug):
                count = counted(repeated, "row has", "rows have")
                texts.append(f"{slug}: {count} a key that a later row has again; the last row is used")
            if keyless := self.keyless.get(slug):
                count = counted(
                    keyless, "row lacks a value in the key and was", "rows lack a value in the key and were"
                )
                texts.append(f"{slug}: {count} left out")
        for note in self.overrides:
            texts += note.refused
            texts += [f"the override of {note.column!r} for {', '.join(key)} matches no record" for key in note.unmet]
        return texts


def merge_notes(notes: Sequence[Notes]) -> Notes:
    """Return the notes of a merge, from those of its parts.

    Each part was given all overrides but has only some records, so an override is unmet if it is unmet in all.
    """
    first = notes[0]
    unmet = []
    for place, override in enumerate(first.overrides):
        unmet_everywhere = set.intersection(*({tuple(key) for key in part.overrides[place].unmet} for part in notes))
        unmet.append([key for key in override.unmet if tuple(key) in unmet_everywhere])
    return Notes(
        lost=merge_lost_digits(lost for part in notes for lost in part.lost),
        texts=first.texts,
        datasources=first.datasources,
        repeated=_sums([part.repeated for part in notes]),
        keyless=_sums([part.keyless for part in notes]),
        overrides=[note.model_copy(update={"unmet": keys}) for note, keys in zip(first.overrides, unmet, strict=True)],
    )


def _sums(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    names = dict.fromkeys(name for count in counts for name in count)
    return {name: sum(count.get(name, 0) for count in counts) for name in names}


def merge_lost_digits(lost: Iterable[LostDigits]) -> list[LostDigits]:
    """Add up the rows of notes about the same expression."""
    by_expression: dict[str, LostDigits] = {}
    for note in lost:
        known = by_expression.get(note.expression)
        by_expression[note.expression] = (
            note if known is None else note.model_copy(update={"rows": note.rows + known.rows})
        )
    return list(by_expression.values())
