"""A project as a file of a blueprint describes it."""

from __future__ import annotations

from pydantic import Field

from sluice.domain.input import PinRequest
from sluice.domain.names import Slug
from sluice.domain.project import Assignment, Project


class ProjectFile(Project):
    """A project as a blueprint describes it: with its datasources and inputs."""

    datasources: dict[Slug, Assignment | None] = Field(
        default_factory=dict,
        description="The datasources of the project, by slug. Null: an assignment with the default of every field.",
    )
    inputs: dict[Slug, PinRequest | None] = Field(
        default_factory=dict, description="The inputs that the project pins, by slug. Null: always the latest version."
    )
