"""SQL over a project's tables, and the data of its models."""

from decimal import Decimal
from typing import Annotated, Any

import orjson
from pydantic import Field

from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import DATA_MEDIA_TYPES, DATA_PARAMETERS, data_answer
from sluice.api.project_resources import MODELS
from sluice.api.routes import IDEMPOTENCY_KEY, Routes
from sluice.container import Container
from sluice.domain.base import Document
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import SqlName
from sluice.domain.schema import BIGINT_RANGE
from sluice.domain.sql_query import QueryText, SqlError, parse_query
from sluice.domain.text_values import loses_digits
from sluice.errors import Conflict, Invalid
from sluice.projects.tables import published_tables

routes = Routes("models")


class QueryRequest(Document):
    """A query and the values of its parameters."""

    sql: QueryText
    parameters: Annotated[dict[SqlName, str | int | float | bool | None], Field(max_length=100)] = Field(
        default_factory=dict
    )


@routes.post(
    "/projects/{slug}/query",
    "project.read",
    body=QueryRequest,
    answer="QueryResult",
    parameters=[IDEMPOTENCY_KEY],
)
def query_project(call: Call, services: Container, slug: str) -> Answer:
    """One SELECT over the project's tables, in a sandbox: `merged`, its datasources and its models."""
    _require_digits(call.json(exact=True))
    request = call.document(QueryRequest)
    query = parse_query(request.sql)
    given = set(request.parameters)
    if given != query.parameters:
        name = sorted(given ^ query.parameters)[0]
        message = f"${name} has no value." if name in query.parameters else f"The query does not read ${name}."
        raise Invalid(message, [{"pointer": f"/parameters/{name}", "message": message}])
    try:
        chosen = published_tables(services, slug).for_query(query)
    except SqlError as error:
        raise Invalid(str(error), [{"pointer": "/sql", "message": str(error)}]) from None
    with services.lake.scratch() as scratch:
        found = services.sandbox.query(query.sql, request.parameters, chosen.tables, scratch.parent)
    return Answer(
        {
            "items": orjson.Fragment(found.items),
            "columns": found.columns,
            "truncated": found.truncated,
            "versions": dict(sorted(chosen.numbers.items())),
        }
    )


def _require_digits(body: Any) -> None:
    """Refuse parameters whose digits the query would not see."""
    parameters = body.get("parameters") if isinstance(body, dict) else None
    for name, value in (parameters if isinstance(parameters, dict) else {}).items():
        long = isinstance(value, Decimal) and loses_digits(str(value))
        if long or (isinstance(value, int) and value not in BIGINT_RANGE):
            message = f"${name} has more digits than a number has here: give it as text, and cast it in the SQL."
            raise Invalid(message, [{"pointer": f"/parameters/{name}", "message": message}])


@routes.get(
    "/projects/{slug}/models/{name}/data",
    "project.read",
    answer="DataPage",
    parameters=DATA_PARAMETERS,
    media_types=DATA_MEDIA_TYPES,
)
def get_model_data(call: Call, services: Container, slug: str, name: str) -> Answer:
    """A model's published rows."""
    found = MODELS.load(services, slug, name)
    if not found.document["materialize"]:
        raise Conflict(f"The model {name!r} is a view: read it by POST /projects/{slug}/query.")
    return data_answer(call, services, DatasetId.of_project_resource(slug, "model", name))
