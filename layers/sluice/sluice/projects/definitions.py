"""Deleting and restoring datasources and projects, with everything that depends on them."""

from __future__ import annotations

from datetime import timedelta

from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.datasource import Datasource
from sluice.domain.identity import Principal
from sluice.errors import Conflict
from sluice.projects.deletion import delete_resources
from sluice.projects.overrides import delete_overrides
from sluice.projects.visibility import visible_assignments


def delete_datasource(services: Container, datasource: Definition, principal: Principal, *, force: bool) -> None:
    """Hide a datasource and its published versions; the data stays in the lake.

    Args:
        datasource: the stored datasource, as it was when the caller's precondition was checked.
        principal: who deletes it; an error names those of the datasource's projects that it may see.
        force: remove it from its projects first.

    Raises:
        Conflict: it is assigned to a project and `force` is false.
        PreconditionFailed: it was changed meanwhile.
    """
    if force:
        services.assignments.remove(services.assignments.of_datasource(datasource.name))
    dataset = DatasetId.of_datasource(datasource.name)
    # The data's versions are hidden in the transaction that deletes the definition: no reader finds one without the
    # other.
    try:
        services.definitions.delete(datasource, services.datasets.hide_writes(dataset, principal.id))
    except Conflict:
        raise _assigned(services, datasource, principal) from None


def _assigned(services: Container, datasource: Definition, principal: Principal) -> Conflict:
    """The error for a datasource that cannot be deleted."""
    slug = datasource.name
    projects = [item.project for item in visible_assignments(services, principal, datasource)]
    names = f" {', '.join(projects)}" if projects else "s that you cannot see"
    return Conflict(
        f"The datasource {slug!r} is assigned to the project{'s' if len(projects) > 1 else ''}{names}. Remove it there "
        f"by DELETE /projects/{projects[0] if projects else '{slug}'}/datasources/{slug}, or delete it with force=true."
    )


def clean_up_datasource(services: Container, slug: str) -> None:
    """Remove the schedule of a datasource that was deleted; it is safe to repeat."""
    services.schedules.remove("datasource", slug)


def restore_datasource(services: Container, slug: str, by: str) -> Definition:
    """Restore a deleted datasource with its versions and its schedule; it is assigned to no project.

    Args:
        by: the principal that restores it.

    Raises:
        NotFound: no datasource of this slug was deleted within `RESTORE_DAYS`.
        Conflict: the datasource is not deleted.
    """
    dataset = DatasetId.of_datasource(slug)
    within = timedelta(days=services.settings.restore_days)
    restored = services.definitions.restore(
        "datasource", slug, within, lambda: services.datasets.show_writes(dataset, by)
    )
    document = Datasource.model_validate(restored.document)
    services.schedules.apply("datasource", slug, document.schedule, enabled=document.enabled)
    return restored


def delete_project(services: Container, project: Definition, by: str) -> None:
    """Hide a project and its published versions; the data stays in the lake.

    Args:
        by: the principal that deletes it.

    Raises:
        PreconditionFailed: it was changed meanwhile.
    """
    services.definitions.delete(project, services.datasets.hide_writes(DatasetId.of_project(project.name), by))


def clean_up_project(services: Container, slug: str, by: str) -> None:
    """Remove what belonged to a deleted project, so that a new project of the same name has none of it.

    Call it after the deletion: a request that is killed in between leaves items that nothing shows. The
    other order could leave a project without its resources.

    Args:
        by: the principal that has deleted the project.
    """
    # First, since it is what lets somebody in.
    services.keys.forget_project(slug)
    services.assignments.remove(services.assignments.of_project(slug))
    delete_overrides(services, slug)
    delete_resources(services, slug, by)
    services.pins.remove_all(slug)
    services.schedules.remove("project", slug)
