"""Rendered reports."""

from sluice.api.call import Answer, Call
from sluice.api.dataset_answers import version_headers, version_summary
from sluice.api.project_resources import REPORTS
from sluice.api.routes import IF_NONE_MATCH, Parameter, Routes
from sluice.container import Container
from sluice.errors import NotPublished
from sluice.projects.rendered_reports import rendered_version
from sluice.reads.file_names import file_name
from sluice.reads.report_files import CONTENT_POLICY, report_page, report_section, section_file_name

routes = Routes("models")
_FORMATS = ("html", "csv")
_FORMAT = Parameter("format", "The whole page, or one section's rows.", {"type": "string", "enum": list(_FORMATS)})
_SECTION = Parameter(
    "section",
    "For CSV: the section's number, from 0; default: the first table, else the first chart.",
    {"type": "integer"},
)
REPORT_PARAMETERS = [_FORMAT, _SECTION]


@routes.get(
    "/projects/{slug}/reports/{name}/{run}",
    "project.read",
    parameters=[*REPORT_PARAMETERS, IF_NONE_MATCH],
    media_types=("text/html", "text/csv"),
    head=True,
)
def get_rendered_report(call: Call, services: Container, slug: str, name: str, run: str) -> Answer:
    """A report as `latest` or another run has rendered it."""
    REPORTS.load(services, slug, name)
    output_format = call.choice("format", _FORMATS, "html")
    version = rendered_version(services, slug, name, run)
    manifest = services.lake.manifest(version.manifest_key)
    headers = {**version_headers(version_summary(version))}
    if output_format == "html":
        part, media_type = report_page(manifest), "text/html; charset=utf-8"
        file = file_name([slug, name, "report"], version.number, "html")
        headers["Content-Security-Policy"] = CONTENT_POLICY
    else:
        number, part = report_section(manifest, call.query_value("section"))
        media_type = "text/csv; charset=utf-8"
        truncated = part.key in manifest.truncated
        headers |= {"X-Sluice-Truncated": "true"} if truncated else {}
        file = section_file_name(slug, name, version.number, number, part.rows, truncated=truncated)
    headers["ETag"] = f'"{part.sha256[:32]}"'
    if call.client_has(part.sha256[:32]):
        return Answer(status=304, headers=headers)
    return Answer(services.lake.get(part.key), headers=headers, media_type=media_type, filename=file)


def require_report_query(call: Call, services: Container, slug: str, name: str, run: str) -> None:
    """Check the query of a later `get_rendered_report` as far as the report's renderings allow.

    Raises:
        NotFound: there is no such report, or no such rendering of it.
        Invalid: the format or the section does not exist.
    """
    REPORTS.load(services, slug, name)
    if call.choice("format", _FORMATS, "html") != "csv":
        return
    try:
        version = rendered_version(services, slug, name, run)
    except NotPublished:
        return
    report_section(services.lake.manifest(version.manifest_key), call.query_value("section"))
