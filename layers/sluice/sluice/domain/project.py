"""Projects, and the assignment of datasources to them."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sluice.domain.base import Document
from sluice.domain.datasource import Description, DisplayName
from sluice.domain.merge import Merge, UnionMerge
from sluice.domain.model import TableTests
from sluice.domain.names import RESERVED_SQL_NAMES, Slug, SqlName, slug_of
from sluice.domain.schedule import Schedule


class Project(Document):
    """A project as a user writes it."""

    slug: Slug = ""
    name: DisplayName
    description: Description | None = None
    enabled: bool = True
    merge: Merge = UnionMerge(strategy="union")
    tests: dict[SqlName, TableTests] = Field(
        default_factory=dict, description="Tests of `merged` and of datasources, by their names in SQL."
    )
    refresh_on: Literal["change", "schedule", "manual"] = "change"
    schedule: Schedule | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.refresh_on == "schedule" and self.schedule is None:
            raise ValueError("refresh_on schedule needs a schedule")
        if not self.slug:
            self.slug = slug_of(self.name)
            if not self.slug:
                raise ValueError("no slug can be derived from this name; set slug")
        return self


class Assignment(Document):
    """The assignment of a datasource to a project."""

    priority: Annotated[int, Field(ge=0, le=1_000_000)] = 100
    alias: SqlName | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.alias in RESERVED_SQL_NAMES:
            raise ValueError(f"the alias {self.alias!r} is a reserved word")
        return self
