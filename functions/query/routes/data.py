"""The rows of published datasets."""

from sluice.bootstrap import Platform
from sluice.http.call import Answer, Call
from sluice.http.data import data_answer
from sluice.http.resources import DATASOURCES, PROJECTS
from sluice.http.routes import CURSOR, LIMIT, Parameter, Routes

routes = Routes("data")
_PARAMETERS = [
    Parameter("select", "Columns, separated by commas."),
    Parameter("where", "`<column>.<op>:<value>`; repeats mean AND.", repeated=True),
    Parameter("order", "Columns, separated by commas; `-` before one means descending."),
    LIMIT,
    CURSOR,
    Parameter("version", "A version instead of the published one.", {"type": "integer", "minimum": 1}),
    Parameter("format", "The form of the answer.", {"type": "string", "enum": ["json", "csv"], "default": "json"}),
]
_FORMS = ("application/json", "text/csv")


@routes.get("/projects/{slug}/data", answer={"type": "object"}, parameters=_PARAMETERS, media_types=_FORMS)
def get_project_data(call: Call, services: Platform, slug: str) -> Answer:
    """A project's published rows."""
    PROJECTS.load(call, services, slug)
    return data_answer(call, services, f"project/{slug}")


@routes.get("/datasources/{slug}/data", answer={"type": "object"}, parameters=_PARAMETERS, media_types=_FORMS)
def get_datasource_data(call: Call, services: Platform, slug: str) -> Answer:
    """A datasource's published rows."""
    DATASOURCES.load(call, services, slug)
    return data_answer(call, services, f"datasource/{slug}")
