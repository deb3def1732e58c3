"""The latest results of tables' tests: items `tests/{dataset}` beside the pointers."""

from __future__ import annotations

from typing import Any

import orjson

from sluice.catalog.table import Table
from sluice.domain.dataset_id import DatasetId
from sluice.domain.model import TestResult
from sluice.domain.names import now, rfc3339


class TestResults:
    """How the tests of each table have ended last, whether or not its data was published."""

    __test__ = False

    def __init__(self, table: Table, workspace: str) -> None:
        self._table = table
        self._workspace = workspace

    def put(self, dataset: DatasetId, run: str, results: list[TestResult]) -> None:
        """Keep the results of a run, in place of those of the run before."""
        told = orjson.dumps([one.model_dump(mode="json") for one in results]).decode()
        key = {"workspace": self._workspace, "dataset": f"tests/{dataset}"}
        changes = {"run": run, "checked_at": rfc3339(now()), "results": told}
        self._table.do(self._table.update(key, changes, "attribute_not_exists(#run) OR #run <= :run", {"run": run}))

    def of(self, dataset: DatasetId) -> dict[str, Any] | None:
        """`{"run", "checked_at", "results"}`; none if no test was ever run."""
        item = self._table.get({"workspace": self._workspace, "dataset": f"tests/{dataset}"})
        if item is None:
            return None
        return {"run": item["run"], "checked_at": item["checked_at"], "results": orjson.loads(item["results"])}
