"""What a merge reads and the columns it makes: decided before any SQL is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sluice.domain.dataset import InputVersion
from sluice.domain.project import JoinMerge, UnionMerge
from sluice.domain.schema import Column
from sluice.errors import MergeFailed

_NUMBERS = {"bigint": 0, "double": 1}


@dataclass(frozen=True)
class Source:
    """One version that takes part, best ranked first in every list of them."""

    input: InputVersion
    columns: dict[str, Column]
    files: list[Path]

    @property
    def label(self) -> str:
        """The source's name in the merge's SQL."""
        return f"s_{self.input.alias}"


def common_type(types: list[str]) -> str:
    """The type that holds the values of all these types: text where nothing narrower does."""
    distinct = set(types)
    if len(distinct) == 1:
        return types[0]
    if distinct <= set(_NUMBERS):
        return "double"
    if distinct <= {"date", "timestamp"}:
        return "timestamp"
    return "string"


def merged_columns(spec: JoinMerge | UnionMerge, sources: list[Source]) -> list[Column]:
    """The columns of the merged dataset: the key first, then each in the order of the sources.

    Raises:
        MergeFailed: a source lacks a column of the key, or a rule names a column of none.
    """
    key = spec.key or []
    for name in key:
        for source in sources:
            if name not in source.columns:
                known = ", ".join(source.columns)
                raise MergeFailed(
                    f"The datasource {source.input.datasource!r} has no column {name!r}, which is part of the key; "
                    f"it has {known}. Name it with `fields` in the datasource."
                )
    names = [*key, *dict.fromkeys(name for source in sources for name in source.columns if name not in key)]
    if isinstance(spec, JoinMerge):
        _check_rules(spec, set(names))
    columns = [_merged(name, sources, nullable=name not in key) for name in names]
    if isinstance(spec, UnionMerge):
        columns.insert(0, Column(name="_source", type="string", nullable=False))
    return columns


def _merged(name: str, sources: list[Source], *, nullable: bool) -> Column:
    types = [source.columns[name].type for source in sources if name in source.columns]
    return Column(name=name, type=common_type(types), nullable=nullable)


def _check_rules(spec: JoinMerge, names: set[str]) -> None:
    for name, rule in spec.fields.items():
        if name not in names:
            raise MergeFailed(f"merge.fields names {name!r}, which no datasource of the project has.")
        if rule.by is not None and rule.by not in names:
            raise MergeFailed(f"The rule of {name!r} decides by {rule.by!r}, which no datasource of the project has.")
