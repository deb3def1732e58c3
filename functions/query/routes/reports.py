"""What reports have rendered."""

from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import about_version, version_headers
from sluice.api.project_resources import REPORTS
from sluice.api.routes import IF_NONE_MATCH, Parameter, Routes
from sluice.container import Container
from sluice.domain.dataset import DataObject, Manifest, Version
from sluice.domain.dataset_id import DatasetId
from sluice.domain.names import parse_time
from sluice.errors import Invalid, NotFound

routes = Routes("models")
_MOST_SECTIONS = 1000
_FORMAT = Parameter("format", "The page, or one section's rows.", {"type": "string", "enum": ["html", "csv"]})
_SECTION = Parameter(
    "section", "For CSV: which section, from 0; without it the first table, else the first chart.", {"type": "integer"}
)


@routes.get(
    "/projects/{slug}/reports/{name}/{run}",
    "project.read",
    parameters=[_FORMAT, _SECTION, IF_NONE_MATCH],
    media_types=("text/html", "text/csv"),
)
def get_rendered_report(call: Call, services: Container, slug: str, name: str, run: str) -> Answer:
    """A report as `latest` or another run has rendered it."""
    REPORTS.load(services, slug, name)
    form = call.choice("format", ("html", "csv"), "html")
    dataset = DatasetId.of_project_resource(slug, "report", name)
    version = services.datasets.published(dataset) if run == "latest" else _rendered(services, slug, dataset, run)
    manifest = services.lake.manifest(version.manifest_key)
    headers = {**version_headers(about_version(version))}
    if form == "html":
        part, media_type = manifest.objects[0], "text/html; charset=utf-8"
        # The page has no scripts; should its text ever hold one, it is not run.
        headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    else:
        tables = {part.key.rpartition("section-")[2].removesuffix(".csv"): part for part in manifest.objects[1:]}
        section = call.one("section")
        if not tables or (section is not None and section not in tables):
            known = ", ".join(tables) or "none"
            message = f"The report has no such section with rows; it has {known}."
            raise Invalid(message, [{"pointer": "?section", "message": message}])
        sections = manifest.spec["report"]["sections"]
        first = next((name for name in tables if sections[int(name)]["type"] == "table"), next(iter(tables)))
        part, media_type = tables[section or first], "text/csv; charset=utf-8"
        headers |= _about_csv(manifest, part, f"{name}-{section or first}")
    headers["ETag"] = f'"{part.sha256[:32]}"'
    if call.has(part.sha256[:32]):
        return Answer(status=304, headers=headers)
    return Answer(services.lake.get(part.key), headers=headers, media_type=media_type)


def _about_csv(manifest: Manifest, part: DataObject, name: str) -> dict[str, str]:
    """Whether rows were cut off: as a header for programs, and in the name of the file that people save."""
    truncated = part.key in manifest.truncated
    name = f"{name}-only-the-first-{part.rows}-rows" if truncated else name
    told = {"Content-Disposition": f'inline; filename="{name}.csv"'}
    return told | ({"X-Sluice-Truncated": "true"} if truncated else {})


def _rendered(services: Container, slug: str, dataset: DatasetId, run: str) -> Version:
    """The version that a run has made, or has found that nothing of it would change."""
    try:
        return services.datasets.of_run(dataset, run)
    except NotFound:
        found = services.runs.find(run)
        if found is None or found.project != slug or found.status != "succeeded" or found.finished_at is None:
            raise
        return services.datasets.version_as_of(dataset, parse_time(found.finished_at))
