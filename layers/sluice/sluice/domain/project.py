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

    slug: Slug = Field("", description="The id in URLs; it never changes. Omitted: derived from `name`.")
    name: DisplayName = Field(description="The name that people see; it may be changed.")
    description: Description | None = Field(
        None, description="Notes for people, as plain text: what the project answers, and for whom."
    )
    enabled: bool = Field(True, description="False: changes of its datasources and its schedule start no refreshes.")
    merge: Merge = Field(
        UnionMerge(strategy="union"),
        description="How the datasources become one dataset. Omitted: all rows of all datasources.",
    )
    tests: dict[SqlName, TableTests] = Field(
        default_factory=dict, description="Tests of `merged` and of datasources, by their names in SQL."
    )
    refresh_on: Literal["change", "schedule", "manual"] = Field(
        "change",
        description="What starts refreshes: each `change` of a datasource (the first one once all required datasources "
        "that are fetched have data), the `schedule`, or only requests (`manual`).",
    )
    schedule: Schedule | None = Field(
        None, description="When refreshes start by themselves; required if `refresh_on` is `schedule`. Null: never."
    )

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

    priority: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        100,
        description="The rank among the datasources of the project: the lower number wins; equal ones are ordered by "
        "slug.",
    )
    alias: SqlName | None = Field(
        None, description="The name of its table in SQL, unique in the project. Null: the slug with `_` for `-`."
    )
    optional: bool = Field(
        False, description="Whether the merged data counts as complete if this datasource has no data."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.alias in RESERVED_SQL_NAMES:
            raise ValueError(f"the alias {self.alias!r} is a reserved word")
        return self
