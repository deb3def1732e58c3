"""Algorithms: what there is, and how a project runs them."""

from sluice.algorithms import registry
from sluice.algorithms.description import describe
from sluice.api.call import Answer, Call
from sluice.api.paging import paginate
from sluice.api.project_algorithms import ALGORITHMS
from sluice.api.routes import CURSOR, IF_NONE_MATCH, LIMIT, Routes
from sluice.container import Container

routes = Routes("algorithms")


@routes.get("/algorithms", "algorithm.read", answer="AlgorithmViewList", parameters=[LIMIT, CURSOR])
def list_algorithms(call: Call, services: Container) -> Answer:
    """The algorithms, by name."""
    return paginate(call, services, ["algorithms"], [describe(name) for name in registry.names()])


@routes.get("/algorithms/{name}", "algorithm.read", answer="AlgorithmView")
def get_algorithm(call: Call, services: Container, name: str) -> Answer:
    """One algorithm: its inputs, and the JSON Schemas of its parameters and results."""
    return Answer(describe(name))


@routes.get(
    "/projects/{slug}/algorithms", "project.read", answer="ProjectAlgorithmViewList", parameters=[LIMIT, CURSOR]
)
def list_project_algorithms(call: Call, services: Container, slug: str) -> Answer:
    """The algorithms for which a project has settings."""
    return ALGORITHMS.list(call, services, slug)


@routes.get(
    "/projects/{slug}/algorithms/{name}", "project.read", answer="ProjectAlgorithmView", parameters=[IF_NONE_MATCH]
)
def get_project_algorithm(call: Call, services: Container, slug: str, name: str) -> Answer:
    """How a project runs an algorithm."""
    return ALGORITHMS.read(call, services, slug, name)
