"""The stage `report`: one report of what the run has made so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.bootstrap import Platform
from sluice.domain.run import Run


def report(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Render one report of what the run has made so far."""
    from sluice.catalog.project_parts import part_name
    from sluice.domain.report import Report
    from sluice.reports.maker import ReportMaker
    from sluice.runs import parts

    name = event["name"]
    found = services.definitions.get("report", part_name(run.project or "", name))
    tables = parts.run_tables(services, run)
    maker = ReportMaker(run, tables, services.datasets, services.lake, services.sandbox, services.settings)
    parts.note_made(services, run, parts.report_key(name), maker.make(name, Report.model_validate(found.document)))
    return {"outcome": "done"}
