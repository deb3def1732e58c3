"""Metrics in CloudWatch's embedded metric format (EMF): CloudWatch extracts them from the logs.

The namespace is the stack's name. Writing them calls no AWS service, and without traffic they cost nothing.
"""

from __future__ import annotations

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from sluice.domain.names import parse_time
from sluice.domain.run import Run

Values = dict[str, tuple[MetricUnit, float]]


def count_run(stack: str, run: Run) -> None:
    """Count a run that has ended, by kind and outcome, and its rows, bytes, requests and duration, by kind.

    Args:
        stack: the namespace.
        run: as it is stored after its end.
    """
    # Two entries: one with the outcome as a dimension, and values without it, so that they add up by kind.
    _write(stack, {"kind": run.kind, "outcome": run.status}, {"Runs": (MetricUnit.Count, 1)})
    values: Values = {
        "Rows": (MetricUnit.Count, run.rows or 0),
        "Bytes": (MetricUnit.Bytes, run.bytes or 0),
        "Requests": (MetricUnit.Count, run.requests),
    }
    if run.started_at is not None and run.finished_at is not None:
        duration = parse_time(run.finished_at) - parse_time(run.started_at)
        values["Duration"] = (MetricUnit.Milliseconds, duration.total_seconds() * 1000)
    _write(stack, {"kind": run.kind}, values)


def count_pages(stack: str, count: int) -> None:
    """Count the pages that an ingest run has stored.

    Args:
        stack: the namespace.
    """
    _write(stack, {"kind": "ingest"}, {"Pages": (MetricUnit.Count, count)})


def count_refused_request(stack: str, status: int) -> None:
    """Count a request that was answered with a problem.

    Args:
        stack: the namespace.
        status: the HTTP status, which is a dimension.
    """
    _write(stack, {"status": str(status)}, {"RefusedRequests": (MetricUnit.Count, 1)})


def _write(stack: str, dimensions: dict[str, str], values: Values) -> None:
    # EphemeralMetrics: the usual Metrics is a singleton, whose dimensions would leak into the next run's.
    metrics = EphemeralMetrics(namespace=stack, service="sluice")
    for name, value in dimensions.items():
        metrics.add_dimension(name, value)
    for name, (unit, number) in values.items():
        metrics.add_metric(name, unit, number)
    metrics.flush_metrics()
