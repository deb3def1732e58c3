"""Previewing a merge, without storing or publishing anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.merge import Merge
from sluice.domain.project import Project
from sluice.errors import Invalid
from sluice.merge.input_versions import InputReader
from sluice.merge.preview_merge import preview
from sluice.projects.overrides import overrides_of


def preview_project_merge(
    services: Container, definition: Definition, merge: Merge | None, inputs: Mapping[str, int]
) -> dict[str, Any]:
    """Merge a project without storing the result.

    Args:
        definition: the stored project.
        merge: the specification to try; null for the project's own.
        inputs: versions to read instead of the published ones, by the datasources' slugs.

    Returns:
        The response of `POST /projects/{slug}/merge/preview`, with the first rows.

    Raises:
        Invalid: `inputs` names a datasource that the project does not have.
    """
    project = Project.model_validate(definition.document)
    if merge is not None:
        project = project.model_copy(update={"merge": merge})
    assignments = services.assignments.of_project(definition.name)
    unknown = sorted(set(inputs) - {assignment.datasource for assignment in assignments})
    if unknown:
        message = f"{unknown[0]!r} is not a datasource of this project."
        raise Invalid(message, [{"pointer": f"/inputs/{unknown[0]}", "message": message}])
    gatherer = InputReader(services.datasets, services.lake)
    overrides = overrides_of(services, definition.name)
    return preview(project, assignments, gatherer, services.lake, services.settings, dict(inputs), overrides)
