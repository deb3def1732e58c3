"""The parts of a refresh after its merge: tests of tables, models, reports."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sluice.catalog.table import ConditionFailed
from sluice.container import Container
from sluice.domain.dataset import Manifest
from sluice.domain.dataset_id import DatasetId
from sluice.domain.model import Model, TestResult
from sluice.domain.project import Project
from sluice.domain.run import Run
from sluice.errors import NotFound, TestsFailed
from sluice.lake import object_keys
from sluice.models.graph import reads_of, waves
from sluice.models.project_tables import MERGED, ProjectTables
from sluice.models.testing import Tester


def models_of(services: Container, project: str) -> dict[str, Model]:
    """A project's models, by name."""
    return {name: Model.model_validate(one.document) for name, one in services.resources.all("model", project).items()}


def published_tables(services: Container, project: str, as_of: datetime | None = None) -> ProjectTables:
    """The tables of a project as they are published now, or were then."""
    models = models_of(services, project)
    assigned = services.assignments.of_project(project)
    return ProjectTables(project, assigned, models, services.datasets, services.lake, as_of=as_of)


def run_tables(services: Container, run: Run, *, with_models: bool = True) -> ProjectTables:
    """The tables of a project as a run sees them: what it has made so far, else what is published.

    Datasources are read at the versions that the run has merged.

    Args:
        with_models: whether models are among them; before any is made there are only those of another merge.
    """
    project = run.project or ""
    assigned = services.assignments.of_project(project)
    models = models_of(services, project) if with_models else {}
    given = {name: manifest for name, _, manifest in made_by(services, run) if name in {MERGED, *models}}
    if MERGED in given:
        for taken in given[MERGED].inputs:
            version = services.datasets.any_version(DatasetId.of_datasource(taken.datasource), taken.version)
            given[taken.alias] = services.lake.manifest(version.manifest_key)
    return ProjectTables(project, assigned, models, services.datasets, services.lake, given=given)


def note_made(services: Container, run: Run, name: str, manifest_key: str) -> None:
    """Keep which manifest a part of the run has written, for the parts after it and the commit."""
    services.lake.put_json(object_keys.part(run, name), {"manifest_key": manifest_key})


def made_by(services: Container, run: Run) -> Iterator[tuple[str, str, Manifest]]:
    """What a run's parts have made: name, manifest's key, manifest; the merge first."""
    for name in services.lake.find_json(object_keys.parts(run)) or []:
        found = services.lake.find_json(object_keys.part(run, name))
        if found is not None:
            yield name, found["manifest_key"], services.lake.manifest(found["manifest_key"])


def planned(services: Container, run: Run, merged_key: str | None) -> dict[str, Any]:
    """What is to be made after the merge: models in waves, then reports.

    Args:
        merged_key: the manifest of the run's merge; none in a run of one model or report alone.

    Returns:
        `{"waves": [[item]], "reports": [item]}`, each item the event of one call.
    """
    project = run.project or ""
    reads = {name: reads_of(name, model) for name, model in models_of(services, project).items()}
    reports = sorted(services.resources.all("report", project))
    if run.part is not None:
        reads = {name: reads[name] for name in ({run.part} & set(reads) if run.kind == "model" else ())}
        reports = [name for name in reports if run.kind == "report" and name == run.part]
        if not reads and not reports:
            raise NotFound(f"The {run.kind} {run.part!r} was deleted.")
    order = waves(reads)
    names = [*([MERGED] if merged_key else []), *(name for wave in order for name in wave)]
    services.lake.put_json(object_keys.parts(run), [*names, *(report_key(name) for name in reports)])
    if merged_key is not None:
        note_made(services, run, MERGED, merged_key)

    def item(name: str) -> dict[str, Any]:
        return {"run_id": run.id, "attempt": run.attempt, "name": name}

    return {"waves": [[item(name) for name in wave] for wave in order], "reports": [item(name) for name in reports]}


def report_key(name: str) -> str:
    """A report among a run's parts: it may have the name of a model."""
    return f"report/{name}"


def test_tables(services: Container, run: Run, project: Project, merged: Manifest) -> list[str]:
    """Run the tests of the merge and of the datasources that it has read.

    Returns:
        What failed without being an error, as warnings.

    Raises:
        TestsFailed: a test of severity error has failed.
        ModelFailed: a test does not fit its table.
    """
    if not project.tests:
        return []
    tables = run_tables(services, run, with_models=False)
    warnings: list[str] = []
    failed: list[str] = []
    with services.lake.scratch() as scratch:
        tester = Tester(tables, services.sandbox, scratch.parent, datetime.now(UTC))
        for name, tests in project.tests.items():
            manifest = merged if name == MERGED else tables.given.get(name)
            if manifest is None:
                warnings.append(f"The tests of {name} were not run: the merge reads no such table.")
                continue
            results = tester.results(name, manifest, tests)
            keep_results(services, run, DatasetId.of_project_resource(project.slug, "table", name), results)
            warnings += told(results, "warn")
            failed += told(results, "error")
    require_passed(failed)
    return warnings


def keep_results(services: Container, run: Run, dataset: DatasetId, results: list[TestResult]) -> None:
    """Keep how tests of what is to be published have ended, unless a later run has kept its own."""
    if run.dry_run:
        return
    try:
        services.test_results.put(dataset, run.id, results)
    except ConditionFailed:
        return


def told(results: list[TestResult], severity: str) -> list[str]:
    """What has failed with a severity."""
    return [one.message for one in results if one.status == "failed" and one.severity == severity]


def require_passed(failed: list[str]) -> None:
    """Stop the publication where something has failed.

    Raises:
        TestsFailed: naming it.
    """
    if failed:
        raise TestsFailed(f"Nothing is published, since tests have failed: {'; '.join(failed)}.")
