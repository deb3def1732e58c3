"""The documents of a blueprint's files that the API does not have in this form."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sluice.domain.base import Document
from sluice.domain.datasource import Description, DisplayName
from sluice.domain.names import SecretName, Slug
from sluice.domain.project import Assignment, Project


class ProjectFile(Project):
    """A project as a blueprint describes it: with its datasources."""

    datasources: dict[Slug, Assignment | None] = Field(
        default_factory=dict,
        description="The datasources of the project, by slug. Null: an assignment with the default of every field.",
    )


class SampleServer(Document):
    """A server that answers like the real APIs, for a demonstration without keys."""

    command: Annotated[str, Field(min_length=1)] = Field(description="The server's Python file, in the blueprint.")
    environment: dict[str, str] = Field(
        default_factory=dict,
        description="Values of the blueprint's variables that lead to the server; `${SAMPLE_URL}` is its address.",
    )


class ShownRows(Document):
    """The rows that the demonstration prints when it has run."""

    model: str | None = Field(None, description="The model whose rows are shown. Null: the merged rows.")
    select: Annotated[str, Field(min_length=1)] = Field(description="The columns, separated by commas.")
    where: list[str] = Field(default_factory=list, description="Conditions on the rows, all of which must hold.")
    order: str | None = Field(
        None, description="The columns to sort by, separated by commas; `-` before a name means descending."
    )
    limit: Annotated[int, Field(ge=1, le=200)] = Field(50, description="The most rows that are shown.")


class BlueprintFile(Document):
    """What `blueprint.yaml` describes besides the files next to it."""

    name: DisplayName | None = Field(None, description="The name of the blueprint.")
    description: Description | None = Field(None, description="What the blueprint is for, as plain text.")
    project: Slug | None = Field(
        None, description="The project that the folders `models`, `reports` and `endpoints` belong to."
    )
    secrets: dict[SecretName, str] = Field(
        default_factory=dict, description="The values of the secrets that datasources name; usually `${VARIABLE}`."
    )
    sample: SampleServer | None = Field(None, description="The server of the demonstration. Null: none.")
    show: ShownRows | None = Field(None, description="The rows that the demonstration prints. Null: none.")
    addresses: list[str] = Field(
        default_factory=list, description="Addresses below the API's that the demonstration prints."
    )
