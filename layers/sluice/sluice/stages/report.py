"""The stage `report`: rendering one report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.domain.run import Run
from sluice.stages.outputs import Services, begin_output


def report(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Render one report from the run's outputs so far.

    Args:
        event: `"name"`, the report.

    Raises:
        NotFound: the report was deleted.
    """
    from sluice.domain.report import Report
    from sluice.projects.refresh_outputs import note_output, report_output
    from sluice.reports.maker import ReportMaker

    name = event["name"]
    document, tables = begin_output(services, run, "report", name)
    maker = ReportMaker(run, tables, services.datasets, services.lake, services.sandbox, services.settings)
    note_output(services, run, report_output(name), maker.make(name, Report.model_validate(document)))
    return {"outcome": "done"}
