"""The rows of published datasets."""

from sluice.bootstrap import Platform
from sluice.http.call import Answer, Call
from sluice.http.data import DATA_MEDIA_TYPES, DATA_PARAMETERS, data_answer
from sluice.http.routes import Routes

routes = Routes("data")


@routes.get(
    "/projects/{slug}/data",
    "project.read",
    answer="DataPage",
    parameters=DATA_PARAMETERS,
    media_types=DATA_MEDIA_TYPES,
)
def get_project_data(call: Call, services: Platform, slug: str) -> Answer:
    """A project's published rows."""
    return data_answer(call, services, f"project/{slug}")


@routes.get(
    "/datasources/{slug}/data",
    "datasource.read",
    answer="DataPage",
    parameters=DATA_PARAMETERS,
    media_types=DATA_MEDIA_TYPES,
)
def get_datasource_data(call: Call, services: Platform, slug: str) -> Answer:
    """A datasource's published rows."""
    return data_answer(call, services, f"datasource/{slug}")
