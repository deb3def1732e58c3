"""The inputs of a merge and the columns of its result, determined before any SQL is written."""

from __future__ import annotations

from dataclasses import dataclass, field

from sluice.domain.dataset import DataObject, InputVersion, Manifest
from sluice.domain.merge import JoinMerge, RowsMerge
from sluice.domain.schema import Column, column_type, is_decimal
from sluice.errors import MergeFailed
from sluice.lake.parquet import LocalFile, placed_rows
from sluice.merge.faults import unfit
from sluice.merge.field_types import merged_type


@dataclass(frozen=True)
class Source:
    """One version that a merge reads. Every list of sources has the best ranked first.

    Args:
        input: the version, as the manifest of the merge records it.
        columns: the columns after renaming and casting, by name.
        files: local copies of `objects`; empty until they are downloaded.
        position: the columns that order the records of one key: `_page` and `_row`, and `_run` before them if
            the version has records of several runs.
        manifest: the version's manifest; None for a worker of a merge in parts.
        objects: the version's Parquet objects in the lake.
        first: the number of the first row of `files` within the version, if `files` are only some of it.
        prepared: the SQL of the reshaped rows; empty if the rows are read as stored.
        stored_names: the stored name of each renamed column; None for a computed column.
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
        """`["_missing"]` if some record lacks a field, else an empty list."""
        return ["_missing"] if any(column.missing for column in self.columns.values()) else []

    @property
    def carried(self) -> list[str]:
        """The columns that every record has besides its fields."""
        return [*self.position, *self.missing, "__sluice_at"]

    @property
    def rows(self) -> str:
        """The SQL of the source's rows; `__sluice_at` is the number of the row in the version."""
        return self.prepared or placed_rows(
            self.files, list(self.columns.values()), [*self.position, *self.missing], self.first
        )

    @property
    def latest_first(self) -> str:
        """The ORDER BY terms that put the latest row of a key first: the latest row is used."""
        return ", ".join(f"{name} DESC" for name in self.position)

    def stored_name(self, name: str) -> str | None:
        """Return the name of a column in the version; None if the column is computed."""
        return self.stored_names.get(name, name)


def merged_columns(spec: RowsMerge, sources: list[Source]) -> list[Column]:
    """Return the columns of the merged dataset: the key first, then the others in the order of the sources.

    Args:
        spec: the merge.
        sources: the inputs that have columns.

    Raises:
        MergeFailed: a source lacks a column of the key, a rule names a column that no source has, or the types
            or spellings of two sources do not go together.
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
    columns = [_merged_column(spec, name, sources) for name in names]
    if not isinstance(spec, JoinMerge):
        columns.insert(0, Column(name="_source", type="string", nullable=False))
    return columns


def _merged_column(spec: RowsMerge, name: str, sources: list[Source]) -> Column:
    columns = [source.columns[name] for source in sources if name in source.columns]
    nullable = name not in (spec.key or [])
    # The type of a column that has only nulls is a guess; it counts only if no source knows better.
    guessed = all(column.guessed for column in columns)
    rule = spec.rule_of(name) if isinstance(spec, JoinMerge) and nullable else None
    type_ = merged_type(rule, columns) if rule is not None else column_type(columns)
    wide = type_ == "bigint" and any(column.wide for column in columns)
    return Column(name=name, type=type_, nullable=nullable, guessed=guessed, wide=wide)


def _check_key(key: list[str], sources: list[Source]) -> None:
    for name in key:
        for source in sources:
            if name not in source.columns:
                known = ", ".join(source.columns)
                raise unfit(
                    ("merge", "key"),
                    f"The datasource {source.input.datasource!r} has no column {name!r}, which is part of the key; "
                    f"it has {known}. Name it with `merge.sources.{source.input.datasource}.rename`, "
                    "or with `fields` in the datasource.",
                )
        _check_key_type(name, sources)


def _check_key_type(name: str, sources: list[Source]) -> None:
    """Refuse a key that is exact in one source and a double in another.

    A double has 53 bits: two large whole numbers can become equal, and their records would be merged into one.
    """
    types = {source.columns[name].type for source in sources if not source.columns[name].guessed}
    exact = sorted(type_ for type_ in types if type_ == "bigint" or is_decimal(type_))
    if exact and "double" in types:
        raise MergeFailed(
            f"The key {name!r} is {exact[0]} in some datasources and double in others; "
            "give them one type with `types`, such as bigint or string."
        )


def _check_spelling(sources: list[Source]) -> None:
    """Refuse columns that differ in case only: names are case-insensitive in DuckDB and Athena."""
    spelled: dict[str, tuple[str, str]] = {}
    for source in sources:
        for name in source.columns:
            first_name, first_source = spelled.setdefault(name.lower(), (name, source.input.datasource))
            if first_name != name:
                raise MergeFailed(
                    f"{first_source!r} has the column {first_name!r} and {source.input.datasource!r} has {name!r}; "
                    "use the same spelling, with `fields` in one of the datasources."
                )


def _check_rules(spec: JoinMerge, names: set[str]) -> None:
    for name, rule in spec.fields.items():
        if name not in names:
            raise unfit(
                ("merge", "fields", name), f"merge.fields names {name!r}, which no datasource of the project has."
            )
        if rule.by is not None and rule.by not in names:
            raise unfit(
                ("merge", "fields", name, "by"),
                f"The rule of {name!r} decides by {rule.by!r}, which no datasource of the project has.",
            )
