"""Reading what reports have rendered: the HTML page, or the rows of one section as CSV."""

from __future__ import annotations

from sluice.domain.dataset import DataObject, Manifest
from sluice.errors import Invalid
from sluice.reads.file_names import file_name

# What browsers load with a page, which has no scripts. Should a value ever inject one, they do not run it. Images must
# be part of the page: another host would learn who reads it, and when.
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def report_page(manifest: Manifest) -> DataObject:
    """The HTML page of a rendered report: the renderer lists it first."""
    return manifest.objects[0]


def report_section(manifest: Manifest, section: str | None) -> tuple[str, DataObject]:
    """The CSV of one section of a rendered report.

    Args:
        section: the section's number, from 0; null for the first table or, without a table, the first chart.

    Returns:
        The section's number and its object.

    Raises:
        Invalid: the report has no such section, or it has no rows.
    """
    sections = {part.key.rpartition("section-")[2].removesuffix(".csv"): part for part in manifest.objects[1:]}
    if not sections or (section is not None and section not in sections):
        available = ", ".join(sections) or "none"
        message = f"The report has no such section with rows; sections with rows: {available}."
        raise Invalid(message, [{"pointer": "?section", "message": message}])
    documents = manifest.spec["report"]["sections"]
    first_table = (number for number in sections if documents[int(number)]["type"] == "table")
    number = section or next(first_table, next(iter(sections)))
    return number, sections[number]


def section_file_name(
    project: str, report: str, version: int | None, section: str, rows: int, *, truncated: bool
) -> str:
    """The name of a section's CSV, under which people save it.

    Args:
        project: the project's slug.
        report: the report's name.
        version: the report's version; null for links in the page, whose bytes depend on its data only.
        section: the section's number.
        rows: the rows in the file.
        truncated: whether the query has more rows, which the name then says.
    """
    details = [f"section-{section}", *([f"only-the-first-{rows}-rows"] if truncated else [])]
    return file_name([project, report, "report"], version, "csv", *details)
