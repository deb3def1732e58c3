"""What a merge has to say about its inputs: counted in each part of it, told of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from sluice.domain.base import Record


class OverrideNote(Record):
    """What became of the overrides of one field.

    Args:
        column: the field, by its name in the merge.
        refused: what could not be applied, whatever the rows are.
        unmet: the keys of which there is no record.
    """

    column: str = ""
    refused: list[str] = Field(default_factory=list)
    unmet: list[list[str]] = Field(default_factory=list)


class LostDigits(Record):
    """Rows in which an expression makes a double of numbers that have more digits.

    Args:
        expression: where it stands in the project.
        columns: those with such numbers.
    """

    expression: str
    columns: list[str]
    rows: int

    @property
    def text(self) -> str:
        """The same as a sentence."""
        return (
            f"{self.expression}: the result is a double, and {self.rows} rows have more digits in "
            f"{', '.join(self.columns)} than a double has; cast it to a decimal, or to DOUBLE if that does not matter"
        )


class Notes(Record):
    """What a merge has left out, or changed.

    Args:
        lost: the digits that expressions lose.
        texts: of numbers that became text; the same in each part.
        datasources: those that take part, best ranked first.
        repeated: how many rows have a key that comes again, by datasource.
        keyless: how many rows lack a value in the key.
        overrides: by field, in the order of the overrides.
    """

    lost: list[LostDigits] = Field(default_factory=list)
    texts: list[str] = Field(default_factory=list)
    datasources: list[str] = Field(default_factory=list)
    repeated: dict[str, int] = Field(default_factory=dict)
    keyless: dict[str, int] = Field(default_factory=dict)
    overrides: list[OverrideNote] = Field(default_factory=list)

    def warnings(self) -> list[str]:
        """The same as sentences."""
        told = [*(one.text for one in self.lost), *self.texts]
        for slug in self.datasources:
            if repeated := self.repeated.get(slug):
                told.append(f"{slug}: {repeated} rows have a key that comes again later; the last of each is used")
            if keyless := self.keyless.get(slug):
                told.append(f"{slug}: {keyless} rows lack a value in the key and were left out")
        for note in self.overrides:
            told += note.refused
            told += [f"the override of {note.column!r} for {', '.join(key)} meets no record" for key in note.unmet]
        return told


def together(notes: Sequence[Notes]) -> Notes:
    """The notes of a merge by those of its parts, each of which had all overrides and other records."""
    first = notes[0]
    unmet = []
    for place, override in enumerate(first.overrides):
        everywhere = set.intersection(*({tuple(key) for key in one.overrides[place].unmet} for one in notes))
        unmet.append([key for key in override.unmet if tuple(key) in everywhere])
    return Notes(
        lost=lost_together(one for note in notes for one in note.lost),
        texts=first.texts,
        datasources=first.datasources,
        repeated=_added([one.repeated for one in notes]),
        keyless=_added([one.keyless for one in notes]),
        overrides=[one.model_copy(update={"unmet": keys}) for one, keys in zip(first.overrides, unmet, strict=True)],
    )


def _added(counts: Sequence[dict[str, int]]) -> dict[str, int]:
    names = dict.fromkeys(name for one in counts for name in one)
    return {name: sum(one.get(name, 0) for one in counts) for name in names}


def lost_together(lost: Iterable[LostDigits]) -> list[LostDigits]:
    """The digits that each expression loses in all parts."""
    found: dict[str, LostDigits] = {}
    for one in lost:
        before = found.get(one.expression)
        found[one.expression] = one if before is None else one.model_copy(update={"rows": one.rows + before.rows})
    return list(found.values())
