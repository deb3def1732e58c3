"""How projects run algorithms, as resources of the API."""

from __future__ import annotations

from sluice.algorithm_runs.settings import check_algorithm
from sluice.api.project_resources import ResourceRoutes
from sluice.domain.algorithm import ProjectAlgorithm

ALGORITHMS = ResourceRoutes(
    "algorithm", ProjectAlgorithm, check_algorithm, lambda services: services.settings.max_algorithms
)
