"""SQL queries over a project's tables, and the rows of its models."""

from typing import Annotated

import orjson
from pydantic import Field

from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import DATA_MEDIA_TYPES, DATA_PARAMETERS, data_answer
from sluice.api.project_resources import MODELS
from sluice.api.routes import IDEMPOTENCY_KEY, Routes
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.base import Document
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import SqlName
from sluice.domain.sql_query import QueryText
from sluice.errors import Conflict
from sluice.projects.queries import require_exact_parameters, run_query

routes = Routes("models")


class QueryRequest(Document):
    """A query, and the values of its parameters by name."""

    sql: QueryText = Field(
        description="One SELECT over the project's tables: `merged`, its datasources by alias, and its models by "
        "name; parameters are written `$name`."
    )
    parameters: Annotated[dict[SqlName, str | int | float | bool | None], Field(max_length=100)] = Field(
        default_factory=dict, description="The values of the parameters, by name without `$`. Null: SQL NULL."
    )


@routes.post(
    "/projects/{slug}/query",
    "project.read",
    body=QueryRequest,
    answer="QueryResult",
    parameters=[IDEMPOTENCY_KEY],
    audited=False,
)
def query_project(call: Call, services: Container, slug: str) -> Answer:
    """Run one SELECT in a sandbox over the project's tables: `merged`, its datasources and its models."""
    require_exact_parameters(call.json(exact=True))
    request = call.document(QueryRequest)
    result, tables = run_query(services, slug, request.sql, request.parameters)
    return Answer(
        {
            # Already JSON: the sandbox's process has serialised the rows.
            "items": orjson.Fragment(result.items),
            "columns": result.columns,
            "truncated": result.truncated,
            "versions": dict(sorted(tables.numbers.items())),
            "completeness": tables.completeness,
            "stale": [entry.model_dump() for entry in tables.stale],
        }
    )


@routes.get(
    "/projects/{slug}/models/{name}/data",
    "project.read",
    answer="DataPage",
    parameters=DATA_PARAMETERS,
    media_types=DATA_MEDIA_TYPES,
    head=True,
)
def get_model_data(call: Call, services: Container, slug: str, name: str) -> Answer:
    """A model's published rows."""
    load_stored_model(services, slug, name)
    return data_answer(call, services, DatasetId.of_project_resource(slug, "model", name))


def load_stored_model(services: Container, slug: str, name: str) -> Definition:
    """A model of a project whose rows are stored.

    Raises:
        NotFound: the project has no such model.
        Conflict: the model is a view.
    """
    model = MODELS.load(services, slug, name)
    if not model.document["materialize"]:
        raise Conflict(
            f"The model {name!r} is a view and has no stored rows; read it with POST /projects/{slug}/query."
        )
    return model
