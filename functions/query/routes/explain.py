"""Single merged records, and the explanations of their values and of those of a datasource's rows."""

from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import ORDER, WHERE, requested_version, version_headers, version_summary
from sluice.api.routes import AS_OF, RECORD_KEY, VERSION, Parameter, Routes
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.reads.records import explanation, merged_record, row_explanation
from sluice.reads.request import data_request

routes = Routes("data")
_MOST_ROWS = 10**12
_ROW = Parameter(
    "row",
    "The number of the row among those of `GET /datasources/{slug}/data` with the same conditions and order, from 0.",
    {"type": "integer", "minimum": 0, "maximum": _MOST_ROWS, "default": 0},
)
_POINTER = Parameter("pointer", "For merges of documents: a JSON Pointer into the merged document.")


@routes.get("/projects/{slug}/records", "project.read", answer="MergedRecord", parameters=[RECORD_KEY, VERSION, AS_OF])
def get_record(call: Call, services: Container, slug: str) -> Answer:
    """One merged record; the headers name its version."""
    version = requested_version(call, services, DatasetId.of_project(slug))
    record = merged_record(services.lake, services.settings, version, call.query_values("key"))
    return Answer(record, headers=version_headers(version_summary(version)))


@routes.get(
    "/projects/{slug}/explain",
    "project.read",
    answer="Explanation",
    parameters=[RECORD_KEY, _POINTER, VERSION, AS_OF],
    audited=True,
)
def explain_record(call: Call, services: Container, slug: str) -> Answer:
    """Where each value of a merged record comes from, by which rule, and which values lost."""
    version = requested_version(call, services, DatasetId.of_project(slug))
    key, pointer = call.query_values("key"), call.query_value("pointer") or ""
    lake, settings, datasets = services.lake, services.settings, services.datasets
    return Answer(explanation(lake, settings, datasets, services.pages, services.erasures, version, key, pointer))


@routes.get(
    "/datasources/{slug}/explain",
    "datasource.read",
    answer="RowExplanation",
    parameters=[_ROW, WHERE, ORDER, VERSION, AS_OF],
    audited=True,
)
def explain_row(call: Call, services: Container, slug: str) -> Answer:
    """Where each value of a datasource's row was received: the page, and the place in it."""
    version = requested_version(call, services, DatasetId.of_datasource(slug))
    request = data_request(version.schema_, None, call.query_values("where"), call.query_value("order"))
    number = call.integer("row", 0, 0, _MOST_ROWS)
    return Answer(row_explanation(services.lake, services.settings, services.pages, version, request, number))
