"""SQL models, reports and endpoints of a project: their documents, and runs of a single one."""

from sluice.api.call import Answer, Call
from sluice.api.project_resources import ENDPOINTS, MODELS, REPORTS
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, IF_MATCH, IF_NONE_MATCH, LIMIT, PREFER, Routes
from sluice.api.running import start_answer
from sluice.container import Container
from sluice.domain.endpoint import Endpoint
from sluice.domain.model import Model
from sluice.domain.report import Report
from sluice.domain.run_types import RUN_TYPES
from sluice.runs.start import single_output_run, start

routes = Routes("models")


@routes.get("/projects/{slug}/models", "project.read", answer="ModelViewList", parameters=[LIMIT, CURSOR])
def list_models(call: Call, services: Container, slug: str) -> Answer:
    """A project's models with the latest results of their tests."""
    return MODELS.list(call, services, slug)


@routes.get("/projects/{slug}/models/{name}", "project.read", answer="ModelView", parameters=[IF_NONE_MATCH])
def get_model(call: Call, services: Container, slug: str, name: str) -> Answer:
    """One model with the latest results of its tests."""
    return MODELS.read(call, services, slug, name)


@routes.put("/projects/{slug}/models/{name}", "project.update", body=Model, answer="ModelView", parameters=[IF_MATCH])
def put_model(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Create a model, or replace it; the next refresh computes it."""
    return MODELS.put(call, services, slug, name)


@routes.delete("/projects/{slug}/models/{name}", "project.update", status=204, parameters=[IF_MATCH])
def delete_model(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Delete a model; its versions stay in the lake."""
    return MODELS.delete(call, services, slug, name)


@routes.post(
    "/projects/{slug}/models/{name}/runs",
    RUN_TYPES["model"].action,
    answer="RunView",
    status=202,
    parameters=[IDEMPOTENCY_KEY, PREFER],
)
def start_model_run(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Compute a single model from the published data."""
    MODELS.load(services, slug, name)
    call.require_known_parameters()
    return start_answer(
        call, services, lambda: start(services, single_output_run(slug, "model", name, call.principal.id))
    )


@routes.get("/projects/{slug}/reports", "project.read", answer="ReportViewList", parameters=[LIMIT, CURSOR])
def list_reports(call: Call, services: Container, slug: str) -> Answer:
    """A project's reports."""
    return REPORTS.list(call, services, slug)


@routes.get("/projects/{slug}/reports/{name}", "project.read", answer="ReportView", parameters=[IF_NONE_MATCH])
def get_report(call: Call, services: Container, slug: str, name: str) -> Answer:
    """One report's document."""
    return REPORTS.read(call, services, slug, name)


@routes.put(
    "/projects/{slug}/reports/{name}", "project.update", body=Report, answer="ReportView", parameters=[IF_MATCH]
)
def put_report(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Create a report, or replace it; the next refresh renders it."""
    return REPORTS.put(call, services, slug, name)


@routes.delete("/projects/{slug}/reports/{name}", "project.update", status=204, parameters=[IF_MATCH])
def delete_report(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Delete a report; its rendered versions stay in the lake."""
    return REPORTS.delete(call, services, slug, name)


@routes.post(
    "/projects/{slug}/reports/{name}/runs",
    RUN_TYPES["report"].action,
    answer="RunView",
    status=202,
    parameters=[IDEMPOTENCY_KEY, PREFER],
)
def start_report_run(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Render a single report from the published data."""
    REPORTS.load(services, slug, name)
    call.require_known_parameters()
    return start_answer(
        call, services, lambda: start(services, single_output_run(slug, "report", name, call.principal.id))
    )


@routes.get("/projects/{slug}/endpoints", "project.read", answer="EndpointViewList", parameters=[LIMIT, CURSOR])
def list_endpoints(call: Call, services: Container, slug: str) -> Answer:
    """A project's published endpoints."""
    return ENDPOINTS.list(call, services, slug)


@routes.get("/projects/{slug}/endpoints/{name}", "project.read", answer="EndpointView", parameters=[IF_NONE_MATCH])
def get_endpoint(call: Call, services: Container, slug: str, name: str) -> Answer:
    """One endpoint's document."""
    return ENDPOINTS.read(call, services, slug, name)


@routes.put(
    "/projects/{slug}/endpoints/{name}", "project.update", body=Endpoint, answer="EndpointView", parameters=[IF_MATCH]
)
def put_endpoint(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Publish an endpoint, or replace it; it can be called at once."""
    return ENDPOINTS.put(call, services, slug, name)


@routes.delete("/projects/{slug}/endpoints/{name}", "project.update", status=204, parameters=[IF_MATCH])
def delete_endpoint(call: Call, services: Container, slug: str, name: str) -> Answer:
    """Delete an endpoint; it can no longer be called."""
    return ENDPOINTS.delete(call, services, slug, name)
