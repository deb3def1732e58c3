"""How the datasources of a project become one dataset: strategies, rules, keys, and reshaping."""

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
    """How the value of a merged field is chosen among the datasources."""

    rule: RuleName = Field(
        description="The rule that chooses or computes the value; the guide to merging describes each."
    )
    by: ColumnName | None = Field(None, description="The column that newest and oldest compare.")
    key: ColumnName | None = Field(
        None, description="For union of lists of objects: the member that identifies an object."
    )
    value: str | int | float | bool | None = Field(None, description="The value of the rule constant.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.key is not None and self.rule != "union":
            raise ValueError(f"the rule {self.rule} does not use key; remove it")
        if isinstance(self.value, int) and self.value not in BIGINT_RANGE:
            raise ValueError("a constant integer has at most 64 bits; write a larger one as a string")
        if self.value is not None and self.rule != "constant":
            raise ValueError(f"the rule {self.rule} does not use value; remove it")
        needs_by = self.rule in ("newest", "oldest")
        if needs_by and self.by is None:
            raise ValueError(f"the rule {self.rule} needs by, the column to compare")
        if not needs_by and self.by is not None:
            raise ValueError(f"the rule {self.rule} does not use by; remove it")
        return self


class Reshape(Document):
    """Changes of columns and rows, applied in this order: rename, cast, compute, where."""

    rename: dict[ColumnName, ColumnName] = Field(default_factory=dict, description="New names by the old ones.")
    cast: dict[ColumnName, ColumnType] = Field(default_factory=dict, description="Types, by the new names.")
    compute: dict[ColumnName, SqlText] = Field(
        default_factory=dict,
        description="New columns as SQL expressions over the other columns; they cannot refer to each other.",
    )
    where: SqlText | None = Field(None, description="The SQL condition that rows must meet.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        new = [name.lower() for name in self.rename.values()]
        if len(set(new)) < len(new):
            raise ValueError("rename gives two columns the same name")
        return self

    @property
    def empty(self) -> bool:
        """Whether nothing is changed."""
        return not (self.rename or self.cast or self.compute or self.where)


class _RowsMerge(Document):
    """What the strategies that merge rows share."""

    sources: dict[Slug, Reshape] = Field(
        default_factory=dict, description="Changes of a datasource's rows before the merge, by its slug."
    )
    result: Reshape = Field(default_factory=Reshape, description="Changes of the merged rows.")
    normalizers: dict[ColumnName, list[Normalizer]] = Field(
        default_factory=dict,
        description="How text in key columns is normalized; always in the order nfkc, case_fold, trim.",
    )

    def reshape_of(self, datasource: str) -> Reshape:
        """The changes of a datasource's rows before the merge."""
        return self.sources.get(datasource, Reshape())

    def merged_name(self, name: str) -> str | None:
        """The name that a column of the result has during the merge.

        Args:
            name: a column of the result.

        Returns:
            The name before `result.rename`; None if `result.compute` makes the column, or another column has that name.
        """
        # A computed column exists only after the merge.
        if name in self.result.compute:
            return None
        for old, new in self.result.rename.items():
            if new == name:
                return old
        return None if name in self.result.rename else name

    def result_name(self, name: str) -> str:
        """The name that a merged column has in the result."""
        return self.result.rename.get(name, name)

    def _check_key(self, key: list[str]) -> None:
        if len(set(key)) < len(key):
            raise ValueError("the key names a column twice")
        for name in self.normalizers:
            if name not in key:
                raise ValueError(f"normalizers names {name!r}, which is not part of the key")
        result_columns = {name.lower() for name in [*self.result.cast, *self.result.compute]}
        for name in key:
            if {name.lower(), self.result_name(name).lower()} & result_columns:
                raise ValueError(f"{name!r} is part of the key; cast or compute it in `sources`, before the merge")


class UnionMerge(_RowsMerge):
    """All rows of all datasources, with `_source`; with a key, one row per key."""

    strategy: Literal["union"] = Field(
        description="`union`: the rows of all datasources, one below the other, with the column `_source`."
    )
    key: Key | None = Field(
        None,
        description="The columns that identify a row: of rows with equal keys, that of the best ranked datasource is "
        "kept. Null: all rows are kept.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_key(self.key or [])
        return self


class JoinMerge(_RowsMerge):
    """One row per key, with the fields of all datasources."""

    strategy: Literal["join"] = Field(description="`join`: one row for each key, with the fields of all datasources.")
    key: Key = Field(description="The columns that identify a record in every datasource.")
    fields: dict[ColumnName, FieldRule] = Field(default_factory=dict, description="Rules by field name.")
    default_rule: Literal["priority", "first_non_null", "longest", "majority", "min", "max", "all"] = Field(
        "priority", description="The rule for fields that `fields` does not list."
    )
    join: Literal["full", "left", "inner"] = Field(
        "full",
        description="Which keys are in the result: those of any datasource, of `primary`, or of all datasources.",
    )
    primary: Slug | None = Field(
        None, description="The datasource of a left join; null: the one with the highest rank."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_key(self.key)
        for name in self.key:
            if name in self.fields:
                raise ValueError(f"{name!r} is part of the key and cannot have a rule")
        if self.primary is not None and self.join != "left":
            raise ValueError("primary is for the join left only; remove it")
        return self

    def rule_of(self, name: str) -> FieldRule:
        """The rule for a field."""
        return self.fields.get(name) or FieldRule(rule=self.default_rule)


class RecursiveMerge(Document):
    """One document: the objects and lists of all datasources merged recursively."""

    strategy: Literal["recursive"] = Field(
        description="`recursive`: objects and lists are merged at every level, the best ranked datasource first."
    )


class ConcatenationMerge(Document):
    """One document: a list of the datasources' documents, by rank."""

    strategy: Literal["concatenation"] = Field(
        description="`concatenation`: the documents are put one after the other, the best ranked first."
    )


RowsMerge = UnionMerge | JoinMerge

Merge = Annotated[UnionMerge | JoinMerge | RecursiveMerge | ConcatenationMerge, Field(discriminator="strategy")]


def merge_of(document: dict[str, object]) -> Merge:
    """Parse the merge of a manifest or project.

    Raises:
        pydantic.ValidationError: the document is not a merge.
    """
    merge: Merge = TypeAdapter(Merge).validate_python(document)
    return merge
