"""Testing the tables of a merge before they are published, and storing the results of all tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from sluice.catalog.table import ConditionFailed
from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.model import Severity, TestResult
from sluice.domain.project import Project
from sluice.domain.run import Run
from sluice.errors import TestsFailed
from sluice.models.project_tables import MERGED
from sluice.models.testing import Tester
from sluice.projects.tables import TableServices, tables_with
from sluice.services import WithSandbox, WithTestResults


class TestServices(WithSandbox, WithTestResults, TableServices, Protocol):
    """What running tests of tables needs."""


def test_merge(services: TestServices, run: Run, project: Project, merged: Manifest) -> list[str]:
    """Run the project's tests of its merge, and of the datasources that the merge has read.

    Args:
        merged: the manifest of the merge, which is not published yet.

    Returns:
        The messages of failed tests of severity `warn`, and of tests that could not be run.

    Raises:
        TestsFailed: a test of severity `error` has failed.
        ModelFailed: a test does not fit its table.
    """
    if not project.tests:
        return []
    tables = tables_with(services, project.slug, {MERGED: merged}, derived=False)
    warnings: list[str] = []
    errors: list[str] = []
    with services.lake.scratch() as scratch:
        tester = Tester(tables, services.sandbox, scratch.parent, datetime.now(UTC))
        for name, tests in project.tests.items():
            manifest = tables.unpublished.get(name)
            if manifest is None:
                warnings.append(f"The tests of {name} were not run: the merge reads no such table.")
                continue
            results = tester.results(name, manifest, tests)
            store_results(services, run, DatasetId.of_project_resource(project.slug, "table", name), results)
            warnings += failures(results, "warn")
            errors += failures(results, "error")
    require_passed(errors)
    return warnings


def store_results(services: WithTestResults, run: Run, dataset: DatasetId, results: list[TestResult]) -> None:
    """Store the results of a table's tests, unless a later run has stored its own; a dry run stores none."""
    if run.dry_run:
        return
    try:
        services.test_results.put(dataset, run.id, results)
    except ConditionFailed:  # a later run has stored its results
        return


def failures(results: list[TestResult], severity: Severity) -> list[str]:
    """The messages of the failed tests of one severity."""
    return [result.message for result in results if result.status == "failed" and result.severity == severity]


def require_passed(errors: list[str]) -> None:
    """Raise an error if tests have failed.

    Args:
        errors: the messages of failed tests of severity `error`.

    Raises:
        TestsFailed: there are messages; the detail has them all.
    """
    if errors:
        raise TestsFailed(f"Nothing is published, since tests have failed: {'; '.join(errors)}.")
