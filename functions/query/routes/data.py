"""The rows of published datasets."""

from sluice.bootstrap import Platform
from sluice.http.call import Answer, Call
from sluice.http.data import data_answer
from sluice.http.resources import DATASOURCES, PROJECTS
from sluice.http.routes import AS_OF, CURSOR, LIMIT, VERSION, Parameter, Routes
from sluice.reads.outputs import FORMS

routes = Routes("data")
_PARAMETERS = [
    Parameter("select", "Columns, separated by commas."),
    Parameter("where", "`<column>.<op>:<value>`; repeats mean AND.", repeated=True),
    Parameter("order", "Columns, separated by commas; `-` before one means descending."),
    LIMIT,
    CURSOR,
    VERSION,
    AS_OF,
    Parameter("format", "The form of the answer.", {"type": "string", "enum": list(FORMS), "default": "json"}),
]
_MEDIA_TYPES = ("application/json", "text/csv", "application/x-ndjson")


@routes.get("/projects/{slug}/data", answer={"type": "object"}, parameters=_PARAMETERS, media_types=_MEDIA_TYPES)
def get_project_data(call: Call, services: Platform, slug: str) -> Answer:
    """A project's published rows."""
    PROJECTS.load(call, services, slug)
    return data_answer(call, services, f"project/{slug}")


@routes.get("/datasources/{slug}/data", answer={"type": "object"}, parameters=_PARAMETERS, media_types=_MEDIA_TYPES)
def get_datasource_data(call: Call, services: Platform, slug: str) -> Answer:
    """A datasource's published rows."""
    DATASOURCES.load(call, services, slug)
    return data_answer(call, services, f"datasource/{slug}")
