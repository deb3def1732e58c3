"""Differences between versions, and previews of merges."""

from typing import Annotated

from pydantic import Field

from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, LIMIT, Parameter, Routes
from sluice.container import Container
from sluice.domain.base import Document
from sluice.domain.dataset_id import DatasetId
from sluice.domain.merge import Merge
from sluice.domain.names import Slug
from sluice.projects.merge_previews import preview_project_merge
from sluice.reads.version_diff import open_diff

routes = Routes("data")
_MAX_VERSION = 10**12
_NUMBER = {"type": "integer", "minimum": 1}
_FROM = Parameter("from", "The older version; default: the one before `to`.", _NUMBER)
_TO = Parameter("to", "The newer version; default: the published one.", _NUMBER)


class PreviewRequest(Document):
    """The merge to try."""

    merge: Merge | None = Field(None, description="The specification; null: the project's own.")
    inputs: dict[Slug, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="Versions to read instead of the published ones, by datasource."
    )


@routes.get("/projects/{slug}/diff", "project.read", answer="Diff", parameters=[_FROM, _TO, LIMIT, CURSOR])
def diff_versions(call: Call, services: Container, slug: str) -> Answer:
    """The records added, removed and changed between two versions, by key; of documents, by JSON Pointer."""
    call.require_known_parameters()
    limit = call.limit()
    dataset = DatasetId.of_project(slug)
    requested = call.integer("to", 0, 1, _MAX_VERSION)
    bound = ["diff", dataset, requested, call.query_value("from")]
    position = services.cursors.open(bound, call.query_value("cursor"))
    to = position[0] if position else requested or services.datasets.published(dataset).number
    requested_older = call.integer("from", 0, 1, _MAX_VERSION) or None
    older, differ = open_diff(services.datasets, services.lake, services.settings, dataset, requested_older, to)
    # Versions are immutable, so the cursor carries the counts and later pages need not count again.
    offset, counts = position[1:] if position else (0, differ.counts())
    items, has_more = differ.changes(limit, offset)
    cursor = services.cursors.seal(bound, [to, offset + limit, counts]) if has_more else None
    return Answer({"items": items, "next": cursor, "from": older, "to": to, "counts": counts})


@routes.post(
    "/projects/{slug}/merge/preview",
    "project.try",
    body=PreviewRequest,
    answer="MergePreview",
    parameters=[IDEMPOTENCY_KEY],
    audited=False,
)
def preview_merge(call: Call, services: Container, slug: str) -> Answer:
    """Try a merge on the published versions of the datasources, or on others; nothing is published."""
    request = call.document(PreviewRequest, {})
    return Answer(preview_project_merge(services, call.definition, request.merge, request.inputs))
