"""What a project is, what it merges, and by which rules."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sluice.domain.base import Document
from sluice.domain.datasource import ColumnName, Description, DisplayName
from sluice.domain.names import RESERVED_SQL_NAMES, Slug, SqlName, slug_of
from sluice.domain.schedule import Schedule

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
# Rules whose value is made of all that compete, so that none of them alone has won.
COLLECTIVE_RULES = frozenset({"sum", "mean", "count", "union", "all"})


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
        if self.value is not None and self.rule != "constant":
            raise ValueError(f"the rule {self.rule} takes no value")
        timed = self.rule in ("newest", "oldest")
        if timed and self.by is None:
            raise ValueError(f"the rule {self.rule} needs by, the column that decides")
        if not timed and self.by is not None:
            raise ValueError(f"the rule {self.rule} takes no by")
        return self


class UnionMerge(Document):
    """All rows of all datasources, with `_source`; with a key, one row per key."""

    strategy: Literal["union"]
    key: Annotated[list[ColumnName], Field(min_length=1)] | None = None


class JoinMerge(Document):
    """One row per key, all datasources side by side."""

    strategy: Literal["join"]
    key: Annotated[list[ColumnName], Field(min_length=1)]
    fields: dict[ColumnName, FieldRule] = Field(default_factory=dict)
    default_rule: Literal["priority", "first_non_null", "longest", "majority", "min", "max", "all"] = "priority"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.key)) < len(self.key):
            raise ValueError("the key names a column twice")
        for name in self.key:
            if name in self.fields:
                raise ValueError(f"{name!r} is part of the key and cannot have a rule")
        return self


class RecursiveMerge(Document):
    """One document: objects and lists of all datasources folded together."""

    strategy: Literal["recursive"]


class ConcatenationMerge(Document):
    """One document: the datasources' documents side by side, by their rank."""

    strategy: Literal["concatenation"]


Merge = Annotated[UnionMerge | JoinMerge | RecursiveMerge | ConcatenationMerge, Field(discriminator="strategy")]


class Project(Document):
    """A project as a user writes it."""

    slug: Slug = ""
    name: DisplayName
    description: Description | None = None
    enabled: bool = True
    merge: Merge = UnionMerge(strategy="union")
    refresh_on: Literal["change", "schedule", "manual"] = "change"
    schedule: Schedule | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.refresh_on == "schedule" and self.schedule is None:
            raise ValueError("refresh_on schedule needs a schedule")
        if not self.slug:
            self.slug = slug_of(self.name)
            if not self.slug:
                raise ValueError("no slug can be derived from this name; give one")
        return self


class Assignment(Document):
    """How a datasource takes part in a project."""

    priority: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    alias: SqlName | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.alias in RESERVED_SQL_NAMES:
            raise ValueError(f"the alias {self.alias!r} is a reserved word")
        return self
