"""The rows of published datasets."""

from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import DATA_MEDIA_TYPES, DATA_PARAMETERS, data_answer
from sluice.api.routes import Routes
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId

routes = Routes("data")


@routes.get(
    "/projects/{slug}/data",
    "project.read",
    answer="DataPage",
    parameters=DATA_PARAMETERS,
    media_types=DATA_MEDIA_TYPES,
    head=True,
)
def get_project_data(call: Call, services: Container, slug: str) -> Answer:
    """A project's published rows."""
    return data_answer(call, services, DatasetId.of_project(slug))


@routes.get(
    "/datasources/{slug}/data",
    "datasource.read",
    answer="DataPage",
    parameters=DATA_PARAMETERS,
    media_types=DATA_MEDIA_TYPES,
    head=True,
)
def get_datasource_data(call: Call, services: Container, slug: str) -> Answer:
    """A datasource's published rows."""
    return data_answer(call, services, DatasetId.of_datasource(slug))
