"""Single merged records, and why they are what they are."""

from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import about_version, asked_version, version_headers
from sluice.api.routes import AS_OF, RECORD_KEY, VERSION, Parameter, Routes
from sluice.container import Container
from sluice.domain.dataset_id import DatasetId
from sluice.domain.merge import JoinMerge, UnionMerge, merge_of
from sluice.errors import Conflict
from sluice.merge.citations import Citer
from sluice.merge.explain import Explainer
from sluice.merge.explain_document import explain_document
from sluice.merge.lookup import find_record

routes = Routes("data")
_POINTER = Parameter("pointer", "For merges of documents: a JSON Pointer into the merged one.")


@routes.get("/projects/{slug}/records", "project.read", answer="MergedRecord", parameters=[RECORD_KEY, VERSION, AS_OF])
def get_record(call: Call, services: Container, slug: str) -> Answer:
    """One merged record; the version that it is of stands in the headers."""
    version = asked_version(call, services, DatasetId.of_project(slug))
    manifest = services.lake.manifest(version.manifest_key)
    spec = merge_of(manifest.spec["merge"])
    if not isinstance(spec, JoinMerge | UnionMerge) or not spec.key:
        raise Conflict("The merge of this version has no key, by which a record could be found.")
    record, _ = find_record(services.lake, services.settings, version, manifest, spec, call.many("key"))
    return Answer(record, headers=version_headers(about_version(version)))


@routes.get(
    "/projects/{slug}/explain",
    "project.read",
    answer="Explanation",
    parameters=[RECORD_KEY, _POINTER, VERSION, AS_OF],
)
def explain_record(call: Call, services: Container, slug: str) -> Answer:
    """Where each value of a merged record came from, by which rule, and what lost."""
    version = asked_version(call, services, DatasetId.of_project(slug))
    citer = Citer(services.lake, services.settings, services.pages.get)
    manifest = services.lake.manifest(version.manifest_key)
    if manifest.document is not None:
        pointer = call.one("pointer") or ""
        datasets, lake, settings = services.datasets, services.lake, services.settings
        return Answer(explain_document(manifest, version.number, pointer, datasets, lake, settings, citer))
    explainer = Explainer(version, services.datasets, services.lake, services.settings, citer)
    return Answer(explainer.explain(call.many("key")))
