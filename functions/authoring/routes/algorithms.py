"""Algorithms: how a project runs them, starting them, and storing results that were made by hand."""

from sluice.algorithm_runs.manual import store_manual_result
from sluice.algorithm_runs.references import Scope
from sluice.algorithm_runs.requests import algorithm_run, make_request, start_run
from sluice.api.call import Answer, Call
from sluice.api.project_algorithms import ALGORITHMS
from sluice.api.routes import IDEMPOTENCY_KEY, IF_MATCH, PREFER, Routes
from sluice.api.running import start_answer
from sluice.container import Container
from sluice.domain.algorithm import AlgorithmStart, ManualResult, ProjectAlgorithm
from sluice.domain.run import Run, run_view
from sluice.domain.run_types import RUN_TYPES

routes = Routes("algorithms")


@routes.put(
    "/projects/{slug}/algorithms/{name}",
    "project.update",
    body=ProjectAlgorithm,
    answer="ProjectAlgorithmView",
    parameters=[IF_MATCH],
)
def put_project_algorithm(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Say how a project runs an algorithm; with `on_refresh`, each refresh runs it and SQL reads its tables."""
    return ALGORITHMS.put(call, services, slug, name)


@routes.delete("/projects/{slug}/algorithms/{name}", "project.update", status=204, parameters=[IF_MATCH])
def delete_project_algorithm(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Forget how a project runs an algorithm; its runs and their results stay."""
    return ALGORITHMS.delete(call, services, slug, name)


@routes.post(
    "/projects/{slug}/algorithms/{name}/runs",
    RUN_TYPES["algorithm"].action,
    body=AlgorithmStart,
    answer="RunView",
    status=202,
    also={200: "RunView"},
    parameters=[IDEMPOTENCY_KEY, PREFER],
)
def start_algorithm_run(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Start a run of an algorithm; 200 with the earlier run if everything that decides the result is the same."""
    asked = call.document(AlgorithmStart)
    call.require_known_parameters()
    request = make_request(Scope(services, slug, principal=call.principal), services, name, asked)
    run = start_run(services, call.definition, algorithm_run(slug, name, request, call.principal.id), force=asked.force)
    if run.finished:
        return _run_answer(call, run, 200)
    return start_answer(call, services, lambda: run)


@routes.post(
    "/projects/{slug}/algorithms/{name}/results",
    RUN_TYPES["manual"].action,
    body=ManualResult,
    answer="RunView",
    status=201,
    parameters=[IDEMPOTENCY_KEY],
)
def store_result(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Store a result that was made by hand as a run, which other algorithms can take as an input."""
    manual = call.document(ManualResult)
    call.require_known_parameters()
    return _run_answer(call, store_manual_result(services, slug, name, manual, call.principal), 201)


def _run_answer(call: Call, run: Run, status: int) -> Answer:
    headers = {"Location": call.url(f"/runs/{run.id}")}
    return Answer(run_view(run), status, headers)
