"""The stage `model`: one model of what the run has made so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sluice.bootstrap import Platform
from sluice.domain.run import Run


def model(services: Platform, run: Run, event: dict[str, Any], seconds_left: Callable[[], float]) -> dict[str, Any]:
    """Make one model of what the run has made so far, and test it."""
    from sluice.catalog.project_parts import part_name
    from sluice.domain.model import Model
    from sluice.models.maker import ModelMaker
    from sluice.runs import parts

    name = event["name"]
    found = services.definitions.get("model", part_name(run.project or "", name))
    tables = parts.run_tables(services, run)
    maker = ModelMaker(run, tables, services.datasets, services.lake, services.sandbox, services.settings)
    key, _, results = maker.make(name, Model.model_validate(found.document))
    parts.keep_results(services, run, tables.dataset(name), results)
    parts.require_passed(parts.told(results, "error"))
    parts.note_made(services, run, name, key)
    return {"outcome": "done"}
