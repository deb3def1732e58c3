"""How the datasources of a project become one dataset: DatasetIdategies, rules, keys, and what is reshaped."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from sluice.domain.base import Document
from sluice.domain.datasource import ColumnName
from sluice.domain.names import Slug
from sluice.domain.schema import BIGINT_RANGE, ColumnType
from sluice.domain.sql_expression import SqlText

RuleName = Literal[
    "priority",
    "first_non_null",
    "newest",
    "oldest",
    "longest",
    "majority",
    "min",
    "max",
    "sum",
    "mean",
    "count",
    "union",
    "all",
    "constant",
]
Normalizer = Literal["nfkc", "case_fold", "trim"]
Key = Annotated[list[ColumnName], Field(min_length=1)]


class FieldRule(Document):
    """How one field of the merged record is chosen among the datasources."""

    rule: RuleName
    by: ColumnName | None = Field(None, description="The column whose value decides newest and oldest.")
    key: ColumnName | None = Field(None, description="For union of lists of objects: the member that tells them apart.")
    value: str | int | float | bool | None = Field(None, description="The value of constant.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.key is not None and self.rule != "union":
            raise ValueError(f"the rule {self.rule} takes no key")
        if isinstance(self.value, int) and self.value not in BIGINT_RANGE:
            raise ValueError("a constant whole number has at most 64 bits; give a larger one as text")
        if self.value is not None and self.rule != "constant":
            raise ValueError(f"the rule {self.rule} takes no value")
        timed = self.rule in ("newest", "oldest")
        if timed and self.by is None:
            raise ValueError(f"the rule {self.rule} needs by, the column that decides")
        if not timed and self.by is not None:
            raise ValueError(f"the rule {self.rule} takes no by")
        return self


class Reshape(Document):
    """Changes of columns and rows, in this order: rename, cast, compute, where."""

    rename: dict[ColumnName, ColumnName] = Field(default_factory=dict, description="New names by the old ones.")
    cast: dict[ColumnName, ColumnType] = Field(default_factory=dict, description="Types, by the new names.")
    compute: dict[ColumnName, SqlText] = Field(
        default_factory=dict, description="Columns made by SQL expressions over the others; they do not see each other."
    )
    where: SqlText | None = Field(None, description="The SQL condition of the rows that stay.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        new = [name.lower() for name in self.rename.values()]
        if len(set(new)) < len(new):
            raise ValueError("rename gives two columns one name")
        return self

    @property
    def empty(self) -> bool:
        """Whether nothing is changed."""
        return not (self.rename or self.cast or self.compute or self.where)


class _RowsMerge(Document):
    """What merges of rows have in common."""

    sources: dict[Slug, Reshape] = Field(
        default_factory=dict, description="What is done to a datasource's rows before the merge, by its slug."
    )
    result: Reshape = Field(default_factory=Reshape, description="What is done to the merged rows.")
    normalizers: dict[ColumnName, list[Normalizer]] = Field(
        default_factory=dict,
        description="How text of a key's columns is made equal; always in the order nfkc, case_fold, trim.",
    )

    def reshape_of(self, datasource: str) -> Reshape:
        """What is done to a datasource's rows."""
        return self.sources.get(datasource, Reshape())

    def merged_name(self, name: str) -> str | None:
        """The name that a column of the dataset has in the merge; none of one that is computed at its end."""
        if name in self.result.compute:
            return None
        for old, new in self.result.rename.items():
            if new == name:
                return old
        return None if name in self.result.rename else name

    def result_name(self, name: str) -> str:
        """The name that a merged column has in the end."""
        return self.result.rename.get(name, name)

    def _check_key(self, key: list[str]) -> None:
        if len(set(key)) < len(key):
            raise ValueError("the key names a column twice")
        for name in self.normalizers:
            if name not in key:
                raise ValueError(f"normalizers names {name!r}, which is not part of the key")
        made = {name.lower() for name in [*self.result.cast, *self.result.compute]}
        for name in key:
            if {name.lower(), self.result_name(name).lower()} & made:
                raise ValueError(f"{name!r} is part of the key; cast or compute it in `sources`, before the merge")


class UnionMerge(_RowsMerge):
    """All rows of all datasources, with `_source`; with a key, one row per key."""

    strategy: Literal["union"]
    key: Key | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_key(self.key or [])
        return self


class JoinMerge(_RowsMerge):
    """One row per key, all datasources side by side."""

    strategy: Literal["join"]
    key: Key
    fields: dict[ColumnName, FieldRule] = Field(default_factory=dict)
    default_rule: Literal["priority", "first_non_null", "longest", "majority", "min", "max", "all"] = "priority"
    join: Literal["full", "left", "inner"] = Field(
        "full", description="Records of any datasource, of the primary one, or of those that all of them have."
    )
    primary: Slug | None = Field(None, description="The datasource of a left join; null: the best ranked one.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_key(self.key)
        for name in self.key:
            if name in self.fields:
                raise ValueError(f"{name!r} is part of the key and cannot have a rule")
        if self.primary is not None and self.join != "left":
            raise ValueError("primary belongs to the join left")
        return self

    def rule_of(self, name: str) -> FieldRule:
        """The rule of a field."""
        return self.fields.get(name) or FieldRule(rule=self.default_rule)


class RecursiveMerge(Document):
    """One document: objects and lists of all datasources folded together."""

    strategy: Literal["recursive"]


class ConcatenationMerge(Document):
    """One document: the datasources' documents side by side, by their rank."""

    strategy: Literal["concatenation"]


RowsMerge = UnionMerge | JoinMerge

Merge = Annotated[UnionMerge | JoinMerge | RecursiveMerge | ConcatenationMerge, Field(discriminator="strategy")]


def merge_of(document: dict[str, object]) -> Merge:
    """The merge that a manifest or a project states.

    Raises:
        pydantic.ValidationError: it states none.
    """
    merge: Merge = TypeAdapter(Merge).validate_python(document)
    return merge
