"""What a merge reads and the columns it makes: decided before the join's SQL is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from sluice.domain.dataset import DataObject, InputVersion, Manifest
from sluice.domain.merge import JoinMerge, RowsMerge
from sluice.domain.schema import Column, column_type, is_decimal
from sluice.errors import MergeFailed
from sluice.lake.parquet import LocalFile, placed_rows
from sluice.merge.field_types import merged_type


@dataclass(frozen=True)
class Source:
    """One version that takes part, best ranked first in every list of them.

    Args:
        columns: as the merge sees them.
        position: the columns that order the records of one key.
        objects: what the files are copies of; there are no files where nobody has asked for them.
        first: the place of the files' first row in the version, where they are not all of it.
        prepared: the SQL of its rows where they were reshaped; empty: as they are stored.
        stored_names: the names that renamed columns have in the version; none of a computed one.
    """

    input: InputVersion
    columns: dict[str, Column]
    files: list[LocalFile]
    position: list[str]
    manifest: Manifest | None = None
    objects: list[DataObject] = field(default_factory=list)
    first: int = 0
    prepared: str = ""
    stored_names: dict[str, str | None] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """The source's name in the merge's SQL."""
        return f"s_{self.input.alias}"

    @property
    def missing(self) -> list[str]:
        """The column that says what a record lacks, where some lack anything."""
        return ["_missing"] if any(column.missing for column in self.columns.values()) else []

    @property
    def carried(self) -> list[str]:
        """The columns that every record has besides its own."""
        return [*self.position, *self.missing, "__sluice_at"]

    @property
    def rows(self) -> str:
        """The SQL of the source's rows, each with its place `__sluice_at` in the version."""
        return self.prepared or placed_rows(
            self.files, list(self.columns.values()), [*self.position, *self.missing], self.first
        )

    @property
    def latest_first(self) -> str:
        """The SQL that orders the rows of one key, the one that counts first."""
        return ", ".join(f"{name} DESC" for name in self.position)

    def stored_name(self, name: str) -> str | None:
        """The name that a column has in the version; none if it was computed."""
        return self.stored_names.get(name, name)


def merged_columns(spec: RowsMerge, sources: list[Source]) -> list[Column]:
    """The columns that the sources make: the key first, then each in the order of the sources.

    Raises:
        MergeFailed: a source lacks a column of the key, or a rule names a column of none.
    """
    key = spec.key or []
    _check_key(key, sources)
    _check_spelling(sources)
    names = [*key, *dict.fromkeys(name for source in sources for name in source.columns if name not in key)]
    if isinstance(spec, JoinMerge) and sources:
        _check_rules(spec, set(names))
    if not sources:
        names = key or ["_source"]
        return [Column(name=name, type="string", nullable=False, guessed=True) for name in names]
    columns = [_merged(spec, name, sources) for name in names]
    if not isinstance(spec, JoinMerge):
        columns.insert(0, Column(name="_source", type="string", nullable=False))
    return columns


def _merged(spec: RowsMerge, name: str, sources: list[Source]) -> Column:
    found = [source.columns[name] for source in sources if name in source.columns]
    nullable = name not in (spec.key or [])
    guessed = all(column.guessed for column in found)
    rule = spec.rule_of(name) if isinstance(spec, JoinMerge) and nullable else None
    kind = merged_type(rule, found) if rule is not None else column_type(found)
    wide = kind == "bigint" and any(column.wide for column in found)
    return Column(name=name, type=kind, nullable=nullable, guessed=guessed, wide=wide)


def _check_key(key: list[str], sources: list[Source]) -> None:
    for name in key:
        for source in sources:
            if name not in source.columns:
                known = ", ".join(source.columns)
                raise MergeFailed(
                    f"The datasource {source.input.datasource!r} has no column {name!r}, which is part of the key; "
                    f"it has {known}. Name it with `merge.sources.{source.input.datasource}.rename`, "
                    "or with `fields` in the datasource."
                )
        _check_key_type(name, sources)


def _check_key_type(name: str, sources: list[Source]) -> None:
    """A double cannot tell large whole numbers apart: as a key it would make two records one."""
    types = {source.columns[name].type for source in sources if not source.columns[name].guessed}
    exact = sorted(kind for kind in types if kind == "bigint" or is_decimal(kind))
    if exact and "double" in types:
        raise MergeFailed(
            f"The key {name!r} is {exact[0]} in some datasources and double in others; "
            "give them one type with `types`, such as bigint or string."
        )


def _check_spelling(sources: list[Source]) -> None:
    """DuckDB and Athena do not tell `Price` from `price`, so a dataset cannot have both."""
    spelled: dict[str, tuple[str, str]] = {}
    for source in sources:
        for name in source.columns:
            known, where = spelled.setdefault(name.lower(), (name, source.input.datasource))
            if known != name:
                raise MergeFailed(
                    f"{where!r} has the column {known!r} and {source.input.datasource!r} has {name!r}; "
                    "give them one spelling with `fields`."
                )


def _check_rules(spec: JoinMerge, names: set[str]) -> None:
    for name, rule in spec.fields.items():
        if name not in names:
            raise MergeFailed(f"merge.fields names {name!r}, which no datasource of the project has.")
        if rule.by is not None and rule.by not in names:
            raise MergeFailed(f"The rule of {name!r} decides by {rule.by!r}, which no datasource of the project has.")
