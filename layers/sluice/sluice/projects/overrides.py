"""Manual overrides: stored separately from the data, and applied by the next merge."""

from __future__ import annotations

from typing import Any

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.json_text import same_json
from sluice.domain.merge import ConcatenationMerge, RecursiveMerge
from sluice.domain.names import now, rfc3339
from sluice.domain.override import Override, OverrideRequest, exact_value, fit_to_column, override_name
from sluice.domain.project import Project
from sluice.domain.schema import Column
from sluice.errors import Conflict, Invalid, NotFound
from sluice.runs.start import follows_changes, refresh_for_change
from sluice.services import WithDefinitions


def overrides_of(services: WithDefinitions, project: str) -> list[Override]:
    """The overrides of a project, ordered by field and key."""
    return [override for override, _ in stored_overrides(services, project)]


def stored_overrides(services: WithDefinitions, project: str) -> list[tuple[Override, Definition]]:
    """The overrides of a project, each with its definition, ordered by field and key."""
    definitions = services.definitions.with_prefix("override", f"{project}#")
    overrides = [(Override.model_validate(definition.document), definition) for definition in definitions]
    return sorted(overrides, key=lambda item: (item[0].field, item[0].key))


def find_override(services: Container, project: str, field: str, key: list[str]) -> tuple[Override, Definition]:
    """An override and its definition.

    Args:
        field: the field's name in the published data.
        key: the values of the merge key's columns, in their order.

    Raises:
        NotFound: there is no override of this field for this key.
    """
    stored = services.definitions.find("override", override_name(project, field, key))
    if stored is None:
        raise NotFound(f"There is no override of {field!r} for the key {', '.join(key) or '(none given)'}.")
    return Override.model_validate(stored.document), stored


def put_override(
    services: Container,
    project: Definition,
    field: str,
    key: list[str],
    request: OverrideRequest,
    exact: str | None,
    by: str,
    before: Definition | None,
) -> tuple[Override, Definition]:
    """Create or replace an override, and refresh the project if it follows changes.

    Args:
        project: the stored project.
        field: the field's name in the published data.
        key: the values of the merge key's columns, in their order.
        exact: the value as JSON, if a double does not have all of its digits.
        by: the principal that writes it.
        before: the override as it was read; None if there was none.

    Returns:
        The override and its definition.

    Raises:
        AlreadyExists, PreconditionFailed: it was created or changed meanwhile.
        Conflict: the project's merge has no key.
        Invalid: the field, the key or the value does not fit the published data.
    """
    _require_fitting(services, project, field, key, exact_value(request.value, exact))
    value = request.value
    metadata = {"reason": request.reason, "created_at": rfc3339(now()), "created_by": by}
    document = Override.model_validate({"field": field, "key": key, "value": value, "exact": exact, **metadata})
    name = override_name(project.name, field, key)
    if before is None:
        definition = services.definitions.create("override", name, document.model_dump(mode="json"), by)
    else:
        previous = Override.model_validate(before.document)
        if (previous.reason, previous.exact) == (request.reason, exact) and same_json(previous.value, value):
            return previous, before  # nothing changes, so no refresh is needed
        definition = services.definitions.replace(before, document.model_dump(mode="json"))
    _refresh_if_following(services, project)
    return document, definition


def delete_override(services: Container, project: Definition, stored: Definition) -> None:
    """Delete an override, and refresh the project if it follows changes.

    Raises:
        PreconditionFailed: it has changed since it was read.
    """
    services.definitions.delete(stored)
    _refresh_if_following(services, project)


def delete_overrides(services: Container, project: str) -> None:
    """Delete all overrides of a deleted project, so that a new project of the same name has none."""
    for stored in services.definitions.with_prefix("override", f"{project}#"):
        services.definitions.delete(stored)


def _refresh_if_following(services: Container, project: Definition) -> None:
    if follows_changes(project):
        refresh_for_change(services, project.name)


def _require_fitting(services: Container, project: Definition, field: str, key: list[str], value: Any) -> None:
    merge = Project.model_validate(project.document).merge
    if isinstance(merge, RecursiveMerge | ConcatenationMerge) or not merge.key:
        raise Conflict("The project's merge has no key, so its records cannot be overridden.")
    if len(key) != len(merge.key):
        message = (
            f"Send the parameter key once for each column of the merge key, in this order: {', '.join(merge.key)}."
        )
        raise Invalid(message, [{"pointer": "?key", "message": message}])
    if field in {merge.result_name(name) for name in merge.key}:
        raise Invalid(f"{field!r} is part of the merge key, which cannot be overridden.")
    if field in merge.result.compute:
        raise Invalid(f"{field!r} is computed from other fields; override those.")
    dataset = DatasetId.of_project(project.name)
    number = services.datasets.pointer(dataset).published
    if number is None:
        return  # without published data, the next merge checks the field and the value
    columns = {column.name: column for column in services.datasets.version(dataset, number).schema_}
    if field not in columns:
        raise Invalid(f"There is no field {field!r}; the fields are {', '.join(columns)}.")
    # A cast follows the overrides, so the published type is not the type that the value must fit.
    if field not in merge.result.cast:
        _require_value(columns[field], value)


def _require_value(column: Column, value: Any) -> None:
    try:
        fit_to_column(value, column.type)
    except ValueError as error:
        message = f"The value does not fit {column.name}, whose type is {column.type}: {error}."
        raise Invalid(message, [{"pointer": "/value", "message": message}]) from None
