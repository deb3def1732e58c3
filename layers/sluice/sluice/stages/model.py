"""The stage `model`: computing one model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sluice.domain.run import Run
from sluice.services import WithTestResults
from sluice.stages import outputs


class Services(outputs.Services, WithTestResults, Protocol):
    """What the stage needs."""


def model(services: Services, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Compute one model from the run's outputs so far, and run its tests.

    Args:
        event: `"name"`, the model.

    Raises:
        NotFound: the model was deleted.
        ModelFailed: the SQL failed.
        TestsFailed: a test of severity `error` has failed.
    """
    from sluice.domain.model import Model
    from sluice.models.maker import ModelMaker
    from sluice.projects import table_tests
    from sluice.projects.refresh_outputs import note_output

    name = event["name"]
    document, tables = outputs.begin_output(services, run, "model", name)
    maker = ModelMaker(run, tables, services.datasets, services.lake, services.sandbox, services.settings)
    key, _, results = maker.make(name, Model.model_validate(document))
    # Before the tests can fail the run: the results are shown whether or not the data is published.
    table_tests.store_results(services, run, tables.dataset(name), results)
    table_tests.require_passed(table_tests.failures(results, "error"))
    note_output(services, run, name, key)
    return {"outcome": "done"}
