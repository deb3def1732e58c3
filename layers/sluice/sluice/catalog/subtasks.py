"""The restarts of runs of algorithms: which have begun, how often, and how they have ended."""

from __future__ import annotations

import time
from collections import Counter
from typing import Literal

from sluice.catalog.table import Item, Table
from sluice.domain.algorithm_run import Subtasks

_ALWAYS = "attribute_exists(#number) OR attribute_not_exists(#number)"


class SubtaskStates:
    """The table `Subtasks`: `workspace#run_id` / `number`."""

    def __init__(self, table: Table, workspace: str, days: int) -> None:
        self._table = table
        self._workspace = workspace
        self._days = days

    def _key(self, run_id: str, number: int) -> Item:
        return {"workspace_run": f"{self._workspace}#{run_id}", "number": number}

    def begin(self, run_id: str, number: int) -> None:
        """Note that a restart begins, perhaps again."""
        changes = {"state": "running", "expires_at": int(time.time()) + self._days * 86400}
        self._table.execute(self._table.update(self._key(run_id, number), changes, _ALWAYS, add={"tries": 1}))

    def end(self, run_id: str, number: int, state: Literal["succeeded", "failed"]) -> None:
        """Note how a restart has ended. One that has succeeded stays so."""
        self._table.execute(self._table.update(self._key(run_id, number), {"state": state}, _ALWAYS))

    def count(self, run_id: str, total: int) -> Subtasks:
        """Count the restarts of a run by their state.

        Args:
            total: how many the run has.
        """
        values = {"pk": f"{self._workspace}#{run_id}", "total": total}
        items = list(self._table.query_all("#workspace_run = :pk AND #number < :total", values))
        states = Counter(item["state"] for item in items)
        return Subtasks(
            total=total,
            pending=total - len(items),
            running=states["running"],
            retried=sum(item["tries"] > 1 for item in items),
            succeeded=states["succeeded"],
            failed=states["failed"],
        )
