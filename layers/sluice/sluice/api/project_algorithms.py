"""How projects run algorithms, as resources of the API."""

from __future__ import annotations

from sluice.api.call import Call
from sluice.api.project_resources import ResourceRoutes
from sluice.container import Container
from sluice.domain.algorithm import ProjectAlgorithm


class _AlgorithmRoutes(ResourceRoutes[ProjectAlgorithm]):
    """The verbs of settings of algorithms, which may name what their writer may read only."""

    def _check_document(
        self, call: Call, services: Container, slug: str, name: str, document: ProjectAlgorithm
    ) -> None:
        from sluice.algorithm_runs.settings import check_algorithm  # functions that only read settings start sooner

        check_algorithm(services, call.principal, slug, name, document)


ALGORITHMS = _AlgorithmRoutes(
    "algorithm", ProjectAlgorithm, lambda *_: None, lambda services: services.settings.max_algorithms
)
