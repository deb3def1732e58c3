"""The stage `report`: one report of what the run has made so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.container import Container
from sluice.domain.run import Run


def report(services: Container, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Render one report of what the run has made so far."""
    from sluice.catalog.project_resources import resource_name
    from sluice.domain.report import Report
    from sluice.projects import refresh_outputs
    from sluice.reports.maker import ReportMaker

    name = event["name"]
    found = services.definitions.get("report", resource_name(run.project or "", name))
    tables = refresh_outputs.run_tables(services, run)
    maker = ReportMaker(run, tables, services.datasets, services.lake, services.sandbox, services.settings)
    refresh_outputs.note_made(
        services, run, refresh_outputs.report_key(name), maker.make(name, Report.model_validate(found.document))
    )
    return {"outcome": "done"}
