"""The report stage: execute one report's queries and write one HTML file, and a CSV for each section with rows."""

from __future__ import annotations

from pathlib import Path

from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import DataObject, Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.json_text import loads_with_digits
from sluice.domain.report import MarkdownSection, QuerySection, Report
from sluice.domain.run import Run
from sluice.domain.sql_query import SqlError, parse_query
from sluice.domain.stale_input import distinct
from sluice.errors import Invalid, ModelFailed, NotPublished
from sluice.lake import object_keys
from sluice.lake.parquet import data_object
from sluice.lake.store import Lake
from sluice.models.project_tables import ProjectTables, QueryTables
from sluice.models.versions import draft_derived
from sluice.reports.html import Origin, page
from sluice.reports.sections import PageSections, section_csv
from sluice.reports.values import Rows
from sluice.sandbox.sandbox import Sandbox
from sluice.settings import Settings
from sluice.versions.draft import reuse_contents


class ReportMaker:
    """Renders the reports of one project in one run.

    Args:
        run: the refresh.
        tables: the project's tables, with the versions that this run has written.
        datasets: the catalog of versions.
        lake: receives the versions.
        sandbox: executes the SQL.
        settings: limits.
    """

    def __init__(
        self, run: Run, tables: ProjectTables, datasets: Datasets, lake: Lake, sandbox: Sandbox, settings: Settings
    ) -> None:
        self._run = run
        self._tables = tables
        self._datasets = datasets
        self._lake = lake
        self._sandbox = sandbox
        self._settings = settings

    def make(self, name: str, report: Report) -> str:
        """Execute a report's queries and write the version.

        If the published version has the same fingerprint, the manifest names its objects and nothing is computed.

        Args:
            name: the report's name.
            report: the report.

        Returns:
            The key of the manifest, for the commit.

        Raises:
            ModelFailed: a section's SQL does not fit the tables, or a chart its rows.
        """
        dataset = DatasetId.of_project_resource(self._run.belongs_to, "report", name)
        try:
            query_tables = self._query_tables(report)
            spec = {"name": name, **report.model_dump(mode="json")}
            manifest, unchanged_version = draft_derived(
                self._run, "report", dataset, spec, query_tables, self._datasets
            )
            folder = object_keys.output_folder(self._run, "reports", name, manifest.fingerprint)
            if unchanged_version is not None:
                reuse_contents(manifest, unchanged_version, ["truncated"], self._datasets, self._lake)
            else:
                self._write(folder, name, report, query_tables, manifest)
        except (SqlError, Invalid, NotPublished) as error:
            raise ModelFailed(f"The report {name}: {error}") from None
        key = object_keys.manifest(folder)
        self._lake.put_json(key, manifest.model_dump(mode="json"))
        return key

    def _query_tables(self, report: Report) -> QueryTables:
        """Return the tables that any section reads."""
        all_tables = QueryTables()
        for report_section in report.sections:
            if not isinstance(report_section, MarkdownSection):
                section_tables = self._tables.for_query(parse_query(report_section.sql))
                known = {table.name for table in all_tables.tables}
                all_tables.tables += [table for table in section_tables.tables if table.name not in known]
                all_tables.manifests |= section_tables.manifests
                all_tables.numbers |= section_tables.numbers
                all_tables.stale = distinct([*all_tables.stale, *section_tables.stale])
        return all_tables

    def _write(self, folder: str, name: str, report: Report, query_tables: QueryTables, manifest: Manifest) -> None:
        with self._lake.scratch() as scratch:
            page_sections = PageSections(self._run.belongs_to, name, self._settings.report_link_bytes)
            objects: list[DataObject] = []
            for index, report_section in enumerate(report.sections):
                if isinstance(report_section, MarkdownSection):
                    page_sections.add_text(report_section)
                    continue
                try:
                    rows = self._rows(report_section, query_tables, scratch.parent)
                    csv = section_csv(rows)
                    page_sections.add_rows(index, report_section, rows, csv)
                except (SqlError, Invalid, ModelFailed) as error:
                    raise Invalid(f"section {index + 1} ({report_section.title or 'untitled'}): {error}") from None
                key = f"{folder}/section-{index}.csv"
                objects.append(self._store(scratch, key, csv, len(rows.items)))
                manifest.truncated += [key] if rows.truncated else []
            html = page(report.title, self._origin(query_tables, manifest), page_sections.html, page_sections.styles)
            objects.insert(0, self._store(scratch, f"{folder}/report.html", html, 0))
        manifest.objects, manifest.bytes = objects, sum(object_.bytes for object_ in objects)

    def _origin(self, query_tables: QueryTables, manifest: Manifest) -> Origin:
        return Origin(
            self._run.project or "",
            self._run.id,
            manifest.number,
            manifest.data_as_of,
            manifest.inputs,
            query_tables.manifests,
            manifest.stale,
        )

    def _store(self, scratch: Path, key: str, text: str, rows: int) -> DataObject:
        scratch.write_text(text, encoding="utf-8", newline="")
        object_ = data_object(key, scratch, rows)
        self._lake.put_file(key, scratch)
        return object_

    def _rows(self, report_section: QuerySection, query_tables: QueryTables, scratch: Path) -> Rows:
        limit = self._settings.report_rows
        # One thread: the order of rows without ORDER BY and sums of doubles depend on the number of threads, and the
        # same inputs must give the same report.
        result = self._sandbox.query(
            parse_query(report_section.sql).sql, {}, query_tables.tables, scratch, rows=limit, threads=1
        )
        return Rows(result.columns, loads_with_digits(result.items), result.truncated, report_section.format)
