"""The latest results of tables' tests: items `tests/{dataset}` beside the pointers."""

from __future__ import annotations

from typing import Any

import orjson

from sluice.catalog.table import Table
from sluice.domain.dataset_id import DatasetId
from sluice.domain.model import TestResult
from sluice.domain.names import now, rfc3339


class TestResults:
    """The latest results of each table's tests, whether or not its data was published."""

    __test__ = False

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def put(self, dataset: DatasetId, run: str, results: list[TestResult]) -> None:
        """Store the results of a run, in place of those of an earlier run.

        Raises:
            ConditionFailed: a later run has stored its results.
        """
        encoded = orjson.dumps([result.model_dump(mode="json") for result in results]).decode()
        key = {"workspace": self._workspace, "dataset": f"tests/{dataset}"}
        # Run ids are ULIDs, so the condition below compares the times at which the runs were created.
        changes = {"run": run, "checked_at": rfc3339(now()), "results": encoded}
        self._table.execute(
            self._table.update(key, changes, "attribute_not_exists(#run) OR #run <= :run", {"run": run})
        )

    def latest(self, dataset: DatasetId) -> dict[str, Any] | None:
        """The results as `{"run", "checked_at", "results"}`; None if no test was ever run."""
        item = self._table.get({"workspace": self._workspace, "dataset": f"tests/{dataset}"})
        if item is None:
            return None
        return {"run": item["run"], "checked_at": item["checked_at"], "results": orjson.loads(item["results"])}
