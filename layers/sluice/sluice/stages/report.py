"""The stage `report`: rendering one report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sluice.domain.run import Run
from sluice.services import (
    WithAssignments,
    WithDatasets,
    WithDefinitions,
    WithLake,
    WithResources,
    WithRuns,
    WithSandbox,
    WithSettings,
)
from sluice.stages.inputs import note_stage


class Services(
    WithDefinitions,
    WithAssignments,
    WithResources,
    WithRuns,
    WithDatasets,
    WithLake,
    WithSettings,
    WithSandbox,
    Protocol,
):
    """What the stage needs."""


def report(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Render one report from the run's outputs so far.

    Args:
        event: `"name"`, the report.

    Raises:
        NotFound: the report was deleted.
    """
    from sluice.catalog.project_resources import resource_name
    from sluice.domain.report import Report
    from sluice.projects.refresh_outputs import note_output, report_output, run_tables
    from sluice.reports.maker import ReportMaker

    note_stage(services, run, "report")
    name = event["name"]
    definition = services.definitions.get("report", resource_name(run.project or "", name))
    tables = run_tables(services, run)
    maker = ReportMaker(run, tables, services.datasets, services.lake, services.sandbox, services.settings)
    note_output(services, run, report_output(name), maker.make(name, Report.model_validate(definition.document)))
    return {"outcome": "done"}
