"""The documents of a project's parts: models, reports, endpoints."""

from __future__ import annotations

from sluice.bootstrap import Platform
from sluice.catalog.definitions import Definition, Kind
from sluice.runs.tables import follow


def part_name(project: str, name: str) -> str:
    """The name under which a project's model, report or endpoint is kept."""
    return f"{project}#{name}"


def parts_of(services: Platform, kind: Kind, project: str) -> dict[str, Definition]:
    """A project's models, reports or endpoints, by name."""
    found = services.definitions.beginning(kind, f"{project}#")
    return {one.name.partition("#")[2]: one for one in found}


def delete_parts(services: Platform, project: str) -> None:
    """Remove a project's models, reports and endpoints, when it is deleted."""
    kinds: tuple[Kind, ...] = ("model", "report", "endpoint")
    for kind in kinds:
        for name, found in parts_of(services, kind, project).items():
            dataset = f"project/{project}/{kind}/{name}"
            services.definitions.delete(found, services.datasets.hiding(dataset))
            follow(services, dataset)
