"""Metrics in CloudWatch's embedded metric format: lines of the logs, of which CloudWatch makes metrics.

The namespace is the stack's name. Nothing is called for them, and without traffic there are none.
"""

from __future__ import annotations

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from sluice.domain.names import parse_time
from sluice.domain.run import Run

Values = dict[str, tuple[MetricUnit, float]]


def run_ended(stack: str, run: Run) -> None:
    """Count a run that has ended, by kind and outcome, and what it has published, by kind."""
    _write(stack, {"kind": run.kind, "outcome": run.status}, {"Runs": (MetricUnit.Count, 1)})
    values: Values = {
        "Rows": (MetricUnit.Count, run.rows or 0),
        "Bytes": (MetricUnit.Bytes, run.bytes or 0),
        "Requests": (MetricUnit.Count, run.requests),
    }
    if run.started_at is not None and run.finished_at is not None:
        took = parse_time(run.finished_at) - parse_time(run.started_at)
        values["Duration"] = (MetricUnit.Milliseconds, took.total_seconds() * 1000)
    _write(stack, {"kind": run.kind}, values)


def pages_fetched(stack: str, count: int) -> None:
    """Count the pages that a run has brought into the lake."""
    _write(stack, {"kind": "ingest"}, {"Pages": (MetricUnit.Count, count)})


def request_refused(stack: str, status: int) -> None:
    """Count a request that was answered with a problem, by its status."""
    _write(stack, {"status": str(status)}, {"RefusedRequests": (MetricUnit.Count, 1)})


def _write(stack: str, dimensions: dict[str, str], values: Values) -> None:
    metrics = EphemeralMetrics(namespace=stack, service="sluice")
    for name, value in dimensions.items():
        metrics.add_dimension(name, value)
    for name, (unit, number) in values.items():
        metrics.add_metric(name, unit, number)
    metrics.flush_metrics()
