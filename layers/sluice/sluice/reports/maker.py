"""The report stage: one report's queries to one HTML file, and a CSV for each section with rows."""

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
from sluice.models.project_tables import Chosen, ProjectTables
from sluice.models.versions import begun, name_again
from sluice.reads.csv_text import csv_head, csv_rows
from sluice.reports.charts import chart_svg
from sluice.reports.html import Rows, markdown, page, section, table
from sluice.sandbox.sandbox import Sandbox
from sluice.settings import Settings

logger = Logger()


class ReportMaker:
    """Renders the reports of one project in one run.

    Args:
        tables: with what the run has made.
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
        """Write the version that a report is now; one that was made of the same is named again.

        Returns:
            The key of the manifest, for the commit.

        Raises:
            ModelFailed: a section's SQL does not fit the tables, or a chart its rows.
        """
        dataset = DatasetId.of_project_resource(self._run.belongs_to, "report", name)
        try:
            chosen = self._chosen(report)
            spec = {"name": name, **report.model_dump(mode="json")}
            manifest, same = begun(self._run, "report", dataset, spec, chosen, self._datasets)
            folder = object_keys.output_folder(self._run, "reports", name, manifest.fingerprint)
            if same is not None:
                name_again(manifest, same, self._datasets, self._lake)
            else:
                self._write(folder, report, chosen, manifest)
        except (SqlError, Invalid, NotPublished) as error:
            raise ModelFailed(f"The report {name}: {error}") from None
        key = object_keys.manifest(folder)
        self._lake.put_json(key, manifest.model_dump(mode="json"))
        return key

    def _chosen(self, report: Report) -> Chosen:
        """All tables that the sections read."""
        whole = Chosen()
        for one in report.sections:
            if not isinstance(one, MarkdownSection):
                part = self._tables.chosen(parse_query(one.sql))
                known = {table.name for table in whole.tables}
                whole.tables += [table for table in part.tables if table.name not in known]
                whole.manifests |= part.manifests
                whole.numbers |= part.numbers
        return whole

    def _write(self, folder: str, report: Report, chosen: Chosen, manifest: Manifest) -> None:
        with self._lake.scratch() as scratch:
            parts: list[str] = []
            objects: list[DataObject] = []
            for index, one in enumerate(report.sections):
                if isinstance(one, MarkdownSection):
                    parts.append(section(None, markdown(one.text)))
                    continue
                rows = self._rows(one, chosen, scratch.parent)
                parts.append(section(one.title, self._content(one, rows)))
                csv = _csv(rows)
                key = f"{folder}/section-{index}.csv"
                objects.append(self._stored(scratch, key, csv, len(rows.items)))
                manifest.truncated += [key] if rows.truncated else []
            html = self._page(report, manifest.inputs, manifest.data_as_of, parts)
            objects.insert(0, self._stored(scratch, f"{folder}/report.html", html, 0))
        manifest.objects, manifest.bytes = objects, sum(part.bytes for part in objects)

    def _page(self, report: Report, inputs: list[InputVersion], data_as_of: str, parts: list[str]) -> str:
        return page(report.title, self._run.project or "", self._run.id, data_as_of, inputs, parts)

    def _stored(self, scratch: Path, key: str, text: str, rows: int) -> DataObject:
        scratch.write_text(text, encoding="utf-8", newline="")
        part = data_object(key, scratch, rows)
        self._lake.put_file(key, scratch)
        return part

    def _rows(self, one: Any, chosen: Chosen, scratch: Path) -> Rows:
        limit = self._settings.report_rows
        found = self._sandbox.query(parse_query(one.sql).sql, {}, chosen.tables, scratch, rows=limit, threads=1)
        return Rows(found.columns, loads_with_digits(found.items), found.truncated)

    def _content(self, one: Section, rows: Rows) -> str:
        if isinstance(one, TableSection):
            return table(rows)
        if isinstance(one, MarkdownSection):
            raise AssertionError("text has no rows")
        if not rows.items:
            return '<p class="note">There is nothing to draw: the query gives no rows.</p>'
        try:
            with warnings.catch_warnings(action="ignore"):  # numbers that overflow: what comes of them is caught
                drawn = chart_svg(one, rows.columns, rows.items)
        except (ValueError, ArithmeticError, IndexError, RuntimeError) as error:
            logger.info("a chart cannot be drawn", extra={"reason": str(error)})
            return '<p class="note">These values cannot be drawn: they are too far apart, too close, or no times.</p>'
        if rows.truncated:
            drawn += f'<p class="note">Only the first {len(rows.items)} rows are drawn; there are more.</p>'
        return drawn


def _csv(rows: Rows) -> str:
    names = [one["name"] for one in rows.columns]
    kinds = [one["type"] for one in rows.columns]
    return csv_head(names) + csv_rows(kinds, ([row[name] for name in names] for row in rows.items))
