"""The report stage: execute one report's queries and write one HTML file, and a CSV for each section with rows."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from sluice.catalog.datasets import Datasets
from sluice.domain.dataset import DataObject, InputVersion, Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.json_text import loads_with_digits
from sluice.domain.report import MarkdownSection, Report, Section, TableSection
from sluice.domain.run import Run
from sluice.domain.sql_query import SqlError, parse_query
from sluice.errors import Invalid, ModelFailed, NotPublished
from sluice.lake import object_keys
from sluice.lake.parquet import data_object
from sluice.lake.store import Lake
from sluice.models.project_tables import ProjectTables, QueryTables
from sluice.models.versions import draft_derived
from sluice.reads.csv_text import csv_header, csv_rows
from sluice.reports.charts import chart_svg
from sluice.reports.html import Rows, markdown, page, section, table
from sluice.sandbox.sandbox import Sandbox
from sluice.settings import Settings
from sluice.versions.draft import reuse_contents

logger = Logger()


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
                self._write(folder, report, query_tables, manifest)
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
        return all_tables

    def _write(self, folder: str, report: Report, query_tables: QueryTables, manifest: Manifest) -> None:
        with self._lake.scratch() as scratch:
            sections: list[str] = []
            objects: list[DataObject] = []
            for index, report_section in enumerate(report.sections):
                if isinstance(report_section, MarkdownSection):
                    sections.append(section(None, markdown(report_section.text)))
                    continue
                try:
                    rows = self._rows(report_section, query_tables, scratch.parent)
                    sections.append(section(report_section.title, self._content(report_section, rows)))
                except (SqlError, Invalid, ModelFailed) as error:
                    raise Invalid(f"section {index + 1} ({report_section.title or 'untitled'}): {error}") from None
                csv = _csv(rows)
                key = f"{folder}/section-{index}.csv"
                objects.append(self._store(scratch, key, csv, len(rows.items)))
                manifest.truncated += [key] if rows.truncated else []
            html = self._page(report, manifest.inputs, manifest.data_as_of, sections)
            objects.insert(0, self._store(scratch, f"{folder}/report.html", html, 0))
        manifest.objects, manifest.bytes = objects, sum(object_.bytes for object_ in objects)

    def _page(self, report: Report, inputs: list[InputVersion], data_as_of: str, sections: list[str]) -> str:
        return page(report.title, self._run.project or "", self._run.id, data_as_of, inputs, sections)

    def _store(self, scratch: Path, key: str, text: str, rows: int) -> DataObject:
        scratch.write_text(text, encoding="utf-8", newline="")
        object_ = data_object(key, scratch, rows)
        self._lake.put_file(key, scratch)
        return object_

    def _rows(self, report_section: Any, query_tables: QueryTables, scratch: Path) -> Rows:
        limit = self._settings.report_rows
        # One thread: the order of rows without ORDER BY and sums of doubles depend on the number of threads, and the
        # same inputs must give the same report.
        result = self._sandbox.query(
            parse_query(report_section.sql).sql, {}, query_tables.tables, scratch, rows=limit, threads=1
        )
        return Rows(result.columns, loads_with_digits(result.items), result.truncated)

    def _content(self, report_section: Section, rows: Rows) -> str:
        if isinstance(report_section, TableSection):
            return table(rows)
        if isinstance(report_section, MarkdownSection):
            raise AssertionError("a Markdown section has no rows")
        if not rows.items:
            return '<p class="note">The query has no rows.</p>'
        try:
            with warnings.catch_warnings(action="ignore"):  # matplotlib warns of overflows before it raises
                svg = chart_svg(report_section, rows.columns, rows.items)
        except (ValueError, ArithmeticError, IndexError, RuntimeError) as error:
            logger.info("a chart cannot be drawn", extra={"reason": str(error)})
            return '<p class="note">These values cannot be drawn: the range is too large, too small or no times.</p>'
        if rows.truncated:
            svg += f'<p class="note">The chart shows the first {len(rows.items)} rows only.</p>'
        return svg


def _csv(rows: Rows) -> str:
    names = [column["name"] for column in rows.columns]
    kinds = [column["type"] for column in rows.columns]
    return csv_header(names) + csv_rows(kinds, ([row[name] for name in names] for row in rows.items))
