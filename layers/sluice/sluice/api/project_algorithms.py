"""How projects run algorithms, as resources of the API."""

from __future__ import annotations

from sluice.api.project_resources import ResourceRoutes
from sluice.container import Container
from sluice.domain.algorithm import ProjectAlgorithm


def _check(services: Container, slug: str, name: str, document: ProjectAlgorithm) -> None:
    from sluice.algorithm_runs.settings import check_algorithm  # functions that only read settings start sooner

    check_algorithm(services, slug, name, document)


ALGORITHMS = ResourceRoutes("algorithm", ProjectAlgorithm, _check, lambda services: services.settings.max_algorithms)
