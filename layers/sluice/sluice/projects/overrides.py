"""Manual overrides: kept apart from the data, and merged by the refresh that each change causes."""

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
    """The overrides of a project, by field and key."""
    found = services.definitions.with_prefix("override", f"{project}#")
    overrides = [Override.model_validate(one.document) for one in found]
    return sorted(overrides, key=lambda one: (one.field, one.key))


def find_override(services: Container, project: str, field: str, key: list[str]) -> tuple[Override, Definition]:
    """An override, and what the catalog knows about it.

    Raises:
        NotFound: there is none.
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
) -> tuple[Override, Definition, bool]:
    """Keep an override, in place of the one that is there; and refresh a project that follows changes.

    Args:
        field: by its name in the published data.
        exact: the value as JSON, where the request's cannot have every digit.

    Returns:
        The override, what the catalog knows about it, and whether it is new.

    Raises:
        Conflict: the project's merge has no key.
        Invalid: the field, the key or the value does not fit what is published.
    """
    _require_fitting(services, project, field, key, exact_value(request.value, exact))
    value = request.value
    about = {"reason": request.reason, "created_at": rfc3339(now()), "created_by": by}
    document = Override.model_validate({"field": field, "key": key, "value": value, "exact": exact, **about})
    name = override_name(project.name, field, key)
    stored = services.definitions.find("override", name)
    if stored is None:
        made = services.definitions.create("override", name, document.model_dump(mode="json"), by)
    else:
        before = Override.model_validate(stored.document)
        if (before.reason, before.exact) == (request.reason, exact) and same_json(before.value, value):
            return before, stored, False
        made = services.definitions.replace(stored, document.model_dump(mode="json"))
    _follow(services, project)
    return document, made, stored is None


def delete_override(services: Container, project: Definition, stored: Definition) -> None:
    """Take an override away."""
    services.definitions.delete(stored)
    _follow(services, project)


def delete_overrides(services: Container, project: str) -> None:
    """Take all overrides of a project away, when it is deleted: a later one of its name has none."""
    for stored in services.definitions.with_prefix("override", f"{project}#"):
        services.definitions.delete(stored)


def _follow(services: Container, project: Definition) -> None:
    if follows_changes(project):
        refresh_for_change(services, project.name)


def _require_fitting(services: Container, found: Definition, field: str, key: list[str], value: Any) -> None:
    merge = Project.model_validate(found.document).merge
    if isinstance(merge, RecursiveMerge | ConcatenationMerge) or not merge.key:
        raise Conflict("Only merges with a key have records whose fields can be overridden.")
    if len(key) != len(merge.key):
        message = f"Give key once for each column of the key, in their order: {', '.join(merge.key)}."
        raise Invalid(message, [{"pointer": "?key", "message": message}])
    if field in {merge.result_name(name) for name in merge.key}:
        raise Invalid(f"{field!r} is part of the key, which cannot be overridden.")
    if field in merge.result.compute:
        raise Invalid(f"{field!r} is computed of other fields; override these.")
    dataset = DatasetId.of_project(found.name)
    number = services.datasets.pointer(dataset).published
    if number is None:
        return
    columns = {column.name: column for column in services.datasets.version(dataset, number).schema_}
    if field not in columns:
        raise Invalid(f"There is no field {field!r}; there are {', '.join(columns)}.")
    if field not in merge.result.cast:
        _require_value(columns[field], value)


def _require_value(column: Column, value: Any) -> None:
    try:
        fit_to_column(value, column.type)
    except ValueError as error:
        message = f"The value does not fit {column.name}, which is {column.type}: {error}."
        raise Invalid(message, [{"pointer": "/value", "message": message}]) from None
