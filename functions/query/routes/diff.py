"""What changed between versions, and merges that are tried."""

from typing import Annotated

from pydantic import Field

from sluice.api.call import Answer, Call
from sluice.api.routes import CURSOR, IDEMPOTENCY_KEY, LIMIT, Parameter, Routes
from sluice.container import Container
from sluice.domain.base import Document
from sluice.domain.dataset_id import DatasetId
from sluice.domain.merge import Merge
from sluice.domain.names import Slug
from sluice.domain.project import Project
from sluice.errors import Conflict, Invalid
from sluice.merge.diff import Differ
from sluice.merge.input_versions import InputReader
from sluice.merge.preview_merge import preview
from sluice.projects.overrides import overrides_of

routes = Routes("data")
_MOST_VERSIONS = 10**12
_NUMBER = {"type": "integer", "minimum": 1}
_FROM = Parameter("from", "The older version; without it the one before `to`.", _NUMBER)
_TO = Parameter("to", "The newer version; without it the published one.", _NUMBER)


class PreviewRequest(Document):
    """The merge that is tried."""

    merge: Merge | None = Field(None, description="The specification; null: the project's own.")
    inputs: dict[Slug, Annotated[int, Field(ge=1)]] = Field(
        default_factory=dict, description="Versions of datasources that are read instead of the published ones."
    )


@routes.get("/projects/{slug}/diff", "project.read", answer="Diff", parameters=[_FROM, _TO, LIMIT, CURSOR])
def diff_versions(call: Call, services: Container, slug: str) -> Answer:
    """What was added, removed and changed from one version to another, by key; of documents by JSON Pointer."""
    call.require_known_parameters()
    limit = call.limit()
    dataset = DatasetId.of_project(slug)
    asked = call.integer("to", 0, 1, _MOST_VERSIONS)
    bound = ["diff", dataset, asked, call.one("from")]
    position = services.cursors.open(bound, call.one("cursor"))
    to = position[0] if position else asked or services.datasets.published(dataset).number
    older = call.integer("from", 0, 1, _MOST_VERSIONS) or to - 1
    if older == 0:
        raise Conflict(f"Version {to} is the first one; there is none to compare it with.")
    old, new = (services.datasets.version(dataset, number) for number in (older, to))
    differ = Differ(
        services.lake,
        services.settings,
        services.lake.manifest(old.manifest_key),
        services.lake.manifest(new.manifest_key),
    )
    # Versions never change, so the counts of the first page hold for all.
    offset, counts = position[1:] if position else (0, differ.counts())
    items, more = differ.changes(limit, offset)
    cursor = services.cursors.seal(bound, [to, offset + limit, counts]) if more else None
    return Answer({"items": items, "next": cursor, "from": older, "to": to, "counts": counts})


@routes.post(
    "/projects/{slug}/merge/preview",
    "project.try",
    body=PreviewRequest,
    answer="MergePreview",
    parameters=[IDEMPOTENCY_KEY],
)
def preview_merge(call: Call, services: Container, slug: str) -> Answer:
    """Try a merge on the published versions of the datasources, or on others; nothing is published."""
    found = call.definition
    request = call.document(PreviewRequest, {})
    project = Project.model_validate(found.document)
    if request.merge is not None:
        project = project.model_copy(update={"merge": request.merge})
    assigned = services.assignments.of_project(slug)
    unknown = sorted(set(request.inputs) - {one.datasource for one in assigned})
    if unknown:
        message = f"{unknown[0]!r} is no datasource of this project."
        raise Invalid(message, [{"pointer": f"/inputs/{unknown[0]}", "message": message}])
    input_reader = InputReader(services.datasets, services.lake)
    overrides = overrides_of(services, slug)
    settings = services.settings
    return Answer(preview(project, assigned, input_reader, services.lake, settings, request.inputs, overrides))
